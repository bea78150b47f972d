import { describe, expect, it } from 'vitest';
import { checkAgainst } from '../../../src/dojo/against/checkAgainst.js';
import { readInputs } from '../../../src/dojo/against/inputs.js';
import { remarkText } from '../../../src/dojo/against/remarks.js';
import { loadFloats, type Safetensors, type SafetensorsDType, type StoredTensor, storeFloats } from '../../../src/run/safetensors.js';
import { DEEP_FIXTURES, loadFixture } from '../../support/fixtures.js';
import { refusal } from '../../support/safetensorsFiles.js';

// n 5, T 2, E 3, H 7, V 11
const FIXTURE = loadFixture('gradients-n5-t2-e3-h7-v11-f64');
const [X, Y] = [FIXTURE.indices('Xb').data, FIXTURE.indices('Yb').data];

const stored = (name: string): StoredTensor => FIXTURE.file.tensors.get(name) as StoredTensor;
function edited(edits: Record<string, StoredTensor>): Safetensors {
  return { ...FIXTURE.file, tensors: new Map([...FIXTURE.file.tensors, ...Object.entries(edits)]) };
}
const without = (...names: string[]): Safetensors => ({
  ...FIXTURE.file,
  tensors: new Map([...FIXTURE.file.tensors].filter(([name]) => !names.includes(name))),
});
/** As nn.Linear keeps it. */
function transposed(name: string): StoredTensor {
  const { T } = FIXTURE.tensor(name);
  return storeFloats(T.data, T.shape);
}
const indices = (dtype: SafetensorsDType, data: ArrayBufferView, shape: number[]): StoredTensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});
const zeros = (dtype: SafetensorsDType, shape: number[], bytes: number): StoredTensor => ({ dtype, shape, bytes: new Uint8Array(bytes) });
const oneHot = (data: Int32Array, shape: number[], V: number) =>
  storeFloats(
    Float32Array.from({ length: data.length * V }, (_, i) => Number(data[Math.floor(i / V)] === i % V)),
    [...shape, V],
  );

describe('a batch is read', () => {
  it.each<[string, StoredTensor]>([
    ['I32', indices('I32', Int32Array.from(X), [5, 2])],
    ['I16', indices('I16', Int16Array.from(X), [5, 2])],
    ['U8', indices('U8', Uint8Array.from(X), [5, 2])],
  ])('from %s', (_, Xb) => {
    const { batch, remarks } = readInputs(edited({ Xb }));
    expect({ Xb: batch.Xb, remarks }).toEqual({ Xb: { data: X, shape: [5, 2] }, remarks: [] });
  });

  it.each<[string, Record<string, StoredTensor>, string]>([
    ['from floats', { Xb: storeFloats(Float32Array.from(X), [5, 2]) }, 'Xb holds whole numbers as F32 and is read as indices, Xb.long()'],
    ['from one-hot contexts', { Xb: oneHot(X, [5, 2], 11) }, 'Xb is one-hot and read as its indices, Xb.argmax(-1)'],
    ['from one-hot targets', { Yb: oneHot(Y, [5], 11) }, 'Yb is one-hot and read as its indices, Yb.argmax(-1)'],
    ['from a column of targets', { Yb: { ...stored('Yb'), shape: [5, 1] } }, 'Yb is [5, 1] and read as [5], Yb.view(-1)'],
  ])('%s, with a remark', (_, edits, remark) => {
    const { batch, remarks } = readInputs(edited(edits));
    expect(batch).toEqual({ Xb: { data: X, shape: [5, 2] }, Yb: { data: Y, shape: [5] } });
    expect(remarks.map(remarkText)).toEqual([remark]);
    expect(checkAgainst(edited(edits)).ok).toBe(true);
  });
});

describe('a file is refused in one line, with the way out:', () => {
  it.each<[string, Safetensors, string]>([
    [
      'W1 of nn.Linear',
      edited({ W1: transposed('W1') }),
      'W1 is [7, 6], the transpose of [6, 7]; nn.Linear stores the transpose; save W1.T',
    ],
    [
      'both weights of nn.Linear',
      edited({ W1: transposed('W1'), W2: transposed('W2') }),
      'W1 is [7, 6], the transpose of [6, 7], and W2 is [11, 7], the transpose of [7, 11]; nn.Linear stores the transpose; save W1.T and W2.T',
    ],
    [
      'half precision',
      edited({ C: zeros('F16', [11, 3], 66) }),
      'tensor "C" has dtype F16, expected F32 or F64; compute in float32 or float64: C.float()',
    ],
    [
      'a gradient in bfloat16',
      edited({ dC: zeros('BF16', [11, 3], 66) }),
      'tensor "dC" has dtype BF16, expected F32 or F64; compute in float32 or float64: dC.float()',
    ],
    [
      'an intermediate of integers',
      edited({ h: zeros('I64', [5, 7], 280) }),
      'tensor "h" has dtype I64, expected F32 or F64; compute in float32 or float64: h.float()',
    ],
    [
      'contexts in half precision',
      edited({ Xb: zeros('F16', [5, 2], 20) }),
      'tensor "Xb" has dtype F16, expected I64 or I32; save Xb.long()',
    ],
    [
      'contexts that are no whole numbers',
      edited({
        Xb: storeFloats(
          Float32Array.from(X, (x, i) => (i === 3 ? 0.5 : x)),
          [5, 2],
        ),
      }),
      'tensor "Xb" holds 0.5 at entry 3, expected an index from 0 to 10; save the indices: Xb.long()',
    ],
    [
      'transposed contexts',
      edited({ Xb: indices('I32', Int32Array.from(X), [2, 5]) }),
      'Xb is [2, 5], the transpose of [5, 2]; it has one row per example: save Xb.T',
    ],
    [
      'contexts as a vector',
      edited({ Xb: indices('I32', Int32Array.from(X), [10]) }),
      'tensor "Xb" has shape [10], expected 2 dimensions of at least 1; save Xb as [n,T], one row per example: Xb.view(n, T)',
    ],
    [
      'b1 as a row',
      edited({ b1: { ...stored('b1'), shape: [1, 7] } }),
      'tensor "b1" has shape [1, 7], expected [7] to match C, Xb and W1; save b1.view(-1)',
    ],
    ['a missing bias', without('b1'), 'missing b1; the comparison needs the parameters and the batch'],
  ])('%s', (_, file, message) => {
    expect(refusal(() => readInputs(file))).toBe(message);
  });

  it.each(DEEP_FIXTURES)('a deep network: $name', ({ name }) => {
    expect(refusal(() => readInputs(loadFixture(name).file))).toBe(
      `"blocks.2.W" belongs to a network with several blocks; --against compares the lesson's network, with one block: C, W1, b1, bngain, bnbias, W2, b2`,
    );
  });
});

it('the parameters are read in float64, bngain and bnbias of [H] as [1,H]', () => {
  const { parameters } = readInputs(edited({ bngain: { ...stored('bngain'), shape: [7] } }));
  expect(parameters.bngain).toMatchObject({ shape: [1, 7], dtype: 'float64' });
  expect(Array.from(parameters.W1.data)).toEqual(Array.from(loadFloats('W1', stored('W1'))));
});

it('values of another batch are refused, not judged: Xb with all training examples', () => {
  const Xb = indices('I32', new Int32Array(3_000 * 2), [3_000, 2]);
  const Yb = indices('I32', new Int32Array(3_000), [3_000]);
  expect(refusal(() => readInputs(edited({ Xb, Yb })))).toBe(
    'Xb has 3000 examples, but demb, dembact, dhprebn, … have 5; save the Xb and Yb from which they were computed: those of one batch',
  );
});

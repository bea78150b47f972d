import { describe, expect, it } from 'vitest';
import { FileContentError, fullMessage, NumericalError } from '../../../src/core/errors.js';
import { checkAgainst } from '../../../src/dojo/against/checkAgainst.js';
import { remarkOn } from '../../../src/dojo/against/remarks.js';
import type { AgainstRow } from '../../../src/dojo/against/report.js';
import { backward, GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
import { forward } from '../../../src/lesson/forward.js';
import { INTERMEDIATE_NAMES } from '../../../src/lesson/values.js';
import { loadFloats, type Safetensors, type StoredTensor, storeFloats } from '../../../src/run/safetensors.js';
import { batchOf, GRADIENT_FIXTURES, loadFixture } from '../../support/fixtures.js';

// n 5, T 2, E 3, H 7, V 11
const FIXTURE = loadFixture('gradients-n5-t2-e3-h7-v11-f64');
const ALL = ['loss', ...GRADIENT_NAMES];

const stored = (name: string, { file } = FIXTURE): StoredTensor => file.tensors.get(name) as StoredTensor;
const reshaped = (name: string, shape: number[]): StoredTensor => ({ ...stored(name), shape });
const changed = (name: string, change: (x: number, entry: number) => number, fixture = FIXTURE): StoredTensor =>
  storeFloats(loadFloats(name, stored(name, fixture)).map(change), stored(name, fixture).shape);
/** One entry set to a value. */
const set = (name: string, entry: number, value: number) => changed(name, (x, i) => (i === entry ? value : x));
const int64 = (...values: number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);

/** The file with tensors replaced, added or (undefined) removed. */
function edited(edits: Record<string, StoredTensor | undefined>, { file } = FIXTURE): Safetensors {
  const tensors = new Map(file.tensors);
  for (const [name, tensor] of Object.entries(edits)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return { ...file, tensors };
}
const without = (...names: string[]) => edited(Object.fromEntries(names.map((name) => [name, undefined])));
const rowOf = (rows: readonly AgainstRow[], name: string) => rows.find((row) => row.name === name);
const rowsOf = (file: Safetensors) => checkAgainst(file).tensors;
const red = (rows: readonly AgainstRow[]) => rows.filter((row) => !row.ok).map((row) => row.name);

describe('checkAgainst passes', () => {
  it.each(GRADIENT_FIXTURES)(
    "PyTorch's file $name, with a row for the loss and each of 26 gradients in backward order",
    ({ name, dtype }) => {
      const rows = rowsOf(loadFixture(name).file);
      expect(rows.map((row) => row.name)).toEqual(ALL);
      expect(red(rows)).toEqual([]);
      expect(new Set(rows.map((row) => row.dtype))).toEqual(new Set([dtype === 'float32' ? 'F32' : 'F64']));
    },
  );

  it('our own gradients as exact, with 0 ULPs, also when they are rounded to float32', () => {
    const ours = backward(forward(FIXTURE.parameters(), batchOf(FIXTURE)));
    for (const dtype of ['float64', 'float32'] as const) {
      const edits = Object.fromEntries(GRADIENT_NAMES.map((name) => [name, storeFloats(ours[name].to(dtype).data, ours[name].shape)]));
      const rows = rowsOf(edited({ ...edits, loss: undefined }));
      expect(rows.map((row) => [row.exact, row.ok, row.maxUlps])).toEqual(
        rows.map(({ structuralZero }) => (structuralZero ? [null, true, null] : [true, true, 0])),
      );
    }
  });

  it('a file with one gradient, in one row', () => {
    expect(rowsOf(without(...ALL.filter((name) => name !== 'dW2'))).map((row) => row.name)).toEqual(['dW2']);
  });

  it('a file with bngain and bnbias of shape [H] and 32-bit indices', () => {
    const Yb = { dtype: 'I32' as const, shape: [5], bytes: new Uint8Array(Int32Array.from(FIXTURE.indices('Yb').data).buffer) };
    const file = edited({ bngain: reshaped('bngain', [7]), bnbias: reshaped('bnbias', [7]), Yb });
    expect(checkAgainst(file)).toMatchObject({ ok: true, absent: [], unknown: [], duplicate: [] });
  });

  it('[H] for [1,H] in gradients as in parameters, with a remark', () => {
    const names = ['dbngain', 'dbnbias', 'dbnvar_inv', 'dbnvar', 'dbnmeani'];
    const rows = rowsOf(edited(Object.fromEntries(names.map((name) => [name, reshaped(name, [7])]))));
    expect(red(rows)).toEqual([]);
    expect(rows.filter(({ remarks }) => remarkOn(remarks) === 'shape [7] is read as [1, 7]').map(({ name }) => name)).toEqual(names);
  });

  it('dembcat as dembact', () => {
    const rows = rowsOf(edited({ dembact: undefined, dembcat: stored('dembact') }));
    expect(rows.map((row) => row.name)).toEqual(ALL);
    expect(red(rows)).toEqual([]);
    expect(red(rowsOf(edited({ dembact: undefined, dembcat: changed('dembact', () => 0) })))).toEqual(['dembact']);
  });
});

describe('checkAgainst compares the intermediates of the forward pass', () => {
  const values = forward(FIXTURE.parameters(), batchOf(FIXTURE));
  const intermediates = Object.fromEntries(INTERMEDIATE_NAMES.map((name) => [name, storeFloats(values[name].data, values[name].shape)]));

  it('that are right, before the gradients', () => {
    const { ok, tensors: rows } = checkAgainst(edited(intermediates));
    expect(ok).toBe(true);
    expect(rows.map(({ name }) => name)).toEqual([...INTERMEDIATE_NAMES, 'loss', ...GRADIENT_NAMES]);
  });

  it.each(INTERMEDIATE_NAMES)('%s that is wrong', (name) => {
    const data = values[name].data.slice().fill(99, 0, 1);
    expect(red(rowsOf(edited({ [name]: storeFloats(data, values[name].shape) })))).toEqual([name]);
  });
});

describe('checkAgainst does not pass what it cannot compare:', () => {
  it.each([
    ['dlogit_max', 'dlogit_maxes'],
    ['dW_2', 'dW2'],
    ['dw1', 'dW1'],
    ['dhpreaxt', 'dhpreact'],
    ['C.grad', 'dC'],
    ['grad_W1', 'dW1'],
    ['gradW1', 'dW1'],
    ['W1_grad', 'dW1'],
    ['model.bngain.grad', 'dbngain'],
    ['d b1', 'db1'],
    [' dW1', 'dW1'],
    ['DHPREACT', 'dhpreact'],
    ['dL/dhprebn', 'dhprebn'],
    ['dloss_dlogits', 'dlogits'],
    ['dembCat', 'dembact'],
    ['embcat.grad', 'dembact'],
    ['dcounts_sum_inverse', 'dcounts_sum_inv'],
    ['norm_logit', 'norm_logits'],
    ['w2', 'W2'],
  ])('%j, with the suggestion %s', (name, suggestion) => {
    const report = checkAgainst(edited({ [name]: changed('dC', () => 99) }));
    expect(report).toMatchObject({ ok: false, unknown: [{ name, suggestion }] });
    expect(red(report.tensors)).toEqual([]);
  });

  it.each(['notes', 'dx', 'd', '.', 'x'.repeat(100), '∂', 'constructor', 'toString'])('%j, without a suggestion', (name) => {
    expect(checkAgainst(edited({ [name]: stored('dC') }))).toMatchObject({
      ok: false,
      unknown: [{ name, suggestion: null }],
    });
  });

  it('misspelt gradients alone', () => {
    const {
      ok,
      tensors: rows,
      absent,
    } = checkAgainst(edited({ ...Object.fromEntries(ALL.map((name) => [name, undefined])), dw1: stored('dW1') }));
    expect({ ok, rows, absent }).toEqual({ ok: false, rows: [], absent: GRADIENT_NAMES });
  });

  it.each([
    ['dembcat', 'dembact', stored('dembact')],
    ['embcat', 'embact', stored('dembact')],
  ])('%s next to %s, which are both compared', (name, of, tensor) => {
    const report = checkAgainst(edited({ [name]: tensor, [of]: tensor }));
    expect(report).toMatchObject({ ok: false, duplicate: [{ name, of }] });
    expect(report.tensors.map((row) => row.name)).toEqual(expect.arrayContaining([name, of]));
  });

  it('the gradients that the file does not hold are listed', () => {
    const { ok, absent } = checkAgainst(without('dW1', 'dC'));
    expect({ ok, absent }).toEqual({ ok: true, absent: ['dW1', 'dC'] });
  });

  it('parameters with which our own numbers overflow', () => {
    const file = edited({ W1: changed('W1', (x) => x * 1e300), W2: changed('W2', (x) => x * 1e300) });
    expect(() => checkAgainst(file)).toThrow(NumericalError);
    expect(() => checkAgainst(file)).toThrow(/with these parameters, our \w+ is (NaN|-?Infinity) at \[/);
  });
});

describe('checkAgainst fails', () => {
  it('a changed entry, and reports its index and both values', () => {
    const theirs = loadFloats('dW1', stored('dW1'))[2 * 7 + 4];
    const rows = rowsOf(edited({ dW1: set('dW1', 2 * 7 + 4, theirs + 1e-5) }));
    expect(red(rows)).toEqual(['dW1']);
    expect(rowOf(rows, 'dW1')).toMatchObject({ at: [2, 4], found: theirs + 1e-5, exact: false, ok: false });
    expect(Math.abs((rowOf(rows, 'dW1')?.expected ?? 0) - theirs)).toBeLessThan(1e-12);
  });

  it.each([
    ['F64', FIXTURE, 1e-8],
    ['F32', loadFixture('gradients-n5-t2-e3-h7-v11-f32'), 1e-3],
  ] as const)('%s gradients with a small relative error, except the structural zeros', (_, fixture, factor) => {
    const edits = Object.fromEntries(ALL.map((name) => [name, changed(name, (x) => x * (1 + factor), fixture)]));
    const report = checkAgainst(edited(edits, fixture));
    expect(red(report.tensors)).toEqual(ALL.filter((name) => name !== 'db1' && name !== 'dlogit_maxes'));
    expect(report.culprits).toEqual(['dlogprobs']);
  });

  it.each(['db1', 'dlogit_maxes'])('%s that is not 0', (name) => {
    expect(red(rowsOf(edited({ [name]: set(name, 1, 1e-6) })))).toEqual([name]);
  });

  it('db1 of shape [1,H] and dcounts_sum of shape [n], which broadcasting would hide', () => {
    const rows = rowsOf(edited({ db1: reshaped('db1', [1, 7]), dcounts_sum: reshaped('dcounts_sum', [5]) }));
    expect(red(rows)).toEqual(['dcounts_sum', 'db1']);
    expect(rowOf(rows, 'dcounts_sum')).toMatchObject({
      verdict: 'wrong',
      shape: [5],
      expectedShape: [5, 1],
      error: null,
      exact: null,
      mistake: { id: 'reshaped' },
    });
  });

  it.each([[Number.NaN], [Infinity]])('%d in a gradient', (bad) => {
    const rows = rowsOf(edited({ dh: set('dh', 3, bad) }));
    expect(red(rows)).toEqual(['dh']);
    expect(rowOf(rows, 'dh')).toMatchObject({ at: [0, 3], found: bad, exact: false });
  });

  it('a wrong loss', () => {
    expect(red(rowsOf(edited({ loss: changed('loss', (x) => x + 1e-6) })))).toEqual(['loss']);
  });
});

describe('checkAgainst refuses a file and names the tensor:', () => {
  const F16 = (shape: number[], size: number): StoredTensor => ({ dtype: 'F16', shape, bytes: new Uint8Array(2 * size) });
  const [X, Y] = [FIXTURE.indices('Xb').data, FIXTURE.indices('Yb').data];

  it.each<[string, Safetensors, string]>([
    ['no parameters', without('C', 'bngain'), 'missing C, bngain'],
    ['no batch', without('Xb', 'Yb'), 'missing Xb, Yb'],
    ['one tensor short', without('W2'), 'missing W2'],
    ['a misspelt parameter', edited({ W2: undefined, w_2: stored('W2') }), 'missing W2; "w_2" may be meant as W2'],
    ['no gradient', without(...ALL), 'no gradient found; expected at least one of dlogprobs, dprobs,'],
    [
      'W1 of a shape that does not match C and Xb',
      edited({ W1: reshaped('W1', [3, 14]) }),
      'tensor "W1" has shape [3, 14], expected [6, 14]',
    ],
    ['b1 as a row matrix', edited({ b1: reshaped('b1', [1, 7]) }), 'tensor "b1" has shape [1, 7], expected [7]'],
    ['bngain as a column matrix', edited({ bngain: reshaped('bngain', [7, 1]) }), 'tensor "bngain" has shape [7, 1], expected [1, 7]'],
    ['C as a vector', edited({ C: reshaped('C', [33]) }), 'tensor "C" has shape [33], expected 2 dimensions of at least 1'],
    ['Xb as a vector', edited({ Xb: reshaped('Xb', [10]) }), 'tensor "Xb" has shape [10], expected 2 dimensions of at least 1'],
    [
      'an empty Xb',
      edited({ Xb: { dtype: 'I64', shape: [5, 0], bytes: int64() } }),
      'tensor "Xb" has shape [5, 0], expected 2 dimensions of at least 1',
    ],
    [
      'Yb of another batch size',
      edited({ Yb: { dtype: 'I64', shape: [4], bytes: int64(...Y.slice(0, 4)) } }),
      'tensor "Yb" has shape [4], expected [5]',
    ],
    [
      'a batch of one',
      edited({
        Xb: { dtype: 'I64', shape: [1, 2], bytes: int64(...X.slice(0, 2)) },
        Yb: { dtype: 'I64', shape: [1], bytes: int64(Y[0]) },
      }),
      'tensor "Xb" has 1 example; the variance over the batch needs at least 2',
    ],
    [
      'a context outside the vocabulary',
      edited({ Xb: { dtype: 'I64', shape: [5, 2], bytes: int64(...X.slice(0, 9), 11) } }),
      'tensor "Xb" holds the index 11, expected 0 to 10',
    ],
    [
      'a target below 0',
      edited({ Yb: { dtype: 'I64', shape: [5], bytes: int64(...Y.slice(0, 4), -1) } }),
      'tensor "Yb" holds the index -1, expected 0 to 10',
    ],
    ['a parameter in F16', edited({ C: F16([11, 3], 33) }), 'tensor "C" has dtype F16, expected F32 or F64'],
    ['a gradient in F16', edited({ dC: F16([11, 3], 33) }), 'tensor "dC" has dtype F16, expected F32 or F64'],
    ['NaN in a parameter', edited({ W2: set('W2', 5, Number.NaN) }), 'tensor "W2" holds NaN at entry 5, expected finite numbers'],
    ['an infinite parameter', edited({ b2: set('b2', 0, -Infinity) }), 'tensor "b2" holds -Infinity at entry 0'],
  ])('%s', (_, file, message) => {
    expect(() => checkAgainst(file)).toThrow(FileContentError);
    expect(() => checkAgainst(file)).toThrow(message);
  });

  it('the hint for a missing tensor says what the comparison needs', () => {
    let thrown: unknown;
    try {
      checkAgainst(without('C'));
    } catch (error) {
      thrown = error;
    }
    expect(fullMessage(thrown as Error)).toBe('missing C; the comparison needs the parameters and the batch');
  });
});

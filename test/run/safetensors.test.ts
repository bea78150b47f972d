import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  loadFloats,
  loadIndices,
  readSafetensors,
  type SafetensorsDType,
  type StoredTensor,
  storeFloats,
  storeIndices,
  writeSafetensors,
} from '../../src/run/safetensors.js';
import { rawFile, refusal, smallSafetensors } from '../support/safetensorsFiles.js';

const SIZES: Record<SafetensorsDType, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

describe('writing and reading safetensors', () => {
  const tensor = fc
    .record({
      dtype: fc.constantFrom(...(Object.keys(SIZES) as SafetensorsDType[])),
      shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    })
    .chain(({ dtype, shape }) => {
      const length = shape.reduce((product, size) => product * size, SIZES[dtype]);
      return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes): StoredTensor => ({ dtype, shape, bytes }));
    });
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('', '0', '1', '10', 'toString', 'constructor', '漢', '"'),
  );
  const tensors = fc
    .uniqueArray(fc.tuple(name, tensor), { selector: ([text]) => text, maxLength: 5 })
    .map((entries) => entries.filter(([text]) => text !== '__metadata__' && text !== '__proto__'));
  const metadata = fc.dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 12 }), {
    maxKeys: 4,
    noNullPrototype: true,
  });

  it('gives back metadata and tensors', () => {
    fc.assert(
      fc.property(tensors, metadata, (entries, about) => {
        const file = readSafetensors(writeSafetensors({ metadata: about, tensors: new Map(entries) }));
        expect(Object.entries(file.metadata).sort()).toEqual(Object.entries(about).sort());
        expect(file.tensors.size).toBe(entries.length);
        for (const [text, { dtype, shape, bytes }] of entries) {
          const found = file.tensors.get(text);
          expect(found).toMatchObject({ dtype, shape });
          expect([...(found as StoredTensor).bytes]).toEqual([...bytes]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('accepts an empty tensor in the same place as the next one, with any names', () => {
    const empty: StoredTensor = { dtype: 'F32', shape: [0], bytes: new Uint8Array(0) };
    const one = storeFloats(Float32Array.of(7), [1]);
    const file = readSafetensors(
      writeSafetensors({
        metadata: {},
        tensors: new Map([
          ['z', empty],
          ['1', one],
        ]),
      }),
    );
    expect(file.tensors.get('z')).toMatchObject({ shape: [0] });
    expect(loadFloats('1', file.tensors.get('1') as StoredTensor)).toEqual(Float32Array.of(7));
  });

  it('gives the same bytes for the same content, also after reading', () => {
    expect(smallSafetensors()).toEqual(smallSafetensors());
    expect(writeSafetensors(readSafetensors(smallSafetensors()))).toEqual(smallSafetensors());
  });

  it.each(['a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg', 'abcdefgh'])(
    'pads the header with spaces to a multiple of 8 bytes: %s',
    (text) => {
      const file = Buffer.from(writeSafetensors({ metadata: {}, tensors: new Map([[text, storeFloats(Float32Array.of(1), [1])]]) }));
      const length = Number(file.readBigUInt64LE(0));
      expect(length % 8).toBe(0);
      expect(file).toHaveLength(8 + length + 4);
      expect(file.toString('utf8', 8, 8 + length)).toMatch(/\} {0,7}$/);
    },
  );

  it('keeps every number, including signed zeros, NaN and infinity', () => {
    const floats = Float32Array.of(0, -0, 1e-45, -3.4e38, Infinity, Number.NaN, 0.1);
    expect(loadFloats('x', storeFloats(floats, [7]))).toEqual(floats);
    const doubles = Float64Array.of(0, -0, 5e-324, 1.7e308, -Infinity, Number.NaN, 0.1);
    expect(loadFloats('x', storeFloats(doubles, [7]))).toEqual(doubles);
  });

  it('stores numbers in little-endian order', () => {
    expect([...storeFloats(Float32Array.of(1), [1]).bytes]).toEqual([0, 0, 0x80, 0x3f]);
    expect([...storeFloats(Float64Array.of(1), [1]).bytes]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  });
});

describe('reading safetensors of other programs', () => {
  const ones = Buffer.from(Float32Array.of(1, 2).buffer);

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('accepts a header length of 8k + %i', (rest) => {
    const header = { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
    const json = JSON.stringify(header);
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8 + rest);
    const { tensors } = readSafetensors(rawFile(padded, ones));
    expect(loadFloats('a', tensors.get('a') as StoredTensor)).toEqual(Float32Array.of(1, 2));
  });

  it('accepts a file at any position of a larger buffer', () => {
    for (let offset = 0; offset < 9; offset++) {
      const buffer = new Uint8Array(offset + smallSafetensors().length);
      buffer.set(smallSafetensors(), offset);
      const { tensors } = readSafetensors(buffer.subarray(offset));
      expect(loadFloats('a', tensors.get('a') as StoredTensor)).toEqual(Float32Array.of(1, -2.5));
    }
  });

  it('accepts tensors in any order in the header', () => {
    const header = { b: { dtype: 'F32', shape: [], data_offsets: [4, 8] }, a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
    const { tensors } = readSafetensors(rawFile(header, ones));
    expect(loadFloats('a', tensors.get('a') as StoredTensor)).toEqual(Float32Array.of(1));
    expect(loadFloats('b', tensors.get('b') as StoredTensor)).toEqual(Float32Array.of(2));
  });

  it('accepts a file without tensors and metadata', () => {
    expect(readSafetensors(rawFile({}))).toEqual({ metadata: {}, tensors: new Map() });
  });

  it('accepts brackets, colons and quotes inside strings', () => {
    const metadata = { a: '[[[[{{{{', b: '"a":"a":', c: '\\', d: '{"a":1,"a":2}' };
    expect(readSafetensors(rawFile({ __metadata__: metadata })).metadata).toEqual(metadata);
  });

  it('accepts a header with a string of 10 MB', () => {
    const text = 'x'.repeat(10_000_000);
    expect(readSafetensors(rawFile({ __metadata__: { text } })).metadata.text.length).toBe(text.length);
  });

  it('accepts the fixtures of PyTorch', () => {
    const file = readSafetensors(readFileSync(new URL('../fixtures/gradients-n2-t3-e4-h8-v13-f64.safetensors', import.meta.url)));
    expect(file.tensors.get('C')).toMatchObject({ dtype: 'F64', shape: [13, 4] });
    expect(file.tensors.get('Xb')).toMatchObject({ shape: [2, 3] });
  });
});

describe('the numbers of a tensor', () => {
  it.each(['F16', 'BF16', 'I32', 'U8', 'BOOL'] as const)('are not read as floats from %s', (dtype) => {
    expect(refusal(() => loadFloats('W1', { dtype, shape: [0], bytes: new Uint8Array(0) }))).toBe(
      `tensor "W1" has dtype ${dtype}, expected F32 or F64`,
    );
  });

  it.each([
    ['I32', new Uint8Array(Int32Array.of(0, 5, 12).buffer)],
    ['I64', new Uint8Array(BigInt64Array.of(0n, 5n, 12n).buffer)],
    ['I16', new Uint8Array(Int16Array.of(0, 5, 12).buffer)],
    ['I8', new Uint8Array(Int8Array.of(0, 5, 12).buffer)],
    ['U64', new Uint8Array(BigUint64Array.of(0n, 5n, 12n).buffer)],
    ['U32', new Uint8Array(Uint32Array.of(0, 5, 12).buffer)],
    ['U16', new Uint8Array(Uint16Array.of(0, 5, 12).buffer)],
    ['U8', new Uint8Array(Uint8Array.of(0, 5, 12).buffer)],
  ] as const)('are read as indices from %s', (dtype, bytes) => {
    expect(loadIndices('Xb', { dtype, shape: [3], bytes }, 13)).toEqual(Int32Array.of(0, 5, 12));
  });

  it.each([-1n, 13n, 2n ** 32n, -(2n ** 63n)])('may not be the index %i', (index) => {
    const bytes = new Uint8Array(BigInt64Array.of(0n, index).buffer);
    expect(refusal(() => loadIndices('Xb', { dtype: 'I64', shape: [2], bytes }, 13))).toBe(
      `tensor "Xb" holds the index ${index}, expected 0 to 12`,
    );
  });

  it('are stored as int64, little-endian', () => {
    const stored = storeIndices([-1, 258, 2 ** 40], [3, 1]);
    expect(stored).toMatchObject({ dtype: 'I64', shape: [3, 1] });
    expect([...new Uint8Array(BigInt64Array.of(-1n, 258n, 2n ** 40n).buffer)]).toEqual([...stored.bytes]);
  });

  it('are read as they were stored', () => {
    const values = Int32Array.of(0, 5, 12);
    expect(loadIndices('Xb', storeIndices(values, [3]), 13)).toEqual(values);
  });

  it('are not read as indices from floats', () => {
    expect(refusal(() => loadIndices('Yb', storeFloats(Float32Array.of(1), [1]), 13))).toBe(
      'tensor "Yb" has dtype F32, expected I64 or I32',
    );
  });
});

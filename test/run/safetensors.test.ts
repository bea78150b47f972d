import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import { readSafetensorsBytes, readSafetensorsFile } from '../../src/node/safetensorsFile.js';
import {
  loadFloats,
  loadIndices,
  readSafetensors,
  type SafetensorsDType,
  type StoredTensor,
  storeFloats,
  writeSafetensors,
} from '../../src/run/safetensors.js';
import { headerLength, isRead, rawFile, refusal } from '../support/safetensorsFiles.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

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

/** A small file with two tensors and metadata. */
function smallFile(): Uint8Array {
  return writeSafetensors({
    metadata: { format: 'pt', note: 'é"\n' },
    tensors: new Map([
      ['a', storeFloats(Float32Array.of(1, -2.5), [2])],
      ['b', storeFloats(Float64Array.of(0.1), [1, 1])],
    ]),
  });
}

describe('round trip', () => {
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

  it('what is written is what is read', () => {
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

  it('an empty tensor may share its place with the next one, whatever their names', () => {
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

  it('the same tensors give the same bytes, also when the file read is written again', () => {
    expect(smallFile()).toEqual(smallFile());
    expect(writeSafetensors(readSafetensors(smallFile()))).toEqual(smallFile());
  });

  it.each(['a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg', 'abcdefgh'])(
    'the header is padded with blanks to a multiple of 8: %s',
    (text) => {
      const file = Buffer.from(writeSafetensors({ metadata: {}, tensors: new Map([[text, storeFloats(Float32Array.of(1), [1])]]) }));
      const length = Number(file.readBigUInt64LE(0));
      expect(length % 8).toBe(0);
      expect(file).toHaveLength(8 + length + 4);
      expect(file.toString('utf8', 8, 8 + length)).toMatch(/\} {0,7}$/);
    },
  );

  it('numbers keep every bit, signed zeros and the not-a-numbers included', () => {
    const floats = Float32Array.of(0, -0, 1e-45, -3.4e38, Infinity, Number.NaN, 0.1);
    expect(loadFloats('x', storeFloats(floats, [7]))).toEqual(floats);
    const doubles = Float64Array.of(0, -0, 5e-324, 1.7e308, -Infinity, Number.NaN, 0.1);
    expect(loadFloats('x', storeFloats(doubles, [7]))).toEqual(doubles);
  });

  it('bytes are little-endian', () => {
    expect([...storeFloats(Float32Array.of(1), [1]).bytes]).toEqual([0, 0, 0x80, 0x3f]);
    expect([...storeFloats(Float64Array.of(1), [1]).bytes]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  });
});

describe('files that others write', () => {
  const ones = Buffer.from(Float32Array.of(1, 2).buffer);

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('a header length of 8k + %i is read by copy', (rest) => {
    const header = { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
    const json = JSON.stringify(header);
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8 + rest);
    const { tensors } = readSafetensors(rawFile(padded, ones));
    expect(loadFloats('a', tensors.get('a') as StoredTensor)).toEqual(Float32Array.of(1, 2));
  });

  it('a file in the middle of a larger buffer is read at any position', () => {
    for (let offset = 0; offset < 9; offset++) {
      const buffer = new Uint8Array(offset + smallFile().length);
      buffer.set(smallFile(), offset);
      const { tensors } = readSafetensors(buffer.subarray(offset));
      expect(loadFloats('a', tensors.get('a') as StoredTensor)).toEqual(Float32Array.of(1, -2.5));
    }
  });

  it('tensors may stand in the header in any order', () => {
    const header = { b: { dtype: 'F32', shape: [], data_offsets: [4, 8] }, a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
    const { tensors } = readSafetensors(rawFile(header, ones));
    expect(loadFloats('a', tensors.get('a') as StoredTensor)).toEqual(Float32Array.of(1));
    expect(loadFloats('b', tensors.get('b') as StoredTensor)).toEqual(Float32Array.of(2));
  });

  it('a file without tensors and without metadata is empty', () => {
    expect(readSafetensors(rawFile({}))).toEqual({ metadata: {}, tensors: new Map() });
  });

  it("PyTorch's fixtures are read", () => {
    const file = readSafetensors(readFileSync(new URL('../fixtures/gradients-n2-t3-e4-h8-v13-f64.safetensors', import.meta.url)));
    expect(file.tensors.get('C')).toMatchObject({ dtype: 'F64', shape: [13, 4] });
    expect(file.tensors.get('Xb')).toMatchObject({ shape: [2, 3] });
  });
});

describe('structure faults are refused', () => {
  it.each([0, 1, 7])('%i bytes are no file', (length) => {
    expect(refusal(() => readSafetensors(new Uint8Array(length)))).toBe(`not a safetensors file: ${length} bytes, expected at least 8`);
  });

  it.each([2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 100_000_001n])('a header length of %i is above the limit', (length) => {
    const message = refusal(() => readSafetensors(Buffer.concat([headerLength(length), Buffer.from('{}')])));
    expect(message).toBe(`not a safetensors file: header length ${length}, the limit is 100000000`);
  });

  it('a header past the end of the file: the sizes expected and found', () => {
    const message = refusal(() => readSafetensors(Buffer.concat([headerLength(100_000_000n), Buffer.from('{}')])));
    expect(message).toBe('truncated: the header needs 100000008 bytes, the file has 10');
  });

  it('a header cut short by a byte, be it a blank', () => {
    const message = refusal(() => readSafetensors(rawFile('{}      ').subarray(0, -1)));
    expect(message).toBe('truncated: the header needs 16 bytes, the file has 15');
  });

  it.each([
    ['not UTF-8', Buffer.concat([headerLength(2n), Buffer.of(0x7b, 0xff)])],
    ['not JSON', rawFile('{"a":')],
    ['empty', headerLength(0n)],
    ['followed by something else', rawFile('{} {}')],
  ])('a header that is %s', (_, file) => {
    expect(refusal(() => readSafetensors(file))).toMatch(
      /^not a safetensors file: the header is not valid (JSON within its first \d+ characters|UTF-8 at byte \d+ of the file)$/,
    );
  });

  it.each([[[]], [null], ['"text"'], [7], [true]])('a header that is %j is no object', (header) => {
    expect(refusal(() => readSafetensors(rawFile(header)))).toBe('not a safetensors file: the header is not a JSON object');
  });

  it.each([[null], ['text'], [[]], [{ a: 1 }], [{ a: null }]])('metadata %j is no object of strings', (metadata) => {
    expect(refusal(() => readSafetensors(rawFile({ __metadata__: metadata })))).toBe('__metadata__ is not an object of strings');
  });

  const empty = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
  it.each([
    ['with a tensor twice', `{"a":${empty},"a":${empty}}`, 'the header has the key "a" twice'],
    ['with a tensor twice, once in escapes', `{"a":${empty},"\\u0061":${empty}}`, 'the header has the key "a" twice'],
    ['with its metadata twice', '{"__metadata__":{},"__metadata__":{}}', 'the header has the key "__metadata__" twice'],
    ['with a key of its metadata twice', '{"__metadata__":{"b":"1","b":"2"}}', 'the header has the key "b" twice'],
    [
      "with a tensor's shape twice",
      '{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}',
      'the header has the key "shape" twice',
    ],
    ['with __proto__', `{"__proto__":${empty}}`, 'the header has the key "__proto__"'],
    ['with __proto__ in escapes', `{"__proto\\u005f_":${empty}}`, 'the header has the key "__proto__"'],
    ['with __proto__ in its metadata', '{"__metadata__":{"__proto__":"1"}}', 'the header has the key "__proto__"'],
    ['with a blank after the key that stands twice', `{"a" :${empty},"a"\n:${empty}}`, 'the header has the key "a" twice'],
  ])('a header %s: names the key', (_, header, message) => {
    expect(refusal(() => readSafetensors(rawFile(header)))).toBe(message);
  });

  it.each([
    ['lists in a shape', '{"a":{"dtype":"F32","shape":[[]],"data_offsets":[0,0]}}'],
    ['100,000 lists', `{"a":{"dtype":"F32","shape":${'['.repeat(100_000)}${']'.repeat(100_000)},"data_offsets":[0,0]}}`],
  ])('a header nested too deeply: %s', (_, header) => {
    expect(refusal(() => readSafetensors(rawFile(header)))).toMatch(
      /^not a safetensors file: the header is nested more than 3 levels deep at character \d+$/,
    );
  });

  it.each([
    ['lists', '['],
    ['objects', '{"a":'],
  ])('a header of 1,000,000 %s without an end', (_, start) => {
    expect(refusal(() => readSafetensors(rawFile(start.repeat(1_000_000))))).toMatch(
      /^not a safetensors file: the header is (nested|not valid JSON)/,
    );
  });

  it('brackets, colons and quotes in its texts are neither nesting nor keys', () => {
    const metadata = { a: '[[[[{{{{', b: '"a":"a":', c: '\\', d: '{"a":1,"a":2}' };
    expect(readSafetensors(rawFile({ __metadata__: metadata })).metadata).toEqual(metadata);
  });

  it('a header that holds a text of 10 MB is read', () => {
    const text = 'x'.repeat(10_000_000);
    expect(readSafetensors(rawFile({ __metadata__: { text } })).metadata.text.length).toBe(text.length);
  });

  it('a header of 60 kB in which a text with quotes does not end is refused in a moment', () => {
    const file = rawFile(`{"${'\\"'.repeat(30_000)}`);
    const start = performance.now();
    expect(refusal(() => readSafetensors(file))).toMatch(
      /^not a safetensors file: the header is not valid (JSON within its first \d+ characters|UTF-8 at byte \d+ of the file)$/,
    );
    expect(performance.now() - start).toBeLessThan(500);
  });

  const good = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  it.each([
    ['an entry that is null', null],
    ['an entry that is a list', [1]],
    ['no dtype', { ...good, dtype: undefined }],
    ['an unknown dtype', { ...good, dtype: 'F31' }],
    ['a dtype that every object has', { ...good, dtype: 'toString' }],
    ['a dtype that is a number', { ...good, dtype: 32 }],
    ['no shape', { ...good, shape: undefined }],
    ['a shape that is a number', { ...good, shape: 2 }],
    ['a negative size', { ...good, shape: [-2] }],
    ['a fractional size', { ...good, shape: [0.5, 4] }],
    ['a size that is a text', { ...good, shape: ['2'] }],
    ['a size above 2^53', '{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}'],
    ['an infinite size', '{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}'],
    ['a shape whose product overflows', { ...good, shape: [2 ** 40, 2 ** 40] }],
    ['a shape whose product is infinite', { ...good, shape: Array.from({ length: 25 }, () => 2 ** 50) }],
    [
      'a shape whose product is infinite times 0',
      { ...good, shape: [...Array.from({ length: 25 }, () => 2 ** 50), 0], data_offsets: [0, 0] },
    ],
    ['a shape whose product is 0 modulo 2^64', { ...good, shape: [2 ** 32, 2 ** 32], data_offsets: [0, 0] }],
    ['a size smaller than its offsets', { ...good, shape: [1] }],
    ['a size larger than its offsets', { ...good, shape: [3] }],
    ['no offsets', { ...good, data_offsets: undefined }],
    ['one offset', { ...good, data_offsets: [8] }],
    ['three offsets', { ...good, data_offsets: [0, 8, 8] }],
    ['negative offsets', { ...good, data_offsets: [-8, 0] }],
    ['fractional offsets', { ...good, data_offsets: [0.5, 8.5] }],
    ['offsets that are texts', { ...good, data_offsets: ['0', '8'] }],
    ['offsets above 2^53', '{"dtype":"F32","shape":[2],"data_offsets":[9007199254740992,9007199254741000]}'],
    ['offsets in the wrong order', { ...good, data_offsets: [8, 0] }],
    ['a gap before it', { ...good, data_offsets: [4, 12] }],
  ])('%s: names the tensor', (_, entry) => {
    const json = typeof entry === 'string' ? entry : JSON.stringify(entry);
    expect(refusal(() => readSafetensors(rawFile(`{"weight":${json}}`, new Uint8Array(12))))).toContain('tensor "weight"');
  });

  it.each([
    ['overlapping', [0, 8], [4, 12], 'tensor "b" begins at byte 4 of the data, expected 8'],
    ['the same place twice', [0, 8], [0, 8], 'tensor "b" begins at byte 0 of the data, expected 8'],
    ['a gap between them', [0, 8], [12, 20], 'tensor "b" begins at byte 12 of the data, expected 8'],
  ])('two tensors %s: names the second, with the places expected and found', (_, a, b, message) => {
    const header = { a: { ...good, data_offsets: a }, b: { ...good, data_offsets: b } };
    expect(refusal(() => readSafetensors(rawFile(header, new Uint8Array(20))))).toBe(message);
  });

  it.each([
    ['data that is missing', 7],
    ['no data at all', 0],
    ['trailing bytes', 9],
  ])('%s: the sizes expected and found', (_, length) => {
    const message = refusal(() => readSafetensors(rawFile({ a: good }, new Uint8Array(length))));
    expect(message).toBe(`the file holds ${length} bytes of data, its header describes 8`);
  });

  it('a value of the file in the message is cut to a readable length', () => {
    expect(refusal(() => readSafetensors(rawFile({ a: { ...good, dtype: 'x'.repeat(100_000) } }))).length).toBeLessThan(1000);
  });

  it("a tensor's name in the message is shown escaped", () => {
    expect(refusal(() => readSafetensors(rawFile({ 'a\x1b\x9b31m\u202e': null })))).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

describe('a file on the disk', () => {
  it('gives the same as its bytes', () => {
    const path = put(tempDirectory(), 'file', smallFile());
    expect(readSafetensorsFile(path)).toEqual(readSafetensors(smallFile()));
    expect(Buffer.from(readSafetensorsBytes(path))).toEqual(Buffer.from(smallFile()));
  });

  it('is named before what is wrong with it, escaped', () => {
    const path = put(tempDirectory(), 'my\nfile', 'short');
    expect(refusal(() => readSafetensorsFile(path))).toBe(
      `${path.replace('\n', '\\x0a')}: not a safetensors file: 5 bytes, expected at least 8`,
    );
    expect(refusal(() => readSafetensorsFile(path, 'mine'))).toBe('mine: not a safetensors file: 5 bytes, expected at least 8');
  });

  it('that is missing or a directory: path and reason', () => {
    const directory = tempDirectory();
    const missing = join(directory, 'none');
    expect(() => readSafetensorsFile(missing)).toThrow(new SystemError(`cannot read ${missing}: no such file or directory`));
    expect(() => readSafetensorsFile(directory)).toThrow(new SystemError(`cannot read ${directory}: it is a directory`));
  });

  it('of a gigabyte is refused by its first bytes, without its data being read', () => {
    const path = put(tempDirectory(), 'large', rawFile({ a: { dtype: 'U8', shape: [2 ** 30], data_offsets: [0, 2 ** 30] } }));
    truncateSync(path, 2 ** 30);
    const before = process.memoryUsage().arrayBuffers;
    expect(refusal(() => readSafetensorsFile(path))).toContain('its header describes 1073741824');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });
});

describe('damage', () => {
  it('every shorter beginning of a file is refused', () => {
    const file = smallFile();
    for (let length = 0; length < file.length; length++) refusal(() => readSafetensors(file.subarray(0, length)));
  });

  it('a file with any one byte changed to any other is read or refused, and nothing else happens', () => {
    const file = smallFile();
    let read = 0;
    for (let at = 0; at < file.length; at++) {
      for (let value = 0; value < 256; value++) {
        const damaged = file.slice();
        damaged[at] = value;
        if (isRead(() => readSafetensors(damaged))) read++;
      }
    }
    expect(read).toBeGreaterThan(16 * 256);
    expect(read).toBeLessThan(file.length * 256);
  });

  it('any bytes are read or refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void isRead(() => readSafetensors(bytes))),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 16 }), (json, data) => void isRead(() => readSafetensors(rawFile(json, data)))),
      {
        numRuns: 500,
      },
    );
  });
});

describe('numbers of a tensor', () => {
  it.each(['F16', 'BF16', 'I32', 'U8', 'BOOL'] as const)('floats are refused from %s, which names the tensor', (dtype) => {
    expect(refusal(() => loadFloats('W1', { dtype, shape: [0], bytes: new Uint8Array(0) }))).toBe(
      `tensor "W1" has dtype ${dtype}, expected F32 or F64`,
    );
  });

  it.each([
    ['I32', new Uint8Array(Int32Array.of(0, 5, 12).buffer)],
    ['I64', new Uint8Array(BigInt64Array.of(0n, 5n, 12n).buffer)],
  ] as const)('indices are read from %s', (dtype, bytes) => {
    expect(loadIndices('Xb', { dtype, shape: [3], bytes }, 13)).toEqual(Int32Array.of(0, 5, 12));
  });

  it.each([-1n, 13n, 2n ** 32n, -(2n ** 63n)])('the index %i is refused with the tensor and the range', (index) => {
    const bytes = new Uint8Array(BigInt64Array.of(0n, index).buffer);
    expect(refusal(() => loadIndices('Xb', { dtype: 'I64', shape: [2], bytes }, 13))).toBe(
      `tensor "Xb" holds the index ${index}, expected 0 to 12`,
    );
  });

  it('indices are refused from floats', () => {
    expect(refusal(() => loadIndices('Yb', storeFloats(Float32Array.of(1), [1]), 13))).toBe(
      'tensor "Yb" has dtype F32, expected I64 or I32',
    );
  });
});

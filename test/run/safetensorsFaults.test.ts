import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/run/safetensors.js';
import { headerLength, isRead, rawFile, refusal, smallSafetensors } from '../support/safetensorsFiles.js';

describe('readSafetensors refuses', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [7, '7 bytes'],
  ])('a file of %i bytes', (length, size) => {
    expect(refusal(() => readSafetensors(new Uint8Array(length)))).toBe(`not a safetensors file: ${size}, expected at least 8`);
  });

  it.each([2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 100_000_001n])('a header length of %i, above the limit', (length) => {
    const message = refusal(() => readSafetensors(Buffer.concat([headerLength(length), Buffer.from('{}')])));
    expect(message).toBe(`not a safetensors file: header length ${length}, the limit is 100000000`);
  });

  it('a header longer than the file, with both sizes', () => {
    const message = refusal(() => readSafetensors(Buffer.concat([headerLength(100_000_000n), Buffer.from('{}')])));
    expect(message).toBe('truncated: the header needs 100000008 bytes, the file has 10');
  });

  it('a header without its last byte, even if that is a space', () => {
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

  it.each([[[]], [null], ['"text"'], [7], [true]])('the header %j, which is not an object', (header) => {
    expect(refusal(() => readSafetensors(rawFile(header)))).toBe('not a safetensors file: the header is not a JSON object');
  });

  it.each([[null], ['text'], [[]], [{ a: 1 }], [{ a: null }]])('the metadata %j, which is not an object of strings', (metadata) => {
    expect(refusal(() => readSafetensors(rawFile({ __metadata__: metadata })))).toBe('__metadata__ is not an object of strings');
  });

  const empty = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
  it.each([
    ['with a tensor twice', `{"a":${empty},"a":${empty}}`, 'the header has the key "a" twice'],
    ['with a tensor twice, once with escapes', `{"a":${empty},"\\u0061":${empty}}`, 'the header has the key "a" twice'],
    ['with its metadata twice', '{"__metadata__":{},"__metadata__":{}}', 'the header has the key "__metadata__" twice'],
    ['with a key of its metadata twice', '{"__metadata__":{"b":"1","b":"2"}}', 'the header has the key "b" twice'],
    [
      "with a tensor's shape twice",
      '{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}',
      'the header has the key "shape" twice',
    ],
    ['with __proto__', `{"__proto__":${empty}}`, 'the header has the key "__proto__"'],
    ['with __proto__ with escapes', `{"__proto\\u005f_":${empty}}`, 'the header has the key "__proto__"'],
    ['with __proto__ in its metadata', '{"__metadata__":{"__proto__":"1"}}', 'the header has the key "__proto__"'],
    ['with spaces after a duplicate key', `{"a" :${empty},"a"\n:${empty}}`, 'the header has the key "a" twice'],
  ])('a header %s, and names the key', (_, header, message) => {
    expect(refusal(() => readSafetensors(rawFile(header)))).toBe(message);
  });

  it.each([
    ['lists in a shape', '{"a":{"dtype":"F32","shape":[[]],"data_offsets":[0,0]}}'],
    ['100,000 lists', `{"a":{"dtype":"F32","shape":${'['.repeat(100_000)}${']'.repeat(100_000)},"data_offsets":[0,0]}}`],
  ])('a header nested too deeply with %s', (_, header) => {
    expect(refusal(() => readSafetensors(rawFile(header)))).toMatch(
      /^not a safetensors file: the header is nested more than 3 levels deep at character \d+$/,
    );
  });

  it.each([
    ['lists', '['],
    ['objects', '{"a":'],
  ])('a header of 1,000,000 unclosed %s', (_, start) => {
    expect(refusal(() => readSafetensors(rawFile(start.repeat(1_000_000))))).toMatch(
      /^not a safetensors file: the header is (nested|not valid JSON)/,
    );
  });

  it('a header of 6 MB with an unclosed string of quotes, in linear time: in quadratic time, it would take hours', () => {
    expect(refusal(() => readSafetensors(rawFile(`{"${'\\"'.repeat(3_000_000)}`)))).toMatch(
      /^not a safetensors file: the header is not valid (JSON within its first \d+ characters|UTF-8 at byte \d+ of the file)$/,
    );
  });

  const good = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  it.each([
    ['an entry that is null', null],
    ['an entry that is a list', [1]],
    ['no dtype', { ...good, dtype: undefined }],
    ['an unknown dtype', { ...good, dtype: 'F31' }],
    ['a dtype that is a property of every object', { ...good, dtype: 'toString' }],
    ['a dtype that is a number', { ...good, dtype: 32 }],
    ['no shape', { ...good, shape: undefined }],
    ['a shape that is a number', { ...good, shape: 2 }],
    ['a negative size', { ...good, shape: [-2] }],
    ['a fractional size', { ...good, shape: [0.5, 4] }],
    ['a size that is a string', { ...good, shape: ['2'] }],
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
    ['offsets that are strings', { ...good, data_offsets: ['0', '8'] }],
    ['offsets above 2^53', '{"dtype":"F32","shape":[2],"data_offsets":[9007199254740992,9007199254741000]}'],
    ['offsets in the wrong order', { ...good, data_offsets: [8, 0] }],
    ['a gap before it', { ...good, data_offsets: [4, 12] }],
  ])('%s, and names the tensor', (_, entry) => {
    const json = typeof entry === 'string' ? entry : JSON.stringify(entry);
    expect(refusal(() => readSafetensors(rawFile(`{"weight":${json}}`, new Uint8Array(12))))).toContain('tensor "weight"');
  });

  it.each([
    ['that overlap', [0, 8], [4, 12], 'tensor "b" begins at byte 4 of the data, expected 8'],
    ['in the same place', [0, 8], [0, 8], 'tensor "b" begins at byte 0 of the data, expected 8'],
    ['with a gap between them', [0, 8], [12, 20], 'tensor "b" begins at byte 12 of the data, expected 8'],
  ])('two tensors %s, and names the second with both places', (_, a, b, message) => {
    const header = { a: { ...good, data_offsets: a }, b: { ...good, data_offsets: b } };
    expect(refusal(() => readSafetensors(rawFile(header, new Uint8Array(20))))).toBe(message);
  });

  it.each([
    ['missing data', 7],
    ['no data at all', 0],
    ['trailing bytes', 9],
  ])('%s, with both sizes', (_, length) => {
    const message = refusal(() => readSafetensors(rawFile({ a: good }, new Uint8Array(length))));
    expect(message).toBe(`the file holds ${length} bytes of data, its header describes 8`);
  });

  it('a long value with a message of readable length', () => {
    expect(refusal(() => readSafetensors(rawFile({ a: { ...good, dtype: 'x'.repeat(100_000) } }))).length).toBeLessThan(1000);
  });

  it('a tensor name with control characters, escaped in the message', () => {
    expect(refusal(() => readSafetensors(rawFile({ 'a\x1b\x9b31m\u202e': null })))).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

describe('readSafetensors throws nothing but FileContentError', () => {
  it('for a file truncated at any length', () => {
    const file = smallSafetensors();
    for (let length = 0; length < file.length; length++) refusal(() => readSafetensors(file.subarray(0, length)));
  });

  it('for a file with any byte changed to any other', () => {
    const file = smallSafetensors();
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

  it('for any bytes and any header', () => {
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

import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readNpz, writeNpz } from '../../src/run/npz.js';
import { loadFloats, type StoredTensor, storeFloats } from '../../src/run/safetensors.js';
import { isRead, refusal } from '../support/safetensorsFiles.js';

/** A .npy file with any header. */
function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.of(version, 0), length, text, data]);
}

/** An archive with one array, a. */
function archive(header: string, data?: Uint8Array, version?: number): Uint8Array {
  return zipSync({ 'a.npy': npy(header, data, version) });
}

/** The header of an array of 2 x 3 numbers. */
function matrix(descr: string, order = 'False'): string {
  return `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (2, 3), }\n`;
}

function bytesOf(array: Float32Array | Float64Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer);
}

const six = Float32Array.of(1, 2, 3, 4, 5, 6);

const arrays = new Map<string, StoredTensor>([
  ['W1', storeFloats(six, [2, 3])],
  ['blocks.2.b', storeFloats(Float64Array.of(0.1, -2.5), [2])],
  ['loss', storeFloats(Float64Array.of(3.25), [])],
  ['none', storeFloats(new Float32Array(0), [0, 4])],
  ['Xb', { dtype: 'I64', shape: [1, 2], bytes: bytesOf(BigInt64Array.of(5n, -1n)) }],
  ['flags', { dtype: 'BOOL', shape: [3], bytes: Uint8Array.of(1, 0, 1) }],
]);

describe('writeNpz', () => {
  it('writes what readNpz reads, in the same order', () => {
    expect([...readNpz(writeNpz(arrays))]).toEqual([...arrays]);
  });

  it('gives the same bytes at any time and in any time zone', () => {
    const zone = process.env.TZ;
    const first = writeNpz(arrays);
    process.env.TZ = 'Pacific/Kiritimati';
    try {
      expect(Buffer.from(writeNpz(arrays)).equals(first)).toBe(true);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it('begins the numbers at a multiple of 64 bytes of the array, as NumPy does', () => {
    const file = Buffer.from(writeNpz(new Map([['W1', storeFloats(six, [2, 3])]])));
    const start = file.indexOf('\x93NUMPY', 0, 'latin1');
    expect(file.toString('latin1', start + 10, start + 69)).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
    expect(file.readFloatLE(start + 128)).toBe(1);
  });

  it('refuses a type that NumPy does not have', () => {
    expect(() => writeNpz(new Map([['a', { dtype: 'BF16', shape: [1], bytes: new Uint8Array(2) }]]))).toThrow('NumPy has no BF16');
  });
});

describe('readNpz reads', () => {
  it.each([1, 2, 3])('version %i of the format, compressed', (version) => {
    expect(readNpz(archive(matrix('<f4'), bytesOf(six), version)).get('a')).toEqual(storeFloats(six, [2, 3]));
  });

  it('a column-major array as row-major', () => {
    const columns = Float32Array.of(1, 4, 2, 5, 3, 6);
    expect(readNpz(archive(matrix('<f4', 'True'), bytesOf(columns))).get('a')).toEqual(storeFloats(six, [2, 3]));
  });

  it('a column-major array of three dimensions, entry by entry', () => {
    const shape = [2, 3, 4];
    const columns = new Float64Array(24);
    for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) columns[i + 2 * j + 6 * k] = 100 * i + 10 * j + k;
    const header = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, 4), }";
    const read = readNpz(archive(header, bytesOf(columns))).get('a') as StoredTensor;
    expect(read.shape).toEqual(shape);
    expect([...loadFloats('a', read)]).toEqual(
      Array.from({ length: 24 }, (_, at) => 100 * Math.floor(at / 12) + 10 * (Math.floor(at / 4) % 3) + (at % 4)),
    );
  });

  it('big-endian numbers', () => {
    const data = Buffer.alloc(24);
    six.forEach((x, i) => {
      data.writeFloatBE(x, 4 * i);
    });
    expect(readNpz(archive(matrix('>f4'), data)).get('a')).toEqual(storeFloats(six, [2, 3]));
  });

  it.each([
    ['<f2', 'F16', 2],
    ['<i4', 'I32', 4],
    ['<i8', 'I64', 8],
    ['|u1', 'U8', 1],
    ['|b1', 'BOOL', 1],
    ['=f8', 'F64', 8],
  ])('the type %s as %s', (descr, dtype, width) => {
    expect(readNpz(archive(matrix(descr), new Uint8Array(6 * width))).get('a')?.dtype).toBe(dtype);
  });

  it('keys in any order, double quotes and the sizes of Python 2', () => {
    const header = `{"shape": (2L, 3L), "fortran_order": False, "descr": "<f4"}`;
    expect(readNpz(archive(header, bytesOf(six))).get('a')?.shape).toEqual([2, 3]);
  });

  it('an archive with a comment, and one without arrays', () => {
    const file = Buffer.concat([writeNpz(arrays), Buffer.from('PK comment')]);
    file.writeUInt16LE(10, file.length - 12);
    expect(readNpz(file).size).toBe(arrays.size);
    expect(readNpz(zipSync({})).size).toBe(0);
  });
});

describe('readNpz refuses', () => {
  it.each([
    ['Python objects', '|O', "the type is '|O' (Python objects), expected numbers such as '<f4' or '<f8'"],
    ['text', '<U5', "the type is '<U5' (text)"],
    ['complex numbers', '<c8', '(complex numbers)'],
    ['long doubles', '<f16', "the type is '<f16', expected numbers"],
    ['a float without a byte order', '|f4', "the type is '|f4'"],
    ['an unknown type', 'zebra', "the type is 'zebra'"],
  ])('%s, and names the array', (_, descr, message) => {
    const text = refusal(() => readNpz(archive(matrix(descr), new Uint8Array(96))));
    expect(text).toContain('a.npy: ');
    expect(text).toContain(message);
  });

  it('a structured array', () => {
    const header = "{'descr': [('x', '<f4'), ('y', '<f4')], 'fortran_order': False, 'shape': (3,), }";
    expect(refusal(() => readNpz(archive(header)))).toContain("a.npy: a structured array ([('x', '<f4'), ('y', '<f4')])");
  });

  it.each([
    '',
    '{}',
    'x',
    matrix('<f4').replace('(2, 3)', '(2.0, 3)'),
    matrix('<f4').replace('(2, 3)', '(-2, 3)'),
    matrix('<f4').replace('(2, 3)', '(6)'),
    matrix('<f4').replace('(2, 3)', '[2, 3]'),
    matrix('<f4').replace('(2, 3)', '(9007199254740993,)'),
    matrix('<f4').replace('False', '0'),
    matrix('<f4').replace("'shape'", "'size'"),
    matrix('<f4').replace('}', "'shape': (2, 3)}"),
    matrix('<f4').replace('}', "'other': True}"),
    matrix('<f4').replace(", 'fortran", " 'fortran"),
    `${matrix('<f4')}__import__('os')`,
  ])('the header %j', (header) => {
    expect(refusal(() => readNpz(archive(header, bytesOf(six))))).toContain('a.npy: the header is not that of a NumPy array');
  });

  it.each([
    ['too little data', matrix('<f4'), 20, '[2, 3] of <f4 takes 24 bytes, found 20'],
    ['too much data', matrix('<f4'), 28, '[2, 3] of <f4 takes 24 bytes, found 28'],
    [
      'a size that overflows',
      matrix('<f4').replace('(2, 3)', '(4294967296, 4294967296)'),
      0,
      '[4294967296, 4294967296] of <f4 takes 73786976294838210000 bytes, found 0',
    ],
    ['65 dimensions', matrix('<f4').replace('(2, 3)', `(${'1, '.repeat(65)})`), 4, '65 dimensions, the limit is 64'],
  ])('%s', (_, header, size, message) => {
    expect(refusal(() => readNpz(archive(header, new Uint8Array(size))))).toContain(`a.npy: ${message}`);
  });

  it('a header longer than the file, another version, another file in the archive', () => {
    expect(refusal(() => readNpz(zipSync({ 'a.npy': npy(matrix('<f4')).subarray(0, 30) })))).toContain(
      'a.npy: truncated: the header needs',
    );
    expect(refusal(() => readNpz(archive(matrix('<f4'), bytesOf(six), 4)))).toContain('a.npy: NumPy format version 4, expected 1, 2 or 3');
    expect(refusal(() => readNpz(archive(' '.repeat(70_000), bytesOf(six), 2)))).toContain(
      'a.npy: a header of 70000 bytes, the limit is 65536',
    );
    expect(refusal(() => readNpz(zipSync({ 'a.txt': Buffer.from('x') })))).toBe(
      'not a NumPy archive (.npz): it holds "a.txt", expected .npy files',
    );
  });

  it.each([
    ['a PyTorch file', zipSync({ 'model/data.pkl': new Uint8Array(9) }), 'this is a PyTorch file (.pt)'],
    ['a single array', npy(matrix('<f4'), bytesOf(six)), 'this is a NumPy array (.npy); write it with numpy.savez'],
    ['a pickle', Buffer.from('\x80\x04\x95\x10', 'latin1'), 'this is a Python pickle'],
    ['nothing', new Uint8Array(0), 'not a NumPy archive (.npz)'],
  ])('%s, and says what it is', (_, file, message) => {
    expect(refusal(() => readNpz(file))).toContain(message);
  });
});

describe('a damaged archive', () => {
  const file = Buffer.from(zipSync({ 'a.npy': npy(matrix('<f4'), bytesOf(six)) }));
  const entry = file.indexOf('PK\x01\x02', 0, 'latin1');

  it('is refused at any length below its own', () => {
    for (let length = 0; length < file.length; length++) expect(isRead(() => readNpz(file.subarray(0, length)))).toBe(false);
  });

  it('never gives other numbers, whichever bit is flipped', () => {
    const right = readNpz(file).get('a');
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const damaged = Buffer.from(file);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      let read: StoredTensor | undefined;
      isRead(() => {
        read = readNpz(damaged).get('a');
      });
      if (read) expect(read).toEqual(right);
    }
  });

  it.each([
    ['a size of 4 GB', 24, 0xfffffff0, 'cannot unpack from'],
    ['a size that is too small', 24, 50, 'does not unpack to what the directory says'],
    ['a packed size beyond the file', 20, 100_000, 'reaches beyond the end of the file'],
    ['a place beyond the file', 42, 1_000_000, 'is not at byte 1000000'],
    ['another checksum', 16, 7, 'does not unpack to what the directory says'],
    ['zip64', 24, 0xffffffff, 'needs zip64'],
  ])('with %s is refused before the memory is taken', (_, at, value, message) => {
    const damaged = Buffer.from(file);
    damaged.writeUInt32LE(value, entry + at);
    expect(refusal(() => readNpz(damaged))).toContain(message);
  });

  it('that is encrypted or compressed by another method is refused', () => {
    const encrypted = Buffer.from(file);
    encrypted[entry + 8] |= 1;
    expect(refusal(() => readNpz(encrypted))).toBe('"a.npy" is encrypted');
    const lzma = Buffer.from(file);
    lzma[entry + 10] = 14;
    expect(refusal(() => readNpz(lzma))).toBe('"a.npy" is compressed with method 14, expected 0 (stored) or 8 (deflated)');
  });

  it('with many entries at one place is refused by the sum of their sizes', () => {
    const big = zipSync({ 'a.npy': new Uint8Array(2 ** 24) });
    const at = Buffer.from(big).indexOf('PK\x01\x02', 0, 'latin1');
    const directory = Buffer.from(big.subarray(at, big.length - 22));
    const copies = Array.from({ length: 65 }, () => directory);
    const end = Buffer.from(big.subarray(-22));
    end.writeUInt16LE(65, 8);
    end.writeUInt16LE(65, 10);
    end.writeUInt32LE(65 * directory.length, 12);
    const bomb = Buffer.concat([big.subarray(0, at), ...copies, end]);
    expect(refusal(() => readNpz(bomb))).toBe(`the archive unpacks to ${65 * 2 ** 24} bytes, the limit is ${2 ** 30}`);
  });

  it('with an array twice is refused', () => {
    const twice = Buffer.from(zipSync({ 'a.npy': npy(matrix('<f4'), bytesOf(six)), 'b.npy': npy(matrix('<f4'), bytesOf(six)) }));
    twice[twice.lastIndexOf('b.npy')] = 'a'.charCodeAt(0);
    expect(refusal(() => readNpz(twice))).toBe('the archive holds "a.npy" twice');
  });
});

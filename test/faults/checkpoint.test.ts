// Faulty checkpoints and other safetensors files, on the command line. The titles are the cases of docs/promises.md.
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { READABLE_FORMATS, UNKNOWN_FORMAT } from '../support/checkpoints.js';
import { runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { type CheckpointParts, expectRefusal, fillTensor, ninja, rewriteCheckpoint, seal } from '../support/faults.js';
import { headerLength, rawFile } from '../support/safetensorsFiles.js';
import { makeDirectory, put, removeDirectory, snapshot } from '../support/tempDirectory.js';

const FILE = 'checkpoint.safetensors';

let cwd: string;
/** The run's intact checkpoint. */
let whole: Buffer;

beforeAll(async () => {
  cwd = makeDirectory();
  writeNames(cwd);
  expect((await runCli(cwd, ['train', ...SMALL, '--out', 'run'])).exitCode).toBe(0);
  whole = readFileSync(join(cwd, 'run', FILE));
});
afterAll(() => removeDirectory(cwd));

const COMMANDS = [
  ['eval', 'run'],
  ['sample', 'run'],
  ['replay', 'run'],
  ['diff', 'run', 'run'],
  ['train', '--resume', 'run'],
];

/** Puts a file in the checkpoint's place. Every command must refuse it, and change nothing. */
async function refuse(content: Uint8Array, ...says: (string | RegExp)[]): Promise<void> {
  put(join(cwd, 'run'), FILE, content);
  const before = snapshot(cwd);
  for (const argv of COMMANDS) expectRefusal(await runCli(cwd, argv), 3, `${join('run', FILE)}: `, ...says);
  expect(snapshot(cwd)).toEqual(before);
}

/** A changed checkpoint, with the right digest. */
function changed(change: (file: CheckpointParts) => void): Buffer {
  put(join(cwd, 'run'), FILE, whole);
  return readFileSync(rewriteCheckpoint(join(cwd, 'run'), change));
}

it('an unchanged checkpoint with a new digest is accepted (0)', async () => {
  const same = changed(() => {});
  expect(same.equals(whole)).toBe(true);
  for (const argv of COMMANDS) expect((await runCli(cwd, argv)).exitCode, argv[0]).toBe(0);
});

describe('under 8 bytes; header length 2^63, above 100 MB or beyond the end of the file: refused before allocating (3)', () => {
  it.each([0, 1, 7])('%i bytes', async (length) => {
    await refuse(whole.subarray(0, length), `not a safetensors file: ${length === 1 ? '1 byte' : `${length} bytes`}, expected at least 8`);
  });

  it.each([2n ** 63n, 2n ** 64n - 1n, 2n ** 53n + 1n, 100_000_001n])('header length %i', async (length) => {
    await refuse(Buffer.concat([headerLength(length), Buffer.from('{}')]), `header length ${length}, the limit is 100000000`);
  });

  it.each([3n, 100_000_000n])('header length %i in a file of 10 bytes', async (length) => {
    await refuse(
      Buffer.concat([headerLength(length), Buffer.from('{}')]),
      `truncated: the header needs ${length + 8n} bytes, the file has 10`,
    );
  });

  it('memory stays bounded, even if the file has 3 GiB', () => {
    truncateSync(put(join(cwd, 'run'), FILE, headerLength(2n ** 40n)), 3 * 2 ** 30);
    const peak = "process.on('exit', () => process.stdout.write(String(process.resourceUsage().maxRSS)))";
    const { stdout, ...outcome } = ninja(cwd, ['eval', 'run'], { before: peak });
    expectRefusal({ ...outcome, stdout: '' }, 3, `header length ${2 ** 40}`);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(200 * 1024);
  });
});

const deep = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const ENTRY = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';

describe('header not UTF-8, not JSON, not an object, too deep, with duplicate keys or `__proto__`: refused, with the place (3)', () => {
  it.each([
    [
      'not UTF-8',
      Buffer.concat([headerLength(4n), Buffer.from('{"\xff"', 'latin1')]),
      'the header is not valid UTF-8 at byte 10 of the file',
    ],
    ['not JSON', rawFile('{"a":}'), 'the header is not valid JSON within its first 6 characters'],
    ['not JSON: an extra comma', rawFile('{"a":1,}'), 'the header is not valid JSON within its first '],
    [
      'not JSON: NaN',
      rawFile(`{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,0]}}`),
      'the header is not valid JSON within its first ',
    ],
    ['not JSON: more text after it', rawFile('{} {}'), 'the header is not valid JSON within its first '],
    ['empty', rawFile(''), 'the header is not valid JSON within its first '],
    ['not an object: a list', rawFile('[]'), 'the header is not a JSON object'],
    ['not an object: null', rawFile('null'), 'the header is not a JSON object'],
    ['not an object: a number', rawFile('7'), 'the header is not a JSON object'],
    ['too deep', rawFile(deep(3)), 'the header is nested more than 3 levels deep at character 7'],
    ['too deep for the stack', rawFile(deep(1_000_000)), 'the header is nested more than 3 levels deep at character 7'],
    ['duplicate tensors', rawFile(`{"a":${ENTRY},"a":${ENTRY}}`), 'the header has the key "a" twice'],
    ['duplicate tensors, one escaped', rawFile(`{"a":${ENTRY},"\\u0061":${ENTRY}}`), 'the header has the key "a" twice'],
    ['duplicate keys of a tensor', rawFile('{"a":{"dtype":"F32","shape":[0],"shape":[1],"data_offsets":[0,0]}}'), 'the key "shape" twice'],
    ['duplicate metadata', rawFile('{"__metadata__":{"step":"1","step":"2"}}'), 'the header has the key "step" twice'],
    ['__proto__ as a tensor', rawFile(`{"__proto__":${ENTRY}}`), 'the header has the key "__proto__"'],
    ['__proto__ in the metadata', rawFile('{"__metadata__":{"__proto__":"x"}}'), 'the header has the key "__proto__"'],
    ['__proto__ in a tensor', rawFile(`{"a":{"__proto__":${ENTRY}}}`), 'the header has the key "__proto__"'],
  ])('%s', async (_, file, says) => {
    await refuse(file, says);
  });
});

describe('header not UTF-8, not JSON, too deep: names the place', () => {
  it.each([
    ['not UTF-8', Buffer.concat([headerLength(4n), Buffer.from('{"\xff"', 'latin1')])],
    ['not JSON', rawFile('{"a":}')],
    ['too deep', rawFile(deep(3))],
  ])('%s', async (_, file) => {
    await refuse(file, /(byte|character) \d+|first \d+ characters/);
  });
});

describe("offsets that overlap, are unordered, leave gaps, are negative, fractional or too large; shape overflow; unknown dtype: the tensor's name (3)", () => {
  const entry = (start: unknown, end: unknown, shape: unknown = [1], dtype: unknown = 'F32') => ({
    dtype,
    shape,
    data_offsets: [start, end],
  });
  const first = entry(0, 4);

  it.each([
    ['overlapping', { a: entry(0, 8, [2]), b: entry(4, 8) }, 'tensor "b" begins at byte 4 of the data, expected 8'],
    ['the same place twice', { a: first, b: first }, 'tensor "b" begins at byte 0 of the data, expected 4'],
    ['with a gap', { a: first, b: entry(5, 9) }, 'tensor "b" begins at byte 5 of the data, expected 4'],
    ['with a gap before the first', { b: entry(4, 8) }, 'tensor "b" begins at byte 4 of the data, expected 0'],
    ['unordered', { b: entry(8, 4) }, 'tensor "b": data_offsets [8,4] are not a start and an end'],
    ['negative', { b: entry(-4, 0) }, 'tensor "b": data_offsets [-4,0]'],
    ['fractional', { b: entry(0.5, 4.5) }, 'tensor "b": data_offsets [0.5,4.5]'],
    ['above 2^53', { b: entry(0, 2 ** 53) }, `tensor "b": data_offsets [0,${2 ** 53}]`],
    ['texts', { b: entry('0', '4') }, 'tensor "b": data_offsets ["0","4"]'],
    ['three', { b: { ...first, data_offsets: [0, 4, 8] } }, 'tensor "b": data_offsets [0,4,8]'],
    ['none', { b: { dtype: 'F32', shape: [1] } }, 'tensor "b": data_offsets none'],
    ['shape product overflow', { b: entry(0, 4, [2 ** 32, 2 ** 32]) }, 'tensor "b": [4294967296, 4294967296] of F32 takes '],
    ['shape product overflow to Inf', { b: entry(0, 4, Array(100).fill(2 ** 52)) }, 'tensor "b": ['],
    ['shape with a negative size', { b: entry(0, 4, [-1, -1]) }, 'tensor "b": shape [-1,-1] is not a list of non-negative integers'],
    ['shape that is a number', { b: entry(0, 4, 1) }, 'tensor "b": shape 1 is not a list'],
    ['size unequal to offsets', { b: entry(0, 8) }, 'tensor "b": [1] of F32 takes 4 bytes, its data_offsets span 8'],
    ['unknown dtype', { b: entry(0, 4, [1], 'F33') }, 'tensor "b": unknown dtype "F33"'],
    ['unknown dtype that every object has', { b: entry(0, 4, [1], 'toString') }, 'tensor "b": unknown dtype "toString"'],
    ['no entry at all', { b: 7 }, 'tensor "b": its header entry is not an object'],
  ])('%s', async (_, header, says) => {
    await refuse(rawFile(header, Buffer.alloc(8)), says);
  });

  it("a tensor's name is shown escaped", async () => {
    await refuse(rawFile({ 'a\x1b[2J\u202e': entry(4, 8) }, Buffer.alloc(8)), 'tensor "a\\x1b[2J\\u202e"');
  });
});

describe('truncated, or with trailing bytes: expected and found size (3)', () => {
  it('truncated in the data', async () => {
    const data = whole.length - Number(whole.readBigUInt64LE()) - 8;
    await refuse(whole.subarray(0, -1), `the file holds ${data - 1} bytes of data, its header describes ${data}`);
  });

  it('truncated in the header', async () => {
    const header = Number(whole.readBigUInt64LE()) + 8;
    await refuse(whole.subarray(0, header - 1), `truncated: the header needs ${header} bytes, the file has ${header - 1}`);
  });

  it.each([1, 4, 1000])('%i trailing bytes', async (more) => {
    const data = whole.length - Number(whole.readBigUInt64LE()) - 8;
    await refuse(Buffer.concat([whole, Buffer.alloc(more)]), `the file holds ${data + more} bytes of data, its header describes ${data}`);
  });
});

describe('one bit flipped in data or metadata: checksum (3)', () => {
  const DAMAGED = 'damaged: SHA-256 mismatch; restore a copy or train again';
  const flipped = (at: number, bit: number) => {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 1 << bit;
    return bytes;
  };

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('bit %i of a byte in the middle of the data, and of the last one', async (bit) => {
    await refuse(flipped(whole.length - 900, bit), DAMAGED);
    await refuse(flipped(whole.length - 1, bit), DAMAGED);
  });

  it.each(['"step":"', '"losses":"{\\"lossSinceRecord\\":', '"dataSha256":"', '"sha256":"', '\\"seed\\":'])(
    'in the metadata: %s',
    async (key) => {
      await refuse(flipped(whole.indexOf(key) + Buffer.byteLength(key), 0), DAMAGED);
    },
  );

  it('in every 97th byte: refused, for one reason or another', async () => {
    for (let at = 0; at < whole.length; at += 97) {
      put(join(cwd, 'run'), FILE, flipped(at, at % 8));
      expectRefusal(await runCli(cwd, ['eval', 'run']), 3);
    }
  });

  it('--resume names an intact best checkpoint', async () => {
    put(join(cwd, 'run'), FILE, flipped(whole.length - 1, 0));
    const best = `${join('run', 'best.safetensors')}, of step 50, is intact`;
    expectRefusal(await runCli(cwd, ['train', '--resume', 'run']), 3, DAMAGED, best);
  });
});

describe('a tensor missing, extra or of another shape, in any block and in the optimizer state; metadata missing, newer or older; NaN or Inf; a malformed random state: all are listed (3)', () => {
  it.each(['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2', 'bnmean', 'bnvar'])('names the missing tensor %s', async (name) => {
    await refuse(
      changed(({ tensors }) => tensors.delete(name)),
      `tensor "${name}" is missing`,
    );
  });

  it('lists a tensor that is extra, of another shape, of another dtype, missing, NaN and Inf', async () => {
    const file = changed((parts) => {
      parts.tensors.set('W3', storeFloats(Float32Array.of(1), [1]));
      parts.tensors.set('b1', storeFloats(new Float32Array(8), [1, 8]));
      parts.tensors.set('bnmean', storeFloats(new Float64Array(8), [1, 8]));
      parts.tensors.delete('bnbias');
      fillTensor(parts, 'C', (i) => (i === 3 ? Number.NaN : 0));
      fillTensor(parts, 'W2', (i) => (i === 0 ? -Infinity : 0));
    });
    await refuse(
      file,
      'unexpected tensor "W3"',
      'tensor "b1" is F32 [1, 8], expected F32 [8]',
      'tensor "bnmean" is F64 [1, 8], expected F32 [1, 8]',
      'tensor "bnbias" is missing',
      'tensor "C" holds NaN or Inf',
      'tensor "W2" holds NaN or Inf',
    );
  });

  it('lists tensors and statistics of every block of a deep network', async () => {
    expect((await runCli(cwd, ['train', ...SMALL, '--hidden', '8,6,5', '--out', 'run', '--force'])).exitCode).toBe(0);
    const deep = readFileSync(join(cwd, 'run', FILE));
    const changedDeep = (change: (file: CheckpointParts) => void) => {
      put(join(cwd, 'run'), FILE, deep);
      return readFileSync(rewriteCheckpoint(join(cwd, 'run'), change));
    };
    try {
      for (const tensor of ['W', 'b', 'bngain', 'bnbias', 'bnmean', 'bnvar']) {
        const name = `blocks.2.${tensor}`;
        const without = changedDeep(({ tensors }) => tensors.delete(name));
        await refuse(without, `tensor "${name}" is missing`);
      }
      const broken = changedDeep((parts) => {
        parts.tensors.set('blocks.4.W', storeFloats(Float32Array.of(1), [1]));
        parts.tensors.set('blocks.3.b', storeFloats(new Float32Array(5), [1, 5]));
        fillTensor(parts, 'blocks.2.W', (i) => (i === 3 ? Number.NaN : 0));
        fillTensor(parts, 'blocks.3.bnvar', (i) => (i === 1 ? -1 : 1));
      });
      await refuse(
        broken,
        'unexpected tensor "blocks.4.W"',
        'tensor "blocks.3.b" is F32 [1, 5], expected F32 [5]',
        'tensor "blocks.2.W" holds NaN or Inf',
        'tensor "blocks.3.bnvar" holds a negative variance',
      );
      const shallow = changedDeep(({ metadata }) => {
        metadata.config = JSON.stringify({ ...JSON.parse(metadata.config), hidden: [8, 6] });
      });
      await refuse(shallow, 'unexpected tensor "blocks.3.W"', 'tensor "W2" is F32 [5, ', 'expected F32 [6, ');
    } finally {
      await runCli(cwd, ['train', ...SMALL, '--out', 'run', '--force']);
    }
  });

  it('lists all missing metadata', async () => {
    const keys = ['program', 'config', 'vocabulary', 'step', 'streams', 'losses', 'best', 'dataSha256'];
    const file = changed(({ metadata }) => {
      for (const key of keys) delete metadata[key];
    });
    await refuse(file, ...keys.map((key) => new RegExp(`[ ;]${key}: `)));
  });

  it('names a missing digest', async () => {
    const file = changed(() => {}).toString('latin1');
    await refuse(
      Buffer.from(
        file.replace(/,"sha256":"\w{64}"/, (found) => ' '.repeat(found.length)),
        'latin1',
      ),
      'metadata: sha256: ',
    );
  });

  it('refuses a file without metadata', async () => {
    const file = changed(({ metadata }) => {
      for (const key of Object.keys(metadata)) if (key !== 'sha256') delete metadata[key];
    });
    await refuse(file, 'a safetensors file, but not a checkpoint of backprop-ninja');
  });

  it.each([UNKNOWN_FORMAT, '10', '999999999999999999999'])('refuses metadata of a newer version, %s', async (version) => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = version;
    });
    await refuse(file, `checkpoint format ${version}, this backprop-ninja reads ${READABLE_FORMATS}; a newer version wrote it: update`);
  });

  it.each(['1', '2'])('refuses metadata of an older version, %s', async (version) => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = version;
    });
    await refuse(
      file,
      `checkpoint format ${version}, this backprop-ninja reads ${READABLE_FORMATS}; an older version wrote it: resume with that version, or train again`,
    );
  });

  it.each(['', 'x', '3.0'])('refuses metadata of the version %j', async (version) => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = version;
    });
    await refuse(file, 'metadata: formatVersion: ');
  });

  const STATE = { c: 1, s0: 0.5, s1: 0.5, s2: 0.5 };
  it.each([
    ['{}'],
    ['{"batches":null}'],
    [JSON.stringify({ batches: { ...STATE, c: 0.5 } })],
    [JSON.stringify({ batches: { ...STATE, c: 2_091_639 } })],
    [JSON.stringify({ batches: { ...STATE, c: -1 } })],
    [JSON.stringify({ batches: { ...STATE, s0: 1 } })],
    [JSON.stringify({ batches: { ...STATE, s1: -0.5 } })],
    [JSON.stringify({ batches: { ...STATE, s2: 0.1 } })],
    [JSON.stringify({ batches: { ...STATE, s0: '0.5' } })],
    [JSON.stringify({ batches: { ...STATE, s3: 0.5 } })],
    [JSON.stringify({ batches: STATE, more: STATE })],
    ['{"batches":{"c":1,"s0":1e999,"s1":0.5,"s2":0.5}}'],
  ])('refuses a malformed random state: %s', async (streams) => {
    const file = changed(({ metadata }) => {
      metadata.streams = streams;
    });
    await refuse(file, 'metadata: streams');
  });

  it.each([
    ['config', '{"hidden":[8]}'],
    ['config', '[]'],
    ['vocabulary', '["."]'],
    ['vocabulary', '[".","a","a"]'],
    ['step', '-1'],
    ['step', '51'],
    ['losses', '{}'],
    ['best', '{"step":1}'],
    ['best', 'NaN'],
    ['dataSha256', 'x'],
  ])('refuses metadata %s of %s', async (key, value) => {
    const file = changed(({ metadata }) => {
      metadata[key] = value;
    });
    await refuse(file, new RegExp(`metadata: ${key}`));
  });

  it('refuses sizes that no file can hold, without allocating memory for them', async () => {
    const file = changed(({ metadata }) => {
      metadata.config = JSON.stringify({ ...JSON.parse(metadata.config), hidden: [2 ** 50], embedding: 2 ** 50 });
    });
    await refuse(file, 'tensor "C" is F32');
  });
});

describe('a safetensors file from another program, .pt, .npz, an HTML page: recognised and named (3)', () => {
  const theirs = (metadata: Record<string, string>, ...names: string[]) =>
    Buffer.from(writeSafetensors({ metadata, tensors: new Map(names.map((name) => [name, storeFloats(Float32Array.of(1), [1])])) }));
  const zip = (name: string) => Buffer.concat([Buffer.from('PK\x03\x04\0\0\0\0', 'latin1'), Buffer.alloc(18), Buffer.from(name)]);

  it.each([
    [
      'a safetensors file from another program',
      theirs({ format: 'pt' }, 'wte.weight', 'lm_head.weight'),
      'a safetensors file, but not a checkpoint of backprop-ninja; it holds 2 tensors: "wte.weight", "lm_head.weight"',
    ],
    ['one with many tensors', theirs({}, 'a', 'b', 'c', 'd'), 'it holds 4 tensors: "a", "b", "c", …'],
    ['one without tensors', rawFile({}), 'not a checkpoint of backprop-ninja; it holds no tensors'],
    ['.pt', zip('archive/data.pkl'), 'this is a PyTorch file (.pt)'],
    [
      'an old .pt',
      Buffer.from('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19', 'latin1'),
      'this is a Python pickle (perhaps an old .pt file)',
    ],
    ['.npz', zip('arr_0.npy'), 'this is a NumPy archive (.npz)'],
    ['an HTML page', Buffer.from('<!DOCTYPE html><html><body>404</body></html>'), 'this is a web page (HTML)'],
    ['an HTML page with a BOM and blanks', Buffer.from('\ufeff\r\n <html lang="en">'), 'this is a web page (HTML)'],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'this is a Git LFS pointer'],
    ['a JSON file', Buffer.from('{"a": 1}'), 'this is a JSON file'],
  ])('%s', async (_, file, says) => {
    await refuse(file, says);
  });

  it('run.json in place of a checkpoint', async () => {
    expectRefusal(await runCli(cwd, ['eval', join('run', 'run.json')]), 3, 'run.json: not a safetensors file: this is a JSON file');
  });
});

describe('header length not a multiple of 4: read through a copy (0)', () => {
  /** The checkpoint with this number of blanks as the padding of its header. */
  function padded(blanks: number): Buffer {
    const end = 8 + Number(whole.readBigUInt64LE());
    const json = whole.subarray(8, end).toString('latin1').trimEnd() + ' '.repeat(blanks);
    return seal(rawFile(json, whole.subarray(end)));
  }

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('%i blanks', async (blanks) => {
    const results = [];
    for (const file of [whole, padded(blanks)]) {
      put(join(cwd, 'run'), FILE, file);
      for (const argv of [
        ['eval', 'run'],
        ['sample', 'run'],
        ['train', '--resume', 'run'],
      ]) {
        const { exitCode, stdout } = await runCli(cwd, argv);
        expect(exitCode).toBe(0);
        results.push(stdout);
      }
    }
    expect(results.slice(3)).toEqual(results.slice(0, 3));
  });

  it('every remainder is tested', () => {
    const lengths = [0, 1, 2, 3].map((blanks) => Number(padded(blanks).readBigUInt64LE()) % 4);
    expect(lengths.sort()).toEqual([0, 1, 2, 3]);
  });
});

import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { randomStream } from '../../src/core/random.js';
import { createModel } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { checkpointBytes } from '../../src/run/checkpoint.js';
import { modelConfig } from '../../src/training/runConfig.js';
import { RUN_CONFIG } from '../support/runConfig.js';
import { headerLength, isRead } from '../support/safetensorsFiles.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

const SPACE = 0x20;

/** The file that is damaged and read again. It stays open, because writing a new file each time takes ten times as long. */
let path: string;
let file: number;
/** An intact checkpoint, with the most spaces after its header that are possible. */
let whole: Buffer;
/** Positions where its header ends, with and without the spaces. */
let headerEnd: number;
let jsonEnd: number;

beforeAll(() => {
  const directory = makeDirectory();
  path = join(directory, 'damaged');
  file = openSync(path, 'w');
  const candidates = Array.from({ length: 8 }, (_, i) => smallCheckpoint(`program ${'x'.repeat(i)}`));
  const spaces = (bytes: Buffer) => headerEndOf(bytes) - bytes.lastIndexOf('}', headerEndOf(bytes)) - 1;
  whole = candidates.reduce((most, bytes) => (spaces(bytes) > spaces(most) ? bytes : most));
  headerEnd = headerEndOf(whole);
  jsonEnd = headerEnd - spaces(whole);
  return () => {
    closeSync(file);
    removeDirectory(directory);
  };
});

function smallCheckpoint(program: string): Buffer {
  const vocabulary = ['.', 'a', 'é'];
  const model = createModel(createReferenceBackend('float32'), modelConfig(RUN_CONFIG, vocabulary));
  initialise(model, RUN_CONFIG.seed);
  model.statistics.bnvar.fill(1);
  const batches = randomStream('batches', RUN_CONFIG.seed).state();
  const state = {
    step: 13,
    batches,
    lossSinceRecord: 31.25,
    stepsSinceRecord: 13,
    smoothed: 0.03,
    weight: 0.0129,
    optimizer: { tensors: {}, powers: null },
  };
  const best = { step: 10, valLoss: 2.5 };
  return Buffer.from(
    checkpointBytes(model, { program, config: RUN_CONFIG, vocabulary, state, best, dataSha256: '0123456789abcdef'.repeat(4) }, sha256),
  );
}

function headerEndOf(bytes: Buffer): number {
  return 8 + Number(bytes.readBigUInt64LE(0));
}

/** Whether the bytes are read as a checkpoint. An error must be one line that starts with the path. */
function isAccepted(bytes: Uint8Array): boolean {
  if (writeSync(file, bytes, 0, bytes.length, 0) !== bytes.length) throw new Error('a short write');
  ftruncateSync(file, bytes.length);
  return isRead(() => {
    try {
      loadCheckpoint(path);
    } catch (error) {
      const { message } = error as Error;
      if (!message.startsWith(`${path}: `) || /\p{Cc}/u.test(message)) throw new Error(`not a line that names the file: ${message}`);
      throw error;
    }
  });
}

function flipped(at: number, mask: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes[at] ^= mask;
  return bytes;
}

/** The intact checkpoint with another header, and the right length in front of it. */
function withHeader(header: Buffer): Buffer {
  return Buffer.concat([headerLength(BigInt(header.length)), header, whole.subarray(headerEnd)]);
}

describe('a small checkpoint', () => {
  it('is read if it is intact, and has spaces after its header', () => {
    expect(isAccepted(whole)).toBe(true);
    expect(headerEnd - jsonEnd).toBe(7);
    expect([...whole.subarray(jsonEnd, headerEnd)]).toEqual(Array.from({ length: 7 }, () => SPACE));
  });

  it('is refused with any bit flipped, and with any byte inverted', () => {
    const accepted: string[] = [];
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        if (isAccepted(flipped(at, mask))) accepted.push(`byte ${at} xor ${mask}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  it('is refused with any space after its header changed to any other byte', () => {
    const accepted: string[] = [];
    for (let at = jsonEnd; at < headerEnd; at++) {
      for (let mask = 1; mask < 256; mask++) if (isAccepted(flipped(at, mask))) accepted.push(`byte ${at} xor ${mask}`);
    }
    expect(accepted).toEqual([]);
  });

  it('is refused with spaces added to its header or removed from it, even with the right length', () => {
    const header = whole.subarray(8, headerEnd);
    expect(isAccepted(withHeader(header))).toBe(true);
    for (let less = 1; less <= 7; less++) expect(isAccepted(withHeader(header.subarray(0, -less))), `${less} less`).toBe(false);
    for (let more = 1; more <= 16; more++) {
      expect(isAccepted(withHeader(Buffer.concat([header, Buffer.alloc(more, SPACE)]))), `${more} more`).toBe(false);
    }
    for (const place of ['"step":', '"data_offsets":', ',"C":']) {
      const at = header.indexOf(place) + place.length;
      const inside = Buffer.concat([header.subarray(0, at), Buffer.from(' '), header.subarray(at)]);
      expect(isAccepted(withHeader(inside)), place).toBe(false);
    }
  });

  it('is refused if truncated at any length', () => {
    const accepted: number[] = [];
    for (let length = 0; length < whole.length; length++) if (isAccepted(whole.subarray(0, length))) accepted.push(length);
    expect(accepted).toEqual([]);
  });

  it('is refused if truncated at any length and filled with zeros, as by a file system after a power cut', () => {
    const accepted: number[] = [];
    const lastNonzero = whole.findLastIndex((byte) => byte !== 0);
    for (let length = 0; length <= lastNonzero; length++) {
      if (isAccepted(Buffer.concat([whole.subarray(0, length), Buffer.alloc(whole.length - length)]))) accepted.push(length);
    }
    expect(accepted).toEqual([]);
  });

  it('is refused with any byte removed, and with any byte repeated', () => {
    const accepted: string[] = [];
    for (let at = 0; at < whole.length; at++) {
      if (isAccepted(Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]))) accepted.push(`without ${at}`);
      if (isAccepted(Buffer.concat([whole.subarray(0, at + 1), whole.subarray(at)]))) accepted.push(`twice ${at}`);
    }
    expect(accepted).toEqual([]);
  });

  it('is refused with bytes after its end: zeros, spaces, a line end, a copy of itself', () => {
    const tails = [1, 2, 3, 4, 7, 8, 4096].flatMap((length) => [Buffer.alloc(length), Buffer.alloc(length, SPACE)]);
    for (const tail of [...tails, Buffer.from('\n'), Buffer.from('\r\n'), whole]) {
      expect(isAccepted(Buffer.concat([whole, tail])), `${tail.length} bytes`).toBe(false);
    }
  });

  it('is refused after a program converted it as Latin-1 or UTF-8 text', () => {
    expect(isAccepted(Buffer.from(whole.toString('latin1'), 'utf8'))).toBe(false);
    expect(isAccepted(Buffer.from(whole.toString('utf8'), 'utf8'))).toBe(false);
  });

  it('is refused with two of its parts swapped', () => {
    const data = whole.subarray(headerEnd);
    const turned = Buffer.concat([whole.subarray(0, headerEnd), data.subarray(4), data.subarray(0, 4)]);
    expect(isAccepted(turned)).toBe(false);
    const text = whole.toString('latin1');
    const renamed = text.replace('"bngain"', '"bnbiax"').replace('"bnbias"', '"bngain"').replace('"bnbiax"', '"bnbias"');
    expect(renamed).toHaveLength(text.length);
    expect(renamed).not.toBe(text);
    expect(isAccepted(Buffer.from(renamed, 'latin1'))).toBe(false);
  });

  it('is refused with a digest of the damaged file computed over the old digest instead of zeros', () => {
    const digest = createHash('sha256').update(flipped(headerEnd, 1)).digest('hex');
    const bytes = flipped(headerEnd, 1);
    bytes.write(digest, bytes.indexOf('"sha256":"') + '"sha256":"'.length, 'latin1');
    expect(isAccepted(bytes)).toBe(false);
  });

  it.each([0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 99_999_999n, 100_000_001n])(
    'is refused with a header length of %i',
    (length) => {
      expect(isAccepted(Buffer.concat([headerLength(length), whole.subarray(8)]))).toBe(false);
    },
  );
});

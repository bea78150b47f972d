import { createHash } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { FileContentError } from '../../src/core/errors.js';
import { randomStream, restoreStream } from '../../src/core/random.js';
import { RECOGNISABLE_BYTES, recognise } from '../../src/core/recognise.js';
import { createModel } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { readMetrics, truncateMetrics } from '../../src/node/metricsFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { checkpointBytes, restoreModel } from '../../src/run/checkpoint.js';
import { readSafetensors, storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { modelConfig, type RunConfig } from '../../src/training/runConfig.js';
import { OPTIMIZER_TENSORS } from '../../src/training/updater.js';
import { RUN_CONFIG } from '../support/runConfig.js';
import { rawFile } from '../support/safetensorsFiles.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

/** Fixed, so that every run tests the same cases, more than 10,000 in all. */
const SEED = 20_200_202;

let directory: string;

beforeAll(() => {
  directory = makeDirectory();
  return () => removeDirectory(directory);
});

/** Overwrites a file in place, ten times as fast as writing a new one. */
function rewrite(path: string, bytes: Uint8Array): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT);
  if (writeSync(file, bytes, 0, bytes.length, 0) !== bytes.length) throw new Error('a short write');
  ftruncateSync(file, bytes.length);
  closeSync(file);
}

/** Counts cases that were read, and cases refused with a FileContentError of one printable line. Any other error fails the test. */
class Tally {
  read = 0;
  refused = 0;

  /** Returns the result, or undefined if it was refused. */
  count<T>(run: () => T): T | undefined {
    try {
      const result = run();
      this.read++;
      return result;
    } catch (error) {
      if (!(error instanceof FileContentError)) throw error;
      expect(error.message).toMatch(/^\P{Cc}{1,4000}$/u);
      this.refused++;
      return undefined;
    }
  }
}

function check<T extends unknown[]>(property: fc.IProperty<T>, numRuns: number): void {
  fc.assert(property, { seed: SEED, numRuns });
}

/** Numbers, as JSON texts, that often break programs. */
const oddNumber = fc.constantFrom('-1', '-0', '0.5', '1e400', '-1e400', '1e-400', '9007199254740993', '1e15', '18446744073709551616', '01');
const oddValue = fc.oneof(
  oddNumber,
  fc.integer({ min: 0, max: 20 }).map(String),
  fc.json({ maxDepth: 2 }),
  fc.constantFrom('', 'null', 'true', '{}', '[]', '"', '[[', 'NaN', '{"__proto__":1}', '{"toString":1}', '"\\ud800"', '"\\u0000"'),
);

/** A text with a few bytes replaced, removed or added. */
function mutated(text: string): fc.Arbitrary<Buffer> {
  const bytes = Buffer.from(text);
  const change = fc.record({
    at: fc.nat(bytes.length - 1),
    removed: fc.nat(4),
    added: fc.oneof(
      fc.uint8Array({ maxLength: 3 }).map((added) => Buffer.from(added)),
      fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', ' ', '0', '-', 'e', 'null', '"a":').map((added) => Buffer.from(added)),
    ),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let result = bytes;
    for (const { at, removed, added } of changes) result = Buffer.concat([result.subarray(0, at), added, result.subarray(at + removed)]);
    return result;
  });
}

function withLength(header: Uint8Array, data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

describe('readSafetensors reads or refuses', () => {
  const data = fc.uint8Array({ maxLength: 16 });

  it('any bytes as a header', () => {
    const tally = new Tally();
    check(
      fc.property(fc.uint8Array({ maxLength: 64 }), data, (header, rest) => {
        tally.count(() => readSafetensors(withLength(header, rest)));
        tally.count(() => readSafetensors(header));
      }),
      1000,
    );
    expect(tally.refused).toBeGreaterThan(1900);
  });

  it('a header with a few bytes changed', () => {
    const file = writeSafetensors({
      metadata: { format: 'pt', note: 'é"\n' },
      tensors: new Map([
        ['a', storeFloats(Float32Array.of(1, -2.5), [2])],
        ['b', storeFloats(Float64Array.of(0.1), [1, 1])],
      ]),
    });
    const headerEnd = file.length - 16;
    const header = Buffer.from(file.subarray(8, headerEnd)).toString();
    const tally = new Tally();
    check(
      fc.property(mutated(header), (bytes) => {
        tally.count(() => readSafetensors(withLength(bytes, file.subarray(headerEnd))));
      }),
      3000,
    );
    expect(tally.read).toBeGreaterThan(50);
    expect(tally.refused).toBeGreaterThan(2000);
  });

  it('a header of tensors with any values', () => {
    const size = fc.oneof({ weight: 3, arbitrary: fc.nat(8).map(String) }, oddValue);
    const list = fc.oneof(
      { weight: 3, arbitrary: fc.array(size, { maxLength: 3 }).map((sizes) => `[${sizes.join()}]`) },
      { weight: 1, arbitrary: oddValue },
    );
    const dtype = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('"F32"', '"U8"', '"BOOL"', '"I64"', '"F31"', '"constructor"') },
      { weight: 1, arbitrary: oddValue },
    );
    const entry = fc
      .record({ dtype, shape: list, offsets: list })
      .map(({ dtype: kind, shape, offsets }) => `{"dtype":${kind},"shape":${shape},"data_offsets":${offsets}}`);
    const right = fc.nat(8).map((length) => `{"dtype":"U8","shape":[${length}],"data_offsets":[0,${length}]}`);
    const name = fc.constantFrom('a', 'b', '__metadata__', '__proto__', 'toString', '', '\\u0061', '\\u202e');
    const member = fc.tuple(name, fc.oneof(entry, right, oddValue)).map(([key, value]) => `"${key}":${value}`);
    const tally = new Tally();
    check(
      fc.property(fc.array(member, { maxLength: 3 }), data, (members, rest) => {
        tally.count(() => readSafetensors(rawFile(`{${members.join()}}`, rest)));
      }),
      3000,
    );
    expect(tally.read).toBeGreaterThan(20);
    expect(tally.refused).toBeGreaterThan(1000);
  });
});

describe('loadCheckpoint reads or refuses metadata, with a right digest, with', () => {
  const CONFIG: RunConfig = {
    ...RUN_CONFIG,
    optimizer: { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
    clip: 1.5,
  };
  const vocabulary = ['.', 'a', 'é'];
  const model = createModel(createReferenceBackend('float32'), modelConfig(CONFIG, vocabulary));
  initialise(model, CONFIG.seed);
  model.statistics.bnvar.fill(1);
  const batches = randomStream('batches', CONFIG.seed).state();
  const kept = () => new Float32Array(model.flatParameters.length).fill(0.25);
  const optimizer = { tensors: { m: kept(), v: kept() }, powers: { beta1: 0.25, beta2: 0.98 } };
  const { metadata, tensors } = readSafetensors(
    checkpointBytes(
      model,
      {
        program: 'backprop-ninja 1.2.3',
        config: CONFIG,
        vocabulary,
        state: { step: 13, batches, lossSinceRecord: 31.25, stepsSinceRecord: 13, smoothed: 0.03, weight: 0.0129, optimizer },
        best: { step: 10, valLoss: 2.5 },
        dataSha256: '0123456789abcdef'.repeat(4),
      },
      sha256,
    ),
  );
  const jsonKeys = ['config', 'vocabulary', 'step', 'streams', 'powers', 'losses', 'best'];

  function load(changes: Record<string, string>): ReturnType<typeof loadCheckpoint> {
    const path = join(directory, 'checkpoint.safetensors');
    const withDigest = (sha256: string) => writeSafetensors({ metadata: { ...metadata, ...changes, sha256 }, tensors });
    rewrite(
      path,
      withDigest(
        createHash('sha256')
          .update(withDigest('0'.repeat(64)))
          .digest('hex'),
      ),
    );
    return loadCheckpoint(path);
  }

  /** Uses a checkpoint that was read: restores its model and draws from its random stream. */
  function use(checkpoint: ReturnType<typeof loadCheckpoint> | undefined): void {
    if (!checkpoint) return;
    expect(restoreModel(checkpoint, () => createReferenceBackend('float32'), { inference: [] }).flatParameters).toEqual(
      model.flatParameters,
    );
    const { optimizer: found } = checkpoint.state;
    expect(Object.keys(found.tensors)).toEqual(OPTIMIZER_TENSORS[checkpoint.config.optimizer.name]);
    const number = restoreStream(checkpoint.state.batches)();
    expect(number >= 0 && number < 1, JSON.stringify(checkpoint.state.batches)).toBe(true);
  }

  it('any text for any value', () => {
    const change = fc.tuple(fc.constantFrom(...Object.keys(metadata)), fc.oneof(oddValue, fc.string({ unit: 'binary', maxLength: 20 })));
    const tally = new Tally();
    check(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        use(tally.count(() => load(Object.fromEntries(changes))));
      }),
      1000,
    );
    expect(tally.read).toBeGreaterThan(20);
    expect(tally.refused).toBeGreaterThan(500);
  });

  it('a few bytes changed in a JSON text', () => {
    const changed = fc.constantFrom(...jsonKeys).chain((key) => mutated(metadata[key]).map((bytes) => [key, bytes.toString()] as const));
    const tally = new Tally();
    check(
      fc.property(changed, ([key, value]) => use(tally.count(() => load({ [key]: value })))),
      1500,
    );
    expect(tally.read).toBeGreaterThan(20);
    expect(tally.refused).toBeGreaterThan(500);
  });

  it('any value in place of another one inside a JSON text', () => {
    const place = fc.constantFrom(...jsonKeys).chain((key) => {
      const places = [...metadata[key].matchAll(/(?<=[:,[]|^)("[^"]*"(?!:)|[-\d.]+|false|null)/g)];
      return fc.record({ key: fc.constant(key), match: fc.constantFrom(...places), value: oddValue });
    });
    const tally = new Tally();
    check(
      fc.property(place, ({ key, match: { 0: old, index }, value }) => {
        const text = metadata[key];
        use(tally.count(() => load({ [key]: text.slice(0, index) + value + text.slice(index + old.length) })));
      }),
      1500,
    );
    expect(tally.read).toBeGreaterThan(100);
    expect(tally.refused).toBeGreaterThan(500);
  });
});

describe('metrics.jsonl', () => {
  const hashes = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, '0123456789abcdef']));
  const step = fc.nat(1000);
  const record = fc.oneof(
    fc.record({ step, loss: fc.double({ noDefaultInfinity: true, noNaN: true }), rate: fc.constantFrom(0.1, 0.01) }),
    fc.record({ step, valLoss: fc.double({ noDefaultInfinity: true, noNaN: true }) }),
    fc.record({ step, hashes: fc.constant(hashes) }),
  );
  const recordLine = record.map((value) => Buffer.from(JSON.stringify(value)));
  const otherLine = fc.oneof(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    oddValue.map((text) => Buffer.from(text)),
    fc.tuple(oddValue, oddValue).map(([a, b]) => Buffer.from(`{"step":${a},"valLoss":${b}}`)),
    fc
      .constant(Buffer.from(`{"step":5,"loss":1,"rate":0.1}${JSON.stringify({ step: 1, hashes })}`))
      .chain((line) => mutated(line.toString())),
  );
  const withoutLineEnd = otherLine.map((bytes) => Buffer.from(bytes.map((byte) => (byte === 10 ? 11 : byte))));
  const line = fc.oneof({ weight: 2, arbitrary: recordLine }, { weight: 1, arbitrary: withoutLineEnd });

  const fileOf = (lines: Buffer[], isTorn: boolean) => {
    const content = Buffer.concat(lines.flatMap((bytes) => [bytes, Buffer.from('\n')]));
    return isTorn ? content.subarray(0, -1) : content;
  };
  const lines = fc.array(line, { maxLength: 6 });

  it('gives records and the numbers of all other lines', () => {
    const path = join(directory, 'read.jsonl');
    let records = 0;
    let skipped = 0;
    check(
      fc.property(lines, fc.boolean(), (all, isTorn) => {
        rewrite(path, fileOf(all, isTorn));
        const found = readMetrics(path);
        const isLastEmpty = isTorn && all.at(-1)?.length === 0;
        expect(found.records.length + found.skipped.length).toBe(all.length - (isLastEmpty ? 1 : 0));
        expect(found.skipped.every((number, i) => number > (found.skipped[i - 1] ?? 0) && number <= all.length)).toBe(true);
        records += found.records.length;
        skipped += found.skipped.length;
      }),
      2000,
    );
    expect(records).toBeGreaterThan(2000);
    expect(skipped).toBeGreaterThan(1000);
  });

  it('keeps exactly the records up to a step when truncated', () => {
    const path = join(directory, 'truncated.jsonl');
    check(
      fc.property(lines, fc.boolean(), step, (all, isTorn, until) => {
        rewrite(path, fileOf(all, isTorn));
        const before = readMetrics(path);
        expect(truncateMetrics(path, until, 100).dropped).toEqual(before.skipped);
        expect(readMetrics(path)).toEqual({ records: before.records.filter((kept) => kept.step <= until), skipped: [] });
      }),
      300,
    );
  });

  it('gives all records in front of any bytes', () => {
    const path = join(directory, 'torn.jsonl');
    check(
      fc.property(fc.array(recordLine, { maxLength: 6 }), fc.uint8Array({ maxLength: 40 }), (whole, torn) => {
        rewrite(path, Buffer.concat([fileOf(whole, false), torn]));
        const { records } = readMetrics(path);
        expect(records.slice(0, whole.length)).toEqual(whole.map((bytes) => JSON.parse(bytes.toString()) as unknown));
      }),
      500,
    );
  });
});

describe('recognise', () => {
  const beginnings = [
    'PK\x03\x04',
    'PK\x03\x04\x14\0archive/data.pkl',
    'PK\x03\x04\x14\0arr_0.npy',
    '\x80\x02',
    '\x80\x05',
    '\x93NUMPY',
    'GGUF',
    '\x89HDF\r\n',
    '\x1f\x8b',
    '<!DOCTYPE html>',
    '\xef\xbb\xbf<html>',
    'version https://git-lfs',
    '{"a":',
    '[',
    '        {',
  ].map((text) => Buffer.from(text, 'latin1'));
  const start = fc
    .tuple(fc.constantFrom(Buffer.alloc(0), ...beginnings), fc.uint8Array({ maxLength: RECOGNISABLE_BYTES }))
    .map(([beginning, rest]) => Buffer.concat([beginning, rest]));

  it('gives any bytes a kind or none, and readSafetensors refuses every kind', () => {
    const tally = new Tally();
    let named = 0;
    check(
      fc.property(start, (bytes) => {
        const name = recognise(bytes.subarray(0, RECOGNISABLE_BYTES));
        if (name) named++;
        if (name) expect(() => readSafetensors(bytes)).toThrow(`not a safetensors file: this is ${name.kind}`);
        else tally.count(() => readSafetensors(bytes));
      }),
      2000,
    );
    expect(named).toBeGreaterThan(1000);
    expect(tally.refused).toBeGreaterThan(50);
  });
});

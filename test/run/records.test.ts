import { appendFileSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { SystemError } from '../../src/core/errors.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES, parameterNames } from '../../src/network/parameters.js';
import { openMetrics, readMetrics, truncateMetrics } from '../../src/node/metricsFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { hashRecord, type MetricsRecord, parameterHashes } from '../../src/run/records.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';

const HASHES = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name, i) => [name, `${i}`.repeat(16)]));
const RECORDS = [
  { step: 0, hashes: HASHES },
  { step: 100, loss: 3.25, rate: 0.1 },
  { step: 200, loss: 2.6180339887498949, rate: 0.1 },
  { step: 200, valLoss: 2.5 },
  { step: 300, loss: 1e-7, rate: 0.010000000000000002 },
  { step: 300, hashes: HASHES },
] as MetricsRecord[];
const LINES = RECORDS.map((record) => `${JSON.stringify(record)}\n`);

function file(content: string | Uint8Array): string {
  return put(tempDirectory(), 'metrics.jsonl', content);
}

function textOf(path: string): string {
  return readFileSync(path, 'latin1');
}

function write(path: string, mode: 'new' | 'continue', records: readonly MetricsRecord[]): void {
  const metrics = openMetrics(path, mode);
  for (const record of records) metrics.append(record);
  metrics.sync();
  metrics.close();
}

function smallModel(): Model {
  const model = createModel(createReferenceBackend('float32'), { context: 2, embedding: 2, hidden: [3], vocabulary: 3 });
  initialise(model, 7);
  return model;
}

describe('records', () => {
  it('come back as they were written, in their order', () => {
    const path = join(tempDirectory(), 'metrics.jsonl');
    write(path, 'new', RECORDS);
    expect(readMetrics(path)).toEqual({ records: RECORDS, skipped: [] });
    expect(textOf(path)).toBe(LINES.join(''));
  });

  it('of a deep network have the hashes of all its parameters, in their order', () => {
    const model = createModel(createReferenceBackend('float32'), { context: 2, embedding: 2, hidden: [3, 4, 2], vocabulary: 3 });
    initialise(model, 7);
    const record = hashRecord(0, model, sha256);
    expect(Object.keys(record.hashes)).toEqual(parameterNames(model.config));
    const path = join(tempDirectory(), 'metrics.jsonl');
    write(path, 'new', [record]);
    const { records, skipped } = readMetrics(path);
    expect([JSON.stringify(records), skipped]).toEqual([JSON.stringify([record]), []]);
  });

  it('are in the file as soon as append returns', () => {
    const path = join(tempDirectory(), 'metrics.jsonl');
    const metrics = openMetrics(path, 'new');
    for (const [i, record] of RECORDS.entries()) {
      metrics.append(record);
      expect(textOf(path)).toBe(LINES.slice(0, i + 1).join(''));
    }
    metrics.close();
  });

  it('of an older run are gone in a new one', () => {
    const path = file(LINES.join(''));
    write(path, 'new', RECORDS.slice(0, 1));
    expect(textOf(path)).toBe(LINES[0]);
  });

  it('stay when a run goes on', () => {
    const path = file(LINES[0]);
    write(path, 'continue', RECORDS.slice(1));
    expect(textOf(path)).toBe(LINES.join(''));
  });

  it('of a missing file are none', () => {
    expect(readMetrics(join(tempDirectory(), 'none'))).toEqual({ records: [], skipped: [] });
  });

  it('of an empty file are none', () => {
    expect(readMetrics(file(''))).toEqual({ records: [], skipped: [] });
  });

  it('hold the beginning of the SHA-256 of each parameter, which a single bit changes', () => {
    const model = smallModel();
    const before = parameterHashes(model.parameters, sha256);
    expect(Object.keys(before)).toEqual([...LESSON_PARAMETER_NAMES]);
    for (const hash of Object.values(before)) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(hashRecord(5, model, sha256)).toEqual({ step: 5, hashes: before });
    const { W1 } = model.parameters;
    new Uint8Array(W1.buffer, W1.byteOffset, W1.byteLength)[4] ^= 1;
    const { W1: changed, ...others } = parameterHashes(model.parameters, sha256);
    expect(changed).not.toBe(before.W1);
    expect({ ...others, W1: before.W1 }).toEqual(before);
  });

  it('hold hashes of the bytes alone: those of zeros are known', () => {
    const model = smallModel();
    model.parameters.b1.fill(0);
    // printf '\0%.0s' {1..12} | sha256sum
    expect(parameterHashes(model.parameters, sha256).b1).toBe('15ec7bf0b50732b4');
  });
});

describe('what is no record is skipped, with its number', () => {
  it('a last line cut short anywhere, even if only its line end is missing', () => {
    for (const last of LINES.slice(0, 2)) {
      for (let length = 1; length < last.length; length++) {
        const path = file(LINES.join('') + last.slice(0, length));
        expect(readMetrics(path), last.slice(0, length)).toEqual({ records: RECORDS, skipped: [7] });
      }
    }
  });

  const hash = { step: 1, hashes: HASHES };
  it.each([
    ['garbage', Buffer.from([0xff, 0, 0x9b, 0x80])],
    ['zeros, as after a power cut', Buffer.alloc(100)],
    ['an empty line', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['two records in a line', LINES[1].trim() + LINES[2].trim()],
    ['no step', '{"loss":1,"rate":1}'],
    ['a negative step', '{"step":-1,"valLoss":1}'],
    ['a fractional step', '{"step":1.5,"valLoss":1}'],
    ['a step above 2^53', '{"step":9007199254740992,"valLoss":1}'],
    ['a step in quotes', '{"step":"1","valLoss":1}'],
    ['a loss of null', '{"step":1,"loss":null,"rate":0.1}'],
    ['a loss without its rate', '{"step":1,"loss":1}'],
    ['a hash too few', JSON.stringify({ ...hash, hashes: { ...HASHES, W2: undefined } })],
    ['a hash of a block that no network has', JSON.stringify({ ...hash, hashes: { ...HASHES, 'blocks.17.W': HASHES.C } })],
    ['a hash of no parameter', JSON.stringify({ ...hash, hashes: { ...HASHES, bnmean: HASHES.C } })],
    ['a hash of another length', JSON.stringify({ ...hash, hashes: { ...HASHES, W2: '0' } })],
    ['a hash in capitals', JSON.stringify({ ...hash, hashes: { ...HASHES, W2: 'A'.repeat(16) } })],
    ['deep nesting', '['.repeat(100_000)],
  ])('%s, in the middle', (_, line) => {
    const path = file(Buffer.concat([Buffer.from(LINES[0]), Buffer.from(line), Buffer.from('\n'), Buffer.from(LINES[1])]));
    expect(readMetrics(path)).toEqual({ records: [RECORDS[0], RECORDS[1]], skipped: [2] });
  });

  it('several lines, each with its number', () => {
    expect(readMetrics(file(`x\n${LINES[0]}y\n\n${LINES[1]}z`))).toEqual({ records: [RECORDS[0], RECORDS[1]], skipped: [1, 3, 4, 6] });
  });

  it('but not what is in a record besides', () => {
    expect(readMetrics(file('{"note":"mine","step":1,"valLoss":2}\r\n'))).toEqual({ records: [{ step: 1, valLoss: 2 }], skipped: [] });
  });
});

describe('truncation to a step', () => {
  it.each([
    [0, 1],
    [99, 1],
    [100, 2],
    [200, 4],
    [299, 4],
    [300, 6],
    [1000, 6],
  ])('of %i keeps the %i lines up to it, byte for byte', (step, kept) => {
    const path = file(LINES.join(''));
    expect(truncateMetrics(path, step)).toEqual([]);
    expect(snapshot(join(path, '..'))).toEqual({ 'metrics.jsonl': LINES.slice(0, kept).join('') });
  });

  it('leaves what it keeps as it is, though it would be written otherwise today', () => {
    const odd = ['{ "rate": 1e-1, "loss":2.50,"step" :100, "note": "é漢" }\r\n', '  {"step":1e2,"valLoss":2}\n'];
    const path = file(`${odd.join('')}${LINES[4]}`);
    truncateMetrics(path, 200);
    expect(readFileSync(path, 'utf8')).toBe(odd.join(''));
  });

  it('leaves bytes that are not UTF-8 as they are, in a record that it keeps', () => {
    const odd = '{"step":100,"valLoss":2,"note":"\xff\x80"}\n';
    const path = file(Buffer.from(`${LINES[0]}${odd}${LINES[4]}`, 'latin1'));
    truncateMetrics(path, 200);
    expect(textOf(path)).toBe(LINES[0] + odd);
  });

  it('drops what is no record, and returns its numbers', () => {
    const path = file(`${LINES[0]}x\n${LINES[1]}${LINES[4]}{"step":300,"lo`);
    expect(truncateMetrics(path, 200)).toEqual([2, 5]);
    expect(textOf(path)).toBe(LINES[0] + LINES[1]);
  });

  it('drops a last line cut short, so that the next record has a line of its own', () => {
    for (const length of [1, 10, LINES[4].length - 2, LINES[4].length - 1]) {
      const path = file(LINES.slice(0, 4).join('') + LINES[4].slice(0, length));
      expect(truncateMetrics(path, 300)).toEqual([5]);
      write(path, 'continue', RECORDS.slice(4));
      expect(textOf(path)).toBe(LINES.join(''));
    }
  });

  it('drops everything if all of it is later', () => {
    const path = file(LINES.slice(1).join(''));
    expect(truncateMetrics(path, 0)).toEqual([]);
    expect(textOf(path)).toBe('');
  });

  it('does not write the file anew when there is nothing to drop', () => {
    const path = file(LINES.join(''));
    utimesSync(path, 1, 1);
    const { ino } = statSync(path);
    expect(truncateMetrics(path, 300)).toEqual([]);
    expect(statSync(path)).toMatchObject({ ino, mtimeMs: 1000 });
    appendFileSync(path, 'x');
    truncateMetrics(path, 300);
    expect(statSync(path).mtimeMs).toBeGreaterThan(1000);
  });

  it('of a missing file makes none', () => {
    const directory = tempDirectory();
    expect(truncateMetrics(join(directory, 'none'), 7)).toEqual([]);
    expect(snapshot(directory)).toEqual({});
  });
});

describe('what the system refuses', () => {
  it('reading a directory, and writing where there is none: path and reason', () => {
    const directory = tempDirectory();
    const missing = join(directory, 'none', 'metrics.jsonl');
    expect(() => readMetrics(directory)).toThrow(new SystemError(`cannot read ${directory}: it is a directory`));
    expect(() => truncateMetrics(directory, 1)).toThrow(new SystemError(`cannot read ${directory}: it is a directory`));
    for (const mode of ['new', 'continue'] as const) {
      expect(() => openMetrics(missing, mode)).toThrow(new SystemError(`cannot write ${missing}: no such file or directory`));
    }
  });
});

import { appendFileSync, linkSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { SystemError } from '../../src/core/errors.js';
import { createModel } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES, parameterNames } from '../../src/network/parameters.js';
import { ForeignWriteError } from '../../src/node/jsonLines.js';
import { openMetrics, readMetrics, truncateMetrics } from '../../src/node/metricsFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { hashRecord, type MetricsRecord } from '../../src/run/records.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

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

describe('records in metrics.jsonl', () => {
  it('are read as they were written, in order', () => {
    const path = join(tempDirectory(), 'metrics.jsonl');
    write(path, 'new', RECORDS);
    expect(readMetrics(path)).toEqual({ records: RECORDS, skipped: [] });
    expect(textOf(path)).toBe(LINES.join(''));
  });

  it('of a deep network hold the hashes of all parameters, in order', () => {
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

  it('of an older run are removed by a new one', () => {
    const path = file(LINES.join(''));
    write(path, 'new', RECORDS.slice(0, 1));
    expect(textOf(path)).toBe(LINES[0]);
  });

  it('stay when a run is resumed', () => {
    const path = file(LINES[0]);
    write(path, 'continue', RECORDS.slice(1));
    expect(textOf(path)).toBe(LINES.join(''));
  });

  it('are none in a missing file', () => {
    expect(readMetrics(join(tempDirectory(), 'none'))).toEqual({ records: [], skipped: [] });
  });

  it('are none in an empty file', () => {
    expect(readMetrics(file(''))).toEqual({ records: [], skipped: [] });
  });
});

describe('readMetrics skips, with its number,', () => {
  it('a last line truncated anywhere, even if only its line end is missing', () => {
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
    ['two records in one line', LINES[1].trim() + LINES[2].trim()],
    ['no step', '{"loss":1,"rate":1}'],
    ['a negative step', '{"step":-1,"valLoss":1}'],
    ['a fractional step', '{"step":1.5,"valLoss":1}'],
    ['a step above 2^53', '{"step":9007199254740992,"valLoss":1}'],
    ['a step in quotes', '{"step":"1","valLoss":1}'],
    ['a loss of null', '{"step":1,"loss":null,"rate":0.1}'],
    ['a loss without its rate', '{"step":1,"loss":1}'],
    ['a missing hash', JSON.stringify({ ...hash, hashes: { ...HASHES, W2: undefined } })],
    ['a hash of an impossible block', JSON.stringify({ ...hash, hashes: { ...HASHES, 'blocks.17.W': HASHES.C } })],
    ['a hash of something that is not a parameter', JSON.stringify({ ...hash, hashes: { ...HASHES, bnmean: HASHES.C } })],
    ['a hash of another length', JSON.stringify({ ...hash, hashes: { ...HASHES, W2: '0' } })],
    ['a hash in capitals', JSON.stringify({ ...hash, hashes: { ...HASHES, W2: 'A'.repeat(16) } })],
    ['deep nesting', '['.repeat(100_000)],
  ])('%s in the middle', (_, line) => {
    const path = file(Buffer.concat([Buffer.from(LINES[0]), Buffer.from(line), Buffer.from('\n'), Buffer.from(LINES[1])]));
    expect(readMetrics(path)).toEqual({ records: [RECORDS[0], RECORDS[1]], skipped: [2] });
  });

  it('several lines', () => {
    expect(readMetrics(file(`x\n${LINES[0]}y\n\n${LINES[1]}z`))).toEqual({ records: [RECORDS[0], RECORDS[1]], skipped: [1, 3, 4, 6] });
  });

  it('no record with additional keys', () => {
    expect(readMetrics(file('{"note":"mine","step":1,"valLoss":2}\r\n'))).toEqual({ records: [{ step: 1, valLoss: 2 }], skipped: [] });
  });
});

describe('metrics.jsonl while it is written', () => {
  /** A writer with three records, to which others then do something. */
  function written(mode: 'new' | 'continue' = 'new'): { path: string; directory: string; metrics: ReturnType<typeof openMetrics> } {
    const directory = tempDirectory();
    const path = join(directory, 'metrics.jsonl');
    const metrics = openMetrics(path, mode);
    for (const record of RECORDS.slice(0, 3)) metrics.append(record);
    return { path, directory, metrics };
  }

  it('needs no restoring if nobody touches it, nor if it is only read', () => {
    const { path, metrics } = written();
    expect(metrics.restore()).toBeUndefined();
    readFileSync(path);
    utimesSync(path, 1, 1);
    expect(metrics.restore()).toBeUndefined();
    metrics.close();
  });

  it.each(['new', 'continue'] as const)('is written again in full if it was deleted (%s)', (mode) => {
    const { path, directory, metrics } = written(mode);
    rmSync(path);
    metrics.append(RECORDS[3]);
    expect(metrics.restore()).toBe(`${path} was deleted by another program; it is written again in full`);
    for (const record of RECORDS.slice(4)) metrics.append(record);
    expect(metrics.restore()).toBeUndefined();
    metrics.close();
    expect(snapshot(directory)).toEqual({ 'metrics.jsonl': LINES.join('') });
  });

  it.each([
    ['by a file of an editor', (path: string, text: string): void => renameSync(put(path, '../new', text), path)],
    ['by a file with the same content', (path: string): void => renameSync(put(path, '../new', LINES.slice(0, 3).join('')), path)],
    [
      'by a link to a file elsewhere',
      (path: string, text: string): void => {
        rmSync(path);
        symlinkSync(put(tempDirectory(), 'victim', text), path);
      },
    ],
  ])('is written again in full if it was replaced %s, which is kept', (_, replace) => {
    const { path, directory, metrics } = written();
    replace(path, 'edited');
    const text = textOf(path);
    const aside = join(directory, 'metrics.other1.jsonl');
    expect(metrics.restore()).toBe(
      `${path} was replaced by another program; it is written again in full, and the other file is now ${aside}`,
    );
    for (const record of RECORDS.slice(3)) metrics.append(record);
    metrics.close();
    expect(snapshot(directory)).toEqual({ 'metrics.jsonl': LINES.join(''), 'metrics.other1.jsonl': text });
  });

  it.each([
    ['truncated', (path: string): void => truncateSync(path, 10)],
    ['emptied', (path: string): void => truncateSync(path, 0)],
    ['appended to', (path: string): void => appendFileSync(path, 'mine\n')],
  ])('that was %s is an error, because the lines cannot be written again', (_, change) => {
    const { path, metrics } = written();
    change(path);
    expect(thrownBy(ForeignWriteError, () => metrics.restore())).toBe(
      `${path} was changed by another program: it has ${statSync(path).size} bytes, expected ${LINES.slice(0, 3).join('').length}; its lines may be incomplete`,
    );
    metrics.close();
  });

  it('of a new run takes the place of a link, whose target stays', () => {
    const directory = tempDirectory();
    const victim = put(tempDirectory(), 'victim', 'mine');
    symlinkSync(victim, join(directory, 'metrics.jsonl'));
    write(join(directory, 'metrics.jsonl'), 'new', RECORDS);
    expect([textOf(victim), textOf(join(directory, 'metrics.jsonl'))]).toEqual(['mine', LINES.join('')]);
  });

  it('does not grow in a backup that is a hard link to it', () => {
    const path = file(LINES[0]);
    const backup = join(tempDirectory(), 'backup');
    linkSync(path, backup);
    write(path, 'continue', RECORDS.slice(1));
    expect([textOf(backup), textOf(path)]).toEqual([LINES[0], LINES.join('')]);
  });
});

describe('truncateMetrics', () => {
  it.each([
    [0, 1],
    [99, 1],
    [100, 2],
    [200, 4],
    [299, 4],
    [300, 6],
    [1000, 6],
  ])('to step %i keeps the first %i lines, byte for byte', (step, kept) => {
    const path = file(LINES.join(''));
    expect(truncateMetrics(path, step, 100).dropped).toEqual([]);
    expect(snapshot(join(path, '..'))).toEqual({ 'metrics.jsonl': LINES.slice(0, kept).join('') });
  });

  it('keeps lines unchanged, even in another notation', () => {
    const odd = ['{ "rate": 1e-1, "loss":2.50,"step" :100, "note": "é漢" }\r\n', '  {"step":1e2,"valLoss":2}\n'];
    const path = file(`${odd.join('')}${LINES[4]}`);
    truncateMetrics(path, 200, 100);
    expect(readFileSync(path, 'utf8')).toBe(odd.join(''));
  });

  it('keeps invalid UTF-8 in a record unchanged', () => {
    const odd = '{"step":100,"valLoss":2,"note":"\xff\x80"}\n';
    const path = file(Buffer.from(`${LINES[0]}${odd}${LINES[4]}`, 'latin1'));
    truncateMetrics(path, 200, 100);
    expect(textOf(path)).toBe(LINES[0] + odd);
  });

  it('removes lines that are not records, and returns their numbers', () => {
    const path = file(`${LINES[0]}x\n${LINES[1]}${LINES[4]}{"step":300,"lo`);
    expect(truncateMetrics(path, 200, 100).dropped).toEqual([2, 5]);
    expect(textOf(path)).toBe(LINES[0] + LINES[1]);
  });

  it('removes a truncated last line, so that the next record starts a new line', () => {
    for (const length of [1, 10, LINES[4].length - 2, LINES[4].length - 1]) {
      const path = file(LINES.slice(0, 4).join('') + LINES[4].slice(0, length));
      expect(truncateMetrics(path, 300, 100).dropped).toEqual([5]);
      write(path, 'continue', RECORDS.slice(4));
      expect(textOf(path)).toBe(LINES.join(''));
    }
  });

  it('removes everything if all records are later', () => {
    const path = file(LINES.slice(1).join(''));
    expect(truncateMetrics(path, 0, 100).dropped).toEqual([]);
    expect(textOf(path)).toBe('');
  });

  it('does not rewrite the file if there is nothing to remove', () => {
    const path = file(LINES.join(''));
    utimesSync(path, 1, 1);
    const { ino } = statSync(path);
    expect(truncateMetrics(path, 300, 100).dropped).toEqual([]);
    expect(statSync(path)).toMatchObject({ ino, mtimeMs: 1000 });
    appendFileSync(path, 'x');
    truncateMetrics(path, 300, 100);
    expect(statSync(path).mtimeMs).toBeGreaterThan(1000);
  });

  it.each([
    ['nothing', LINES, 300, []],
    ['an evaluation and what is around it', [LINES[0], LINES[4], LINES[5]], 300, [[100, 299]]],
    ['the end', LINES.slice(0, 4), 1000, [[300, 1000]]],
    ['the beginning', LINES.slice(4), 300, [[0, 299]]],
    ['everything', [], 300, [[0, 300]]],
  ] as const)('says of which steps the records are missing: %s', (_, lines, step, missing) => {
    expect(truncateMetrics(file(lines.join('')), step, 100).missing).toEqual(missing);
  });

  it('refuses a link, which is not followed', () => {
    const path = join(tempDirectory(), 'metrics.jsonl');
    symlinkSync(file(LINES.join('')), path);
    const message = `cannot write ${path}: it is a symbolic link; replace it by a file, or delete it`;
    expect(thrownBy(SystemError, () => truncateMetrics(path, 0, 100))).toBe(message);
    expect(thrownBy(SystemError, () => openMetrics(path, 'continue'))).toBe(message);
  });

  it('creates no file if there is none', () => {
    const directory = tempDirectory();
    expect(truncateMetrics(join(directory, 'none'), 7, 100).dropped).toEqual([]);
    expect(snapshot(directory)).toEqual({});
  });
});

describe('a SystemError with path and reason is thrown', () => {
  it('for reading a directory, and for writing in a missing one', () => {
    const directory = tempDirectory();
    const missing = join(directory, 'none', 'metrics.jsonl');
    expect(() => readMetrics(directory)).toThrow(new SystemError(`cannot read ${directory}: it is a directory`));
    expect(() => truncateMetrics(directory, 1, 100)).toThrow(`cannot write ${directory}: it is a directory`);
    for (const mode of ['new', 'continue'] as const) {
      expect(() => openMetrics(missing, mode)).toThrow(new SystemError(`cannot write ${missing}: no such file or directory`));
    }
  });
});

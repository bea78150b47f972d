import { appendFileSync, copyFileSync, cpSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDataset } from '../../../src/data/dataset.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { restoreModel } from '../../../src/run/checkpoint.js';
import { NAMES, ONE_ERROR_LINE, runCli, SMALL, type TrainReport, trainSmall, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, tempDirectory } from '../../support/tempDirectory.js';

let trained: string;
let report: TrainReport;

beforeAll(async () => {
  trained = makeDirectory();
  report = await trainSmall(trained, '--split-seed', '5');
  return () => removeDirectory(trained);
});

/** A copy of the trained run and its data that a test may change. run.json names the data by the original's path. */
function copyOfRun(): string {
  const cwd = tempDirectory();
  cpSync(trained, cwd, { recursive: true });
  return cwd;
}

const LOSSES = [
  ['train', 'trainLoss', 'training'],
  ['val', 'valLoss', 'validation'],
  ['test', 'testLoss', 'test'],
] as const;

describe('the loss', () => {
  it.each(LOSSES)("of the %s part is the report's %s, to the last bit", async (split, key) => {
    const { exitCode, stdout } = await runCli(trained, ['eval', 'run', '--split', split, '--json']);
    expect(exitCode).toBe(0);
    const names = createDataset(NAMES, { splitSeed: 5, unique: false }).parts[split];
    expect(JSON.parse(stdout)).toEqual({
      checkpoint: join(trained, 'run', 'checkpoint.safetensors'),
      split,
      loss: report[key],
      names: names.length,
      examples: [...names].reduce((sum, name) => sum + name.length + 1, 0),
    });
  });

  it.each(LOSSES)('of the %s part is printed as text', async (split, key, words) => {
    const { exitCode, stdout, stderr } = await runCli(trained, ['eval', 'run', '--split', split]);
    expect(exitCode).toBe(0);
    const names = split === 'train' ? 48 : 6;
    expect(stdout).toMatch(
      new RegExp(`^${words} loss ${report[key].toFixed(4)} nats per character, over ${names} names \\(\\d+ examples\\)\n$`),
    );
    expect(stderr).toBe('');
  });

  it('is from the validation part unless another one is named', async () => {
    const named = await runCli(trained, ['eval', 'run', '--split', 'val']);
    expect((await runCli(trained, ['eval', 'run'])).stdout).toBe(named.stdout);
  });

  it('is from the newest run unless another one is named', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, ['train', ...SMALL, '--seed', '1']);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--seed', '2', '--json']);
    const evaluated = await runCli(cwd, ['eval', '--json']);
    expect(JSON.parse(evaluated.stdout).loss).toBe((JSON.parse(stdout) as TrainReport).valLoss);
  });

  it('is the same from a run directory, its checkpoint, and any working directory', async () => {
    const losses = [];
    for (const [cwd, run] of [
      [trained, 'run'],
      [trained, join('run', 'checkpoint.safetensors')],
      [tempDirectory(), join(trained, 'run')],
    ]) {
      losses.push(JSON.parse((await runCli(cwd, ['eval', run, '--json'])).stdout).loss);
    }
    expect(losses).toEqual([report.valLoss, report.valLoss, report.valLoss]);
  });

  it('uses --unique and the split seed of the run', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, [...NAMES, ...NAMES]);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--unique', '--split-seed', '9', '--json']);
    const evaluated = JSON.parse((await runCli(cwd, ['eval', '--split', 'test', '--json'])).stdout);
    expect(evaluated).toMatchObject({ names: 6, loss: (JSON.parse(stdout) as TrainReport).testLoss });
  });
});

describe('the data set', () => {
  it('may be a copy under another path', async () => {
    const cwd = copyOfRun();
    const { exitCode, stdout, stderr } = await runCli(cwd, ['eval', 'run', '--data', 'names.txt', '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(JSON.parse(stdout).loss).toBe(report.valLoss);
  });

  it('may be another file, and a note says so', async () => {
    const cwd = copyOfRun();
    writeNames(cwd, NAMES.slice(0, 30), 'others.txt');
    const { exitCode, stdout, stderr } = await runCli(cwd, ['eval', 'run', '--data', 'others.txt', '--json']);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('note: this is not the data set of the run\n');
    expect(JSON.parse(stdout)).toMatchObject({ names: 3 });
    expect(JSON.parse(stdout).loss).not.toBe(report.valLoss);
  });

  it('is refused with both SHA-256 if it has changed since the training, unless --data names it (3)', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    appendFileSync(join(cwd, 'names.txt'), 'anna\n');
    const { exitCode, stdout, stderr } = await runCli(cwd, ['eval', 'run']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(
      /^error: names\.txt is not the data set of the run: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; restore it, or name the right file with --data\n$/,
    );
    expect((await runCli(cwd, ['eval', 'run', '--data', 'names.txt'])).exitCode).toBe(0);
  });

  it('is a missing file if it was deleted (4)', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    rmSync(join(cwd, 'names.txt'));
    const { exitCode, stderr } = await runCli(cwd, ['eval', 'run']);
    expect(exitCode).toBe(4);
    expect(stderr).toBe('error: cannot read names.txt: no such file or directory; if the data set was moved, name it with --data\n');
  });

  it('must be named if there is no run.json (2)', async () => {
    const cwd = tempDirectory();
    copyFileSync(join(trained, 'run', 'checkpoint.safetensors'), join(cwd, 'mine.safetensors'));
    const refused = await runCli(cwd, ['eval', 'mine.safetensors']);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^error: no run\.json next to mine\.safetensors, so its data set is unknown; name it with --data\n$/);
    writeNames(cwd);
    const { exitCode, stdout } = await runCli(cwd, ['eval', 'mine.safetensors', '--data', 'names.txt', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).loss).toBe(report.valLoss);
  });

  it('must be named if run.json is damaged (3)', async () => {
    const cwd = copyOfRun();
    put(cwd, join('run', 'run.json'), '{"data":');
    const { exitCode, stderr } = await runCli(cwd, ['eval', 'run']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain('name the data set with --data');
    expect((await runCli(cwd, ['eval', 'run', '--data', 'names.txt'])).exitCode).toBe(0);
  });

  it('is refused if it has characters that the network does not know, and they are shown (3)', async () => {
    const cwd = copyOfRun();
    writeNames(cwd, [...NAMES, 'zoé', '漢字']);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['eval', 'run', '--data', 'names.txt']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain('characters that the network does not know: z é (U+00E9) 字 (U+5B57) 漢 (U+6F22); it knows .abdeilmnorstuv');
  });

  it('is refused if it has too few names (2)', async () => {
    const cwd = copyOfRun();
    writeNames(cwd, NAMES.slice(0, 5), 'few.txt');
    const { exitCode, stderr } = await runCli(cwd, ['eval', 'run', '--data', 'few.txt']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('few.txt has 5 names, too few');
  });

  it('may have fewer characters than the network knows', async () => {
    const cwd = copyOfRun();
    writeNames(cwd, ['a', 'la', 'na', 'an', 'al', 'lana', 'nala'], 'few.txt');
    expect((await runCli(cwd, ['eval', 'run', '--data', 'few.txt'])).exitCode).toBe(0);
  });
});

describe('--whole', () => {
  const whole = (cwd: string, ...argv: string[]) => runCli(cwd, ['eval', 'run', '--whole', '--json', ...argv]);

  it('judges each part, written as a list, as --split does', async () => {
    const cwd = copyOfRun();
    const { parts } = createDataset(NAMES, { splitSeed: 5, unique: false });
    for (const [split, key] of LOSSES) {
      writeNames(cwd, [...parts[split]], 'part.txt');
      const { exitCode, stdout, stderr } = await whole(cwd, '--data', 'part.txt');
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ split: 'whole', loss: report[key], names: parts[split].length });
    }
  });

  it('keeps repeated names, and needs no more than one name', async () => {
    const cwd = copyOfRun();
    writeNames(cwd, ['anna'], 'one.txt');
    writeNames(cwd, ['anna', 'anna'], 'two.txt');
    const [one, two] = [await whole(cwd, '--data', 'one.txt'), await whole(cwd, '--data', 'two.txt')].map(({ stdout }) =>
      JSON.parse(stdout),
    );
    expect(one).toMatchObject({ names: 1, examples: 5 });
    expect(two).toMatchObject({ names: 2, examples: 10 });
    expect(two.loss).toBeCloseTo(one.loss, 12);
    const { stdout } = await runCli(cwd, ['eval', 'run', '--data', 'one.txt', '--whole']);
    expect(stdout).toBe(`loss ${one.loss.toFixed(4)} nats per character, over 1 name (5 examples)\n`);
  });

  it("judges all names of the run's own data set without --data", async () => {
    expect(JSON.parse((await whole(trained)).stdout)).toMatchObject({ names: NAMES.length });
  });

  it('reads a column of a table with --column, and otherwise whole lines', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['name,year', ...NAMES.map((name) => `${name},2000`)], 'table.csv');
    expect((await runCli(cwd, ['train', ...SMALL, '--data', 'table.csv', '--column', 'name', '--out', 'run'])).exitCode).toBe(0);
    writeNames(cwd, NAMES, 'list.txt');
    const losses = [[], ['--data', 'list.txt'], ['--data', 'table.csv', '--column', 'name']].map((argv) => whole(cwd, ...argv));
    const [own, list, table] = (await Promise.all(losses)).map(({ stdout }) => JSON.parse(stdout).loss);
    expect(list).toBe(own);
    expect(table).toBe(own);
  });

  it.each([
    [['--whole', '--split', 'val'], '--whole judges the whole list, --split val a part of it; leave one of them out'],
    [['--whole', '--column', '1'], '--column goes with --data and --whole'],
    [['--data', 'names.txt', '--column', '1'], '--column goes with --data and --whole'],
  ])('refuses %j (2)', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCli(copyOfRun(), ['eval', 'run', ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('refuses characters that the network does not know (3)', async () => {
    const cwd = copyOfRun();
    writeNames(cwd, ['zoe'], 'other.txt');
    expect(await whole(cwd, '--data', 'other.txt')).toMatchObject({ exitCode: 3, stdout: '' });
  });
});

describe.each(['eval', 'sample'])('%s: the run', (command) => {
  const refusedWith = async (cwd: string, exitCode: number, argv: string[] = []) => {
    const outcome = await runCli(cwd, [command, ...argv]);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    return outcome.stderr;
  };

  it('is missing if none was trained yet, and the message says how to get one (4)', async () => {
    expect(await refusedWith(tempDirectory(), 4)).toBe(
      `error: no run yet: ${join('runs', 'latest')} does not exist; name one, or train one: backprop-ninja train\n`,
    );
  });

  it('is missing (4)', async () => {
    expect(await refusedWith(tempDirectory(), 4, ['runs/0009'])).toBe(
      'error: cannot read runs/0009: no such run directory or checkpoint\n',
    );
  });

  it('has no checkpoint (4)', async () => {
    const cwd = tempDirectory();
    put(cwd, join('run', 'run.json'), '{}');
    expect(await refusedWith(cwd, 4, ['run'])).toBe(
      'error: no checkpoint in run: not a run, or a run that stopped before its first save; start it again: backprop-ninja train --force --out run\n',
    );
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -1), 'the file holds'],
    ['empty', () => Buffer.alloc(0), '0 bytes, expected at least 8'],
    [
      'of another program',
      () => Buffer.from('\x02\0\0\0\0\0\0\0{}', 'latin1'),
      'a safetensors file, but not a checkpoint of backprop-ninja',
    ],
    ['an HTML page', () => Buffer.from('<!DOCTYPE html><html></html>'), 'not a safetensors file: this is a web page (HTML)'],
  ])('has a checkpoint that is %s (3): the path and what is wrong', async (_, change, reason) => {
    const cwd = copyOfRun();
    const path = join(cwd, 'run', 'checkpoint.safetensors');
    put(cwd, join('run', 'checkpoint.safetensors'), change(readFileSync(path)));
    const stderr = await refusedWith(cwd, 3, ['run']);
    expect(stderr).toContain('error: run/checkpoint.safetensors: ');
    expect(stderr).toContain(reason);
  });

  it('is refused without reading all of it if it is a file of gigabytes (3)', async () => {
    const cwd = tempDirectory();
    truncateSync(put(cwd, 'huge.safetensors', '\0\0\0\0\0\0\0\x7f'), 3 * 2 ** 30);
    expect(await refusedWith(cwd, 3, ['huge.safetensors'])).toContain('huge.safetensors: not a safetensors file: header length');
  });
});

describe('weights with which the numbers overflow', () => {
  it.each([
    ['W1', 'hprebn', ['eval', 'run']],
    ['W1', 'hprebn', ['eval', 'run', '--split', 'train', '--json']],
    ['W2', 'logits', ['eval', 'run']],
    ['W2', 'logits', ['sample', 'run']],
    ['W2', 'logits', ['sample', 'run', '--temperature', '0', '--json']],
    ['W1', 'hprebn', ['train', '--resume', 'run']],
  ] as const)('in %s: exit code 5, naming %s: %j', async (parameter, tensor, argv) => {
    const cwd = copyOfRun();
    const path = join(cwd, 'run', 'checkpoint.safetensors');
    const checkpoint = loadCheckpoint(path);
    const model = restoreModel(checkpoint, createWasmBackend, { inference: [1] });
    model.parameters[parameter].fill(3e38);
    saveCheckpoint(path, model, checkpoint);
    const { exitCode, stdout, stderr } = await runCli(cwd, argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^error: ${tensor}\\[\\d+, \\d+\\] is (NaN|-?Infinity) in an evaluation, .*; the weights are too large`, 'm'),
    );
  });
});

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FloatArray } from '../../../src/core/tensor.js';
import { createDataset } from '../../../src/data/dataset.js';
import { NameList } from '../../../src/data/nameList.js';
import { LESSON_PARAMETER_NAMES } from '../../../src/network/parameters.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { NAMES, type Outcome, runCli, SMALL, type TrainReport, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, removeDirectory, tempDirectory } from '../../support/tempDirectory.js';

const RUN_FILES = ['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', 'run.json'];

interface MetricsLine {
  step: number;
  loss: number;
  rate: number;
  valLoss: number;
  hashes: Record<string, string>;
}

describe('a run', () => {
  let cwd: string;
  let text: Outcome;
  let json: Outcome;
  let report: TrainReport;

  beforeAll(async () => {
    cwd = makeDirectory();
    writeNames(cwd);
    const argv = ['train', ...SMALL, '--steps', '250'];
    text = await runCli(cwd, argv, { date: '2021-03-04T05:06:07.008Z' });
    json = await runCli(cwd, [...argv, '--json']);
    report = JSON.parse(json.stdout) as TrainReport;
    return () => removeDirectory(cwd);
  });

  /** The lines of metrics.jsonl, which all end in a line feed. */
  function metrics(): MetricsLine[] {
    const lines = readFileSync(join(cwd, 'runs', '0001', 'metrics.jsonl'), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    return lines.map((line) => JSON.parse(line) as MetricsLine);
  }

  it('exits with 0', () => {
    expect([text.exitCode, json.exitCode]).toEqual([0, 0]);
  });

  it('goes into runs/0001, the next one into runs/0002, and runs/latest points to the newest', () => {
    expect(readdirSync(join(cwd, 'runs')).sort()).toEqual(['0001', '0002', 'latest']);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0002'));
    expect(report.run).toBe(join(cwd, 'runs', '0002'));
  });

  it('leaves only checkpoint, best checkpoint, metrics and run.json in its directory', () => {
    expect(readdirSync(join(cwd, 'runs', '0001')).sort()).toEqual(RUN_FILES);
  });

  it('prints one JSON document with exactly these keys', () => {
    expect(json.stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(Object.keys(report)).toEqual([
      'run',
      'checkpoint',
      'parameters',
      'steps',
      'seconds',
      'stepsPerSecond',
      'best',
      'trainLoss',
      'valLoss',
      'testLoss',
      'valSeen',
      'valUnseen',
      'baselines',
      'samples',
      'emptyNameProbability',
      'origins',
    ]);
  });

  it('reports consistent sizes, times and losses', () => {
    // E 4, H 8, T 3: C [V,4], W1 [12,8], three vectors of 8, W2 [8,V], b2 [V].
    expect(report.parameters).toBe(13 * NameList.of(NAMES).vocabulary.length + 12 * 8 + 3 * 8);
    expect(report.checkpoint).toBe(join(report.run, 'checkpoint.safetensors'));
    expect(report.steps).toBe(250);
    expect(report.seconds).toBeGreaterThan(0);
    expect(report.stepsPerSecond).toBeCloseTo(250 / report.seconds, 6);
    expect(report.baselines.uniform).toEqual({ train: Math.log(15), val: Math.log(15), test: Math.log(15) });
    for (const loss of [report.trainLoss, report.valLoss, report.testLoss]) expect(loss).toBeLessThan(Math.log(15));
  });

  it('samples 20 names', () => {
    expect(report.samples).toHaveLength(20);
    const letters = new Set(NameList.of(NAMES).vocabulary.slice(1));
    for (const name of report.samples)
      expect(
        [...name].every((letter) => letters.has(letter)),
        name,
      ).toBe(true);
  });

  it('prints the same as text: losses beside the baselines, samples, and how to get more', () => {
    const { trainLoss, valLoss, testLoss, baselines, samples } = report;
    const lines = text.stdout.split('\n');
    const row = (start: string) => lines.find((line) => line.startsWith(start))?.split(/ {2,}/);
    expect(row('loss in nats')).toEqual(['loss in nats per character', 'train', 'validation', 'test']);
    const shown = (...losses: number[]) => losses.map((loss) => loss.toFixed(4));
    expect(row('this network')).toEqual(['this network', ...shown(trainLoss, valLoss, testLoss)]);
    expect(row('4-grams')).toEqual(['4-grams, +0.1', ...shown(...Object.values(baselines.fourGram))]);
    expect(row('bigrams')).toEqual(['bigrams, +0.1', ...shown(...Object.values(baselines.bigram))]);
    expect(row('uniform')).toEqual(['uniform, ln 15', '2.7081', '2.7081', '2.7081']);
    const at = lines.findIndex((line) => line.startsWith('20 sampled names'));
    expect(lines.slice(at + 1, at + 21).map((line) => line.trim().split(/ {2,}/)[0])).toEqual(samples);
    expect(lines.at(-2)).toBe(`more names: backprop-ninja sample ${join('runs', '0001')}`);
  });

  it('names its data and its size on stderr', () => {
    expect(text.stderr).toMatch(/^names\.txt: 60 names, 48 of them for training \(/m);
    expect(text.stderr).toContain(`T 3, E 4, H 8: 315 parameters; writing ${join('runs', '0001')}\n`);
    expect(text.stderr).toContain('step 250 / 250');
  });

  it('writes the mean loss and the rate every 100 steps and at the end; the rate drops to a tenth halfway', () => {
    const records = metrics().filter((record) => 'loss' in record);
    expect(records.map(({ step, rate }) => ({ step, rate }))).toEqual([
      { step: 100, rate: 0.1 },
      { step: 200, rate: 0.01 },
      { step: 250, rate: 0.01 },
    ]);
    for (const { loss } of records) expect(loss).toBeGreaterThan(0);
    expect(records[0].loss).toBeGreaterThan(records[2].loss);
  });

  it('writes the validation loss at every evaluation and at the end; the last one is in the report', () => {
    const records = metrics().filter((record) => 'valLoss' in record);
    expect(records.map(({ step }) => step)).toEqual([100, 200, 250]);
    expect(records[2].valLoss).toBe(report.valLoss);
    const best = records.reduce((smallest, record) => (record.valLoss < smallest.valLoss ? record : smallest));
    expect((report as TrainReport & { best: unknown }).best).toEqual(best);
  });

  it('writes hashes of the parameters at the start and at the end; the last ones are those of the checkpoint', () => {
    const records = metrics().filter((record) => 'hashes' in record);
    expect(records.map(({ step }) => step)).toEqual([0, 250]);
    const { tensors } = loadCheckpoint(join(cwd, 'runs', '0001', 'checkpoint.safetensors'));
    for (const name of LESSON_PARAMETER_NAMES) {
      const { buffer, byteOffset, byteLength } = tensors.get(name) as FloatArray;
      const digest = createHash('sha256')
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest('hex');
      expect(records[1].hashes[name], name).toBe(digest.slice(0, 16));
    }
  });

  it('writes one line per record, in the order of the steps', () => {
    const steps = metrics().map(({ step }) => step);
    expect(steps).toEqual([0, 1, 100, 100, 200, 200, 250, 250, 250, 250]);
  });

  it('stores data, options, times and report in run.json', () => {
    const about = JSON.parse(readFileSync(join(cwd, 'runs', '0002', 'run.json'), 'utf8'));
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    const names = join(cwd, 'names.txt');
    expect(about).toEqual({
      program: `backprop-ninja ${version}`,
      node: process.version,
      startedAt: '2020-02-02T02:02:02.020Z',
      trained: { steps: 250, seconds: about.result.seconds },
      finishedAt: '2020-02-02T02:02:02.020Z',
      data: { path: names, sha256: createHash('sha256').update(readFileSync(names)).digest('hex'), names: 60 },
      config: {
        context: 3,
        embedding: 4,
        hidden: [8],
        batchSize: 32,
        steps: 250,
        learningRate: 0.1,
        optimizer: { name: 'sgd' },
        schedule: { name: 'step', switchStep: 125 },
        warmup: 0,
        sampling: 'replacement',
        evalEvery: 100,
        seed: 2147483647,
        splitSeed: 42,
        unique: false,
      },
      result: report,
    });
    const earlier = JSON.parse(readFileSync(join(cwd, 'runs', '0001', 'run.json'), 'utf8'));
    expect(earlier.startedAt).toBe('2021-03-04T05:06:07.008Z');
  });
});

describe('the report', () => {
  it('says for each sample which part of the data has it, if any; the training part comes first', async () => {
    const cwd = tempDirectory();
    const different = ['a', 'b', 'ab', 'ba', 'aa', 'bb', 'aab', 'abb', 'bab', 'aba', 'baa', 'bba'];
    const names = [...different, ...different.slice(0, 6)];
    writeNames(cwd, names);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--split-seed', '16', '--json']);
    const { samples, origins } = JSON.parse(stdout) as TrainReport;
    const { parts } = createDataset(names, { splitSeed: 16, unique: false });
    const train = new Set(parts.train);
    const heldOut = new Set([...parts.val, ...parts.test]);
    const expected = samples.map((name) => {
      if (train.has(name)) return 'training';
      return heldOut.has(name) ? 'held out' : 'new';
    });
    expect(origins).toEqual(expected);
    expect(samples.some((name) => train.has(name) && heldOut.has(name))).toBe(true);
    expect(new Set(origins)).toEqual(new Set(['training', 'held out', 'new']));
    const text = await runCli(cwd, ['train', ...SMALL, '--split-seed', '16']);
    const shown = { training: 'in the training part', 'held out': 'in validation or test', new: 'new' };
    const nameLines = text.stdout.split('\n').filter((line) => line.startsWith('  ') && line.trim() !== '');
    expect(nameLines.map((line) => line.trim().split(/ {2,}/))).toEqual(
      samples.map((name, i) => [name, shown[origins[i] as keyof typeof shown]].filter((cell) => cell !== '')),
    );
    const fresh = origins.filter((origin) => origin === 'new').length;
    expect(text.stdout).toContain(`20 sampled names, ${fresh} of them new:`);
  });

  it('splits the validation loss into names that are also in the training part and names that are not', async () => {
    const cwd = tempDirectory();
    const names = [...NAMES, ...NAMES.slice(0, 30)];
    writeNames(cwd, names);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--json']);
    const { valLoss, valSeen, valUnseen } = JSON.parse(stdout) as TrainReport;
    const { parts } = createDataset(names, { splitSeed: 42, unique: false });
    const train = new Set(parts.train);
    const seen = parts.val.filter((name) => train.has(name));
    const unseen = parts.val.filter((name) => !train.has(name));
    expect(seen.length).toBeGreaterThan(0);
    expect(unseen.length).toBeGreaterThan(0);
    expect([valSeen.names, valUnseen.names]).toEqual([seen.length, unseen.length]);
    const characters = (list: NameList) => [...list].reduce((sum, name) => sum + name.length + 1, 0);
    const weighted = (valSeen.loss as number) * characters(seen) + (valUnseen.loss as number) * characters(unseen);
    expect(weighted / characters(parts.val)).toBeCloseTo(valLoss, 10);
  });

  it('finds no validation name in the training part with --unique', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, [...NAMES, ...NAMES]);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--unique', '--json']);
    const { valSeen, valUnseen } = JSON.parse(stdout) as TrainReport;
    expect(valSeen).toEqual({ names: 0, loss: null });
    expect(valUnseen.names).toBe(6);
  });
});

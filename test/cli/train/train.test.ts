import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FloatArray } from '../../../src/core/tensor.js';
import { createDataset, createVocabulary } from '../../../src/data/dataset.js';
import { LESSON_PARAMETER_NAMES, parameterNames, statisticNames } from '../../../src/network/parameters.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import {
  type fakeIO,
  NAMES,
  ONE_ERROR_LINE,
  type Outcome,
  runCli,
  SMALL,
  type TrainReport,
  trainSmall,
  writeNames,
} from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

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

  it('goes into runs/0001, the next into runs/0002, and runs/latest points to it', () => {
    expect(readdirSync(join(cwd, 'runs')).sort()).toEqual(['0001', '0002', 'latest']);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0002'));
    expect(report.run).toBe(join(cwd, 'runs', '0002'));
  });

  it('leaves checkpoint, best checkpoint, metrics and run.json in its directory, and nothing else', () => {
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
      'origins',
    ]);
  });

  it('reports sizes, time and losses that fit together', () => {
    // E 4, H 8, T 3: C [V,4], W1 [12,8], three vectors of 8, W2 [8,V], b2 [V].
    expect(report.parameters).toBe(13 * createVocabulary(NAMES).length + 12 * 8 + 3 * 8);
    expect(report.checkpoint).toBe(join(report.run, 'checkpoint.safetensors'));
    expect(report.steps).toBe(250);
    expect(report.seconds).toBeGreaterThan(0);
    expect(report.stepsPerSecond).toBeCloseTo(250 / report.seconds, 6);
    expect(report.baselines.uniform).toEqual({ train: Math.log(15), val: Math.log(15), test: Math.log(15) });
    for (const loss of [report.trainLoss, report.valLoss, report.testLoss]) expect(loss).toBeLessThan(Math.log(15));
  });

  it('samples 20 names', () => {
    expect(report.samples).toHaveLength(20);
    const letters = new Set(createVocabulary(NAMES).slice(1));
    for (const name of report.samples)
      expect(
        [...name].every((letter) => letters.has(letter)),
        name,
      ).toBe(true);
  });

  it('prints the same as text: the losses beside the baselines, the samples, and how to get more', () => {
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

  it('says on stderr what it trains on and how large it is', () => {
    expect(text.stderr).toMatch(/^names\.txt: 60 names, 48 of them for training \(/m);
    expect(text.stderr).toContain(`T 3, E 4, H 8: 315 parameters; writing ${join('runs', '0001')}\n`);
    expect(text.stderr).toContain('step 250 / 250');
  });

  it('writes metrics every 100 steps and at the end, with the mean loss and a tenth of the rate from half of the steps on', () => {
    const records = metrics().filter((record) => 'loss' in record);
    expect(records.map(({ step, rate }) => ({ step, rate }))).toEqual([
      { step: 100, rate: 0.1 },
      { step: 200, rate: 0.01 },
      { step: 250, rate: 0.01 },
    ]);
    for (const { loss } of records) expect(loss).toBeGreaterThan(0);
    expect(records[0].loss).toBeGreaterThan(records[2].loss);
  });

  it('writes the validation loss at every evaluation and at the end; the last is that of the report', () => {
    const records = metrics().filter((record) => 'valLoss' in record);
    expect(records.map(({ step }) => step)).toEqual([100, 200, 250]);
    expect(records[2].valLoss).toBe(report.valLoss);
    const best = records.reduce((smallest, record) => (record.valLoss < smallest.valLoss ? record : smallest));
    expect((report as TrainReport & { best: unknown }).best).toEqual(best);
  });

  it('writes hashes of the parameters at the start and at the end, those of the checkpoint', () => {
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

  it('writes its metrics in the order of the steps, a line each', () => {
    const steps = metrics().map(({ step }) => step);
    expect(steps).toEqual([0, 100, 100, 200, 200, 250, 250, 250]);
  });

  it('keeps in run.json the data, the options, the times and the report', () => {
    const about = JSON.parse(readFileSync(join(cwd, 'runs', '0002', 'run.json'), 'utf8'));
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    const names = join(cwd, 'names.txt');
    expect(about).toEqual({
      program: `backprop-ninja ${version}`,
      node: process.version,
      startedAt: '2020-02-02T02:02:02.020Z',
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

describe('every option', () => {
  it('reaches the run', async () => {
    const cwd = tempDirectory();
    const options =
      '--context 2 --embedding 3 --hidden 5 --batch-size 7 --steps 11 --lr 0.25 --seed 13 --split-seed 17 --unique --eval-every 4';
    await trainSmall(cwd, ...options.split(' '));
    expect(JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8')).config).toEqual({
      context: 2,
      embedding: 3,
      hidden: [5],
      batchSize: 7,
      steps: 11,
      learningRate: 0.25,
      optimizer: { name: 'sgd' },
      schedule: { name: 'step', switchStep: 5 },
      warmup: 0,
      sampling: 'replacement',
      evalEvery: 4,
      seed: 13,
      splitSeed: 17,
      unique: true,
    });
  });

  it('of the recipe reaches the run, and stderr says it in a line, decayed parameters included', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const recipe =
      '--optimizer adamw --lr 0.002 --beta1 0.8 --beta2 0.99 --weight-decay 0.05 --schedule cosine --warmup 20 --clip 1.5 --sampling epochs';
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--out', 'run', ...recipe.split(' ')]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      '; writing run\nadamw 0.002 (beta1 0.8, beta2 0.99, decay 0.05 on W1 W2), cosine to 0, warm-up 20 steps, clip 1.5, shuffled epochs\n',
    );
    const { config } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(config).toMatchObject({
      learningRate: 0.002,
      optimizer: { name: 'adamw', beta1: 0.8, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.05 },
      clip: 1.5,
      schedule: { name: 'cosine' },
      warmup: 20,
      sampling: 'epochs',
    });
    expect(JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8')).config).toEqual(config);
  });

  it.each([
    ['linear', 1],
    ['cosine', 0.5],
  ])('%s: the rates that are recorded come down to nearly 0', async (schedule) => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--steps', '300', '--schedule', schedule, '--warmup', '150');
    const lines = readFileSync(join(cwd, 'run', 'metrics.jsonl'), 'utf8').split('\n');
    const rates = lines.flatMap((line) => (line.includes('"rate"') ? (JSON.parse(line) as MetricsLine).rate : []));
    const gone = [49 / 150, 149 / 150];
    const expected = schedule === 'linear' ? gone.map((x) => 0.1 * (1 - x)) : gone.map((x) => 0.05 * (1 + Math.cos(Math.PI * x)));
    [(0.1 * 100) / 150, ...expected].forEach((rate, i) => {
      expect(rates[i]).toBeCloseTo(rate, 12);
    });
    expect(rates).toHaveLength(3);
  });

  it.each([
    ['one step', ['--steps', '1']],
    ['one hidden unit', ['--hidden', '1']],
    ['one hidden unit in each of many blocks', ['--hidden', Array(16).fill('1').join(',')]],
    ['the most blocks', ['--hidden', Array(16).fill('8').join(',')]],
    ['one number per character', ['--embedding', '1']],
    ['the shortest context', ['--context', '1']],
    ['the longest context', ['--context', '64']],
    ['the smallest batch', ['--batch-size', '2']],
    ['a batch larger than the data', ['--batch-size', '1000', '--steps', '2']],
    ['the largest learning rate', ['--lr', '1000']],
    ['the largest clip and decay', ['--clip', '1000000', '--optimizer', 'adamw', '--weight-decay', '1000']],
    ['no momentum', ['--optimizer', 'momentum', '--momentum', '0']],
    ['betas of 0', ['--optimizer', 'adam', '--beta1', '0', '--beta2', '0']],
    ['a run of warm-up alone', ['--warmup', '50']],
    ['a batch of several epochs', ['--batch-size', '1000', '--steps', '2', '--sampling', 'epochs']],
    ['everything after every step', ['--eval-every', '1', '--save-every', '1', '--check-every', '1']],
    ['nothing before the last step', ['--eval-every', '1000000000', '--save-every', '1000000000', '--check-every', '1000000000']],
    ['the largest seed', ['--seed', '9007199254740991', '--split-seed', '9007199254740991']],
  ])('may be at its limit: %s', async (_, options) => {
    const report = await trainSmall(tempDirectory(), ...options);
    expect(Number.isFinite(report.valLoss)).toBe(true);
  });
});

describe('the report', () => {
  it('says of each sample whether it stands in the data, first of all in the training part', async () => {
    const cwd = tempDirectory();
    const different = ['a', 'b', 'ab', 'ba', 'aa', 'bb', 'aab', 'abb', 'bab', 'aba', 'baa', 'bba'];
    const names = [...different, ...different.slice(0, 6)];
    writeNames(cwd, names);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--split-seed', '16', '--json']);
    const { samples, origins } = JSON.parse(stdout) as TrainReport;
    const { parts } = createDataset(names, { splitSeed: 16, unique: false });
    const expected = samples.map((name) => {
      if (parts.train.includes(name)) return 'training';
      return parts.val.includes(name) || parts.test.includes(name) ? 'held out' : 'new';
    });
    expect(origins).toEqual(expected);
    expect(samples.some((name) => parts.train.includes(name) && [...parts.val, ...parts.test].includes(name))).toBe(true);
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

  it('splits the validation loss by whether a name was also seen in training', async () => {
    const cwd = tempDirectory();
    const names = [...NAMES, ...NAMES.slice(0, 30)];
    writeNames(cwd, names);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--json']);
    const { valLoss, valSeen, valUnseen } = JSON.parse(stdout) as TrainReport;
    const { parts } = createDataset(names, { splitSeed: 42, unique: false });
    const seen = parts.val.filter((name) => parts.train.includes(name));
    const unseen = parts.val.filter((name) => !parts.train.includes(name));
    expect(seen.length).toBeGreaterThan(0);
    expect(unseen.length).toBeGreaterThan(0);
    expect([valSeen.names, valUnseen.names]).toEqual([seen.length, unseen.length]);
    const characters = (list: readonly string[]) => list.reduce((sum, name) => sum + name.length + 1, 0);
    const weighted = (valSeen.loss as number) * characters(seen) + (valUnseen.loss as number) * characters(unseen);
    expect(weighted / characters(parts.val)).toBeCloseTo(valLoss, 10);
  });

  it('with --unique nothing of the validation part was seen in training', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, [...NAMES, ...NAMES]);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--unique', '--json']);
    const { valSeen, valUnseen } = JSON.parse(stdout) as TrainReport;
    expect(valSeen).toEqual({ names: 0, loss: null });
    expect(valUnseen.names).toBe(6);
  });
});

describe('reproducibility', () => {
  const bytesOf = (directory: string) =>
    ['checkpoint.safetensors', 'metrics.jsonl', 'best.safetensors'].map((name) => readFileSync(join(directory, 'run', name), 'latin1'));

  async function train(surroundings: Parameters<typeof fakeIO>[1], ...options: string[]) {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode } = await runCli(cwd, ['train', ...SMALL, '--steps', '250', '--out', 'run', ...options], surroundings);
    expect(exitCode).toBe(0);
    return bytesOf(cwd);
  }

  it('checkpoints and metrics are the same bytes in another directory, at another time, however often progress is shown', async () => {
    const first = await train({});
    const slow = await train({ tick: 24, date: '2031-01-01T00:00:00.000Z' });
    const drawn = await train({ tick: 7, tty: true, columns: 20, env: { FORCE_COLOR: '1', HOME: '/elsewhere' } });
    expect(slow).toEqual(first);
    expect(drawn).toEqual(first);
  });

  it.each([[['--json']], [['--save-every', '7']], [['--check-every', '1']]])('%j changes nothing of them', async (options) => {
    expect(await train({}, ...options)).toEqual(await train({}));
  });

  it('--eval-every changes nothing of the parameters', async () => {
    const parametersOf = async (...options: string[]) => {
      const cwd = tempDirectory();
      await trainSmall(cwd, ...options);
      return loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).tensors;
    };
    expect(await parametersOf('--eval-every', '7')).toEqual(await parametersOf('--eval-every', '50'));
  });

  it.each([
    ['--seed', '1'],
    ['--split-seed', '1'],
    ['--lr', '0.05'],
    ['--batch-size', '16'],
  ])('another %s gives another network', async (option, value) => {
    const [checkpoint, metrics] = await train({});
    const [otherCheckpoint, otherMetrics] = await train({}, option, value);
    expect(otherCheckpoint).not.toBe(checkpoint);
    expect(otherMetrics).not.toBe(metrics);
  });

  it('neighbouring seeds give different weights, losses and samples', async () => {
    const [one, two] = await Promise.all([trainSmall(tempDirectory(), '--seed', '1'), trainSmall(tempDirectory(), '--seed', '2')]);
    expect(one.valLoss).not.toBe(two.valLoss);
    expect(one.samples).not.toEqual(two.samples);
    expect(one.baselines).toEqual(two.baselines);
  });
});

describe('data sets', () => {
  it('BOM, CRLF, blanks and blank lines are accepted, and counted in a note', async () => {
    const cwd = tempDirectory();
    put(cwd, 'names.txt', `\ufeff${NAMES.map((name, i) => (i < 3 ? ` ${name}` : name)).join('\r\n')}\r\n\r\n`);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: names\.txt: dropped a byte order mark, 61 CRLF line endings, blanks around 3 names, 1 blank line\n/);
    expect(stderr).toContain('60 names');
  });

  it('a plain file has no note', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    expect((await runCli(cwd, ['train', ...SMALL])).stderr).not.toContain('note:');
  });

  it('one-letter names and any alphabet, by code points', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['é', 'ß', '漢', '😀', '😀漢', 'é😀', 'ßß', '漢é', '😀😀', 'éß']);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL, '--json']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('5 characters');
    const { samples } = JSON.parse(stdout) as TrainReport;
    expect(samples.join('')).toMatch(/^[éß漢😀]+$/u);
  });

  it.each(['mit Leerzeichen.txt', 'zwei\nZeilen.txt', '漢字.txt', '-names.txt', 'it\'s "x".txt', `${'n'.repeat(251)}.txt`])(
    'a file named %j',
    async (file) => {
      const cwd = tempDirectory();
      writeNames(cwd, NAMES, file);
      const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL.slice(2), `--data=${file}`]);
      expect(exitCode).toBe(0);
      expect(stderr.split('\n')).toHaveLength(4);
    },
  );

  it.each([
    ['missing', (cwd: string) => join(cwd, 'names.txt'), 4, 'no such file or directory'],
    ['a directory', (cwd: string) => mkdirSync(join(cwd, 'names.txt')), 4, 'it is a directory'],
    ['empty', (cwd: string) => put(cwd, 'names.txt', ''), 3, 'contains no names; expected one name per line'],
    ['blank lines only', (cwd: string) => put(cwd, 'names.txt', '\n \n\n'), 3, 'contains no names; expected one name per line'],
    ['not UTF-8', (cwd: string) => put(cwd, 'names.txt', Buffer.from('anna\nzo\xe9\n', 'latin1')), 3, 'line 2: found byte 0xe9'],
    [
      'with an escape sequence',
      (cwd: string) => put(cwd, 'names.txt', 'a\x1b[2Jb\n'),
      3,
      "line 1: 'a\\x1b[2Jb' contains the control character",
    ],
    ["with a '.'", (cwd: string) => put(cwd, 'names.txt', 'anna\nj.r\n'), 3, "line 2: 'j.r' contains '.'"],
    ['a line too long', (cwd: string) => put(cwd, 'names.txt', 'a'.repeat(70_000)), 3, 'line 1: longer than 65536 bytes'],
    ['5 names', (cwd: string) => writeNames(cwd, NAMES.slice(0, 5)), 2, 'has 5 names, too few to split 80/10/10'],
  ])('that is %s: one line with path and reason, and no run is begun', async (_, prepare, exitCode, reason) => {
    const cwd = tempDirectory();
    prepare(cwd);
    const outcome = await runCli(cwd, ['train', ...SMALL]);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    expect(outcome.stderr).toContain('names.txt');
    expect(outcome.stderr).toContain(reason);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  it('6 names are enough, unless --unique leaves fewer', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['a', 'b', 'c', 'd', 'e', 'a']);
    expect((await runCli(cwd, ['train', ...SMALL])).exitCode).toBe(0);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--unique']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('names.txt has 5 different names, too few to split 80/10/10: the val part is empty');
  });
});

describe('a network of several blocks', () => {
  const DEEP = ['--hidden', '12,8,6', '--steps', '400'];
  let cwd: string;
  let report: TrainReport;
  beforeAll(async () => {
    cwd = makeDirectory();
    report = await trainSmall(cwd, ...DEEP);
    return () => removeDirectory(cwd);
  });

  it('is announced with the units of each', async () => {
    const { stderr } = await runCli(cwd, ['train', ...SMALL, ...DEEP, '--steps', '1', '--out', 'short', '--force']);
    expect(stderr).toMatch(/^T 3, E 4, H 12,8,6: [\d,]+ parameters; writing short$/m);
  });

  it('learns: its loss is well below that of a uniform guess', () => {
    expect(report.valLoss).toBeLessThan(report.baselines.uniform.val - 0.3);
  });

  it('is evaluated and sampled from its checkpoint as at the end of the training', async () => {
    const evaluated = await runCli(cwd, ['eval', 'run', '--json']);
    expect(JSON.parse(evaluated.stdout).loss).toBe(report.valLoss);
    const sampled = await runCli(cwd, ['sample', 'run', '--json']);
    expect(JSON.parse(sampled.stdout).samples).toEqual(report.samples);
  });

  it('has in its checkpoint the configuration as a list, and the tensors and statistics of each block', async () => {
    const { config, tensors } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(config.hidden).toEqual([12, 8, 6]);
    expect([...tensors.keys()]).toEqual([...parameterNames(config), ...statisticNames(config)]);
    expect(tensors.get('blocks.3.W')?.length).toBe(48);
  });

  it('is too large where its blocks are', async () => {
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--hidden', '50000,50000', '--out', 'large']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: the network needs \S+ GiB of memory, the limit is 4\.0 GiB; lower --hidden/);
  });
});

describe('a network too large', () => {
  const LARGE = ['--hidden', '1048576', '--embedding', '1', '--context', '1'];

  it('by its options: exit code 2, the memory needed and the limit, before anything is made', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stdout, stderr } = await runCli(cwd, [
      'train',
      ...SMALL,
      '--hidden',
      '1048576',
      '--embedding',
      '65536',
      '--context',
      '64',
    ]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'error: the network needs 48.0 TiB of memory, the limit is 4.0 GiB; lower --hidden, --embedding, --context or --batch-size\n',
    );
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });

  it('by the batch: exit code 2', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--batch-size', '1048576', '--hidden', '2000']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });

  it('by the vocabulary of the data: exit code 3, which names the file, before anything is made', async () => {
    const cwd = tempDirectory();
    writeNames(
      cwd,
      Array.from({ length: 600 }, (_, i) => String.fromCodePoint(0x4e00 + i)),
    );
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL, ...LARGE]);
    expect(exitCode).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toMatch(
      /names\.txt: its vocabulary has 601 characters, with which the network needs \d\.\d GiB of memory, the limit is 4\.0 GiB/,
    );
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });
});

describe('--out', () => {
  const train = (cwd: string, ...more: string[]) => runCli(cwd, ['train', ...SMALL, ...more]);

  it.each(['out', join('a', 'b', 'c'), 'mit Leerzeichen', 'zwei\nZeilen', '漢字'])('makes a new directory: %j', async (name) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stderr } = await train(cwd, '--out', name);
    expect(exitCode).toBe(0);
    expect(readdirSync(join(cwd, name)).sort()).toEqual(RUN_FILES);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
    expect(stderr.split('\n')).toHaveLength(4);
  });

  it('takes an empty directory', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    mkdirSync(join(cwd, 'out'));
    expect((await train(cwd, '--out', 'out')).exitCode).toBe(0);
    expect(readdirSync(join(cwd, 'out')).sort()).toEqual(RUN_FILES);
  });

  it('below runs becomes runs/latest', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await train(cwd, '--out', join('runs', 'mine'));
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', 'mine'));
  });

  it('that is not empty is refused before training (2), and stays', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, join('out', 'notes.txt'), 'mine');
    const before = snapshot(cwd);
    const { exitCode, stdout, stderr } = await train(cwd, '--out', 'out');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: --out ${join(cwd, 'out')} exists and is not empty; --force replaces the run in it\n`);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('with --force replaces the four files of a run, and nothing else', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await train(cwd, '--out', 'out', '--seed', '1');
    put(cwd, join('out', 'notes.txt'), 'mine');
    const before = snapshot(join(cwd, 'out'));
    expect((await train(cwd, '--out', 'out', '--seed', '2', '--force')).exitCode).toBe(0);
    const after = snapshot(join(cwd, 'out'));
    expect(Object.keys(after)).toEqual([...RUN_FILES, 'notes.txt'].sort());
    expect(after['notes.txt']).toBe('mine');
    for (const file of RUN_FILES) expect(after[file], file).not.toBe(before[file]);
  });

  it('that is a file is refused (4), with --force too', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, 'out', 'mine');
    for (const force of [[], ['--force']]) {
      const { exitCode, stdout, stderr } = await train(cwd, '--out', 'out', ...force);
      expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
      expect(stderr).toBe(`error: cannot write in ${join(cwd, 'out')}: it is a file; --out names a directory\n`);
    }
    expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe('mine');
  });

  it('that would overwrite its own data set is refused (2), with --force too', async () => {
    const cwd = tempDirectory();
    const data = writeNames(cwd, NAMES, join('out', 'metrics.jsonl'));
    const before = snapshot(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL.slice(2), '--data', data, '--out', 'out', '--force']);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(`error: --out ${join(cwd, 'out')} would overwrite --data ${data}; name another directory\n`);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('that is its own data set is refused (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    expect((await train(cwd, '--out', 'names.txt', '--force')).exitCode).toBe(2);
    expect(readFileSync(join(cwd, 'names.txt'), 'utf8')).toBe(`${NAMES.join('\n')}\n`);
  });

  it('runs/latest with --force replaces the newest run, which stays the newest', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await train(cwd, '--seed', '1');
    const before = snapshot(join(cwd, 'runs', '0001'));
    const { exitCode, stderr } = await train(cwd, '--seed', '2', '--out', join('runs', 'latest'), '--force');
    expect(stderr).not.toContain('error:');
    expect(exitCode).toBe(0);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0001'));
    expect(readFileSync(join(cwd, 'runs', '0001', 'checkpoint.safetensors'), 'latin1')).not.toBe(before['checkpoint.safetensors']);
  });

  it('runs/latest where there is none is refused (2), and nothing is made', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stdout, stderr } = await train(cwd, '--out', join('runs', 'latest'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: --out ${join(cwd, 'runs', 'latest')} is the link to the newest run; name another directory\n`);
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });
});

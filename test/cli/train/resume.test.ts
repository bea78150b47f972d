import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { restoreStream } from '../../../src/core/random.js';
import { drawBatch } from '../../../src/data/batch.js';
import { createDataset, createExamples } from '../../../src/data/dataset.js';
import type { Model } from '../../../src/network/arrays.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { readMetrics } from '../../../src/node/metricsFile.js';
import { restoreModel } from '../../../src/run/checkpoint.js';
import type { MetricsRecord } from '../../../src/run/records.js';
import { OPTIMIZERS } from '../../../src/training/updater.js';
import { HANGS } from '../../support/child.js';
import { fakeIO, NAMES, ONE_ERROR_LINE, type Outcome, runCli, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

/** The rate falls after step 12; evaluations after 5, 10, 15, 20, 24; saves after 0, 7, 14, 21, 24. */
const TRAIN = ['train', '--data', 'names.txt', '--hidden', '8', '--embedding', '4', '--steps', '24', '--eval-every', '5'];
const SAVES = ['--save-every', '7'];
const RESUME = ['train', '--resume', 'run'];
const STEPS = 24;
const RUN_FILES = ['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', 'run.json'];

/** A signal that comes within the turn after so many steps: a turn is one step, and looks at the clock three times. */
function stopAfter(steps: number): { tick: number; stop: { signal: 'SIGINT'; at: number } } {
  return { tick: 50, stop: { signal: 'SIGINT', at: 50 + 150 * steps } };
}

async function ok(cwd: string, ...argv: string[]): Promise<Outcome> {
  const outcome = await runCli(cwd, argv);
  if (outcome.exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${outcome.exitCode}: ${outcome.stderr}`);
  return outcome;
}

async function trainAndStop(cwd: string, steps: number, ...more: string[]): Promise<void> {
  writeNames(cwd);
  expect((await runCli(cwd, [...TRAIN, ...SAVES, '--out', 'run', ...more], stopAfter(steps))).exitCode).toBe(130);
  expect(stepOf(cwd)).toBe(steps);
}

/** A run stopped after 8 steps, in a directory of the test's own. */
async function stopped(...more: string[]): Promise<string> {
  const cwd = tempDirectory();
  await trainAndStop(cwd, 8, ...more);
  return cwd;
}

async function finished(...more: string[]): Promise<string> {
  const cwd = tempDirectory();
  writeNames(cwd);
  await ok(cwd, ...TRAIN, '--out', 'run', ...more);
  return cwd;
}

function checkpointOf(cwd: string, file = 'checkpoint.safetensors'): ReturnType<typeof loadCheckpoint> {
  return loadCheckpoint(join(cwd, 'run', file));
}

function stepOf(cwd: string): number {
  return checkpointOf(cwd).state.step;
}

function metricsOf(cwd: string): MetricsRecord[] {
  return readMetrics(join(cwd, 'run', 'metrics.jsonl')).records;
}

function aboutOf(cwd: string): { data: { path: string; sha256: string; names: number }; [key: string]: unknown } {
  return JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8'));
}

/** What a run has computed: the bytes of all its files but run.json, which holds times. */
function computed(cwd: string): Record<string, string> {
  const { 'run.json': _, ...files } = snapshot(join(cwd, 'run'));
  return files;
}

/** The report without what differs between any two runs. */
function lasting(outcome: Outcome): Record<string, unknown> {
  const { run: _run, checkpoint: _checkpoint, seconds: _seconds, stepsPerSecond: _rate, ...rest } = JSON.parse(outcome.stdout);
  return rest;
}

/** Expects a refusal that changes nothing, and returns its line. */
async function refusal(cwd: string, exitCode: number, argv: string[]): Promise<string> {
  const before = snapshot(cwd);
  const outcome = await runCli(cwd, argv);
  expect(outcome).toMatchObject({ exitCode, stdout: '' });
  expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
  expect(snapshot(cwd)).toEqual(before);
  return outcome.stderr;
}

/** The same run, never stopped. */
let whole: Record<string, string>;
let wholeReport: Record<string, unknown>;

beforeAll(async () => {
  const cwd = makeDirectory();
  writeNames(cwd);
  wholeReport = lasting(await ok(cwd, ...TRAIN, '--out', 'run', '--json'));
  whole = computed(cwd);
  removeDirectory(cwd);
});

describe('a run that was stopped', () => {
  it.each(Array.from({ length: STEPS }, (_, step) => step))(
    'after step %i and goes on ends with the bytes and the report of one that was not',
    async (step) => {
      const cwd = tempDirectory();
      await trainAndStop(cwd, step);
      const outcome = await ok(cwd, ...RESUME, '--json');
      expect(computed(cwd)).toEqual(whole);
      expect(lasting(outcome)).toEqual(wholeReport);
    },
  );

  it.each([0, 5, 8, 14, 23])('after step %i of a deep one, ends with the bytes and the report of one that was not', async (step) => {
    const deep = await finished('--hidden', '8,6,5');
    const cwd = tempDirectory();
    await trainAndStop(cwd, step, '--hidden', '8,6,5');
    await ok(cwd, ...RESUME, '--hidden', '8,6,5');
    expect(computed(cwd)).toEqual(computed(deep));
    expect(computed(cwd)).not.toEqual(whole);
  });

  it('during its last step is done', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const outcome = await runCli(cwd, [...TRAIN, '--out', 'run', '--json'], stopAfter(STEPS));
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stderr).not.toContain('SIGINT');
    expect(computed(cwd)).toEqual(whole);
  });

  it('many times in a row, with sample, eval and replay between, ends with the same bytes', async () => {
    const cwd = tempDirectory();
    await trainAndStop(cwd, 3);
    let done = 3;
    for (const [i, steps] of [0, 2, 1, 6, 0, 8, 3].entries()) {
      const { exitCode } = await runCli(cwd, [...RESUME, '--save-every', `${i + 1}`], stopAfter(steps));
      done += steps;
      expect([exitCode, stepOf(cwd)]).toEqual([130, done]);
      const before = snapshot(cwd);
      await ok(cwd, 'sample', 'run', '--count', '3');
      await ok(cwd, 'eval', 'run');
      await ok(cwd, 'eval', 'run', '--split', 'train');
      await ok(cwd, 'replay', 'run');
      expect(snapshot(cwd)).toEqual(before);
    }
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(whole);
  });

  it('says where it goes on, and counts its rate from there', async () => {
    const cwd = await stopped();
    const { stdout, stderr } = await ok(cwd, ...RESUME, '--json');
    expect(stderr).toMatch(/; resuming after step 8 in run\nstep 24 \/ 24 /m);
    const { seconds, stepsPerSecond } = JSON.parse(stdout);
    expect(seconds).toBeGreaterThan(0);
    expect(stepsPerSecond).toBeCloseTo(16 / seconds, 6);
  });

  it('keeps in run.json when it began, and has an end and a result when it has ended', async () => {
    const cwd = await stopped();
    const before = aboutOf(cwd);
    expect(before).not.toHaveProperty('finishedAt');
    expect(before).not.toHaveProperty('result');
    const { stdout } = await runCli(cwd, [...RESUME, '--json'], { date: '2022-02-22T22:22:22.022Z' });
    expect(aboutOf(cwd)).toEqual({ ...before, finishedAt: '2022-02-22T22:22:22.022Z', result: JSON.parse(stdout) });
  });

  it.each([
    ['its directory', (cwd: string) => join(cwd, 'run')],
    ['its checkpoint', () => join('run', 'checkpoint.safetensors')],
  ])('can be named by %s', async (_, name) => {
    const cwd = await stopped();
    await ok(cwd, 'train', '--resume', name(cwd));
    expect(computed(cwd)).toEqual(whole);
  });

  it('is gone on with by the name it was given, wherever it was moved', async () => {
    const cwd = await stopped();
    renameSync(join(cwd, 'run'), join(cwd, 'elsewhere'));
    await ok(cwd, 'train', '--resume', 'elsewhere');
    renameSync(join(cwd, 'elsewhere'), join(cwd, 'run'));
    expect(computed(cwd)).toEqual(whole);
    expect(aboutOf(cwd)).toMatchObject({ result: { run: join(cwd, 'elsewhere') } });
  });
});

describe.each(OPTIMIZERS)('a run by %s, in epochs, that was stopped', (optimizer) => {
  const RECIPE = [
    '--optimizer',
    optimizer,
    '--lr',
    '0.02',
    '--sampling',
    'epochs',
    '--schedule',
    'linear',
    '--warmup',
    '3',
    '--clip',
    '0.6',
  ];

  it('after any step and goes on ends with the bytes and the report of one that was not; replay finds it again', async () => {
    const one = await finished(...RECIPE);
    const report = lasting(await ok(one, ...RESUME, '--json'));
    for (const step of [0, 1, 2, 3, 7, 10, 11, 17, 20, 21, 23]) {
      const cwd = tempDirectory();
      await trainAndStop(cwd, step, ...RECIPE);
      const before = snapshot(cwd);
      for (const command of ['sample', 'eval', 'replay']) await ok(cwd, command, 'run');
      expect(snapshot(cwd)).toEqual(before);
      const outcome = await ok(cwd, ...RESUME, '--json');
      expect(outcome.stderr).toMatch(
        new RegExp(`^${optimizer} 0\\.02[^\n]*, linear to 0, warm-up 3 steps, clip 0\\.6, shuffled epochs$`, 'm'),
      );
      expect(computed(cwd), `${step}`).toEqual(computed(one));
      expect(lasting(outcome)).toEqual(report);
      expect((await ok(cwd, 'replay', 'run')).stdout).toContain('the same: 24 steps repeated');
    }
  });
});

describe('runs/latest', () => {
  it('is what is resumed unless a run is named; naming another leaves it', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, TRAIN, stopAfter(4));
    await runCli(cwd, TRAIN, stopAfter(9));
    const step = (run: string) => loadCheckpoint(join(cwd, 'runs', run, 'checkpoint.safetensors')).state.step;
    expect([step('0001'), step('0002'), step('latest')]).toEqual([4, 9, 9]);
    await runCli(cwd, ['train', '--resume', join('runs', '0001')], stopAfter(2));
    expect([step('0001'), step('0002'), step('latest')]).toEqual([6, 9, 9]);
    const { stderr } = await ok(cwd, 'train', '--resume', '--json');
    expect(stderr).toContain(`resuming after step 9 in ${join('runs', '0002')}\n`);
    expect([step('0001'), step('0002'), step('latest')]).toEqual([6, 24, 24]);
  });
});

describe('a finished run', () => {
  it('prints its result again and changes no byte', async () => {
    const cwd = await finished();
    const first = await ok(cwd, ...RESUME);
    const before = snapshot(cwd);
    const { stdout, stderr } = await ok(cwd, ...RESUME);
    expect(snapshot(cwd)).toEqual(before);
    expect(stdout).toBe(first.stdout);
    expect(stdout).toMatch(new RegExp(`^this network +${(wholeReport.trainLoss as number).toFixed(4)} `, 'm'));
    expect(stdout).toMatch(/^more names: backprop-ninja sample run$/m);
    expect(stderr).toMatch(/; all 24 steps are done in run\n$/);
  });

  it('prints the same result with --json, changes no byte, and has no rate', async () => {
    const cwd = await finished();
    const before = snapshot(cwd);
    const outcome = await ok(cwd, ...RESUME, '--json');
    expect(snapshot(cwd)).toEqual(before);
    expect(lasting(outcome)).toEqual(wholeReport);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ run: join(cwd, 'run'), seconds: 0, stepsPerSecond: null });
  });

  it('that was killed before its result was stored gets it', async () => {
    const cwd = await finished();
    const { finishedAt: _finishedAt, result: _result, ...begun } = aboutOf(cwd);
    put(cwd, join('run', 'run.json'), JSON.stringify(begun));
    const { stdout } = await ok(cwd, ...RESUME, '--json');
    expect(aboutOf(cwd)).toEqual({ ...begun, finishedAt: '2020-02-02T02:02:02.020Z', result: JSON.parse(stdout) });
    expect(computed(cwd)).toEqual(whole);
  });
});

describe('--steps', () => {
  it('raised extends the run, and keeps the step after which its rate falls', async () => {
    const cwd = await finished();
    const { stdout } = await ok(cwd, ...RESUME, '--steps', '40', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ steps: 40, stepsPerSecond: expect.any(Number) });
    const { config, state } = checkpointOf(cwd);
    expect(config).toMatchObject({ steps: 40, schedule: { name: 'step', switchStep: 12 } });
    expect(state.step).toBe(40);
    expect(aboutOf(cwd)).toMatchObject({ config, result: { steps: 40 }, finishedAt: expect.any(String) });
    const kinds = metricsOf(cwd).map((record) => `${record.step}${'rate' in record ? ` ${record.rate}` : ''}`);
    expect(kinds).toEqual(['0', '5', '10', '15', '20', '24 0.01', '24', '24', '25', '30', '35', '40 0.01', '40', '40']);
    expect(await ok(cwd, 'replay', 'run')).toMatchObject({ stdout: expect.stringContaining('40 steps repeated') });
  });

  it('raised while the rate is still high lets it fall where it would have', async () => {
    const cwd = await stopped();
    await ok(cwd, ...RESUME, '--steps', '40');
    const rated = await finished('--steps', '40');
    expect(checkpointOf(cwd).config.schedule).toEqual({ name: 'step', switchStep: 12 });
    expect(checkpointOf(rated).config.schedule).toEqual({ name: 'step', switchStep: 20 });
    expect(checkpointOf(cwd).tensors).not.toEqual(checkpointOf(rated).tensors);
  });

  it('raised in two goes, with a stop between, gives the same bytes as in one', async () => {
    const one = await finished();
    await ok(one, ...RESUME, '--steps', '40');
    const two = await finished();
    expect((await runCli(two, [...RESUME, '--steps', '40'], stopAfter(7))).exitCode).toBe(130);
    expect(checkpointOf(two)).toMatchObject({ state: { step: 31 }, config: { steps: 40 } });
    expect(aboutOf(two)).not.toHaveProperty('finishedAt');
    await ok(two, ...RESUME);
    expect(computed(two)).toEqual(computed(one));
  });

  it('raised, and stopped before the first save of the extension: the next --steps extends again', async () => {
    const cwd = await finished();
    expect((await runCli(cwd, [...RESUME, '--steps', '40'], stopAfter(0))).exitCode).toBe(130);
    expect(checkpointOf(cwd)).toMatchObject({ state: { step: 24 }, config: { steps: 40 } });
  });

  it.each(['linear', 'cosine'])('raised is refused where the rate comes down to 0, at %s; equal is not', async (schedule) => {
    for (const cwd of [await stopped('--schedule', schedule), await finished('--schedule', schedule)]) {
      const line = await refusal(cwd, 2, [...RESUME, '--steps', '40']);
      expect(line).toBe(
        `error: run has other settings: --steps is 24 there, but 40 here, and its ${schedule} schedule has reached 0 at the end; ` +
          'leave them out, or start a new run\n',
      );
      await ok(cwd, ...RESUME, '--steps', '24');
      expect(stepOf(cwd)).toBe(24);
    }
  });

  it('raised with a constant rate goes on at it, as if the run had been as long from the start', async () => {
    const recipe = ['--schedule', 'constant', '--optimizer', 'momentum', '--sampling', 'epochs', '--warmup', '4'];
    const cwd = await finished(...recipe);
    await ok(cwd, ...RESUME, '--steps', '40');
    const long = await finished(...recipe, '--steps', '40');
    expect(checkpointOf(cwd)).toEqual({ ...checkpointOf(long), best: checkpointOf(cwd).best });
    expect(await ok(cwd, 'replay', 'run')).toMatchObject({ stdout: expect.stringContaining('40 steps repeated') });
  });

  it.each(['23', '1'])('lowered to %s is refused', async (steps) => {
    const cwd = await stopped();
    const line = await refusal(cwd, 2, [...RESUME, '--steps', steps]);
    expect(line).toContain(`--steps is 24 there, but ${steps} here, and can only be raised`);
  });
});

describe('options that shape a run', () => {
  const DIFFERENT = [
    ['--context', '3', '4'],
    ['--embedding', '4', '5'],
    ['--hidden', '8', '9'],
    ['--batch-size', '32', '33'],
    ['--lr', '0.1', '0.2'],
    ['--optimizer', 'sgd', 'nesterov'],
    ['--schedule', 'step', 'constant'],
    ['--warmup', '0', '3'],
    ['--sampling', 'replacement', 'epochs'],
    ['--seed', '2147483647', '1'],
    ['--split-seed', '42', '43'],
    ['--eval-every', '5', '6'],
  ];

  it.each(DIFFERENT)('%s: another than the stored %s is refused, with both', async (option, stored, given) => {
    const cwd = await stopped();
    const line = await refusal(cwd, 2, [...RESUME, option, given]);
    expect(line).toBe(
      `error: run has other settings: ${option} is ${stored} there, but ${given} here; leave them out, or start a new run\n`,
    );
  });

  it.each(['8', '8,6,5', '6,8', '8,6,6'])('--hidden: %s for a run of 8,6 is refused, with both as they are typed', async (given) => {
    const cwd = await stopped('--hidden', '8,6');
    expect(await refusal(cwd, 2, [...RESUME, '--hidden', given])).toContain(`: --hidden is 8,6 there, but ${given} here; leave them out`);
  });

  it('--unique is refused for a run without', async () => {
    const cwd = await stopped();
    expect(await refusal(cwd, 2, [...RESUME, '--unique'])).toContain('--unique is false there, but true here');
  });

  const ADAMW = ['--optimizer', 'adamw', '--lr', '0.01', '--weight-decay', '0.2', '--clip', '0.5', '--schedule', 'constant'];

  it.each([
    ['--lr', '0.01', '0.001'],
    ['--optimizer', 'adamw', 'adam'],
    ['--beta1', '0.9', '0.8'],
    ['--beta2', '0.999', '0.99'],
    ['--weight-decay', '0.2', '0.01'],
    ['--weight-decay', '0.2', 'C=0.2'],
    ['--clip', '0.5', '1'],
    ['--momentum', 'none', '0.9'],
  ])('of a run by adamw, %s: another than the stored %s is refused, with both', async (option, stored, given) => {
    const cwd = await stopped(...ADAMW);
    const line = await refusal(cwd, 2, [...RESUME, option, given]);
    expect(line).toBe(
      `error: run has other settings: ${option} is ${stored} there, but ${given} here; leave them out, or start a new run\n`,
    );
  });

  it('decays by parameter are compared whatever their order', async () => {
    const adamw = ADAMW.with(5, 'W1=0.2,C=0.1');
    const cwd = await stopped(...adamw);
    const line = await refusal(cwd, 2, [...RESUME, '--weight-decay', 'W1=0.2']);
    expect(line).toContain('--weight-decay is C=0.1,W1=0.2 there, but W1=0.2 here');
    await ok(cwd, ...RESUME, '--weight-decay', 'C=0.1,W1=0.2');
  });

  it('of a run by adamw, equal ones are accepted, and left out are those of the run', async () => {
    const cwd = await stopped(...ADAMW);
    const { config } = checkpointOf(cwd);
    await ok(cwd, ...RESUME, ...ADAMW, '--beta1', '0.9', '--beta2', '0.999');
    expect(checkpointOf(cwd)).toMatchObject({ config, state: { step: 24 } });
    const other = await stopped(...ADAMW);
    await ok(other, ...RESUME);
    expect(computed(other)).toEqual(computed(cwd));
  });

  it('all that differ are listed at once', async () => {
    const cwd = await stopped();
    const line = await refusal(cwd, 2, [
      ...RESUME,
      ...DIFFERENT.flatMap(([option, , given]) => [option, given]),
      '--unique',
      '--steps',
      '7',
    ]);
    for (const [option, stored, given] of DIFFERENT) expect(line).toContain(`${option} is ${stored} there, but ${given} here`);
    expect(line).toContain('--unique is false there, but true here');
    expect(line).toContain('--steps is 24 there, but 7 here');
  });

  it('equal ones are accepted', async () => {
    const cwd = await stopped('--unique');
    const equal = DIFFERENT.flatMap((line) => line.slice(0, 2));
    await ok(cwd, ...RESUME, ...equal, '--unique', '--steps', '24', '--data', 'names.txt');
    expect(stepOf(cwd)).toBe(24);
  });

  it('left out are those of the run, not the defaults', async () => {
    const cwd = await stopped('--lr', '0.25', '--seed', '3', '--context', '2');
    const { config } = checkpointOf(cwd);
    await ok(cwd, ...RESUME);
    expect(checkpointOf(cwd).config).toEqual(config);
    expect(config).toMatchObject({ learningRate: 0.25, seed: 3, context: 2 });
  });

  it('those that shape nothing may be others: --save-every, --check-every', async () => {
    const cwd = await stopped();
    await ok(cwd, ...RESUME, '--save-every', '2', '--check-every', '1');
    expect(computed(cwd)).toEqual(whole);
  });

  it.each([['--out', 'other'], ['--force']])('%s has no meaning', async (...argv) => {
    const cwd = await stopped();
    expect(await refusal(cwd, 2, [...RESUME, ...argv])).toContain(`${argv[0]} cannot be used with --resume`);
  });
});

describe('the data of a run', () => {
  it('with another name more is refused, with both SHA-256', async () => {
    const cwd = await stopped();
    const expected = aboutOf(cwd).data.sha256;
    const path = writeNames(cwd, [...NAMES, 'mina']);
    const found = createHash('sha256').update(readFileSync(path)).digest('hex');
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toContain(`${path} is not the data set of the run: SHA-256 ${found}, expected ${expected}; `);
  });

  it('with other letters is refused, with the new and the missing ones', async () => {
    const cwd = await stopped();
    writeNames(cwd, [...NAMES.filter((name) => !name.startsWith('be') && !name.startsWith('lu')), 'quax', 'zoë']);
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toMatch(/: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; new characters q x z ë; missing characters b; /);
  });

  it('of which so little is left that it cannot be split is another file: exit code 3', async () => {
    const cwd = await stopped();
    writeNames(cwd, NAMES.slice(0, 3));
    expect(await refusal(cwd, 3, RESUME)).toContain('names.txt');
  });

  it.each(['', 'a.b\n'])('that cannot be read as names is refused: %j', async (content) => {
    const cwd = await stopped();
    put(cwd, 'names.txt', content);
    expect(await refusal(cwd, 3, RESUME)).toContain('names.txt');
  });

  it('that was moved is asked for, accepted with --data at its new place, and found there from then on', async () => {
    const cwd = await stopped();
    const path = put(cwd, join('moved', 'list.txt'), readFileSync(join(cwd, 'names.txt')));
    rmSync(join(cwd, 'names.txt'));
    const line = await refusal(cwd, 4, RESUME);
    expect(line).toContain(`${join(cwd, 'names.txt')}: no such file or directory`);
    expect(line).toContain('--data');
    expect((await runCli(cwd, [...RESUME, '--data', join('moved', 'list.txt')], stopAfter(1))).exitCode).toBe(130);
    expect(aboutOf(cwd).data).toMatchObject({ path, names: 60 });
    await ok(cwd, 'eval', 'run');
    await ok(cwd, ...RESUME);
    expect(aboutOf(cwd).data.path).toBe(path);
    expect(computed(cwd)).toEqual(whole);
  });

  it('named with --data must be the same bytes', async () => {
    const cwd = await stopped();
    writeNames(cwd, [...NAMES, 'quax'], 'other.txt');
    const line = await refusal(cwd, 3, [...RESUME, '--data', 'other.txt']);
    expect(line).toMatch(/^error: other\.txt is not the data set of the run: SHA-256 .*; new characters q x; /);
  });
});

describe('no run to go on with', () => {
  it.each([
    ['none yet', 4, ['train', '--resume'], "no run yet: runs/latest does not exist; train one with 'backprop-ninja train'"],
    ['a name that is not there', 4, ['train', '--resume', 'nowhere'], 'cannot read nowhere: no such run directory or checkpoint'],
    ['a directory without a checkpoint', 4, ['train', '--resume', 'empty'], 'no checkpoint in'],
    ['another file', 2, ['train', '--resume', 'names.txt'], "names.txt is a file; name the run's directory"],
  ])('%s', async (_, exitCode, argv, reason) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, join('empty', 'run.json'), '{}');
    const line = await refusal(cwd, exitCode as number, argv as string[]);
    expect(line.replaceAll('\\', '/')).toContain(reason);
  });

  it('a best checkpoint is no run', async () => {
    const cwd = await stopped();
    expect(await refusal(cwd, 2, ['train', '--resume', join('run', 'best.safetensors')])).toContain("name the run's directory");
  });

  it('runs/latest that points to a run which was deleted', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await ok(cwd, ...TRAIN);
    rmSync(join(cwd, 'runs', '0001'), { recursive: true });
    const outcome = await runCli(cwd, ['train', '--resume']);
    expect(outcome).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringMatching(ONE_ERROR_LINE) });
  });
});

/** Turns one bit of a file over, near its end. */
function damage(cwd: string, file: string): void {
  const path = join(cwd, 'run', file);
  const bytes = readFileSync(path);
  bytes[bytes.length - 10] ^= 1;
  writeFileSync(path, bytes);
}

describe('a damaged checkpoint', () => {
  it('is refused; a whole best one is named with its step, and goes on in its place', async () => {
    const cwd = await stopped();
    damage(cwd, 'checkpoint.safetensors');
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toContain(`${join('run', 'checkpoint.safetensors')}: damaged: SHA-256 mismatch`);
    expect(line).toContain(
      `${join('run', 'best.safetensors')}, of step 5, is intact: sample and eval can read it; copied to this file, it can be resumed`,
    );
    await ok(cwd, 'eval', join('run', 'best.safetensors'));
    await ok(cwd, 'sample', join('run', 'best.safetensors'));
    copyFileSync(join(cwd, 'run', 'best.safetensors'), join(cwd, 'run', 'checkpoint.safetensors'));
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(whole);
  });

  it('beside a damaged best one is refused without a word of it', async () => {
    const cwd = await stopped();
    damage(cwd, 'checkpoint.safetensors');
    damage(cwd, 'best.safetensors');
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toContain('damaged');
    expect(line).not.toContain('best.safetensors');
  });

  it('of a run without a best one is refused without a word of it', async () => {
    const cwd = tempDirectory();
    await trainAndStop(cwd, 2);
    damage(cwd, 'checkpoint.safetensors');
    expect(await refusal(cwd, 3, RESUME)).not.toContain('best.safetensors');
  });

  it('a damaged best one is replaced when a better one comes', async () => {
    const cwd = await stopped();
    damage(cwd, 'best.safetensors');
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(whole);
  });
});

describe('metrics.jsonl with a torn line', () => {
  it('is noted with its number, and the line is dropped', async () => {
    const cwd = await stopped();
    appendFileSync(join(cwd, 'run', 'metrics.jsonl'), '{"step":8,"lo');
    const { stderr } = await ok(cwd, ...RESUME);
    expect(stderr).toMatch(/^note: run\/metrics\.jsonl: dropped incomplete line 3$/m);
    expect(computed(cwd)).toEqual(whole);
  });

  it('without one, nothing is noted', async () => {
    const cwd = await stopped();
    expect((await ok(cwd, ...RESUME)).stderr).not.toContain('note:');
  });

  it('records of steps behind the checkpoint are dropped without a note', async () => {
    const cwd = await stopped();
    appendFileSync(join(cwd, 'run', 'metrics.jsonl'), '{"step":10,"valLoss":1.5}\n');
    expect((await ok(cwd, ...RESUME)).stderr).not.toContain('note:');
    expect(computed(cwd)).toEqual(whole);
  });
});

describe('the best checkpoint', () => {
  // With these, the loss is smallest before the end.
  const UNSTEADY = ['--lr', '5', '--steps', '60'];

  it('is that of the smallest evaluation, and eval gives exactly its loss', async () => {
    const cwd = await finished(...UNSTEADY);
    const evaluations = metricsOf(cwd).filter((record) => 'valLoss' in record);
    const smallest = evaluations.reduce((best, record) => (record.valLoss < best.valLoss ? record : best));
    const last = evaluations.at(-1);
    expect(evaluations).toHaveLength(12);
    expect(smallest.step).toBeLessThan(60);
    const best = checkpointOf(cwd, 'best.safetensors');
    expect([best.state.step, best.best]).toEqual([smallest.step, smallest]);
    const loss = async (run: string) => JSON.parse((await ok(cwd, 'eval', run, '--json')).stdout).loss;
    expect(await loss(join('run', 'best.safetensors'))).toBe(smallest.valLoss);
    expect(await loss('run')).toBe(last?.valLoss);
  });

  it('is mentioned in the report if it is not the last, and stands in the JSON document', async () => {
    const cwd = await finished(...UNSTEADY);
    const { best } = checkpointOf(cwd);
    const line = `best validation loss: ${best?.valLoss.toFixed(4)} after step ${best?.step}, saved in ${join('run', 'best.safetensors')}\n`;
    expect((await ok(cwd, ...RESUME)).stdout).toContain(line);
    expect(JSON.parse((await ok(cwd, ...RESUME, '--json')).stdout).best).toEqual(best);
  });

  it('is not mentioned if it is the last', async () => {
    const cwd = await finished();
    expect(checkpointOf(cwd).best?.step).toBe(24);
    expect((await ok(cwd, ...RESUME)).stdout).not.toContain('best');
  });

  it('of a run that was stopped and went on is still the smallest of all', async () => {
    const once = await finished(...UNSTEADY);
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, [...TRAIN, '--out', 'run', ...UNSTEADY], { tick: 50, stop: { signal: 'SIGINT', at: 3000 } });
    expect(stepOf(cwd)).toBeLessThan(30);
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(computed(once));
  });
});

describe('what a killed process leaves', () => {
  const ENDED = () => spawnSync(process.execPath, ['--version'], { timeout: HANGS }).pid;

  function lock(pid: number): string {
    return `${JSON.stringify({ pid, host: hostname(), startedAt: '2020-01-01T00:00:00.000Z', processStart: null })}\n`;
  }

  it('half-written files and its lock are cleaned', async () => {
    const cwd = await stopped();
    put(cwd, join('run', '.123.tmp'), 'half a checkpo');
    put(cwd, join('run', '.456.stale.tmp'), 'a lock');
    put(cwd, join('run', 'lock'), lock(ENDED()));
    put(cwd, join('run', 'notes.txt'), 'mine');
    await ok(cwd, ...RESUME);
    expect(Object.keys(snapshot(join(cwd, 'run')))).toEqual([...RUN_FILES.slice(0, 3), 'notes.txt', 'run.json']);
    const { 'notes.txt': _, ...files } = computed(cwd);
    expect(files).toEqual(whole);
  });

  it('a lock of a process that lives is respected, and left', async () => {
    const cwd = await stopped();
    put(cwd, join('run', 'lock'), lock(process.pid));
    const line = await refusal(cwd, 4, RESUME);
    expect(line).toContain(`is in use: process ${process.pid} has been training there since 2020-01-01T00:00:00.000Z`);
  });

  it('sample, eval and replay do not ask for the lock', async () => {
    const cwd = await stopped();
    put(cwd, join('run', 'lock'), lock(process.pid));
    const before = snapshot(cwd);
    await ok(cwd, 'sample', 'run', '--count', '1');
    await ok(cwd, 'eval', 'run');
    await ok(cwd, 'replay', 'run');
    expect(snapshot(cwd)).toEqual(before);
  });
});

describe('the lock', () => {
  it('is held while the run is trained', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const io = fakeIO(cwd);
    let reads = 0;
    let other: Promise<Outcome> | undefined;
    const now = io.now;
    io.now = () => {
      // Once, in the middle of the training.
      if (++reads === 10) other = runCli(cwd, RESUME);
      return now();
    };
    expect(await run([...TRAIN, '--out', 'run'], io)).toBe(0);
    expect(await other).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringContaining(`is in use: process ${process.pid}`) });
    expect(computed(cwd)).toEqual(whole);
  });
});

/** Replaces a checkpoint by one with other parameters, as whole as any. */
function rewrite(cwd: string, change: (model: Model) => void, file = 'checkpoint.safetensors'): void {
  const path = join(cwd, 'run', file);
  const checkpoint = loadCheckpoint(path);
  const model = restoreModel(checkpoint, createWasmBackend, { inference: [1] });
  change(model);
  saveCheckpoint(path, model, checkpoint);
}

describe('numbers that blow up', () => {
  it('end a run with exit code 5: the step, the first tensor with its index, what it is made from, the way out', async () => {
    const cwd = await stopped();
    // A letter in the last of the three places, and nothing else, makes the hidden unit 5 infinite.
    const letter = 2;
    rewrite(cwd, ({ parameters: { C, W1 } }) => {
      for (let i = 3; i < C.length; i += 4) C[i] = 0;
      C[letter * 4 + 3] = 3e38;
      for (const row of [3, 7, 11]) W1.fill(0, row * 8, row * 8 + 8);
      W1[11 * 8 + 5] = -3e38;
    });
    const { state, config } = checkpointOf(cwd);
    const { parts, vocabulary } = createDataset(NAMES, config);
    const examples = createExamples(parts.train, vocabulary, 3);
    const [Xb, Yb] = [new Int32Array(32 * 3), new Int32Array(32)];
    drawBatch({ n: 32, Xb, Yb }, examples, restoreStream(state.batches));
    const row = Array.from(Yb, (_, i) => i).find((i) => Xb[3 * i + 2] === letter);
    expect(row).toBeDefined();

    const before = computed(cwd);
    const { exitCode, stdout, stderr } = await runCli(cwd, RESUME);
    expect([exitCode, stdout]).toEqual([5, '']);
    const line = stderr.split('\n').at(-2);
    expect(line).toMatch(/^error: /);
    expect(line).toContain(
      `step 8: hprebn[${row}, 5] is -Infinity, everything computed before it is finite; largest entries it is computed from: `,
    );
    expect(line).toContain(`C[${letter}, 3] = ${Math.fround(3e38)}, W1[11, 5] = ${Math.fround(-3e38)}, b1[`);
    expect(line).toContain(
      'the checkpoint at step 8 is intact. To locate the failure, run backprop-ninja train --resume run --check-every 1; ',
    );
    expect(line).toContain('a lower --lr may avoid it');
    expect(stderr).not.toMatch(/^ +at /m);
    expect(computed(cwd)).toEqual(before);
  });

  it('after a later save leave that one, and the words name its step', async () => {
    const cwd = await stopped();
    // Finite for some steps.
    rewrite(cwd, ({ parameters: { bngain } }) => bngain.fill(3e38));
    const { exitCode, stderr } = await runCli(cwd, [...RESUME, '--save-every', '1', '--check-every', '1']);
    expect(exitCode).toBe(5);
    const saved = stepOf(cwd);
    expect(saved).toBeGreaterThan(8);
    expect(stderr).toContain(`error: step ${saved}: `);
    expect(stderr).toContain(`the checkpoint at step ${saved} is intact`);
    expect(existsSync(join(cwd, 'run', 'lock'))).toBe(false);
    // It is a whole one, that can be looked into.
    await ok(cwd, 'sample', 'run', '--count', '1');
  });

  it.each([
    ['an evaluation', 9, ['--save-every', '1000']],
    ['a save', 8, ['--save-every', '9']],
  ])('which %s finds first are named with step, tensor and index, too', async (_, step, more) => {
    const cwd = tempDirectory();
    await trainAndStop(cwd, step);
    // The loss of the next step is finite, dhprebn is not, and its update makes parameters that are not.
    rewrite(cwd, ({ parameters: { W1, b1, W2 } }) => {
      for (let i = 0; i < 12; i++) W1[8 * i] *= 1e-6;
      b1[0] = 0;
      W2[0] = 1e38;
    });
    const before = readFileSync(join(cwd, 'run', 'checkpoint.safetensors'));
    const { exitCode, stderr } = await runCli(cwd, [...RESUME, ...more]);
    expect(exitCode).toBe(5);
    expect(readFileSync(join(cwd, 'run', 'checkpoint.safetensors'))).toEqual(before);
    expect(stderr).toContain(`the checkpoint at step ${step} is intact`);
    expect(stderr).toMatch(/ (C|W1)\[\d+, \d+\] is (NaN|-?Infinity)/);
  });

  it('which --check-every 1 finds in time are named as what they come from', async () => {
    const cwd = await stopped();
    rewrite(cwd, ({ parameters: { W1, b1, W2 } }) => {
      for (let i = 0; i < 12; i++) W1[8 * i] *= 1e-6;
      b1[0] = 0;
      W2[0] = 1e38;
    });
    const { exitCode, stderr } = await runCli(cwd, [...RESUME, '--check-every', '1']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/^error: step 8: dhprebn\[\d+, 0\] is (NaN|-?Infinity), everything computed before it is finite; .*bnvar_inv/m);
  });
});

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { runCli, writeNames } from '../../support/fakeIO.js';
import {
  aboutOf,
  computed,
  finished,
  lasting,
  ok,
  RESUME,
  STEPS,
  stepOf,
  stopAfter,
  stopped,
  TRAIN,
  trainAndStop,
  wholeRun,
} from '../../support/resume.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

/** The same run, uninterrupted. */
let whole: Record<string, string>;
let wholeReport: Record<string, unknown>;

beforeAll(async () => {
  ({ files: whole, report: wholeReport } = await wholeRun());
});

describe('a stopped run', () => {
  it.each(Array.from({ length: STEPS }, (_, step) => step))(
    'resumed after step %i ends with the bytes and the report of an uninterrupted one',
    async (step) => {
      const cwd = tempDirectory();
      await trainAndStop(cwd, step);
      const outcome = await ok(cwd, ...RESUME, '--json');
      expect(computed(cwd)).toEqual(whole);
      expect(lasting(outcome)).toEqual(wholeReport);
    },
  );

  it.each([0, 5, 8, 14, 23])('of several blocks resumed after step %i ends with the bytes of an uninterrupted one', async (step) => {
    const deep = await finished('--hidden', '8,6,5');
    const cwd = tempDirectory();
    await trainAndStop(cwd, step, '--hidden', '8,6,5');
    await ok(cwd, ...RESUME, '--hidden', '8,6,5');
    expect(computed(cwd)).toEqual(computed(deep));
    expect(computed(cwd)).not.toEqual(whole);
  });

  it('has all its files if the signal comes during its last step; resuming it gives the report', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const outcome = await runCli(cwd, [...TRAIN, '--out', 'run', '--json'], stopAfter(STEPS));
    expect(outcome).toMatchObject({ exitCode: 130, stdout: '' });
    expect(computed(cwd)).toEqual(whole);
    expect(lasting(await ok(cwd, ...RESUME, '--json'))).toEqual(wholeReport);
  });

  it('ends with the same bytes after many stops, with sample, eval and replay in between', async () => {
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

  it('says at which step it resumes, and measures its rate from there', async () => {
    const cwd = await stopped();
    const { stdout, stderr } = await ok(cwd, ...RESUME, '--json');
    expect(stderr).toMatch(/; resuming after step 8 in run\nstep 24 \/ 24 /m);
    const { seconds, stepsPerSecond } = JSON.parse(stdout);
    expect(seconds).toBeGreaterThan(0);
    expect(stepsPerSecond).toBeCloseTo(16 / seconds, 6);
  });

  it('keeps its start time in run.json, and gets an end time, its last session and a result when it ends', async () => {
    const cwd = await stopped();
    const before = aboutOf(cwd);
    expect(before).toMatchObject({ trained: { steps: 8, seconds: expect.any(Number) } });
    expect(before).not.toHaveProperty('finishedAt');
    expect(before).not.toHaveProperty('result');
    const { stdout } = await runCli(cwd, [...RESUME, '--json'], { date: '2022-02-22T22:22:22.022Z' });
    const result = JSON.parse(stdout);
    const trained = { steps: 16, seconds: result.seconds };
    expect(aboutOf(cwd)).toEqual({ ...before, trained, finishedAt: '2022-02-22T22:22:22.022Z', result });
  });

  it.each([
    ['its directory', (cwd: string) => join(cwd, 'run')],
    ['its checkpoint', () => join('run', 'checkpoint.safetensors')],
  ])('can be named by %s', async (_, name) => {
    const cwd = await stopped();
    await ok(cwd, 'train', '--resume', name(cwd));
    expect(computed(cwd)).toEqual(whole);
  });

  it('can be resumed after it was moved', async () => {
    const cwd = await stopped();
    renameSync(join(cwd, 'run'), join(cwd, 'elsewhere'));
    await ok(cwd, 'train', '--resume', 'elsewhere');
    renameSync(join(cwd, 'elsewhere'), join(cwd, 'run'));
    expect(computed(cwd)).toEqual(whole);
    expect(aboutOf(cwd)).toMatchObject({ result: { run: join(cwd, 'elsewhere') } });
  });
});

describe('runs/latest', () => {
  it('is resumed unless another run is named, and stays the same then', async () => {
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

  it('prints the same result with --json, without a rate, and changes no byte', async () => {
    const cwd = await finished();
    const before = snapshot(cwd);
    const outcome = await ok(cwd, ...RESUME, '--json');
    expect(snapshot(cwd)).toEqual(before);
    expect(lasting(outcome)).toEqual(wholeReport);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ run: join(cwd, 'run'), seconds: 0, stepsPerSecond: null });
  });

  it('gets its result if it was killed before the result was stored', async () => {
    const cwd = await finished();
    const { finishedAt: _finishedAt, result: _result, ...begun } = aboutOf(cwd);
    put(cwd, join('run', 'run.json'), JSON.stringify(begun));
    const { stdout } = await ok(cwd, ...RESUME, '--json');
    expect(aboutOf(cwd)).toEqual({ ...begun, finishedAt: '2020-02-02T02:02:02.020Z', result: JSON.parse(stdout) });
    expect(computed(cwd)).toEqual(whole);
  });
});

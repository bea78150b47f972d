import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { NAMES, ONE_ERROR_LINE, runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { snapshot, tempDirectory } from '../support/tempDirectory.js';

/** A step and its learning rate: no option makes training diverge at a given step, so the mocked schedule does. */
const schedule = vi.hoisted(() => ({ at: undefined as number | undefined, rate: 0 }));

vi.mock('../../src/training/schedule.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/training/schedule.js')>();
  const scheduledRate: typeof original.scheduledRate = (step, options) =>
    step === schedule.at ? schedule.rate : original.scheduledRate(step, options);
  return { ...original, scheduledRate };
});

/** How often a training has checked all its numbers. */
const looks = vi.hoisted(() => ({ count: 0 }));

vi.mock('../../src/training/diagnose.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/training/diagnose.js')>();
  const isStepFinite: typeof original.isStepFinite = (model, activations) => {
    looks.count++;
    return original.isStepFinite(model, activations);
  };
  return { ...original, isStepFinite };
});

afterEach(() => {
  schedule.at = undefined;
});

describe('an error', () => {
  const FAILING = [
    ['of usage', ['sample', '--count', 'x'], 2],
    ['of a file', ['train', '--data', 'bad.txt'], 3],
    ['of the system', ['eval', 'none'], 4],
  ] as const;

  async function fail(argv: readonly string[]) {
    const cwd = tempDirectory();
    writeNames(cwd, ['a.b'], 'bad.txt');
    return runCli(cwd, argv);
  }

  it.each(FAILING)('%s is one line on stderr without a stack, and nothing on stdout', async (_, argv, exitCode) => {
    const outcome = await fail(argv);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    expect(outcome.stderr).not.toContain('    at ');
  });

  it.each(FAILING)('%s with --json leaves stdout empty too', async (_, argv, exitCode) => {
    const outcome = await fail([...argv, '--json']);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
  });

  it.each(FAILING.slice(1))('%s with --debug has its stack after the line', async (_, argv, exitCode) => {
    const outcome = await fail([...argv, '--debug']);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    const [line, ...stack] = outcome.stderr.split('\n');
    expect(line).toMatch(/^error: /);
    expect(stack.join('\n')).toMatch(/^\w*Error: .*\n {4}at /);
  });
});

describe('numbers that diverge', () => {
  const blowUpAt = (at: number, rate = 1e38) => Object.assign(schedule, { at, rate });
  const checkpointIn = (run: string) => join(run, 'checkpoint.safetensors');

  it('end the training with the step, the first tensor and index, a hint, and no report (5)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(7);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr.split('\n').at(-2)).toMatch(
      new RegExp(
        '^error: step (8|9|10): \\w+\\[\\d+(, ?\\d+)?\\] is (NaN|-?Infinity), .+; largest entries it is computed from: .+; ' +
          'the checkpoint at step 0 is intact; a lower --lr may avoid it. ' +
          `Locate the failure: backprop-ninja train --resume ${join('runs', '0001')} --check-every 1$`,
      ),
    );
  });

  it.each([
    ['every step', ['--check-every', '1'], 50],
    ['every 7 steps from the first on', ['--check-every', '7'], 8],
    ['the first only, of fewer than 1000', [], 1],
  ])('are searched for in %s: %j', async (_, options, count) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    looks.count = 0;
    expect((await runCli(cwd, ['train', ...SMALL, ...options])).exitCode).toBe(0);
    expect(looks.count).toBe(count);
  });

  it('clear the progress line of a terminal before the message', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(40);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL], { tty: 'stderr', tick: 20, env: { NO_COLOR: '1' } });
    expect(exitCode).toBe(5);
    expect(stderr.split('\r\x1b[2K').slice(-2)).toEqual([
      expect.stringMatching(/^step .* left$/),
      expect.stringMatching(/^error: step 4\d: (.{1,80}\n)+$/),
    ]);
  });

  it('leave the metrics so far, and the last checkpoint for eval and sample', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(240);
    expect((await runCli(cwd, ['train', ...SMALL, '--steps', '300'])).exitCode).toBe(5);
    const run = join(cwd, 'runs', '0001');
    expect(snapshot(run)['metrics.jsonl'].match(/"step":\d+/g)).toEqual([0, 1, 100, 100, 200, 200].map((step) => `"step":${step}`));
    expect(loadCheckpoint(checkpointIn(run)).state.step).toBe(200);
    for (const command of ['eval', 'sample']) expect((await runCli(cwd, [command])).exitCode).toBe(0);
  });

  it('leave a run of which doctor says that it diverged, and after which step', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(33);
    expect((await runCli(cwd, ['train', ...SMALL, '--out', 'a'])).exitCode).toBe(5);
    const { exitCode, stdout } = await runCli(cwd, ['doctor', 'a', '--json']);
    expect(exitCode).toBe(0);
    const { findings } = JSON.parse(stdout);
    expect(findings[0]).toMatchObject({ id: 'diverged', step: expect.any(Number), option: '--lr' });
    expect(findings[0].step).toBeGreaterThan(32);
    expect(findings[0].text).toMatch(/^training ended after step 3\d, because numbers blew up; until then, update:data was at most 10\^/);
    blowUpAt(Number.POSITIVE_INFINITY);
    expect((await runCli(cwd, ['train', '--resume', 'a'])).exitCode).toBe(0);
    expect(JSON.parse((await runCli(cwd, ['doctor', 'a', '--json'])).stdout).ok).toBe(true);
  });

  it('leave a run that can be resumed, and then ends like an uninterrupted one', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(33);
    const argv = ['train', ...SMALL, '--save-every', '10'];
    const { exitCode, stderr } = await runCli(cwd, [...argv, '--out', 'a']);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('; the checkpoint at step 30 is intact; ');
    schedule.at = undefined;
    expect((await runCli(cwd, ['train', '--resume', 'a'])).exitCode).toBe(0);
    expect((await runCli(cwd, [...argv, '--out', 'b'])).exitCode).toBe(0);
    const [a, b] = ['a', 'b'].map((run) => snapshot(join(cwd, run)));
    for (const file of ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl']) expect(a[file] === b[file], file).toBe(true);
  });

  it('are found in the very last step too: no report of NaN, no unreadable checkpoint', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(49, Infinity);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toContain('; the checkpoint at step 0 is intact; ');
    expect(loadCheckpoint(checkpointIn(join(cwd, 'runs', '0001'))).state.step).toBe(0);
  });
});

it('a refused run leaves nothing behind', async () => {
  const cwd = tempDirectory();
  writeNames(cwd, NAMES.slice(0, 3));
  expect((await runCli(cwd, ['train', ...SMALL])).exitCode).toBe(2);
  expect(readdirSync(cwd)).toEqual(['names.txt']);
});

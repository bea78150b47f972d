import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NAMES, ONE_ERROR_LINE, runCli, SMALL, writeNames } from './fakeIO.js';
import { snapshot, tempDirectory } from './tempDirectory.js';

/** The learning rate at a step; no option can make training diverge, so that the schedule has to. */
const schedule = vi.hoisted(() => ({ rate: undefined as ((step: number, steps: number, rate: number) => number) | undefined }));

vi.mock('../../src/schedule.js', async (importOriginal) => {
  const { stepRate } = await importOriginal<typeof import('../../src/schedule.js')>();
  return { stepRate: (step: number, steps: number, rate: number) => (schedule.rate ?? stepRate)(step, steps, rate) };
});

afterEach(() => {
  schedule.rate = undefined;
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

describe('numbers that blow up', () => {
  const blowUpAt = (at: number) => {
    schedule.rate = (step, _, rate) => (step === at ? 1e38 : rate);
  };

  it('end with exit code 5, the step and what may help, and no report', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(7);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr.split('\n').at(-2)).toMatch(
      /^error: the loss became (NaN|-?Infinity) at step (8|9|10); a lower --lr than 0\.1 may help$/,
    );
    expect(existsSync(join(cwd, 'runs', '0001', 'checkpoint.safetensors'))).toBe(false);
  });

  it('clear the progress line of a terminal before the message', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(40);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL], { tty: 'stderr', tick: 20, env: { NO_COLOR: '1' } });
    expect(exitCode).toBe(5);
    expect(stderr.split('\r\x1b[2K').slice(-2)).toEqual([
      expect.stringMatching(/^step .* left$/),
      expect.stringMatching(/^error: the loss became .+\n$/),
    ]);
  });

  it('leave the metrics up to there, and a run that eval and sample do not take for finished', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    blowUpAt(240);
    expect((await runCli(cwd, ['train', ...SMALL, '--steps', '300'])).exitCode).toBe(5);
    const metrics = snapshot(join(cwd, 'runs', '0001'))['metrics.jsonl'];
    expect(metrics.match(/"step":\d+/g)).toEqual(['"step":100', '"step":200']);
    for (const command of ['eval', 'sample']) {
      const { exitCode, stderr } = await runCli(cwd, [command]);
      expect(exitCode).toBe(4);
      expect(stderr).toMatch(/the run has not finished\n$/);
    }
  });

  it('in the very last step are found as well: no report of NaN, no checkpoint that cannot be read', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    schedule.rate = (step, steps, rate) => (step === steps - 1 ? Infinity : rate);
    const { exitCode, stdout } = await runCli(cwd, ['train', ...SMALL]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(existsSync(join(cwd, 'runs', '0001', 'checkpoint.safetensors'))).toBe(false);
  });
});

it('a run that is refused leaves nothing behind', async () => {
  const cwd = tempDirectory();
  writeNames(cwd, NAMES.slice(0, 3));
  expect((await runCli(cwd, ['train', ...SMALL])).exitCode).toBe(2);
  expect(readdirSync(cwd)).toEqual(['names.txt']);
});

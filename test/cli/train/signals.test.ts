import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { type IO, processIO, STOP_SIGNALS, type StopSignal } from '../../../src/cli/terminal/io.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { acquireLock } from '../../../src/node/lock.js';
import { fakeIO, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

const TRAIN = ['train', ...SMALL];

/** A signal in the turn after the given number of steps: a turn is one step, and reads the clock three times. */
function stopAfter(steps: number, signal: StopSignal = 'SIGINT'): Surroundings {
  return { tick: 50, stop: { signal, at: 50 + 150 * steps } };
}

function stepOf(cwd: string, run: string): number {
  return loadCheckpoint(join(cwd, run, 'checkpoint.safetensors')).state.step;
}

function withNames(): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  return cwd;
}

describe('a signal to stop', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s saves, says how to resume, exits with %i, and releases the lock', async (signal, exitCode) => {
    const cwd = withNames();
    const outcome = await runCli(cwd, [...TRAIN, '--out', 'run'], stopAfter(7, signal));
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr.split('\n').slice(2)).toEqual([
      `${signal}: saved after step 7 of 50; resume with: backprop-ninja train --resume run`,
      '',
    ]);
    expect(stepOf(cwd, 'run')).toBe(7);
    expect(readdirSync(join(cwd, 'run')).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl', 'run.json']);
  });

  it('prints no document with --json', async () => {
    const cwd = withNames();
    expect(await runCli(cwd, [...TRAIN, '--json'], stopAfter(7))).toMatchObject({ exitCode: 130, stdout: '' });
  });

  it('saves step 0 before the first step, and runs/latest is that run', async () => {
    const cwd = withNames();
    expect((await runCli(cwd, TRAIN)).exitCode).toBe(0);
    const { stderr } = await runCli(cwd, TRAIN, stopAfter(0));
    expect(stderr).toContain(`saved after step 0 of 50; resume with: backprop-ninja train --resume ${join('runs', '0002')}\n`);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0002'));
    expect(stepOf(cwd, join('runs', '0002'))).toBe(0);
  });

  it('after the last step says that all is saved; resuming gives the report', async () => {
    const cwd = withNames();
    const whole = await runCli(cwd, [...TRAIN, '--steps', '5', '--out', 'whole']);
    const outcome = await runCli(cwd, [...TRAIN, '--steps', '5', '--out', 'run'], stopAfter(5));
    expect(outcome).toMatchObject({ exitCode: 130, stdout: '' });
    expect(outcome.stderr).toContain('SIGINT: all 5 steps are saved; for the report: backprop-ninja train --resume run\n');
    expect(stepOf(cwd, 'run')).toBe(5);
    const { exitCode, stdout } = await runCli(cwd, ['train', '--resume', 'run']);
    expect([exitCode, stdout.replace('sample run', 'sample whole')]).toEqual([0, whole.stdout.replace('in whole', 'in run')]);
  });

  it('names the step of a resumed run counted from its beginning', async () => {
    const cwd = withNames();
    await runCli(cwd, [...TRAIN, '--steps', '2000', '--out', 'run'], { tick: 0.5, stop: { signal: 'SIGINT', at: 700 } });
    const first = stepOf(cwd, 'run');
    expect(first).toBeGreaterThan(1000);
    const { stderr } = await runCli(cwd, ['train', '--resume', 'run'], stopAfter(3, 'SIGTERM'));
    expect(stepOf(cwd, 'run')).toBe(first + 3);
    const shown = `${first + 3}`.replace(/^1/, '1,');
    expect(stderr).toContain(`SIGTERM: saved after step ${shown} of 2,000; resume with: backprop-ninja train --resume run\n`);
  });

  it('clears the progress line of a terminal before its message', async () => {
    const cwd = withNames();
    const { stderr } = await runCli(cwd, TRAIN, { ...stopAfter(7), tty: true });
    const cleared = '\r\x1b[2K';
    const lines = stderr.split(cleared);
    expect(lines.at(-2)).toMatch(/^step {2}\d \/ 50 [^\r\n]*$/);
    expect(lines.at(-1)).toMatch(/^SIGINT: saved after step \d of 50; [^\r\n]*\n$/);
  });

  it.each([
    ['with blanks', 'my runs'],
    ['of letters beyond ASCII', 'läufe'],
    ['that begins with a dash', '-x'],
    ['above the current one', join('..', 'beside')],
  ])('names a command that resumes a run in a directory %s', async (_, name) => {
    const base = tempDirectory();
    const cwd = join(base, 'here');
    writeNames(base);
    put(cwd, 'names.txt', '');
    const { stderr } = await runCli(cwd, [...TRAIN, '--data', join('..', 'names.txt'), `--out=${name}`], stopAfter(4));
    const command = stderr.match(/resume with: backprop-ninja (.*)\n$/)?.[1] ?? '';
    // Splits it as a shell would.
    const argv = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
    const { exitCode, stderr: second } = await runCli(cwd, argv);
    expect([exitCode, second]).toEqual([0, expect.stringContaining('resuming after step 4')]);
    expect(stepOf(cwd, name)).toBe(50);
  });
});

describe('the lock', () => {
  const lock = async (cwd: string) => {
    const held = await acquireLock(join(cwd, 'run'), '2026-01-01T00:00:00.000Z');
    onTestFinished(() => held.release());
  };
  const isLocked = (cwd: string) => readdirSync(join(cwd, 'run')).includes('lock');

  /** The exit code, and whether the run was locked while it was trained. */
  async function trained(cwd: string, argv: string[], surroundings?: Surroundings): Promise<[number, boolean]> {
    const io = fakeIO(cwd, surroundings);
    let locked = false;
    const now = io.now;
    io.now = () => {
      locked ||= isLocked(cwd);
      return now();
    };
    return [await run(argv, io), locked];
  }

  it('is held during the training and released at its end', async () => {
    const cwd = withNames();
    expect(await trained(cwd, [...TRAIN, '--out', 'run'])).toEqual([0, true]);
    expect(isLocked(cwd)).toBe(false);
  });

  it('is released after a signal', async () => {
    const cwd = withNames();
    expect(await trained(cwd, [...TRAIN, '--out', 'run'], stopAfter(3))).toEqual([130, true]);
    expect(isLocked(cwd)).toBe(false);
  });

  it('is released after an error, and the run can be resumed', async () => {
    const cwd = withNames();
    const io: IO = fakeIO(cwd);
    const now = io.now;
    let reads = 0;
    io.now = () => {
      if (++reads === 20) throw new Error('the clock is broken');
      return now();
    };
    expect(await run([...TRAIN, '--out', 'run', '--save-every', '1'], io)).toBe(4);
    expect(isLocked(cwd)).toBe(false);
    expect(await trained(cwd, ['train', '--resume', 'run'])).toEqual([0, true]);
    expect(isLocked(cwd)).toBe(false);
  });

  it.each([
    ['other options', ['--hidden', '9'], 2],
    ['another data set', ['--data', 'other.txt'], 3],
    ['a data set that is not there', ['--data', 'none.txt'], 4],
  ])('is released when %s are refused', async (_, more, exitCode) => {
    const cwd = withNames();
    writeNames(cwd, ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'other.txt');
    await runCli(cwd, [...TRAIN, '--out', 'run'], stopAfter(3));
    expect((await runCli(cwd, ['train', '--resume', 'run', ...more])).exitCode).toBe(exitCode);
    expect(isLocked(cwd)).toBe(false);
  });

  it('is not released by a process that was refused', async () => {
    const cwd = withNames();
    await runCli(cwd, [...TRAIN, '--out', 'run'], stopAfter(3));
    await lock(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['train', '--resume', 'run']);
    expect(exitCode).toBe(4);
    expect(stderr).toContain(`is in use: process ${process.pid} has been training there`);
    expect(isLocked(cwd)).toBe(true);
  });

  it('keeps --force from replacing a run that is being trained', async () => {
    const cwd = withNames();
    await runCli(cwd, [...TRAIN, '--out', 'run'], stopAfter(3));
    await lock(cwd);
    expect((await runCli(cwd, [...TRAIN, '--out', 'run', '--force', '--seed', '1'])).exitCode).toBe(4);
    expect(loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).config.seed).toBe(2_147_483_647);
  });
});

describe("the process's signals", () => {
  const listeners = () => STOP_SIGNALS.map((name) => process.listenerCount(name));

  /** Listens until the end of the test. */
  function listen(): { heard: StopSignal[]; stop: () => void } {
    const heard: StopSignal[] = [];
    const stop = processIO().onStop((signal) => heard.push(signal));
    onTestFinished(stop);
    return { heard, stop };
  }

  it.each(STOP_SIGNALS)('%s is caught once; from the next turn on it ends the process', async (signal) => {
    const before = listeners();
    const { heard } = listen();
    expect(listeners()).toEqual(before.map((count) => count + 1));
    process.emit(signal, signal);
    expect(heard).toEqual([signal]);
    await nextTurn();
    expect(listeners()).toEqual(before);
  });

  it('end the process if two come in the same turn', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    onTestFinished(() => kill.mockRestore());
    const before = listeners();
    const { heard } = listen();
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGTERM', 'SIGTERM');
    expect(heard).toEqual(['SIGINT']);
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGTERM']]);
    expect(listeners()).toEqual(before);
  });

  it('have their default effect again after the training', () => {
    const before = listeners();
    const { heard, stop } = listen();
    stop();
    expect(listeners()).toEqual(before);
    expect(heard).toEqual([]);
  });

  it.each([
    ['a finished', [], 0],
    ['a refused', ['--lr', '2000'], 2],
  ])('have no listener left after %s run', async (_, more, exitCode) => {
    const cwd = withNames();
    const before = listeners();
    const io: IO = { ...fakeIO(cwd), onStop: processIO().onStop };
    expect(await run([...TRAIN, ...more], io)).toBe(exitCode);
    expect(listeners()).toEqual(before);
  });
});

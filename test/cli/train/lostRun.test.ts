/** What others do to the files of a run while it trains: nothing is lost, nothing of another run is touched, and everything is said. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { fakeIO, type Outcome, runCli, writeNames } from '../../support/fakeIO.js';
import { RESUME, TRAIN, wholeRun } from '../../support/resume.js';
import { snapshot, tempDirectory } from '../../support/tempDirectory.js';

const onLinux = existsSync('/proc/self/fd');
const NEVER = 1e9;

/** Trains, does something to the run's directory at a reading of the clock in the middle, and trains on. A turn is one step. */
async function trainWhile(
  cwd: string,
  change: (directory: string) => void,
  argv: string[] = [...TRAIN, '--save-every', '7', '--out', 'run'],
): Promise<Outcome> {
  writeNames(cwd);
  const io = fakeIO(cwd, { tick: 50, stop: { signal: 'SIGINT', at: NEVER } });
  const { now } = io;
  let isDone = false;
  io.now = () => {
    const time = now();
    // After the save of step 7, before the evaluation of step 10.
    if (!isDone && time > 50 + 150 * 8) {
      isDone = true;
      change(join(cwd, 'run'));
    }
    return time;
  };
  const exitCode = await run(argv, io);
  expect(isDone).toBe(true);
  return { exitCode, stdout: io.stdout.text, stderr: io.stderr.text, stderrWrites: io.stderr.writes };
}

const RUN_FILES = ['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', 'run.json'];
const lastLine = (outcome: Outcome) => outcome.stderr.trimEnd().split('\n').at(-1);

/** The run in the directory, resumed to its end, has the bytes of an undisturbed one. */
async function expectWhole(cwd: string, directory: string): Promise<void> {
  expect(readdirSync(join(cwd, directory)).sort()).toEqual(RUN_FILES);
  const { exitCode, stderr } = await runCli(cwd, ['train', '--resume', directory, '--save-every', '7']);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).not.toContain('missing');
  const { 'run.json': _, ...files } = snapshot(join(cwd, directory));
  expect(files).toEqual((await wholeRun()).files);
}

describe('the directory of a run that trains', () => {
  it('that is moved, and whose name another run takes: the first is saved where it was moved to, the second untouched', async () => {
    const cwd = tempDirectory();
    const outcome = await trainWhile(cwd, (directory) => {
      renameSync(directory, join(cwd, 'moved'));
      mkdirSync(directory);
      writeFileSync(join(directory, 'checkpoint.safetensors'), 'of the second');
      writeFileSync(join(directory, 'lock'), 'of the second');
    });
    expect(outcome.exitCode).toBe(4);
    expect(snapshot(join(cwd, 'run'))).toEqual({ 'checkpoint.safetensors': 'of the second', lock: 'of the second' });
    const saved = onLinux ? 'moved' : 'run-saved';
    const where = onLinux
      ? 'moved to moved while it was in use; the run is saved there'
      : 'deleted or replaced while it was in use; the run is saved in run-saved';
    expect(lastLine(outcome)).toBe(`error: run was ${where} after step 10; resume with: backprop-ninja train --resume ${saved}`);
    await expectWhole(cwd, saved);
  });

  it('that is deleted: the run is saved beside it', async () => {
    const cwd = tempDirectory();
    const outcome = await trainWhile(cwd, (directory) => rmSync(directory, { recursive: true }));
    expect(outcome.exitCode).toBe(4);
    expect(existsSync(join(cwd, 'run'))).toBe(false);
    expect(lastLine(outcome)).toBe(
      'error: run was deleted or replaced while it was in use; the run is saved in run-saved after step 10; resume with: backprop-ninja train --resume run-saved',
    );
    await expectWhole(cwd, 'run-saved');
  });

  it('that is deleted twice: each is saved under its own name', async () => {
    const cwd = tempDirectory();
    for (const saved of ['run-saved', 'run-saved2']) {
      const outcome = await trainWhile(cwd, (directory) => rmSync(directory, { recursive: true }));
      expect(lastLine(outcome)).toContain(`saved in ${saved} after`);
    }
    await expectWhole(cwd, 'run-saved2');
  });

  it.each([
    ['deleted', (lock: string): void => rmSync(lock), /the lock of run was deleted while it was in use/],
    [
      'taken over',
      (lock: string): void => writeFileSync(lock, JSON.stringify({ pid: 7, host: 'elsewhere', startedAt: '', processStart: null })),
      /process 7 on elsewhere has taken run over/,
    ],
  ])('of which the lock is %s: nothing more is written there, and the run is saved beside it', async (_, change, message) => {
    const cwd = tempDirectory();
    let before: Record<string, string> = {};
    const outcome = await trainWhile(cwd, (directory) => {
      change(join(directory, 'lock'));
      before = snapshot(directory);
    });
    expect(outcome.exitCode).toBe(4);
    expect(lastLine(outcome)).toMatch(message);
    const { 'metrics.jsonl': metrics, ...after } = snapshot(join(cwd, 'run'));
    const { 'metrics.jsonl': metricsBefore, ...others } = before;
    expect(Object.entries(others).filter(([name]) => !name.endsWith('.sock'))).toEqual(Object.entries(after));
    expect(metrics.startsWith(metricsBefore)).toBe(true);
    await expectWhole(cwd, 'run-saved');
  });
});

describe('a file of a run that trains', () => {
  it.each([
    ['metrics.jsonl', 'deleted', (path: string): void => rmSync(path)],
    ['metrics.jsonl', 'replaced', (path: string): void => renameSync(copyOf(path), path)],
    ['checkpoint.safetensors', 'deleted', (path: string): void => rmSync(path)],
    ['checkpoint.safetensors', 'replaced', (path: string): void => writeFileSync(path, 'mine')],
    ['best.safetensors', 'deleted', (path: string): void => rmSync(path)],
    ['best.safetensors', 'replaced', (path: string): void => renameSync(copyOf(path), path)],
    ['run.json', 'deleted', (path: string): void => rmSync(path)],
    ['run.json', 'replaced', (path: string): void => writeFileSync(path, '{}')],
  ])('%s that is %s is said, and written again', async (name, how, change) => {
    const cwd = tempDirectory();
    const { exitCode, stderr } = await trainWhile(cwd, (directory) => change(join(directory, name)));
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain(`note: run/${name} was ${how} by another program; `);
    const { 'run.json': about, ...files } = snapshot(join(cwd, 'run'));
    expect(JSON.parse(about)).toHaveProperty('result');
    expect(files).toMatchObject((await wholeRun()).files);
    expect(Object.keys(files).filter((file) => file.includes('.other'))).toHaveLength(how === 'replaced' ? 1 : 0);
  });

  it.each([
    ['truncated', (path: string): void => truncateSync(path, 0)],
    ['appended to', (path: string): void => appendFileSync(path, 'mine\n')],
  ])('metrics.jsonl that is %s ends the run after the save, and a resumed run says what is missing', async (how, change) => {
    const cwd = tempDirectory();
    const outcome = await trainWhile(cwd, (directory) => change(join(directory, 'metrics.jsonl')));
    expect(outcome.exitCode).toBe(4);
    expect(lastLine(outcome)).toMatch(
      /^error: \S+metrics\.jsonl was changed by another program: it has \d+ bytes, expected \d+; its lines may be incomplete/,
    );
    const saved = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).state.step;
    expect(saved).toBe(14);
    const { exitCode, stderr } = await runCli(cwd, RESUME);
    expect(exitCode).toBe(0);
    if (how === 'truncated') expect(stderr).toMatch(/note: run\/metrics\.jsonl: the records of steps 0 to 9 are missing\n/);
    else expect(stderr).toMatch(/note: run\/metrics\.jsonl: dropped incomplete line/);
  });

  it('stays what it is if it is only read or copied', async () => {
    const cwd = tempDirectory();
    const { exitCode, stderr } = await trainWhile(cwd, (directory) => {
      cpSync(directory, join(cwd, 'copy'), { recursive: true, filter: (path) => !path.endsWith('.sock') });
      readFileSync(join(directory, 'metrics.jsonl'));
    });
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain('note:');
    expect(readdirSync(join(cwd, 'run')).sort()).toEqual(RUN_FILES);
  });
});

function copyOf(path: string): string {
  const copy = `${path}.copy`;
  cpSync(path, copy);
  return copy;
}

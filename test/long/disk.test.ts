/** Disks that are really full: the checkpoint stays whole, and the run can be resumed once there is room. */
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { type Ended, HANGS, MAIN, ninja, RESULTS, results, start, startNinja } from '../support/child.js';
import { writeNames } from '../support/fakeIO.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

const SHAPE = ['--hidden', '8', '--embedding', '2', '--batch-size', '4', '--eval-every', '50'];

let cwd: string;
let data: string[];

beforeAll(() => {
  cwd = makeDirectory();
  data = ['--data', writeNames(cwd)];
});
afterAll(() => removeDirectory(cwd));

/** Expects one error line that names the run's file or directory and the reason, after nothing but the lines at the start of a run. */
function expectRefusal({ exitCode, stdout, stderr }: Ended, ...says: RegExp[]): void {
  expect(exitCode, stderr).toBe(4);
  expect(stdout).toBe('');
  const errors = stderr.split('\n').filter((line) => /^error|^ +at |^step/.test(line));
  expect(errors.length, stderr).toBe(1);
  for (const pattern of says) expect(errors[0]).toMatch(pattern);
}

/** Expects a refusal before training, which leaves an empty directory. */
function expectNoRoom(ended: Ended, run: string): void {
  expectRefusal(ended, /not enough disk space in \S+: the run needs \d+\.\d MiB, \d+\.\d MiB are free; .*--out/);
  expect(ended.stderr).not.toContain('parameters');
  expect(readdirSync(run)).toEqual([]);
}

/** Expects a whole checkpoint and no half-written file in the run's directory. Returns the checkpoint's step. */
function expectWhole(run: string): number {
  expect(readdirSync(run).filter((name) => name.endsWith('.tmp') || name === 'lock')).toEqual([]);
  return loadCheckpoint(join(run, 'checkpoint.safetensors')).state.step;
}

async function expectDone(argv: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await ninja(argv, { cwd });
  expect(exitCode, stderr).toBe(0);
}

function expectSameResults(run: string, other: string): void {
  const found = results(run);
  const expected = results(other);
  for (const name of RESULTS) expect(found[name] === expected[name], `${name} of ${run} has the bytes of ${other}`).toBe(true);
}

/** Mounts a disk of half a megabyte; undefined if this process may not mount. */
function mountSmallDisk(): string | undefined {
  const directory = makeDirectory();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory], { timeout: HANGS });
  if (status === 0) return directory;
  removeDirectory(directory);
  return undefined;
}

/** Fills the disk with one file. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let size = 65_536; size > 0; ) {
      try {
        writeSync(file, Buffer.alloc(size));
        fsyncSync(file);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
        size >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
}

const disk = mountSmallDisk();
afterAll(() => {
  if (disk === undefined) return;
  spawnSync('umount', [disk], { timeout: HANGS });
  removeDirectory(disk);
});

function describeFullDisk(small: string): void {
  const STEPS = ['--steps', '20000', '--save-every', '10'];

  it('ends training with one error line when it fills up, refuses to start while it is full, and resumes once there is room', async () => {
    const run = join(small, 'run');
    const filler = join(small, 'filler');
    await expectDone(['train', ...data, ...SHAPE, ...STEPS, '--out', 'uninterrupted']);

    const child = startNinja(['train', ...data, ...SHAPE, ...STEPS, '--out', run], { cwd });
    await child.says(/ characters\n/);
    fillUp(filler);
    expectRefusal(await child.ended, /cannot write \S+: no space left on the device/);
    const step = expectWhole(run);
    expect(step).toBeLessThan(20_000);
    const checkpoint = readFileSync(join(run, 'checkpoint.safetensors'), 'latin1');

    expectRefusal(await ninja(['train', '--resume', run], { cwd }), /no space left on the device|not enough disk space in/);
    expect(expectWhole(run)).toBe(step);
    expectRefusal(
      await ninja(['train', ...data, ...SHAPE, '--force', '--out', run], { cwd }),
      /no space left on the device|not enough disk space in/,
    );
    expect(readFileSync(join(run, 'checkpoint.safetensors'), 'latin1') === checkpoint, 'the old checkpoint is untouched').toBe(true);

    rmSync(filler);
    await expectDone(['train', '--resume', run]);
    expectSameResults(run, join(cwd, 'uninterrupted'));
  });

  it.each([
    ['three checkpoints', ['--hidden', '2000', '--steps', '10']],
    ['the metrics', ['--steps', '1000000', '--eval-every', '10']],
  ])('refuses a run before training starts if there is no room for %s', async (_, shape) => {
    const run = join(small, 'large');
    expectNoRoom(await ninja(['train', ...data, ...SHAPE, ...shape, '--out', run], { cwd }), run);
  });
}

if (disk !== undefined) describe('a disk of half a megabyte', () => describeFullDisk(disk));
else {
  // The smallest disk that every Linux has is in memory.
  it('finds that the metrics would not fit into memory before training starts', async () => {
    const run = `/dev/shm/backprop-ninja-${process.pid}`;
    try {
      expectNoRoom(await ninja(['train', ...data, ...SHAPE, '--eval-every', '1', '--steps', '1000000000', '--out', run], { cwd }), run);
    } finally {
      removeDirectory(run);
    }
  });
}

describe('a limit on the size of files', () => {
  const STEPS = ['--steps', '2000', '--save-every', '10'];
  /** Units of 1 KiB: more than the size of a checkpoint, less than that of the metrics. */
  const limited = (argv: readonly string[], limit = 4) =>
    start('bash', ['-c', `ulimit -f ${limit}; exec "$@"`, 'bash', process.execPath, MAIN, ...argv], { cwd }).ended;

  it('ends training with one error line when it is reached, and the run can be resumed without it', async () => {
    const run = join(cwd, 'limited');
    const train = ['train', ...data, ...SHAPE, '--eval-every', '5', ...STEPS];
    await expectDone([...train, '--out', 'unlimited']);
    expect(statSync(join(cwd, 'unlimited', 'metrics.jsonl')).size).toBeGreaterThan(4096);

    expectRefusal(await limited([...train, '--out', run]), /cannot write \S+metrics\.jsonl: the file-size limit is reached/);
    expect(expectWhole(run)).toBeLessThan(2000);
    await expectDone(['train', '--resume', run]);
    expectSameResults(run, join(cwd, 'unlimited'));
  });

  it('keeps the old run if the first checkpoint of a new one cannot be written', async () => {
    const run = join(cwd, 'old');
    await expectDone(['train', ...data, ...SHAPE, '--steps', '100', '--out', run]);
    const before = results(run);
    const ended = await limited(['train', ...data, ...SHAPE, '--seed', '2', '--steps', '100', '--force', '--out', run], 1);
    expectRefusal(ended, /cannot write \S+checkpoint\.safetensors: the file-size limit is reached/);
    expectWhole(run);
    expect(results(run)).toEqual(before);
  });
});

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock } from '../../../src/node/lock.js';
import { results } from '../../support/child.js';
import { NAMES, ONE_ERROR_LINE, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const CONTINUE = ['train', '--continue', '--out', 'run', ...SMALL];
const DIVERGES = ['--optimizer', 'adamw', '--weight-decay', '1000', '--lr', '1000'];

/** A directory with names.txt. */
function withNames(): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  return cwd;
}

const go = (cwd: string, more: readonly string[] = [], surroundings?: Surroundings) => runCli(cwd, [...CONTINUE, ...more], surroundings);

/** A run that was stopped on the way. */
async function stopped(cwd: string, more: readonly string[] = []): Promise<void> {
  const { exitCode } = await go(cwd, [...more, '--steps', '3000'], { stop: { signal: 'SIGTERM', at: 20 } });
  expect(exitCode).toBe(143);
}

describe('train --continue', () => {
  it('begins a run where none is, with the bytes of a run without it', async () => {
    const cwd = withNames();
    const { exitCode, stdout } = await go(cwd);
    expect(exitCode).toBe(0);
    const alone = await runCli(cwd, ['train', ...SMALL, '--out', 'alone']);
    expect(stdout.replaceAll('run', 'alone')).toBe(alone.stdout);
    expect(results(join(cwd, 'run'))).toEqual(results(join(cwd, 'alone')));
  });

  it('resumes a run that was stopped, to the same bytes', async () => {
    const cwd = withNames();
    await stopped(cwd);
    const { exitCode, stderr } = await go(cwd, ['--steps', '3000']);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('resuming after step ')]);
    await runCli(cwd, ['train', ...SMALL, '--steps', '3000', '--out', 'alone']);
    expect(results(join(cwd, 'run'))).toEqual(results(join(cwd, 'alone')));
  });

  it('says that a run is done, with its loss, and changes no byte', async () => {
    const cwd = withNames();
    const first = await go(cwd, ['--json']);
    const before = snapshot(join(cwd, 'run'));
    const { valLoss } = JSON.parse(first.stdout);
    expect(await go(cwd)).toMatchObject({ exitCode: 0, stdout: `run is done: validation ${valLoss.toFixed(4)}\n`, stderr: '' });
    expect(JSON.parse((await go(cwd, ['--json'])).stdout)).toEqual(JSON.parse(first.stdout));
    expect(snapshot(join(cwd, 'run'))).toEqual(before);
  });

  it('makes the report of a run whose steps are done, but not its report', async () => {
    const cwd = withNames();
    await go(cwd);
    const path = join(cwd, 'run', 'run.json');
    const { result, finishedAt, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
    put(cwd, 'run/run.json', JSON.stringify(rest));
    const { exitCode, stderr } = await go(cwd);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('all 50 steps are done in run')]);
    expect(JSON.parse(readFileSync(path, 'utf8')).result.valLoss).toBe(result.valLoss);
  });

  it('says which process uses the run, and leaves it alone', async () => {
    const cwd = withNames();
    await stopped(cwd);
    const lock = await acquireLock(join(cwd, 'run'), '2020-01-01T00:00:00.000Z');
    try {
      const before = snapshot(join(cwd, 'run'));
      const by = `process ${process.pid} since 2020-01-01T00:00:00.000Z`;
      expect(await go(cwd, ['--steps', '3000'])).toMatchObject({ exitCode: 0, stdout: `run is in use by ${by}\n`, stderr: '' });
      expect(JSON.parse((await go(cwd, ['--steps', '3000', '--json'])).stdout)).toEqual({ run: join(cwd, 'run'), inUse: by });
      expect(snapshot(join(cwd, 'run'))).toEqual(before);
    } finally {
      lock.release();
    }
  });

  it.each<[string, Record<string, string>]>([
    ['an empty directory', {}],
    ['a run that was killed before its first save', { 'run.json': '{', 'init.safetensors': 'x', '.0123456789abcdef.tmp': '' }],
    ['a lock of a process that has ended', { lock: '', '.0123456789abcdef.sock': '' }],
  ])('begins in %s', async (_, files) => {
    const cwd = withNames();
    put(cwd, 'run/names.txt', readFileSync(join(cwd, 'names.txt')));
    for (const [name, content] of Object.entries(files)) if (name !== 'lock') put(cwd, `run/${name}`, content);
    if ('lock' in files) {
      const dead = { pid: 2 ** 30, host: 'here', startedAt: 'once', processStart: '1', id: 'x', boot: null };
      put(cwd, 'run/lock', JSON.stringify({ ...dead, host: (await import('node:os')).hostname(), id: null }));
    }
    expect((await go(cwd)).exitCode).toBe(0);
    await runCli(cwd, ['train', ...SMALL, '--out', 'alone']);
    expect(results(join(cwd, 'run'))).toEqual(results(join(cwd, 'alone')));
  });

  it('says that a run has diverged, without training again (5)', async () => {
    const cwd = withNames();
    const first = await go(cwd, DIVERGES);
    expect(first.exitCode).toBe(5);
    const before = snapshot(join(cwd, 'run'));
    const again = await go(cwd, DIVERGES);
    expectRefusal(again, 5, 'the run in run has diverged: ', 'Try again from its checkpoint with: backprop-ninja train --resume run');
    expect(snapshot(join(cwd, 'run'))).toEqual(before);
    expect((await runCli(cwd, ['train', '--resume', 'run'])).exitCode).toBe(5);
  });

  it.each<[string[], number, string]>([
    [['--lr', '0.2'], 2, 'run holds a run with other settings: --lr is 0.1 there, but 0.2 here; name another directory with --out'],
    [['--steps', '60', '--clip', '1'], 2, '--steps is 50 there, but 60 here; --clip is none there, but 1 here'],
    [['--preset', 'fast'], 2, 'with other settings: '],
    [['--split-seed', '1'], 2, '--split-seed is 42 there, but 1 here'],
    [['--data', 'other.txt'], 3, 'other.txt is not the data set of the run in run: SHA-256 '],
  ])('refuses a run that was made with other options than %j (%i)', async (more, exitCode, message) => {
    const cwd = withNames();
    writeNames(cwd, [...NAMES, 'mina'], 'other.txt');
    await go(cwd);
    const before = snapshot(join(cwd, 'run'));
    const refused = await go(cwd, more);
    expectRefusal(refused, exitCode, message);
    expect(refused.stderr).toMatch(ONE_ERROR_LINE);
    expect(snapshot(join(cwd, 'run'))).toEqual(before);
  });

  it('compares options that are left out, too', async () => {
    const cwd = withNames();
    await go(cwd, ['--lr', '0.2']);
    expectRefusal(await go(cwd), 2, '--lr is 0.2 there, but 0.1 here');
  });

  it('refuses a directory with other files, and a damaged checkpoint, and leaves both', async () => {
    const cwd = withNames();
    put(cwd, 'run/thesis.txt', 'mine');
    expectRefusal(await go(cwd), 2, '--out run contains files, but no checkpoint of a run; name another directory');
    expect(readdirSync(join(cwd, 'run'))).toEqual(['thesis.txt']);
    rmSync(join(cwd, 'run'), { recursive: true });
    put(cwd, 'run/checkpoint.safetensors', 'x'.repeat(100));
    expectRefusal(await go(cwd), 3, 'run/checkpoint.safetensors: ');
    expect(readdirSync(join(cwd, 'run'))).toEqual(['checkpoint.safetensors']);
  });

  it.each<[string[], string]>([
    [
      ['--continue'],
      '--continue needs --out, which names the directory of the run; to resume the newest run: backprop-ninja train --resume',
    ],
    [['--continue', '--out', 'run', '--force'], '--force cannot be used with --continue'],
    [['--continue', '--resume'], '--continue cannot be used with --resume, which resumes a run that is there'],
    [['--continue', '--mutant', 'dbnraw-gain-forgotten'], '--continue cannot be used with --mutant'],
  ])('refuses %j (2)', async (argv, message) => {
    const cwd = withNames();
    expectRefusal(await runCli(cwd, ['train', ...argv]), 2, message);
    expect(existsSync(join(cwd, 'run'))).toBe(false);
  });

  it('leaves nothing behind where the network does not fit into memory', async () => {
    const cwd = withNames();
    expect((await go(cwd, ['--hidden', '4000', '--batch-size', '1048576'])).exitCode).toBe(2);
    expect(existsSync(join(cwd, 'run'))).toBe(false);
  });
});

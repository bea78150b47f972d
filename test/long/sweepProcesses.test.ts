/** A sweep and the processes of its runs. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN, ninja, start, startNinja } from '../support/child.js';
import { SMALL, writeNames } from '../support/fakeIO.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const SWEEP = ['sweep', '--vary', 'seed=1/2', '--jobs', '2', '--json', '--'];
/** Trains for hours. */
const LONG = [...SWEEP, '--data', 'names.txt', '--steps', '100000000', '--hidden', '8', '--eval-every', '1000'];

function withNames(): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  return cwd;
}

function losses(cwd: string): number[] {
  const lines = readFileSync(join(cwd, 'sweep', 'runs.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line).valLoss).sort();
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

/** Starts the sweep in a process group of its own, as a shell with job control does. */
async function startJob(cwd: string) {
  const argv = [process.execPath, MAIN, ...LONG];
  const child = start('bash', ['-c', 'set -m; "$@" & echo "job $!"; wait -f $!; echo "ended $?"', 'bash', ...argv], { cwd });
  await child.says(/job \d+/);
  const pid = Number(child.output().match(/job (\d+)/)?.[1]);
  await untilBothTrain(cwd);
  return { child, pid };
}

/** Waits until both runs have their checkpoints and train. */
async function untilBothTrain(cwd: string): Promise<void> {
  const train = (run: string) => {
    try {
      return readdirSync(join(cwd, 'sweep', run)).includes('best.safetensors');
    } catch {
      return false;
    }
  };
  while (!['0001', '0002'].every(train)) await pause();
}

const isLocked = (cwd: string) => ['0001', '0002'].some((run) => readdirSync(join(cwd, 'sweep', run)).includes('lock'));

describe('the results of a sweep', () => {
  it.each([
    ['on stdout', 'console.log("{}"); process.on("exit", () => console.log("hook"))'],
    ['on stderr, like an error', 'console.error("error: hook")'],
    ['through the channel', 'process.send?.({ result: 1 }); process.send?.("hook")'],
  ])('are right if a hook in NODE_OPTIONS writes %s', async (_, hook) => {
    const cwd = withNames();
    const plain = await ninja([...SWEEP, ...SMALL], { cwd });
    expect(plain.exitCode, plain.stderr).toBe(0);
    const other = withNames();
    put(other, 'hook.cjs', hook);
    // Only in the runs: the sweep's own stdout is its result.
    const before = `process.env.NODE_OPTIONS = '--require ${join(other, 'hook.cjs')}'`;
    const hooked = await ninja([...SWEEP, ...SMALL], { cwd: other, before });
    expect(hooked.exitCode, hooked.stderr).toBe(0);
    expect(losses(other)).toEqual(losses(cwd));
  });
});

describe('a signal', () => {
  it.each([
    ['to the sweep', 'child'],
    ['to the whole process group, like Ctrl-C in a terminal', 'group'],
  ])('%s saves all runs, and the same command resumes them', async (_, to) => {
    const cwd = withNames();
    const { child, pid } = await startJob(cwd);
    process.kill(to === 'group' ? -pid : pid, 'SIGINT');
    await child.says(/ended 130/);
    expect(child.output()).toContain('SIGINT: 0 of 2 runs done in sweep');
    expect(isLocked(cwd)).toBe(false);
  });

  it('like Ctrl-Z reaches the runs, and they go on when it is continued', async () => {
    const cwd = withNames();
    const { child, pid } = await startJob(cwd);
    const state = (of: number) => readFileSync(`/proc/${of}/stat`, 'latin1').replace(/^.*\) /, '')[0];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);
    expect(children).toHaveLength(2);
    process.kill(-pid, 'SIGTSTP');
    while (![pid, ...children].every((of) => state(of) === 'T')) await pause();
    process.kill(-pid, 'SIGCONT');
    while ([pid, ...children].some((of) => state(of) === 'T')) await pause();
    process.kill(-pid, 'SIGINT');
    await child.says(/ended 130/);
    expect(isLocked(cwd)).toBe(false);
  });

  it('to a killed sweep: its runs save and end', async () => {
    const cwd = withNames();
    const child = startNinja(LONG, { cwd });
    await untilBothTrain(cwd);
    child.kill('SIGKILL');
    await child.ended;
    while (isLocked(cwd)) await pause();
  });
});

describe('a sweep that was killed in its first moments', () => {
  it.each([
    ['an empty directory', []],
    ['a half-written plan', ['.0123456789abcdef.tmp']],
    ['a plan and no run', ['sweep.json', '.0123456789abcdef.tmp']],
    ['a lock that was being written', ['.0123456789abcdef.tmp', '.fedcba9876543210.sock']],
  ])('is begun again by the same command: %s', async (_, files) => {
    const cwd = withNames();
    mkdirSync(join(cwd, 'sweep'));
    for (const file of files) put(join(cwd, 'sweep'), file, '');
    const { exitCode, stderr } = await ninja([...SWEEP, ...SMALL], { cwd });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 / 2')]);
  });
});

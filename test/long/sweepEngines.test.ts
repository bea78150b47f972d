// Runs of a sweep by programs that run commands: GNU parallel, xargs, Slurm. Each trains what the sweep would have trained, and nothing twice.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, killSession, ninja, results, start } from '../support/child.js';
import { SMALL, writeNames } from '../support/fakeIO.js';
import { type Cluster, missingPrograms, startCluster } from '../support/slurm.js';
import { makeDirectory, put, removeDirectory, tempDirectory } from '../support/tempDirectory.js';

const RUNS = ['0001', '0002', '0003', '0004'];
const SWEEP = ['sweep', '--vary', 'lr=0.1/0.2', '--vary', 'seed=1/2'];
/** Long enough to be interrupted. */
const STEPS = ['--steps', '60000'];

/** The bytes of each run's checkpoint, best checkpoint and metrics. */
const bytesIn = (cwd: string) => RUNS.map((run) => results(join(cwd, 'sweep', run)));

/** job.sh of docs/sweeps.md. */
const JOB =
  /^#!\/bin\/sh\n#SBATCH[^`]*/m.exec(readFileSync(fileURLToPath(new URL('../../docs/sweeps.md', import.meta.url)), 'utf8'))?.[0] ?? '';

/** A directory with the names, the sweep's lines in the file runs.sh, and a job that runs one of them. */
async function printed(more: readonly string[] = []): Promise<string> {
  const cwd = join(tempDirectory(), "it's here");
  writeNames(cwd);
  const { exitCode, stdout, stderr } = await ninja([...SWEEP, '--print', '--', ...SMALL, ...more], { cwd });
  expect([exitCode, stdout.split('\n').length], stderr).toEqual([0, 5]);
  put(cwd, 'runs.sh', stdout);
  put(cwd, 'job.sh', JOB);
  return cwd;
}

/** Runs a command of a shell to its end. */
const shell = (cwd: string, command: string, env = process.env): Promise<Ended> => start('bash', ['-c', command], { cwd, env }).ended;

/** Waits until a run has saved. */
async function untilBegun(cwd: string, run: string): Promise<void> {
  while (!existsSync(join(cwd, 'sweep', run, 'checkpoint.safetensors'))) await sleep(20);
}

/** The same command without --print ranks all four runs and trains none. */
async function expectRanked(cwd: string, more: readonly string[] = []): Promise<void> {
  const { exitCode, stdout, stderr } = await ninja([...SWEEP, '--', ...SMALL, ...more], { cwd });
  expect([exitCode, stderr]).toEqual([0, '4 runs in the directory sweep, 4 of them done; 1 at a time\n']);
  expect(stdout).toMatch(/^1 .*\n2 /m);
  expect(readdirSync(join(cwd, 'sweep')).sort()).toEqual([...RUNS, 'runs.jsonl', 'sweep.json']);
}

/** What the sweep itself trains, with few steps and with many. */
const own: Record<'short' | 'long', ReturnType<typeof bytesIn>> = { short: [], long: [] };

beforeAll(async () => {
  const cwd = makeDirectory();
  writeNames(cwd);
  for (const [name, more] of [
    ['short', []],
    ['long', STEPS],
  ] as const) {
    const { exitCode, stderr } = await ninja([...SWEEP, '--', ...SMALL, ...more], { cwd });
    expect(exitCode, stderr).toBe(0);
    own[name] = bytesIn(cwd);
    removeDirectory(join(cwd, 'sweep'));
  }
  removeDirectory(cwd);
});

function describeWith(programs: readonly string[], packages: string, title: string, tests: () => void): void {
  const missing = missingPrograms(programs);
  if (missing.length > 0) process.stderr.write(`skipped: ${title}: ${missing.join(', ')} missing; apt-get install ${packages}\n`);
  describe.skipIf(missing.length > 0)(title, tests);
}

describe('xargs', () => {
  it('runs the lines, two at a time', async () => {
    const cwd = await printed();
    expect(await shell(cwd, "xargs -d '\\n' -n 1 -P 2 sh -c < runs.sh")).toMatchObject({ exitCode: 0 });
    expect(bytesIn(cwd)).toEqual(own.short);
    await expectRanked(cwd);
  });
});

describeWith(['parallel'], 'parallel', 'GNU parallel', () => {
  it('runs the lines, two at a time', async () => {
    const cwd = await printed();
    expect(await shell(cwd, 'parallel --jobs 2 < runs.sh')).toMatchObject({ exitCode: 0 });
    expect(bytesIn(cwd)).toEqual(own.short);
    await expectRanked(cwd);
  });

  it('runs them on a login in another directory, where neither the program nor node is on the path', async () => {
    const cwd = await printed();
    // Stands in for ssh: takes the host, and runs the rest as sshd does, in the home directory.
    const ssh = put(
      cwd,
      'ssh',
      '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\ncd / && exec env -i HOME=/ SHELL=/bin/sh PATH=/bin sh -c "$*"\n',
    );
    chmodSync(ssh, 0o755);
    const { exitCode, stderr } = await shell(
      cwd,
      `parallel --ssh ${JSON.stringify(`'${ssh.replaceAll("'", "'\\''")}'`)} --sshlogin 2/other < runs.sh`,
    );
    expect(exitCode, stderr).toBe(0);
    expect(bytesIn(cwd)).toEqual(own.short);
    await expectRanked(cwd);
  });

  it('that is killed with its jobs goes on where it was, by its log', async () => {
    const cwd = await printed(STEPS);
    const command = 'parallel --jobs 2 --joblog log --resume-failed < runs.sh';
    const first = spawn('bash', ['-c', command], { cwd, detached: true, stdio: 'ignore' });
    await untilBegun(cwd, '0002');
    // Every job has a process group of its own.
    const exit = once(first, 'exit');
    await killSession(first.pid as number);
    await exit;
    expect(await shell(cwd, command)).toMatchObject({ exitCode: 0 });
    expect(bytesIn(cwd)).toEqual(own.long);
    await expectRanked(cwd, STEPS);
  });

  it('twice at once, and a sweep beside them, train nothing twice', async () => {
    const cwd = await printed(STEPS);
    const engines = [1, 2].map(() => shell(cwd, 'parallel --jobs 2 < runs.sh'));
    await untilBegun(cwd, '0001');
    const beside = await ninja([...SWEEP, '--jobs', '1', '--', ...SMALL, ...STEPS], { cwd });
    expect([0, 1], beside.stderr).toContain(beside.exitCode);
    const ended = await Promise.all(engines);
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const all = ended.map(({ stdout }) => stdout).join('');
    // Each run has one report; whoever came second says why it did nothing.
    expect(all.match(/^more names: /gm)?.length ?? 0).toBeLessThanOrEqual(4);
    expect(all).toMatch(/ is in use by process \d+ since | is done: validation /);
    expect(bytesIn(cwd)).toEqual(own.long);
    await expectRanked(cwd, STEPS);
  });
});

describeWith(['slurmctld', 'slurmd', 'sbatch', 'munged'], 'slurm-wlm munge', 'Slurm', () => {
  const submit = (options: string) => `sbatch --array=1-$(wc -l < runs.sh) --parsable ${options} job.sh`;
  let directory: string;
  let cluster: Cluster;
  beforeAll(async () => {
    directory = makeDirectory();
    chmodSync(directory, 0o755);
    cluster = await startCluster(directory);
  });
  afterAll(async () => {
    await cluster?.stop();
    removeDirectory(directory);
  });

  const slurm = async (cwd: string, command: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await shell(cwd, command, cluster.env);
    expect(exitCode, stderr).toBe(0);
    return stdout.trim();
  };
  const logs = (cwd: string) =>
    readdirSync(cwd)
      .filter((name) => name.startsWith('slurm-'))
      .map((name) => readFileSync(join(cwd, name), 'utf8'))
      .join('');

  it('runs the lines as a job array', async () => {
    const cwd = await printed();
    await slurm(cwd, submit('--wait'));
    expect(bytesIn(cwd)).toEqual(own.short);
    await expectRanked(cwd);
  });

  it('starts a requeued job again, which resumes its run', async () => {
    const cwd = await printed(STEPS);
    const job = await slurm(cwd, submit(''));
    await untilBegun(cwd, '0001');
    await slurm(cwd, `scontrol requeue ${job}_1`);
    // Slurm holds a requeued job back for two minutes, unless somebody has no patience.
    await slurm(cwd, `while [ -n "$(squeue --noheader)" ]; do scontrol update JobId=${job}_1 StartTime=now 2> update.log; sleep 0.5; done`);
    expect(logs(cwd)).toMatch(/resuming after step [\d,]+ in /);
    expect(bytesIn(cwd)).toEqual(own.long);
    await expectRanked(cwd, STEPS);
  });

  it('saves the runs of cancelled jobs, and a second array resumes them', async () => {
    const cwd = await printed(STEPS);
    const job = await slurm(cwd, submit(''));
    await untilBegun(cwd, '0001');
    await slurm(cwd, `scancel ${job}`);
    await slurm(cwd, 'while [ -n "$(squeue --noheader)" ]; do sleep 0.2; done');
    await slurm(cwd, submit('--wait'));
    expect(bytesIn(cwd)).toEqual(own.long);
    await expectRanked(cwd, STEPS);
  });

  it('with the same array twice, and xargs beside it, trains nothing twice', async () => {
    const cwd = await printed(STEPS);
    await slurm(cwd, submit(''));
    const [, beside] = await Promise.all([slurm(cwd, submit('--wait')), shell(cwd, "xargs -d '\\n' -n 1 -P 2 sh -c < runs.sh")]);
    expect(beside.exitCode).toBe(0);
    await slurm(cwd, 'while [ -n "$(squeue --noheader)" ]; do sleep 0.2; done');
    expect(logs(cwd) + beside.stdout).toMatch(/ is in use by process \d+ since | is done: validation /);
    expect(bytesIn(cwd)).toEqual(own.long);
    await expectRanked(cwd, STEPS);
  });

  it('ends with the tests: no daemon stays', async () => {
    const of = (pid: string) => execFileSync('ps', ['-o', 'args=', '-p', pid], { encoding: 'utf8' });
    const pids = ['controller', 'node', 'munged'].map((name) => readFileSync(join(directory, `${name}.pid`), 'utf8').trim());
    for (const pid of pids) expect(of(pid)).toContain(directory);
    await cluster.stop();
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

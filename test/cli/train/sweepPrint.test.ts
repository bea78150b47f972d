import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock } from '../../../src/node/lock.js';
import { MAIN, results } from '../../support/child.js';
import { NAMES, runCli, SMALL, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const GRID = ['sweep', '--vary', 'lr=0.1/0.2', '--vary', 'seed=1/2'];
const DIVERGES = ['--optimizer', 'adamw', '--weight-decay', '1000'];

/** A directory with names.txt. */
function withNames(): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  return cwd;
}

const sweep = (cwd: string, more: readonly string[] = [], train: readonly string[] = SMALL) =>
  runCli(cwd, [...GRID, ...more, '--', ...train]);

/** The printed lines. */
async function linesOf(cwd: string, more: readonly string[] = [], train: readonly string[] = SMALL): Promise<string[]> {
  const { exitCode, stdout, stderr } = await sweep(cwd, ['--print', ...more], train);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining(' in the directory ')]);
  return stdout.split('\n').slice(0, -1);
}

/** The words that a shell reads from a line. */
const wordsIn = (line: string) =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

/** Runs a line as an engine would: in a shell, and from another directory. */
const runLine = (line: string) => spawnSync('sh', ['-c', line], { cwd: '/', encoding: 'utf8' });

/** Trains the run of a line in this process. */
const trainLine = (cwd: string, line: string) => runCli(cwd, wordsIn(line).slice(2));

describe('sweep --print', () => {
  it('prints a line for each run, in a stable order, and trains nothing', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    const command = (run: string, lr: string, seed: string) =>
      `${process.execPath} ${MAIN} train --continue --out ${cwd}/sweep/${run} --data ${cwd}/names.txt --embedding 4 --hidden 8 --steps 50 --lr ${lr} --seed ${seed}`;
    expect(lines).toEqual([
      command('0001', '0.1', '1'),
      command('0002', '0.1', '2'),
      command('0003', '0.2', '1'),
      command('0004', '0.2', '2'),
    ]);
    expect(readdirSync(join(cwd, 'sweep'))).toEqual(['sweep.json']);
    expect(await linesOf(cwd)).toEqual(lines);
  });

  it('prints lines that a shell runs from any directory, and sweep then ranks what it would have trained itself', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    for (const line of lines) expect(runLine(line)).toMatchObject({ status: 0, stdout: expect.stringContaining('more names: ') });
    expect(await linesOf(cwd)).toEqual([]);
    const collected = await sweep(cwd);
    expect(collected.exitCode).toBe(0);
    expect(collected.stderr).toBe('4 runs in the directory sweep, 4 of them done; 1 at a time\n');
    const own = await sweep(cwd, ['--out', 'own']);
    const losses = (text: string) => text.replaceAll(/ +\d+\.\d {2}/g, ' ').replaceAll(/ +/g, ' ');
    expect(losses(collected.stdout)).toBe(losses(own.stdout));
    for (const run of ['0001', '0004']) expect(results(join(cwd, 'sweep', run))).toEqual(results(join(cwd, 'own', run)));
    expect(readFileSync(join(cwd, 'sweep/runs.jsonl'), 'utf8').split('\n')).toHaveLength(5);
  });

  it.each(["it's", 'two words', 'two\nlines', '-dash', '--data', 'é 漢字', '$HOME `id` "x"', '\x1b[31m\u202e', '%s\\n{}', 'a;b&c|d>e'])(
    'names files in a directory called %j',
    async (name) => {
      const cwd = join(tempDirectory(), name);
      writeNames(cwd, NAMES, `lists/${name}`);
      const lines = await linesOf(cwd, ['--out', name], [...SMALL, `--data=lists/${name}`]);
      expect(lines).toHaveLength(4);
      for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(wordsIn(lines[0]).slice(0, 8)).toEqual([
        ...[process.execPath, MAIN, 'train', '--continue', '--out', join(cwd, name, '0001'), '--data', join(cwd, 'lists', name)],
      ]);
      expect((await trainLine('/', lines[0])).exitCode).toBe(0);
      expect(await linesOf(cwd, ['--out', name], [...SMALL, `--data=lists/${name}`])).toEqual(lines.slice(1));
    },
  );

  it('refuses a file whose name ends with a newline, which no line can hold (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, NAMES, 'names\n');
    const refused = await sweep(cwd, ['--print'], ['--data', 'names\n']);
    expectRefusal(refused, 2, '--data names\\x0a ends with a newline, which no line for a POSIX shell can hold; rename it');
    expect(readdirSync(cwd)).toEqual(['names\n']);
  });

  it('leaves out runs that are done or have diverged, not those that were stopped or never saved', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd, [], [...SMALL, '--steps', '3000']);
    expect((await trainLine(cwd, lines[1])).exitCode).toBe(0);
    const stopped = await runCli(cwd, wordsIn(lines[2]).slice(2), { stop: { signal: 'SIGTERM', at: 20 } });
    expect(stopped.exitCode).toBe(143);
    put(cwd, 'sweep/0004/run.json', '{');
    expect(await linesOf(cwd, [], [...SMALL, '--steps', '3000'])).toEqual([lines[0], lines[2], lines[3]]);
    for (const line of lines) expect((await trainLine(cwd, line)).exitCode).toBe(0);
    expect(await linesOf(cwd, [], [...SMALL, '--steps', '3000'])).toEqual([]);
    const collected = await sweep(cwd, [], [...SMALL, '--steps', '3000']);
    expect(collected.exitCode).toBe(0);
    // A resumed run has no time of its own.
    expect(collected.stdout).toMatch(/ - {2}0003/);
  });

  it('takes a run that diverged for one that is done, and ranks it last', async () => {
    const cwd = withNames();
    const argv = ['sweep', '--vary', 'lr=1000/0.1', '--', ...SMALL, ...DIVERGES];
    const { stdout } = await runCli(cwd, [...argv.slice(0, 3), '--print', ...argv.slice(3)]);
    const [first, second] = stdout.split('\n');
    expect((await trainLine(cwd, first)).exitCode).toBe(5);
    expect((await runCli(cwd, [...argv.slice(0, 3), '--print', ...argv.slice(3)])).stdout).toBe(`${second}\n`);
    put(cwd, 'sweep/0002/other.txt', '');
    rmSync(join(cwd, 'sweep/0002'), { recursive: true });
    const ranked = await runCli(cwd, [...argv.slice(0, 3), '--collect', ...argv.slice(3)]);
    expect(ranked.stdout).toContain('diverged');
  });

  it('notes a run that is another than the planned one, and prints the others (1)', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    await runCli(cwd, ['train', ...SMALL, '--lr', '0.3', '--seed', '1', '--out', 'sweep/0003']);
    const { exitCode, stdout, stderr } = await sweep(cwd, ['--print']);
    expect([exitCode, stdout]).toEqual([1, [...lines.slice(0, 2), lines[3], ''].join('\n')]);
    expect(stderr).toContain('note: not printed: 0003 (--lr 0.2 --seed 1): --lr is 0.3, expected 0.2\n');
  });

  it('prints the words and the command of each run as one JSON document with --json', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    const { exitCode, stdout } = await sweep(cwd, ['--print', '--json']);
    const { commands, runs } = JSON.parse(stdout);
    expect([exitCode, runs]).toEqual([0, 4]);
    expect(commands.map(({ command }: { command: string }) => command)).toEqual(lines);
    expect(commands[0]).toMatchObject({ run: '0001', options: { lr: '0.1', seed: '1' }, words: wordsIn(lines[0]) });
  });

  it('gives the runs the number of threads that it is given', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    expect(lines.join()).not.toContain('--threads');
    for (const line of await linesOf(cwd, ['--threads', '3'])) expect(line).toContain(' --threads 3 ');
  });

  it('keeps names from a pipe in its directory, and --init by its path', async () => {
    const cwd = withNames();
    await runCli(cwd, ['train', ...SMALL, '--out', 'first']);
    const ninja = `${process.execPath} ${MAIN}`;
    const shared = '--steps 20 --data - --init first';
    const printed = execFileSync('sh', ['-c', `${ninja} sweep --vary lr=0.1 --print -- ${shared} < names.txt`], {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(printed).toContain(`--data ${cwd}/sweep/names.txt --steps 20 --init ${cwd}/first/checkpoint.safetensors --lr 0.1\n`);
    expect(runLine(printed).status).toBe(0);
    expect(
      execFileSync('sh', ['-c', `${ninja} sweep --vary lr=0.1 -- ${shared} < names.txt`], { cwd, encoding: 'utf8', stdio: 'pipe' }),
    ).toMatch(/^1 /m);
  });

  it.each<[string[], string]>([
    [['--print', '--collect'], '--print cannot be used with --collect'],
    [['--print', '--jobs', '2'], '--jobs cannot be used with --print; give it to the program that runs the commands'],
    [['--collect', '--threads', '2'], '--threads cannot be used with --collect, which trains nothing'],
    [['--collect', '--jobs', '2'], '--jobs cannot be used with --collect, which trains nothing'],
  ])('refuses %j (2)', async (more, message) => {
    const cwd = withNames();
    expectRefusal(await sweep(cwd, more), 2, message);
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });

  it('refuses a directory with another sweep, and one with other files, and trains nothing there', async () => {
    const cwd = withNames();
    const [line] = await linesOf(cwd);
    await trainLine(cwd, line);
    const before = snapshot(cwd);
    expectRefusal(await runCli(cwd, ['sweep', '--vary', 'lr=0.3', '--print', '--', ...SMALL]), 2, 'sweep holds another sweep: ');
    expect(snapshot(cwd)).toEqual(before);
    put(cwd, 'other/thesis.txt', '');
    expectRefusal(await sweep(cwd, ['--print', '--out', 'other']), 2, '--out other contains files, but no sweep');
  });
});

describe('the same sweep command ranks runs that others trained', () => {
  it('from a copy of the directory, with the data set in another place', async () => {
    const cwd = withNames();
    for (const line of await linesOf(cwd)) await trainLine(cwd, line);
    const here = await sweep(cwd);
    const other = tempDirectory();
    cpSync(join(cwd, 'sweep'), join(other, 'copied'), { recursive: true });
    mkdirSync(join(other, 'lists'));
    renameSync(join(cwd, 'names.txt'), join(other, 'lists', 'names.txt'));
    rmSync(join(cwd, 'sweep'), { recursive: true });
    const train = [...SMALL.slice(2), '--data=lists/names.txt'];
    const there = await sweep(other, ['--out', 'copied'], train);
    expect([there.exitCode, there.stderr]).toEqual([0, '4 runs in the directory copied, 4 of them done; 1 at a time\n']);
    const table = (text: string) => text.split('\nto repeat')[0];
    expect(table(there.stdout)).toBe(table(here.stdout));
  });

  it('and trains the rest of a copied directory there, under the lock of a process on another host', async () => {
    const cwd = withNames();
    const train = [...SMALL, '--steps', '3000'];
    const lines = await linesOf(cwd, [], train);
    await runCli(cwd, wordsIn(lines[0]).slice(2), { stop: { signal: 'SIGTERM', at: 20 } });
    const other = withNames();
    cpSync(join(cwd, 'sweep'), join(other, 'sweep'), { recursive: true });
    const owner = {
      pid: 7,
      host: 'node7',
      startedAt: 'then',
      processStart: '1',
      boot: 'b',
      pidNamespace: 'n',
      directory: '1:2',
      socket: null,
    };
    put(other, 'sweep/0001/lock', JSON.stringify({ ...owner, id: 'x' }));
    const { exitCode, stdout } = await sweep(other, [], train);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain('not ranked');
    await trainLine(cwd, lines[0]);
    expect(results(join(other, 'sweep/0001'))).toEqual(results(join(cwd, 'sweep/0001')));
  });

  it('not with other names (3)', async () => {
    const cwd = withNames();
    for (const line of await linesOf(cwd)) await trainLine(cwd, line);
    writeNames(cwd, [...NAMES, 'mina']);
    expectRefusal(await sweep(cwd), 3, 'the data set has changed since the sweep in sweep began');
  });

  it('and leaves out a run that another process trains (1), until it is done', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    const directory = join(cwd, 'sweep', '0002');
    mkdirSync(directory);
    const lock = await acquireLock(directory, '2020-01-01T00:00:00.000Z');
    const { exitCode, stdout } = await sweep(cwd);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      `\nnot ranked, because it has no result yet:\n  0002 (--lr 0.1 --seed 2): in use by process ${process.pid} since 2020-01-01T00:00:00.000Z\n`,
    );
    const { missing } = JSON.parse((await sweep(cwd, ['--json'])).stdout);
    expect(missing).toEqual([{ run: '0002', options: { lr: '0.1', seed: '2' }, reason: expect.stringContaining('in use by process') }]);
    lock.release();
    await trainLine(cwd, lines[1]);
    expect((await sweep(cwd)).stdout).not.toContain('not ranked');
  });
});

describe('sweep --collect', () => {
  it('ranks what is done, names the rest, and writes nothing', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    const none = await sweep(cwd, ['--collect']);
    expect([none.exitCode, none.stdout]).toEqual([1, expect.stringContaining('not ranked, because they have no result yet:\n  0001 ')]);
    for (const line of lines.slice(0, 2)) await trainLine(cwd, line);
    const before = snapshot(cwd);
    const { exitCode, stdout } = await sweep(cwd, ['--collect']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^1 +0\.1 .*0001 0002$/m);
    expect(stdout).toContain('\nnot ranked, because they have no result yet:\n  0003 (--lr 0.2 --seed 1): not done\n  0004 ');
    expect(snapshot(cwd)).toEqual(before);
  });

  it('ranks beside a sweep that is at work', async () => {
    const cwd = withNames();
    const lines = await linesOf(cwd);
    await trainLine(cwd, lines[0]);
    const lock = await acquireLock(join(cwd, 'sweep'), '2020-01-01T00:00:00.000Z');
    expect((await sweep(cwd, ['--collect'])).exitCode).toBe(0);
    expect(await linesOf(cwd)).toEqual(lines.slice(1));
    lock.release();
  });

  it('finds no sweep where none is (4)', async () => {
    const cwd = withNames();
    expectRefusal(
      await sweep(cwd, ['--collect']),
      4,
      'no sweep in sweep; leave --collect out to train its runs, or give --print to print them',
    );
    expect(existsSync(join(cwd, 'sweep'))).toBe(false);
  });
});

it('a report of a sweep includes the runs that others trained', async () => {
  const cwd = withNames();
  for (const line of (await linesOf(cwd)).slice(0, 3)) await trainLine(cwd, line);
  const { exitCode, stderr } = await runCli(cwd, ['report', 'sweep', '--print']);
  expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
  expect(readFileSync(join(cwd, 'sweep', 'report.html'), 'utf8')).toContain('3 of 4 runs done');
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { fakeIO, NAMES, ONE_ERROR_LINE, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A directory with names.txt. */
function withNames(): string {
  const directory = tempDirectory();
  writeNames(directory);
  return directory;
}

const GRID = ['sweep', '--vary', 'lr=0.05/0.2', '--vary', 'seed=1/2'];

const sweep = (directory: string, argv: readonly string[] = GRID, surroundings?: Surroundings) =>
  runCli(directory, [...argv, '--', ...SMALL], surroundings);

function results(directory: string): { run: string; options: Record<string, string>; valLoss: number }[] {
  return readFileSync(join(directory, 'sweep', 'runs.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('sweep', () => {
  it('trains every combination in its own run, writes a line for each, and prints them ranked', async () => {
    const directory = withNames();
    const { exitCode, stdout, stderr } = await sweep(directory);
    expect(exitCode).toBe(0);
    expect(
      results(directory)
        .map(({ options }) => `${options.lr} ${options.seed}`)
        .sort(),
    ).toEqual(['0.05 1', '0.05 2', '0.2 1', '0.2 2']);
    expect(stdout).toMatch(/^ +lr +validation +from +to +train +seconds +runs\n1 +0\.\d+ +(\d\.\d{4} +){4}\d+\.\d +\d{4} \d{4}\n2 /m);
    expect(stdout).toMatch(/\nto repeat the first: backprop-ninja train --data names\.txt .* --lr 0\.\d+ --seed \d\n$/);
    expect(stderr).toMatch(/^4 runs in the directory sweep; \d+ at a time\n1 \/ 4 {3}validation \d\.\d{4} {3}--lr 0\.\d+ --seed \d\n/);
    // train with the same options gives the same run.
    const alone = await runCli(directory, ['train', ...SMALL, '--lr', '0.2', '--seed', '2', '--out', 'alone', '--json']);
    const found = results(directory).find(({ options }) => options.lr === '0.2' && options.seed === '2');
    expect(found?.valLoss).toBe(JSON.parse(alone.stdout).valLoss);
  });

  it('prints the ranking as one JSON document with --json, without the test loss', async () => {
    const { stdout } = await sweep(withNames(), ['sweep', '--vary', 'hidden=4/8', '--json']);
    const { ranked } = JSON.parse(stdout);
    expect(ranked).toHaveLength(2);
    expect(ranked[0].valLoss).toBeLessThanOrEqual(ranked[1].valLoss);
    expect(stdout).not.toContain('test');
  });

  it('resumes after a signal, and trains nothing twice', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.1/0.2/0.3', '--jobs', '1'];
    // The sweep does not read the clock during its runs, so the signal is sent once the second run has its directory.
    const io = fakeIO(directory);
    let stop: ((signal: 'SIGTERM') => void) | undefined;
    io.onStop = (handler) => {
      stop = handler;
      return () => {};
    };
    const ended = run([...argv, '--', ...SMALL, '--steps', '3000'], io);
    while (!existsSync(join(directory, 'sweep', '0002'))) await new Promise((turn) => setTimeout(turn, 5));
    stop?.('SIGTERM');
    expect(await ended).toBe(143);
    expect(io.stderr.text).toMatch(/SIGTERM: 1 of 3 runs are done in sweep; the same command resumes the sweep\n$/);
    const [first] = results(directory);
    const again = await runCli(directory, [...argv, '--', ...SMALL, '--steps', '3000']);
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toContain('3 runs in the directory sweep, 1 of them done; 1 at a time\n');
    expect(results(directory)[0]).toEqual(first);
    expect(results(directory).map(({ run: name }) => name)).toEqual(['0001', '0002', '0003']);
    const third = await runCli(directory, [...argv, '--', ...SMALL, '--steps', '3000']);
    expect(third.stdout).toBe(again.stdout);
    expect(results(directory)).toHaveLength(3);
  });

  it('resumes runs of a preset', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.001/0.002', '--jobs', '1', '--', '--preset', 'fast', ...SMALL, '--steps', '2000'];
    const io = fakeIO(directory);
    let stop: ((signal: 'SIGTERM') => void) | undefined;
    io.onStop = (handler) => {
      stop = handler;
      return () => {};
    };
    const ended = run(argv, io);
    const checkpoint = join(directory, 'sweep', '0001', 'checkpoint.safetensors');
    while (!existsSync(checkpoint)) await new Promise((turn) => setTimeout(turn, 5));
    stop?.('SIGTERM');
    expect(await ended).toBe(143);
    const again = await runCli(directory, argv);
    expect(again.exitCode, again.stderr).toBe(0);
    expect(results(directory).map(({ run: name }) => name)).toEqual(['0001', '0002']);
  });

  it('ends its runs if it is killed, and they save', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.1', '--', ...SMALL, '--steps', '3000000'];
    const parent = spawn(process.execPath, [MAIN, ...argv], { cwd: directory, stdio: 'ignore' });
    const lock = join(directory, 'sweep', '0001', 'lock');
    const checkpoint = join(directory, 'sweep', '0001', 'checkpoint.safetensors');
    while (!existsSync(checkpoint)) await new Promise((turn) => setTimeout(turn, 5));
    const { mtimeMs } = statSync(checkpoint);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    while (existsSync(lock)) await new Promise((turn) => setTimeout(turn, 5));
    expect(statSync(checkpoint).mtimeMs).toBeGreaterThan(mtimeMs);
  });

  it('refuses a directory that holds anything else, and leaves it unchanged', async () => {
    const directory = withNames();
    const file = put(directory, 'sweep/0001/run.json', 'mine');
    const { exitCode, stderr } = await sweep(directory);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(`--out ${join(directory, 'sweep')} contains files, but no sweep; name another directory`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('does not resume with a data set that has changed', async () => {
    const directory = withNames();
    await sweep(directory, ['sweep', '--vary', 'lr=0.1']);
    writeNames(directory, [...NAMES, 'another']);
    const { exitCode, stderr } = await sweep(directory, ['sweep', '--vary', 'lr=0.1']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain('the data set has changed since the sweep in sweep began');
  });

  it('ends with 5 if every run diverges', async () => {
    const argv = ['sweep', '--vary', 'lr=1000', '--', ...SMALL, '--optimizer', 'adamw', '--weight-decay', '1000'];
    const { exitCode, stdout, stderr } = await runCli(withNames(), argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toMatch(/1 \/ 1 {3}diverged {3}--lr 1000\nerror: every run diverged; a lower --lr may help\n$/);
  });

  it('includes the seed in the command that repeats the best run', async () => {
    const { stdout } = await sweep(withNames());
    expect(stdout).toMatch(/\nto repeat the first: .* --lr 0\.\d+ --seed [12]\n$/);
  });

  it('removes an incomplete last line from its results, and trains that run again', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.1/0.2', '--jobs', '1'];
    await sweep(directory, argv);
    const whole = readFileSync(join(directory, 'sweep', 'runs.jsonl'), 'utf8');
    put(directory, 'sweep/runs.jsonl', whole.slice(0, -20));
    const { exitCode, stderr } = await sweep(directory, argv);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('1 of them done');
    expect(readFileSync(join(directory, 'sweep', 'runs.jsonl'), 'utf8').split('\n')).toHaveLength(3);
    expect(results(directory).map(({ run: name }) => name)).toEqual(['0001', '0002']);
  });

  it.each<[string[], string[], string]>([
    [['--vary', 'lr=fast'], [], "error: option '--lr <rate>' argument 'fast' is invalid"],
    [['--vary', 'lr=0.05,0.1'], [], 'is invalid. Expected a number above 0 up to 1000; --vary separates values by /, such as lr=0.05/0.1'],
    [['--vary', 'depth=1/2'], [], "error: unknown option '--depth'"],
    [['--vary', 'lr=0.1', '--vary', 'lr=0.2'], [], 'error: --vary lr is given twice'],
    [
      ['--vary', 'lr=0.1..0.2'],
      [],
      'error: --vary lr has a range, which a grid cannot cover; set the number of random samples with --random',
    ],
    [['--vary', 'out=a/b'], [], 'error: --out cannot be set for the runs of a sweep'],
    [['--vary', 'data=a/b'], [], 'error: --vary data: losses on different data sets cannot be ranked'],
    [['--vary', 'lr=0.1'], ['--', '--help'], 'error: --help cannot be set for the runs of a sweep'],
    [['--vary', 'momentum=0.8/0.9'], [], 'error: --momentum goes with --optimizer momentum or nesterov, not with sgd'],
    [['--vary', 'lr=0.1'], ['--', '--resume'], 'error: --resume cannot be set for the runs of a sweep'],
    [['--vary', 'lr=0.1'], ['--', 'words'], 'error: too many arguments'],
    [[], [], "error: required option '--vary <option=values>' not specified"],
  ])('refuses %j %j before anything is trained', async (argv, rest, message) => {
    const directory = withNames();
    const { exitCode, stdout, stderr } = await runCli(directory, ['sweep', ...argv, ...rest]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(message);
    expect(readdirSync(directory)).toEqual(['names.txt']);
  });

  it('refuses a directory with another sweep in it, and says which', async () => {
    const directory = withNames();
    await sweep(directory, ['sweep', '--vary', 'lr=0.1']);
    const { exitCode, stderr } = await sweep(directory, ['sweep', '--vary', 'lr=0.2']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(`sweep holds another sweep: --vary lr=0.1 -- ${SMALL.join(' ')}; name another directory with --out`);
  });

  it('refuses a data set that cannot be read before anything is trained', async () => {
    const directory = withNames();
    const { exitCode, stdout, stderr } = await runCli(directory, ['sweep', '--vary', 'lr=0.1/0.2', '--', '--data', 'nothing.txt']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toMatch(/^error: cannot read .*nothing\.txt.*\n$/);
    expect(readdirSync(directory)).toEqual(['names.txt']);
  });

  it("ends with a run's own error and its exit code", async () => {
    const argv = ['sweep', '--vary', 'batch-size=1048576', '--', ...SMALL, '--hidden', '4000'];
    const { exitCode, stdout, stderr } = await runCli(withNames(), argv, { env: { FORCE_COLOR: '1' } });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/the network needs .* of memory/);
  });
});

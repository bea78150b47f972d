import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { fakeIO, ONE_ERROR_LINE, runCli, SMALL, type Surroundings, writeNames } from './fakeIO.js';
import { put, tempDirectory } from './tempDirectory.js';

/** A directory with the names in it. */
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
  it('trains every combination in a run of its own, writes a line each, and prints them ranked', async () => {
    const directory = withNames();
    const { exitCode, stdout, stderr } = await sweep(directory);
    expect(exitCode).toBe(0);
    expect(
      results(directory)
        .map(({ options }) => `${options.lr} ${options.seed}`)
        .sort(),
    ).toEqual(['0.05 1', '0.05 2', '0.2 1', '0.2 2']);
    expect(stdout).toMatch(/^ +lr +validation +from +to +train +seconds +runs\n1 +0\.\d+ +(\d\.\d{4} +){4}\d+\.\d +\d{4} \d{4}\n2 /m);
    expect(stdout).toMatch(/\nthe first again: backprop-ninja train --data names\.txt .* --lr 0\.\d+\n$/);
    expect(stderr).toMatch(/^4 runs in the directory sweep; \d+ at a time\n1 \/ 4 {3}validation \d\.\d{4} {3}--lr 0\.\d+ --seed \d\n/);
    // Each is the run that train makes of the same options.
    const alone = await runCli(directory, ['train', ...SMALL, '--lr', '0.2', '--seed', '2', '--out', 'alone', '--json']);
    const found = results(directory).find(({ options }) => options.lr === '0.2' && options.seed === '2');
    expect(found?.valLoss).toBe(JSON.parse(alone.stdout).valLoss);
  });

  it('--json: the ranking as one document, without the test loss', async () => {
    const { stdout } = await sweep(withNames(), ['sweep', '--vary', 'hidden=4/8', '--json']);
    const { ranked } = JSON.parse(stdout);
    expect(ranked).toHaveLength(2);
    expect(ranked[0].valLoss).toBeLessThanOrEqual(ranked[1].valLoss);
    expect(stdout).not.toContain('test');
  });

  it('goes on after a signal, and trains nothing twice', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.1/0.2/0.3', '--jobs', '1'];
    // The clock is not looked at while runs are trained: the signal comes when the second run has its directory.
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
    expect(io.stderr.text).toMatch(/SIGTERM: 1 of 3 runs are done in sweep; the same command goes on with it\n$/);
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

  it('leaves out a torn last line of its results, and trains that run again', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.1/0.2', '--jobs', '1'];
    await sweep(directory, argv);
    const whole = readFileSync(join(directory, 'sweep', 'runs.jsonl'), 'utf8');
    put(directory, 'sweep/runs.jsonl', whole.slice(0, -20));
    const { exitCode, stderr } = await sweep(directory, argv);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('1 of them done');
  });

  it.each<[string[], string[], string]>([
    [['--vary', 'lr=fast'], [], "error: option '--lr <rate>' argument 'fast' is invalid"],
    [['--vary', 'lr=0.05,0.1'], [], 'is invalid. Expected a number above 0 up to 1000. --vary separates values by /, as lr=0.05/0.1.'],
    [['--vary', 'depth=1/2'], [], "error: unknown option '--depth'"],
    [['--vary', 'lr=0.1', '--vary', 'lr=0.2'], [], 'error: --vary lr is given twice'],
    [['--vary', 'lr=0.1..0.2'], [], 'error: --vary lr has a range, which a grid cannot walk'],
    [['--vary', 'out=a/b'], [], 'error: --out has no meaning for the runs of a sweep'],
    [['--vary', 'lr=0.1'], ['--', '--resume'], 'error: --resume has no meaning for the runs of a sweep'],
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

  it("a run's own error is said, with its exit code", async () => {
    const { exitCode, stdout, stderr } = await runCli(withNames(), ['sweep', '--vary', 'lr=0.1/0.2', '--', '--data', 'nothing.txt']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toMatch(/\nerror: cannot read .*nothing\.txt.*\n$/);
  });
});

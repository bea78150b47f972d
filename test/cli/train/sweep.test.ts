import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { run as runCommand } from '../../../src/cli/run.js';
import { HANGS } from '../../support/child.js';
import { fakeIO, NAMES, ONE_ERROR_LINE, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A directory with names.txt. */
function withNames(): string {
  const directory = tempDirectory();
  writeNames(directory);
  return directory;
}

/** Waits until a file or directory exists, or no longer exists. */
const exists = (path: string, expected = true) =>
  vi.waitFor(() => expect(existsSync(path)).toBe(expected), { timeout: HANGS, interval: 5 });

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
    const ended = runCommand([...argv, '--', ...SMALL, '--steps', '3000'], io);
    await exists(join(directory, 'sweep', '0002'));
    stop?.('SIGTERM');
    expect(await ended).toBe(143);
    // 1, or 2 if the second run ended before this process was given time again.
    const done = results(directory);
    expect(done.length).toBeLessThan(3);
    expect(io.stderr.text.split('\n').at(-2)).toBe(`SIGTERM: ${done.length} of 3 runs done in sweep; the same command resumes the sweep`);
    const again = await runCli(directory, [...argv, '--', ...SMALL, '--steps', '3000']);
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toContain(`3 runs in the directory sweep, ${done.length} of them done; 1 at a time\n`);
    expect(results(directory).slice(0, done.length)).toEqual(done);
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
    const ended = runCommand(argv, io);
    await exists(join(directory, 'sweep', '0001', 'checkpoint.safetensors'));
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
    await exists(checkpoint);
    const { mtimeMs } = statSync(checkpoint);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await exists(lock, false);
    expect(statSync(checkpoint).mtimeMs).toBeGreaterThan(mtimeMs);
  });

  it('refuses a directory that holds anything else, and leaves it unchanged', async () => {
    const directory = withNames();
    const file = put(directory, 'sweep/0001/run.json', 'mine');
    const { exitCode, stderr } = await sweep(directory);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain('--out sweep contains files, but no sweep; name another directory');
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

  it('removes an incomplete last line from its results, and takes that of the run itself', async () => {
    const directory = withNames();
    const argv = ['sweep', '--vary', 'lr=0.1/0.2', '--jobs', '1'];
    await sweep(directory, argv);
    const whole = readFileSync(join(directory, 'sweep', 'runs.jsonl'), 'utf8');
    put(directory, 'sweep/runs.jsonl', whole.slice(0, -20));
    const { exitCode, stderr } = await sweep(directory, argv);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('2 of them done');
    expect(readFileSync(join(directory, 'sweep', 'runs.jsonl'), 'utf8')).toBe(whole);
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
    [
      ['--vary', 'lr=0.1'],
      ['--', 'words'],
      "error: too many arguments: 'words' is no option of train; the options of train follow --, such as",
    ],
    [['--vary', 'lr=0.1', '0.2'], [], "error: too many arguments: '0.2' is no option of train; "],
    [['--vary', 'lr=0.1', '--steps', '50'], [], 'error: --steps is an option of train: put it after --, such as -- --steps <count>'],
    [['--vary', 'lr=0.1', '--data=x.txt'], [], 'error: --data is an option of train: put it after --'],
    [['--vary', 'lr=0.1', '--stepz', '50'], [], "error: unknown option '--stepz'"],
    [['--vary', 'lr=0.1/0.10'], [], 'error: --vary lr: 0.1 and 0.10 are the same value'],
    [['--vary', 'hidden=8/08'], [], 'error: --vary hidden: 8 and 08 are the same value'],
    [
      ['a', 'b', 'c'].flatMap((_, i) => [
        '--vary',
        `${['lr', 'seed', 'split-seed'][i]}=${Array.from({ length: 100 }, (_, j) => j + 1).join('/')}`,
      ]),
      [],
      'error: --vary gives 1,000,000 combinations, but a sweep has at most 10,000 runs; give fewer values, or draw some of the combinations with --random',
    ],
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

describe('sweep ranks only the runs that it planned', () => {
  const ARGV = ['sweep', '--vary', 'lr=0.1/0.2', '--jobs', '1'];
  const run = (directory: string, name: string, ...more: string[]) =>
    runCli(directory, ['train', ...SMALL, '--out', `sweep/${name}`, '--force', ...more]);

  async function swept(): Promise<string> {
    const directory = withNames();
    expect((await sweep(directory, ARGV)).exitCode).toBe(0);
    return directory;
  }

  it.each<[string, (directory: string) => unknown, string]>([
    ['a run with another setting', (directory) => run(directory, '0002', '--lr', '0.3'), '--lr is 0.3, expected 0.2'],
    [
      'a run with another seed and more',
      (directory) => run(directory, '0002', '--lr', '0.2', '--seed', '5', '--clip', '1'),
      '--clip is 1, expected none; --seed is 5, expected 2147483647',
    ],
    [
      'a run that was extended by hand',
      (directory) => runCli(directory, ['train', '--resume', 'sweep/0002', '--steps', '60']),
      '--steps is 60, expected 50',
    ],
    [
      'a run on other data',
      (directory) => {
        writeNames(directory, [...NAMES, 'mina'], 'other.txt');
        return run(directory, '0002', '--lr', '0.2', '--data', 'other.txt');
      },
      'it was trained on other data: SHA-256 ',
    ],
    ['another split', (directory) => run(directory, '0002', '--lr', '0.2', '--split-seed', '1'), '--split-seed is 1, expected 42'],
    [
      'a directory without a checkpoint',
      (directory) => rmSync(join(directory, 'sweep/0002/checkpoint.safetensors')),
      'its directory holds no checkpoint',
    ],
    ['a damaged checkpoint', (directory) => put(directory, 'sweep/0002/checkpoint.safetensors', 'x'.repeat(100)), 'not a safetensors file'],
    [
      'another loss in runs.jsonl',
      (directory) => {
        const path = join(directory, 'sweep', 'runs.jsonl');
        const lines = readFileSync(path, 'utf8').split('\n');
        lines[1] = lines[1].replace(/"valLoss":[\d.]+/, '"valLoss":0.5');
        put(directory, 'sweep/runs.jsonl', lines.join('\n'));
      },
      'its validation loss is 0.5 in runs.jsonl, but ',
    ],
  ])('%s is listed, not ranked (1)', async (_, change, problem) => {
    const directory = await swept();
    await change(directory);
    const { exitCode, stdout } = await sweep(directory, ARGV);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^1 +0\.1 .* 0001$/m);
    expect(stdout).not.toMatch(/^2 +/m);
    expect(stdout).toContain('\nnot ranked, because it is not the run of this sweep:\n  0002 (--lr 0.2): ');
    expect(stdout).toContain(problem);
    const json = await sweep(directory, [...ARGV, '--json']);
    expect([json.exitCode, JSON.parse(json.stdout)]).toMatchObject([
      1,
      { ranked: [{ options: { lr: '0.1' } }], differing: [{ run: '0002' }] },
    ]);
  });

  it('a directory that holds another run is not resumed, and keeps it', async () => {
    const directory = await swept();
    await run(directory, '0002', '--lr', '0.3', '--steps', '40');
    const path = join(directory, 'sweep', 'runs.jsonl');
    put(directory, 'sweep/runs.jsonl', `${readFileSync(path, 'utf8').split('\n')[0]}\n`);
    const before = readFileSync(join(directory, 'sweep/0002/checkpoint.safetensors'));
    const { exitCode, stdout } = await sweep(directory, ARGV);
    expect([exitCode, stdout]).toEqual([
      1,
      expect.stringContaining('0002 (--lr 0.2): --steps is 40, expected 50; --lr is 0.3, expected 0.2'),
    ]);
    expect(readFileSync(join(directory, 'sweep/0002/checkpoint.safetensors')).equals(before)).toBe(true);
  });

  it('a data file that changes during the sweep', async () => {
    const directory = withNames();
    const io = fakeIO(directory);
    const write = io.stderr.write.bind(io.stderr);
    io.stderr.write = (text) => {
      write(text);
      // The first run has ended, and the second is not started yet.
      if (text.startsWith('1 / 2 ')) writeNames(directory, [...NAMES, 'mina']);
    };
    expect(await runCommand([...ARGV, '--', ...SMALL], io)).toBe(1);
    expect(io.stdout.text).toMatch(/0002 \(--lr 0\.2\): it was trained on other data: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}\n/);
  });

  it('a sweep.json with other runs or an unknown key is refused (3)', async () => {
    const directory = await swept();
    const path = join(directory, 'sweep', 'sweep.json');
    const text = readFileSync(path, 'utf8');
    put(directory, 'sweep/sweep.json', text.replace('"lr": "0.2"', '"lr": "0.25"'));
    const other = await sweep(directory, ARGV);
    expect([other.exitCode, other.stderr]).toEqual([
      3,
      expect.stringContaining('sweep holds a sweep.json whose run 0002 is not that of its command'),
    ]);
    put(directory, 'sweep/sweep.json', text.replace('"seed": 1', '"seed": 1, "vry": []'));
    const unknown = await sweep(directory, ARGV);
    expect([unknown.exitCode, unknown.stderr]).toEqual([3, expect.stringContaining('unknown key vry; did you mean vary?')]);
  });

  it('losses on different splits are ranked per split, not together (1)', async () => {
    const directory = withNames();
    const { exitCode, stdout } = await sweep(directory, ['sweep', '--vary', 'split-seed=1/2', '--vary', 'lr=0.1/0.2']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^with --split-seed 1:\n(.*\n){3}\nwith --split-seed 2:\n(.*\n){3}\nnot ranked together: --split-seed changes which names are held out/m,
    );
    expect(stdout).not.toContain('to repeat the first');
    const json = await sweep(directory, ['sweep', '--vary', 'split-seed=1/2', '--vary', 'lr=0.1/0.2', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ranked: [],
      splits: [{ split: { 'split-seed': '1' } }, { split: { 'split-seed': '2' } }],
    });
  });

  it('says that there are fewer combinations than were asked for', async () => {
    const { exitCode, stderr, stdout } = await sweep(withNames(), ['sweep', '--vary', 'lr=0.1/0.2', '--random', '9', '--json']);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('note: 9 runs were asked for, but there are only 2 combinations\n')]);
    expect(JSON.parse(stdout)).toMatchObject({ asked: 9, runs: 2 });
  });
});

// What the system refuses, and what is no plain file, on the command line. The titles are the cases of docs/promises.md.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAIN, startNinja } from '../support/child.js';
import { runCli, SMALL, trainSmall, writeNames } from '../support/fakeIO.js';
import { expectRefusal, ninja } from '../support/faults.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';
import { NAMES_SHAPE, weightsFile, weightTensors } from '../support/weights.js';

const onLinux = existsSync('/proc/self/stat');

describe.runIf(onLinux)('a working directory that was deleted (4)', () => {
  function inDeleted(...argv: string[]) {
    const script = 'mkdir gone && cd gone && rmdir "$PWD" && exec "$@"';
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', process.execPath, MAIN, ...argv], {
      cwd: tempDirectory(),
      encoding: 'utf8',
    });
    return { exitCode: status as number, stdout, stderr };
  }

  it.each([['train', '--steps', '5'], ['sample'], ['eval', 'run'], ['exercise', 'start'], ['sweep', '--vary', 'lr=0.1']])(
    '%s',
    (...argv) => {
      expectRefusal(inDeleted(...argv), 4, 'the working directory cannot be read: it was deleted', 'change to another directory');
    },
  );

  it.each([['--version'], ['--help'], ['train', '--help']])('is no matter to %s', (...argv) => {
    const { exitCode, stdout, stderr } = inDeleted(...argv);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).not.toBe('');
  });
});

describe.runIf(onLinux)('address space that is limited, no JIT: what is needed (4)', () => {
  it('ulimit -v', () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const refused = ninja(cwd, ['train', ...SMALL], { shellLimit: 'ulimit -v 4000000' });
    expectRefusal(refused, 4, 'no memory for the network', "if the address space is limited ('ulimit -v'), allow 16 GiB more");
    // A limit under which the network fits, but no further thread.
    const { exitCode, stderr } = ninja(cwd, ['train', ...SMALL], { shellLimit: 'ulimit -v 24000000' });
    expect(exitCode, stderr).toBe(0);
  });

  it('--jitless', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--jitless', MAIN, 'train', '--steps', '5'], {
      cwd: tempDirectory(),
      encoding: 'utf8',
    });
    const lines = stderr.split('\n').filter((line) => !line.startsWith('Warning:'));
    expectRefusal({ exitCode: status as number, stdout, stderr: lines.join('\n') }, 4, 'WebAssembly, which is switched off', '--jitless');
  });
});

describe.runIf(onLinux)('few open files: the limit is named (4)', () => {
  // With 20, Node 24 itself cannot start; with 36, everything works.
  const FEW = [22, 24, 26, 28, 30, 32];

  it.each(FEW)('ulimit -n %i', (limit) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    runInProcess(['exercise', 'start']);
    for (const argv of [
      ['train', ...SMALL, '--out', 'run'],
      ['exercise', 'check', '1'],
      ['sweep', '--vary', 'lr=0.1', '--out', 'swept', '--', ...SMALL],
    ]) {
      const { exitCode, stderr } = runInProcess(argv, `ulimit -n ${limit}`);
      // 0 and 1 where so many files are enough, which is the Node version's matter.
      expect([0, 1, 4], stderr).toContain(exitCode);
      if (exitCode === 4) expect(stderr).toMatch(/^error: .*too many open files/m);
      expect(stderr).not.toMatch(/^ {4}at /m);
    }

    function runInProcess(argv: string[], shellLimit?: string) {
      return ninja(cwd, argv, { ...(shellLimit !== undefined && { shellLimit }) });
    }
  });
});

const READ_ONLY = 'mkdir ro && mount --bind ro ro && mount -o remount,ro,bind ro && exec "$@"';
const mayMount = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true']).status === 0;

describe.runIf(mayMount)('a read-only file system is named, wherever the first missing directory is (4)', () => {
  it.each([
    ['train', ...SMALL, '--out', 'ro'],
    ['train', ...SMALL, '--out', 'ro/run'],
    ['train', ...SMALL, '--out', 'ro/a/b/run'],
    ['sweep', '--vary', 'lr=0.1', '--out', 'ro/a/sweep', '--', ...SMALL],
    ['exercise', 'start', 'ro/dojo'],
  ])('%s %s %s %s', (...argv) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c', READ_ONLY, 'sh'];
    const { status, stdout, stderr } = spawnSync('unshare', [...unshare, process.execPath, MAIN, ...argv], { cwd, encoding: 'utf8' });
    expectRefusal({ exitCode: status as number, stdout, stderr }, 4, 'ro', 'the file system is read-only');
  });
});

describe.runIf(process.platform !== 'win32')('SIGUSR1 opens no debugger (0)', () => {
  it('while it trains', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const child = startNinja(['train', ...SMALL, '--steps', '1000000000', '--eval-every', '1000000000', '--out', 'run'], { cwd });
    await child.says(/writing run\n/);
    child.kill('SIGUSR1');
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGINT');
    const { exitCode, stderr } = await child.ended;
    expect(exitCode).toBe(130);
    expect(stderr).not.toMatch(/debugger/i);
  });
});

describe.runIf(process.platform !== 'win32')(
  'a pipe, a device, a link in a loop or to nowhere where a run or a directory is expected (2 / 3 / 4)',
  () => {
    const PLACES: [string, (path: string) => void][] = [
      ['a pipe', (path) => void spawnSync('mkfifo', [path])],
      ['a link to a device', (path) => symlinkSync('/dev/zero', path)],
      ['a link in a loop', (path) => symlinkSync(path, path)],
      ['a link to nowhere', (path) => symlinkSync('nowhere', path)],
    ];
    const COMMANDS: string[][] = [
      ['train', ...SMALL, '--out', 'it'],
      ['train', ...SMALL, '--out', 'it', '--force'],
      ['train', '--resume', 'it'],
      ['sweep', '--vary', 'lr=0.1', '--out', 'it', '--', ...SMALL],
      ['sample', 'it'],
      ['eval', 'it'],
      ['replay', 'it'],
      ['diff', 'it', 'it'],
      ['grad-check', '--against', 'it'],
      ['import', 'it'],
      ['import', 'weights', '--data', 'names.txt', '--out', 'it', '--force'],
      ['train', ...SMALL, '--init', 'it'],
      ['exercise', 'start', 'it'],
    ];

    it.each(PLACES)('%s', async (_, make) => {
      for (const argv of COMMANDS) {
        const cwd = tempDirectory();
        writeNames(cwd);
        put(cwd, 'weights', weightsFile(weightTensors(NAMES_SHAPE)));
        make(join(cwd, 'it'));
        const { ino } = lstatSync(join(cwd, 'it'));
        const { exitCode, stdout, stderr } = await runCli(cwd, argv);
        expect([2, 3, 4], `${argv.join(' ')}: ${stderr}`).toContain(exitCode);
        expect(stdout).toBe('');
        expect(stderr).toMatch(/^error: .*\bit\b/m);
        expect(lstatSync(join(cwd, 'it')).ino).toBe(ino);
      }
    });
  },
);

describe.runIf(process.platform !== 'win32')(
  "links and pipes in somebody else's run directory: nothing outside it is written, and nothing waits",
  () => {
    const RUN_FILES = ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl', 'run.json', 'init.safetensors', 'lock'];
    const FILES = [...RUN_FILES, 'sweep.json', 'runs.jsonl'];

    /** A directory of a finished run in which one file is a link to a file outside, with the file's content. */
    async function withLink(name: string): Promise<{ cwd: string; victim: string }> {
      const cwd = tempDirectory();
      await trainSmall(cwd);
      put(cwd, 'weights', weightsFile(weightTensors(NAMES_SHAPE)));
      const path = join(cwd, 'run', name);
      const victim = put(cwd, 'victim', existsSync(path) ? readFileSync(path) : 'mine');
      spawnSync('ln', ['-sfn', '../victim', path]);
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      return { cwd, victim };
    }

    it.each(FILES)('%s is a link to a file outside', async (name) => {
      const { cwd, victim } = await withLink(name);
      const before = readFileSync(victim, 'latin1');
      for (const argv of [
        ['train', '--resume', 'run', '--steps', '70'],
        ['train', ...SMALL, '--out', 'run', '--force'],
        ['sweep', '--vary', 'lr=0.1', '--out', 'run', '--', ...SMALL],
        ['train', ...SMALL, '--init', 'weights', '--out', 'run', '--force'],
        ['import', 'weights', '--data', 'names.txt', '--out', 'run', '--force'],
      ]) {
        const { exitCode, stderr } = await runCli(cwd, argv);
        expect([0, 2, 3, 4], stderr).toContain(exitCode);
        expect(readFileSync(victim, 'latin1') === before, `${argv.join(' ')}: ${stderr}`).toBe(true);
      }
    });

    it.each(FILES)('%s is a pipe', async (name) => {
      const cwd = tempDirectory();
      await trainSmall(cwd);
      spawnSync('sh', ['-c', 'rm -f "$1"; mkfifo "$1"', 'sh', join(cwd, 'run', name)]);
      for (const argv of [
        ['train', '--resume', 'run', '--steps', '70'],
        ['sample', 'run'],
        ['replay', 'run'],
        ['diff', 'run', 'run'],
      ]) {
        const { exitCode, stderr } = await runCli(cwd, argv);
        expect([0, 1, 4], `${argv.join(' ')}: ${stderr}`).toContain(exitCode);
      }
    });

    it('files of exercises are links: exercise start leaves them and their targets alone', async () => {
      const cwd = tempDirectory();
      const victim = put(cwd, 'victim', 'mine');
      mkdirSync(join(cwd, 'dojo'));
      for (const name of ['README.md', 'tsconfig.json', 'exercise1.ts']) symlinkSync('../victim', join(cwd, 'dojo', name));
      symlinkSync('../none', join(cwd, 'dojo', 'exercise2.ts'));
      await runCli(cwd, ['exercise', 'start']);
      await runCli(cwd, ['exercise', 'reset', '1']);
      expect(readFileSync(victim, 'utf8')).toBe('mine');
      expect(existsSync(join(cwd, 'none'))).toBe(false);
    });
  },
);

describe('a runs/latest that is no link stays, with a note (0)', () => {
  it.each(['a directory', 'a file'])('%s', async (kind) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    if (kind === 'a file') put(cwd, join('runs', 'latest'), 'mine');
    else mkdirSync(join(cwd, 'runs', 'latest'), { recursive: true });
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL]);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain(
      `note: runs/latest is ${kind}, not a link to the newest run; rename it; to use this run, name its directory\n`,
    );
    expect(snapshot(cwd)['runs/latest']).toBe(kind === 'a file' ? 'mine' : '');
    expectRefusal(await runCli(cwd, ['sample']), 4, `runs/latest is ${kind}, not a link to the newest run`);
  });
});

/** Two trainers in two process namespaces, as in two containers that share a directory. Skipped where the system allows no namespaces. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { type Child, MAIN, start, untilItListens } from '../support/child.js';
import { SMALL, writeNames } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

const UNSHARE = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
const isPossible = spawnSync('unshare', [...UNSHARE, '--mount-proc', 'true']).status === 0;
const LONG = [...SMALL, '--steps', '1000000000', '--eval-every', '1000000000', '--save-every', '1000', '--out', 'run'];

/** Ways to run a command: here, or in a namespace of its own. */
const PLACES: Record<string, string[]> = {
  here: [],
  'in a namespace': ['unshare', ...UNSHARE, '--mount-proc'],
  'in a namespace with another host name and network': [
    'unshare',
    ...UNSHARE,
    '--uts',
    '--mount-proc',
    'sh',
    '-c',
    'hostname elsewhere; exec "$@"',
    'sh',
  ],
  'in a namespace that sees the processes of another': ['unshare', ...UNSHARE],
};

let cwd: string;
beforeEach(() => {
  cwd = tempDirectory();
  writeNames(cwd);
});

function train(place: string, argv: readonly string[]): Child {
  const [file, ...args] = [...PLACES[place], process.execPath, MAIN, 'train', ...argv];
  return start(file, args, { cwd });
}

function childOf(pid: number): number | undefined {
  const { stdout } = spawnSync('pgrep', ['--parent', String(pid)], { encoding: 'utf8' });
  return stdout.trim().split('\n').filter(Boolean).map(Number)[0];
}

/** The process that trains, by its number here: the first process of a namespace runs the program in a child. */
function programOf({ pid }: Child): number {
  for (let found = pid; ; ) {
    const inner = childOf(found);
    if (inner === undefined) return found;
    found = inner;
  }
}

const PAIRS = Object.keys(PLACES).flatMap((first) => Object.keys(PLACES).map((second) => [first, second] as const));

describe.runIf(isPossible)('two trainers in one directory', () => {
  it.each(PAIRS)(
    'one %s, one %s: the second is refused while the first lives, runs or is stopped, and not once it was killed',
    async (one, two) => {
      const first = train(one, LONG);
      await first.says(/writing run\n/);
      const before = readFileSync(join(cwd, 'run', 'lock'), 'utf8');
      const expectRefused = async () => {
        const { exitCode, stderr } = await train(two, ['--resume', 'run']).ended;
        expect({ exitCode, stderr }).toEqual({
          exitCode: 4,
          stderr: expect.stringMatching(/run is in use: process \d+ .*has been training there since/),
        });
        expect(readFileSync(join(cwd, 'run', 'lock'), 'utf8')).toBe(before);
      };
      await expectRefused();
      const program = programOf(first);
      process.kill(program, 'SIGSTOP');
      await expectRefused();
      process.kill(program, 'SIGCONT');
      process.kill(program, 'SIGKILL');
      await first.ended;
      expect(existsSync(join(cwd, 'run', 'lock'))).toBe(true);
      const second = train(two, ['--resume', 'run']);
      await second.says(/resuming after|writing run/);
      // It did not wait for a heartbeat.
      expect(second.output()).not.toContain('waiting');
      process.kill(programOf(second), 'SIGINT');
      expect((await second.ended).stderr).toMatch(/saved after step/);
      expect(loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).state.step).toBeGreaterThan(0);
    },
  );

  it('a copy of the directory is taken over after ten silent seconds, though the first lives', async () => {
    const first = train('in a namespace', LONG);
    await first.says(/writing run\n/);
    cpSync(join(cwd, 'run'), join(cwd, 'copy'), { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const second = train('here', ['--resume', 'copy']);
    await second.says(/note: .*copy is locked by process \d+ on .*; waiting 10 s for a sign that it is alive/);
    await second.says(/resuming after|writing copy/);
    second.kill('SIGINT');
    expect((await second.ended).exitCode).toBe(130);
    process.kill(programOf(first), 'SIGINT');
    await first.ended;
  });
});

describe.runIf(isPossible)('a signal to the first process of a container', () => {
  const COMMANDS = {
    'bench, which computes without a pause': ['bench', '--seconds', '100', '--data', 'names.txt'],
    'grad-check, which computes without a pause': ['grad-check', '--entries', 'all'],
    'lr-find, which hears the signal': ['lr-find', '--data', 'names.txt', '--steps', '1000000', '--hidden', '300'],
    'train --data -, which waits for input': ['train', '--data', '-'],
  };
  const SIGNALS = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const;
  const CASES = Object.keys(COMMANDS).flatMap((name) => SIGNALS.map((signal) => [...signal, name as keyof typeof COMMANDS] as const));

  function startFirst(argv: readonly string[]): Child {
    return start('unshare', [...UNSHARE, '--mount-proc', process.execPath, MAIN, ...argv], { cwd });
  }

  /** Waits for the first process, and for the child in which it runs the program. */
  async function firstProcess(child: Child): Promise<number> {
    let hasEnded = false;
    void child.ended.then(() => {
      hasEnded = true;
    });
    while (!hasEnded) {
      const first = childOf(child.pid);
      if (first !== undefined && childOf(first) !== undefined) return first;
      await sleep(20);
    }
    throw new Error(`it ended before it started a child: ${child.output()}`);
  }

  it.each(CASES)('%s ends with %i: %s', async (signal, exitCode, name) => {
    const child = startFirst(COMMANDS[name]);
    const first = await firstProcess(child);
    await untilItListens(first);
    await sleep(1000);
    process.kill(first, signal);
    expect(await child.ended).toMatchObject({ exitCode, stdout: '' });
  });

  it('saves, and the exit code of a refusal is passed on', async () => {
    const child = startFirst(['train', ...LONG]);
    await child.says(/writing run\n/);
    process.kill(await firstProcess(child), 'SIGTERM');
    expect(await child.ended).toMatchObject({ exitCode: 143, stderr: expect.stringMatching(/SIGTERM: saved after step/) });
    expect(await startFirst(['train', '--steps', 'x']).ended).toMatchObject({ exitCode: 2 });
  });

  it('a second signal ends it while the first one is handled', async () => {
    // A step of this network takes seconds.
    const child = startFirst([...['train', '--data', 'names.txt', '--hidden', '2000,2000', '--batch-size', '4096', '--out', 'run']]);
    await child.says(/writing run\n/);
    const first = await firstProcess(child);
    await sleep(500);
    process.kill(first, 'SIGINT');
    await sleep(20);
    process.kill(first, 'SIGTERM');
    expect((await child.ended).exitCode).toSatisfy((code) => code === 143 || code === 130);
  });
});

it.skipIf(isPossible)('needs unshare and user namespaces, which this system does not allow: skipped', () => {});

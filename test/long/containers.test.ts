/** Two trainers in two process namespaces, as in two containers that share a directory. Skipped where the system allows no namespaces. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { type Child, MAIN, start } from '../support/child.js';
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

/** The process of the program itself, by its number here. */
function programOf(child: Child): number {
  const { stdout } = spawnSync('pgrep', ['--parent', String(child.pid)], { encoding: 'utf8' });
  const inner = stdout.trim().split('\n').filter(Boolean).map(Number);
  return inner.length > 0 ? inner[0] : child.pid;
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
      const start = performance.now();
      const second = train(two, ['--resume', 'run']);
      await second.says(/resuming after|writing run/);
      // Ten seconds would be the time of the heartbeat.
      expect(performance.now() - start).toBeLessThan(9000);
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

it.skipIf(isPossible)('needs unshare and user namespaces, which this system does not allow: skipped', () => {});

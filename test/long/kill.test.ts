/** kill -9 at random moments: no saved step is lost, and the resumed run ends with the bytes of an uninterrupted one. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../src/core/random.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { type Ended, ninja, RESULTS, results, startNinja } from '../support/child.js';
import { writeNames } from '../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot } from '../support/tempDirectory.js';

const KILLS = 120;
const KILLS_IN_START = 30;
const TIME_LIMIT = 240_000;

const SHAPE = ['--data', 'names.txt', '--hidden', '8', '--embedding', '2', '--batch-size', '4'];
/** Often enough that saving takes about as long as training. */
const SAVES = ['--save-every', '5'];
const EVERY = ['--eval-every', '7', ...SAVES];
const COMMAND = ['train', ...SHAPE, '--steps', '40000', ...EVERY, '--force'];
/** Too long to finish before it is killed. */
const SHORT = ['train', ...SHAPE, '--steps', '1500', ...EVERY, '--force'];

describe('a run that is killed again and again', () => {
  let cwd: string;
  let run: string;
  let checkpoint: string;
  let expected: Record<string, string>;
  /** Another run, in the directory that the killed one will use. */
  let older: Record<string, string>;

  const toTheEnd = async (argv: readonly string[]) => {
    const { exitCode, stderr } = await ninja(argv, { cwd, timeout: TIME_LIMIT });
    expect(exitCode, stderr).toBe(0);
  };

  beforeAll(async () => {
    cwd = makeDirectory();
    writeNames(cwd);
    run = join(cwd, 'run');
    checkpoint = join(run, 'checkpoint.safetensors');
    await toTheEnd([...COMMAND, '--out', 'uninterrupted']);
    expected = results(join(cwd, 'uninterrupted'));
    await toTheEnd(['train', ...SHAPE, '--steps', '100', '--seed', '2', '--out', 'run']);
    older = snapshot(run);
    return () => removeDirectory(cwd);
  }, TIME_LIMIT);

  const random = randomStream('sampling', 'kill -9');
  const hasBegun = () => readFileSync(checkpoint, 'latin1') !== older['checkpoint.safetensors'];
  /** The command that a user would type next. */
  const next = () => (hasBegun() ? ['train', '--resume', 'run', ...SAVES] : [...COMMAND, '--out', 'run']);

  /** From the start of a process to its first step, in milliseconds. */
  let startup = 200;

  /**
   * Starts the program and kills it.
   * @param inStart the share of kills during its start; the others come during training
   */
  async function startAndKill(argv: readonly string[], inStart = 1 / 3): Promise<Ended> {
    const startedAt = performance.now();
    const child = startNinja(argv, { cwd });
    if (random() < inStart) await sleep(random() * startup);
    else {
      await child.says(/ characters\n/);
      startup = performance.now() - startedAt;
      await sleep(random() * 200);
    }
    child.kill('SIGKILL');
    return child.ended;
  }

  function putOlder(): void {
    rmSync(run, { recursive: true });
    for (const [name, bytes] of Object.entries(older)) put(run, name, Buffer.from(bytes, 'latin1'));
  }

  function expectResults(expected: Record<string, string>): void {
    const found = results(run);
    for (const name of RESULTS) expect(found[name] === expected[name], `${name} has the expected bytes`).toBe(true);
  }

  /** Expects these results, and neither a lock nor a temporary file. */
  function expectEnd(expected: Record<string, string>): void {
    expectResults(expected);
    expect(readdirSync(run).sort()).toEqual([...RESULTS, 'run.json'].sort());
  }

  it(
    `keeps a whole checkpoint through ${KILLS} kills at random moments, and ends with the bytes of an uninterrupted run`,
    async () => {
      let temporary = 0;
      let step = 0;
      for (let kills = 0; kills < KILLS; ) {
        const { exitCode, signal, stderr } = await startAndKill(next());
        if (exitCode === 0) {
          // A fast machine finished first: start again.
          expectEnd(expected);
          putOlder();
          step = 0;
          continue;
        }
        expect(signal, stderr).toBe('SIGKILL');
        kills++;
        if (readdirSync(run).some((name) => name.endsWith('.tmp'))) temporary++;
        const { state } = loadCheckpoint(checkpoint);
        if (hasBegun()) {
          expect(state.step, 'no saved step is lost').toBeGreaterThanOrEqual(step);
          step = state.step;
        }
        const best = join(run, 'best.safetensors');
        if (existsSync(best)) loadCheckpoint(best);
      }
      expect(temporary, 'some kills interrupt a write').toBeGreaterThan(0);
      await toTheEnd(next());
      expectEnd(expected);
    },
    TIME_LIMIT,
  );

  it(
    `keeps the older run until the new one has saved its first checkpoint, through ${KILLS_IN_START} kills soon after its start`,
    async () => {
      putOlder();
      await toTheEnd([...SHORT, '--out', 'short']);
      const expected = results(join(cwd, 'short'));
      const times = { before: 0, after: 0 };
      for (let kill = 0; kill < KILLS_IN_START; kill++) {
        putOlder();
        const { exitCode } = await startAndKill([...SHORT, '--out', 'run'], 0.9);
        if (hasBegun()) times.after++;
        else {
          times.before++;
          expectResults(older);
          expect(readFileSync(join(run, 'run.json'), 'latin1') === older['run.json'], 'run.json has not changed').toBe(true);
        }
        if (exitCode !== 0) await toTheEnd(hasBegun() ? ['train', '--resume', 'run', ...SAVES] : [...SHORT, '--out', 'run']);
        expectEnd(expected);
      }
      expect(Math.min(times.before, times.after), `${times.before} before, ${times.after} after the first save`).toBeGreaterThan(0);
    },
    TIME_LIMIT,
  );
});

/** How fast a large network obeys a signal, in every phase of its life. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { MAIN, ninja, start, startNinja, stopwatch, untilItListens } from '../support/child.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

/** A step takes 7 ms, a calibration 15 s, the report 10 s. */
const LARGE = ['train', '--hidden', '700,700,700'];
const TRIES = [0, 1, 2, 3, 4];
/** Milliseconds until a signal has acted, and until the second one has. */
const FIRST = 1000;
const SECOND = 200;
/** A busy disk may delay one try, not three. */
const OPTIONS = { retry: 2 };

let cwd: string;

beforeAll(async () => {
  cwd = makeDirectory();
  expect((await ninja([...LARGE, '--steps', '1', '--out', 'finished'], { cwd, timeout: 550_000 })).exitCode).toBe(0);
  return () => removeDirectory(cwd);
});

/** What to run, what it says at the beginning of the phase, and the milliseconds from there in which it is in that phase. */
const PHASES = [
  ['training', [...LARGE, '--out', 'run', '--force'], / writing run/, 4000],
  ['calibration', [...LARGE, '--steps', '1', '--out', 'run', '--force'], / writing run/, 6000],
  ['evaluation', ['eval', 'finished', '--split', 'train'], undefined, 3000],
  ['report', ['train', '--resume', 'finished'], / done in finished/, 5000],
] as const;

describe.each(PHASES)('a signal during %s', (phase, argv, begins, length) => {
  async function inPhase(attempt: number) {
    const child = startNinja(argv, { cwd });
    if (begins) await child.says(begins);
    await untilItListens(child.pid);
    await sleep(100 + (length * attempt) / TRIES.length);
    return child;
  }

  it.each(TRIES)(`acts within ${FIRST} ms (%i)`, OPTIONS, async (attempt) => {
    const child = await inPhase(attempt);
    const elapsed = stopwatch(child.pid);
    child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await child.ended;
    expect(elapsed()).toBeLessThan(FIRST);
    expect({ exitCode, stdout }).toEqual({ exitCode: 143, stdout: '' });
    if (phase === 'evaluation') return;
    const run = phase === 'report' ? 'finished' : 'run';
    expect(existsSync(join(cwd, run, 'lock'))).toBe(false);
    const [, step] = stderr.match(/SIGTERM: (?:saved after step|all) ([\d,]+)/) ?? [];
    expect(loadCheckpoint(join(cwd, run, 'checkpoint.safetensors')).state.step).toBe(Number(step?.replaceAll(',', '')));
  });

  it.each([0, 5, 40])(`ends it within ${SECOND} ms when a second one follows after %i ms`, OPTIONS, async (gap) => {
    const child = await inPhase(2);
    child.kill('SIGINT');
    await sleep(gap);
    const elapsed = stopwatch(child.pid);
    child.kill('SIGTERM');
    const { exitCode, signal } = await child.ended;
    expect(elapsed()).toBeLessThan(SECOND);
    expect(signal ?? exitCode).toSatisfy((end) => ['SIGTERM', 'SIGINT', 130, 143].includes(end));
    if (phase !== 'evaluation') loadCheckpoint(join(cwd, phase === 'report' ? 'finished' : 'run', 'checkpoint.safetensors'));
  });
});

describe('a command that has nothing to save', () => {
  it.each([
    ['bench', ['bench', '--hidden', '700,700', '--seconds', '60']],
    ['grad-check', ['grad-check', '--entries', 'all']],
    ['mutants', ['mutants']],
    ['lr-find', ['lr-find', '--hidden', '700,700,700', '--batch-size', '2048']],
    ['replay', ['replay', 'finished']],
    ['sample', ['sample', 'finished', '--count', '1000000']],
    ['train --mutant', ['train', '--mutant', 'dbnraw-gain-forgotten', '--hidden', '700']],
  ])('%s ends at once', OPTIONS, async (_, argv) => {
    // Its output is not read here: a full pipe must not delay it either.
    const child = start('bash', ['-c', 'exec "$@" >/dev/null', 'bash', process.execPath, MAIN, ...argv], { cwd });
    await sleep(700);
    const elapsed = stopwatch(child.pid);
    child.kill('SIGTERM');
    const { exitCode, signal } = await child.ended;
    expect(elapsed()).toBeLessThan(FIRST);
    expect(signal ?? exitCode).toSatisfy((end) => end === 'SIGTERM' || end === 143 || (argv[0] === 'replay' && end === 0));
  });
});

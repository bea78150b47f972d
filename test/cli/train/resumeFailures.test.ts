import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { restoreStream } from '../../../src/core/random.js';
import { drawBatch } from '../../../src/data/batch.js';
import { createDataset, createExamples } from '../../../src/data/dataset.js';
import type { Model } from '../../../src/network/arrays.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { restoreModel } from '../../../src/run/checkpoint.js';
import { HANGS } from '../../support/child.js';
import { fakeIO, NAMES, type Outcome, runCli, writeNames } from '../../support/fakeIO.js';
import {
  checkpointOf,
  computed,
  ok,
  RESUME,
  RUN_FILES,
  refusal,
  stepOf,
  stopped,
  TRAIN,
  trainAndStop,
  wholeRun,
} from '../../support/resume.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

/** The same run, uninterrupted. */
let whole: Record<string, string>;

beforeAll(async () => {
  ({ files: whole } = await wholeRun());
});

/** Replaces a checkpoint by a valid one with other parameters. */
function rewrite(cwd: string, change: (model: Model) => void, file = 'checkpoint.safetensors'): void {
  const path = join(cwd, 'run', file);
  const checkpoint = loadCheckpoint(path);
  const model = restoreModel(checkpoint, createWasmBackend, { inference: [1] });
  change(model);
  saveCheckpoint(path, model, checkpoint);
}

describe('a killed process', () => {
  const ENDED = () => spawnSync(process.execPath, ['--version'], { timeout: HANGS }).pid;

  function lock(pid: number): string {
    return `${JSON.stringify({ pid, host: hostname(), startedAt: '2020-01-01T00:00:00.000Z', processStart: null })}\n`;
  }

  it('leaves half-written files and a lock, which the next one removes', async () => {
    const cwd = await stopped();
    put(cwd, join('run', '.123.tmp'), 'half a checkpo');
    put(cwd, join('run', '.456.stale.tmp'), 'a lock');
    put(cwd, join('run', 'lock'), lock(ENDED()));
    put(cwd, join('run', 'notes.txt'), 'mine');
    await ok(cwd, ...RESUME);
    expect(Object.keys(snapshot(join(cwd, 'run')))).toEqual([...RUN_FILES.slice(0, 3), 'notes.txt', 'run.json']);
    const { 'notes.txt': _, ...files } = computed(cwd);
    expect(files).toEqual(whole);
  });

  it('is not assumed if the process of the lock is alive', async () => {
    const cwd = await stopped();
    put(cwd, join('run', 'lock'), lock(process.pid));
    const line = await refusal(cwd, 4, RESUME);
    expect(line).toContain(`is in use: process ${process.pid} has been training there since 2020-01-01T00:00:00.000Z`);
  });

  it('leaves a lock that sample, eval and replay ignore', async () => {
    const cwd = await stopped();
    put(cwd, join('run', 'lock'), lock(process.pid));
    const before = snapshot(cwd);
    await ok(cwd, 'sample', 'run', '--count', '1');
    await ok(cwd, 'eval', 'run');
    await ok(cwd, 'replay', 'run');
    expect(snapshot(cwd)).toEqual(before);
  });
});

describe('the lock', () => {
  it('is held while the run is trained', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const io = fakeIO(cwd);
    let reads = 0;
    let other: Promise<Outcome> | undefined;
    const now = io.now;
    io.now = () => {
      // In the middle of the training.
      if (++reads === 10) other = runCli(cwd, RESUME);
      return now();
    };
    expect(await run([...TRAIN, '--out', 'run'], io)).toBe(0);
    expect(await other).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringContaining(`is in use: process ${process.pid}`) });
    expect(computed(cwd)).toEqual(whole);
  });
});

describe('numbers that diverge in a resumed run', () => {
  it('end it with the step, the first tensor and index, its inputs, and a hint (5)', async () => {
    const cwd = await stopped();
    // Only one letter, in the last of the three places, makes hidden unit 5 infinite.
    const letter = 2;
    rewrite(cwd, ({ parameters: { C, W1 } }) => {
      for (let i = 3; i < C.length; i += 4) C[i] = 0;
      C[letter * 4 + 3] = 3e38;
      for (const row of [3, 7, 11]) W1.fill(0, row * 8, row * 8 + 8);
      W1[11 * 8 + 5] = -3e38;
    });
    const { state, config } = checkpointOf(cwd);
    const { parts, vocabulary } = createDataset(NAMES, config);
    const examples = createExamples(parts.train, vocabulary, 3);
    const [Xb, Yb] = [new Int32Array(32 * 3), new Int32Array(32)];
    drawBatch({ n: 32, Xb, Yb }, examples, restoreStream(state.batches));
    const row = Array.from(Yb, (_, i) => i).find((i) => Xb[3 * i + 2] === letter);
    expect(row).toBeDefined();

    const before = computed(cwd);
    const { exitCode, stdout, stderr } = await runCli(cwd, RESUME);
    expect([exitCode, stdout]).toEqual([5, '']);
    const line = stderr.split('\n').at(-2);
    expect(line).toMatch(/^error: /);
    expect(line).toContain(
      `step 8: hprebn[${row}, 5] is -Infinity, everything computed before it is finite; largest entries it is computed from: `,
    );
    expect(line).toContain(`C[${letter}, 3] = ${Math.fround(3e38)}, W1[11, 5] = ${Math.fround(-3e38)}, b1[`);
    expect(line).toContain(
      'the checkpoint at step 8 is intact; a lower --lr may avoid it. Locate the failure: backprop-ninja train --resume run --check-every 1',
    );
    expect(stderr).not.toMatch(/^ +at /m);
    expect(computed(cwd)).toEqual(before);
  });

  it('leave the last save, and the message names its step', async () => {
    const cwd = await stopped();
    // It stays finite for some steps.
    rewrite(cwd, ({ parameters: { bngain } }) => bngain.fill(3e38));
    const { exitCode, stderr } = await runCli(cwd, [...RESUME, '--save-every', '1', '--check-every', '1']);
    expect(exitCode).toBe(5);
    const saved = stepOf(cwd);
    expect(saved).toBeGreaterThan(8);
    expect(stderr).toContain(`error: step ${saved}: `);
    expect(stderr).toContain(`the checkpoint at step ${saved} is intact`);
    expect(existsSync(join(cwd, 'run', 'lock'))).toBe(false);
    // The checkpoint is valid and can be read.
    await ok(cwd, 'sample', 'run', '--count', '1');
  });

  it.each([
    ['an evaluation', 9, ['--save-every', '1000']],
    ['a save', 8, ['--save-every', '9']],
  ])('are named with step, tensor and index if %s finds them first', async (_, step, more) => {
    const cwd = tempDirectory();
    await trainAndStop(cwd, step);
    // The loss of the next step is finite, but dhprebn is not, and so the updated parameters are not.
    rewrite(cwd, ({ parameters: { W1, b1, W2 } }) => {
      for (let i = 0; i < 12; i++) W1[8 * i] *= 1e-6;
      b1[0] = 0;
      W2[0] = 1e38;
    });
    const before = readFileSync(join(cwd, 'run', 'checkpoint.safetensors'));
    const { exitCode, stderr } = await runCli(cwd, [...RESUME, ...more]);
    expect(exitCode).toBe(5);
    expect(readFileSync(join(cwd, 'run', 'checkpoint.safetensors'))).toEqual(before);
    expect(stderr).toContain(`the checkpoint at step ${step} is intact`);
    expect(stderr).toMatch(/ (C|W1)\[\d+, \d+\] is (NaN|-?Infinity)/);
  });

  it('are traced to their origin with --check-every 1', async () => {
    const cwd = await stopped();
    rewrite(cwd, ({ parameters: { W1, b1, W2 } }) => {
      for (let i = 0; i < 12; i++) W1[8 * i] *= 1e-6;
      b1[0] = 0;
      W2[0] = 1e38;
    });
    const { exitCode, stderr } = await runCli(cwd, [...RESUME, '--check-every', '1']);
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/^error: step 8: dhprebn\[\d+, 0\] is (NaN|-?Infinity), everything computed before it is finite; .*bnvar_inv/m);
  });
});

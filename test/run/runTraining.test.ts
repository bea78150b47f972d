import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { complete } from '../../src/core/job.js';
import { allocateModel } from '../../src/network/arrays.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { parseCheckpoint, restoreModel } from '../../src/run/checkpoint.js';
import { RunTraining, type RunTrainingOptions } from '../../src/run/runTraining.js';
import { modelConfig, trainingCapacity } from '../../src/training/runConfig.js';
import { RECIPES } from '../support/recipes.js';
import { DIAGNOSE_EVERY, INFERENCE, recipeConfig, SESSION_CONFIG, SESSION_DATASET, start } from '../support/sessions.js';
import { tempDirectory } from '../support/tempDirectory.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A run without files, of the same data and program as `start`. */
function open(config = SESSION_CONFIG, more: Partial<RunTrainingOptions> = {}): { run: RunTraining; lines: string[] } {
  const lines: string[] = [];
  const model = allocateModel(createWasmBackend, modelConfig(config, SESSION_DATASET.vocabulary), trainingCapacity(config, INFERENCE));
  const run = new RunTraining({
    model,
    dataset: SESSION_DATASET,
    dataSha256: '0'.repeat(64),
    config,
    program: 'test',
    diagnoseEvery: DIAGNOSE_EVERY,
    sha256,
    onRecord: (record) => lines.push(`${JSON.stringify(record)}\n`),
    ...more,
  });
  return { run, lines };
}

it.each(RECIPES)('a run with $name without files has the records and checkpoints of one with files, at every step', ({ recipe }) => {
  const config = recipeConfig(recipe);
  const directory = tempDirectory();
  const session = start(directory, config, 1);
  const bests: Uint8Array[] = [];
  const { run, lines } = open(config, { onBest: () => bests.push(run.checkpoint()) });
  run.recordStart();
  const file = (name: string) => readFileSync(join(directory, name));
  expect(file('checkpoint.safetensors').equals(run.checkpoint())).toBe(true);
  while (!session.done) {
    session.advance();
    run.advance();
    complete(run.calibrateInParts());
    expect(file('checkpoint.safetensors').equals(run.checkpoint())).toBe(true);
  }
  session.close();
  expect(run.done).toBe(true);
  expect(lines.join('')).toBe(file('metrics.jsonl').toString());
  expect(file('best.safetensors').equals(bests.at(-1) as Uint8Array)).toBe(true);
});

it('a run resumed from the bytes of its checkpoint ends with the same bytes, though what was due after the step was not done', () => {
  // Large enough to be evaluated in parts.
  const large = { ...SESSION_CONFIG, hidden: [2000] };
  const whole = open(large);
  while (!whole.run.done) whole.run.advance();
  const first = open(large);
  while (first.run.step < 9) first.run.advance();
  // The evaluation after step 10 is abandoned.
  const parts = first.run.advanceInParts();
  while (first.run.step < 10) parts.next();
  expect(first.run.finishedStep).toBe(9);
  const from = parseCheckpoint(first.run.checkpoint(), sha256);
  expect(from.statistics).toBe('missing');
  const model = restoreModel(from, createWasmBackend, trainingCapacity(from.config, INFERENCE));
  const second = open(from.config, { model, from });
  while (!second.run.done) second.run.advance();
  expect(Buffer.from(second.run.checkpoint()).equals(whole.run.checkpoint())).toBe(true);
  expect([...first.lines, ...second.lines]).toEqual(whole.lines);
});

it('saves are due at their interval and after the last step', () => {
  const saves: number[] = [];
  const { run } = open(SESSION_CONFIG, { saveEvery: 10, onSave: () => saves.push(run.step) });
  while (!run.done) run.advance();
  expect(saves).toEqual([10, 20, 24]);
});

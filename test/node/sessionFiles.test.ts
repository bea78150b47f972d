import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import type { FloatArray } from '../../src/core/tensor.js';
import { createExamples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { allocateModel } from '../../src/network/arrays.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../src/node/kernels.js';
import { restoreModel } from '../../src/run/checkpoint.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../src/training/runConfig.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import {
  advanceTo,
  finish,
  INFERENCE,
  metricsOf,
  openSession,
  recordsIn,
  resume,
  SESSION_CONFIG,
  SESSION_DATASET,
  start,
  wholeRun,
} from '../support/sessions.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../support/tempDirectory.js';

let uninterrupted: Record<string, string>;

beforeAll(() => {
  uninterrupted = wholeRun();
});

describe('a new run', () => {
  it('has a checkpoint of step 0 before its first step, and no best checkpoint', () => {
    const directory = tempDirectory();
    const session = start(directory);
    session.close();
    expect(readdirSync(directory).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl']);
    const { state, best } = loadCheckpoint(join(directory, 'checkpoint.safetensors'));
    expect([state.step, session.savedAt, best]).toEqual([0, 0, null]);
    expect(recordsIn(directory)).toEqual(['0 hashes']);
  });

  it('removes metrics, best checkpoint and temporary files of an older run from its directory', () => {
    const directory = tempDirectory();
    finish(start(directory, { ...SESSION_CONFIG, seed: 1 }));
    put(directory, '.123.tmp', 'half a checkpo');
    put(directory, '.123.stale.tmp', 'a lock');
    put(directory, 'notes.txt', 'mine');
    start(directory).close();
    expect(readdirSync(directory).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl', 'notes.txt']);
    expect(recordsIn(directory)).toEqual(['0 hashes']);
  });

  it('saves at the given interval and at the end', () => {
    const session = start(tempDirectory());
    const saves = new Set([session.savedAt]);
    while (!session.done) {
      session.advance();
      saves.add(session.savedAt);
    }
    session.close();
    expect([...saves]).toEqual([0, 7, 14, 21, 24]);
  });
});

describe('every checkpoint and evaluation', () => {
  /** Statistics and validation loss of a checkpoint's parameters, computed again. */
  function recompute(path: string): { bnmean: FloatArray; bnvar: FloatArray; valLoss: number } {
    const model = restoreModel(loadCheckpoint(path), createWasmBackend, { inference: INFERENCE });
    const examples = (names: Iterable<string>) => createExamples(names, SESSION_DATASET.vocabulary, SESSION_CONFIG.context);
    model.statistics.bnmean.fill(Number.NaN);
    const evaluator = new Evaluator(model);
    evaluator.calibrate(examples(SESSION_DATASET.parts.train));
    return { ...model.statistics, valLoss: evaluator.loss(examples(SESSION_DATASET.parts.val)) };
  }

  it('uses the statistics of its own step', () => {
    const directory = tempDirectory();
    const path = join(directory, 'checkpoint.safetensors');
    let session = start(directory, SESSION_CONFIG, 1);
    let evaluations = 0;
    for (let step = 0; step <= SESSION_CONFIG.steps; step++) {
      if (step === 12) {
        session.close();
        session = resume(directory, 1);
      }
      advanceTo(session, step);
      const { bnmean, bnvar, valLoss } = recompute(path);
      const { tensors, statistics } = loadCheckpoint(path);
      expect(statistics).toBe(step === 0 ? 'missing' : undefined);
      if (step === 0) continue;
      expect([tensors.get('bnmean'), tensors.get('bnvar')], `${step}`).toEqual([bnmean, bnvar]);
      const evaluation = metricsOf(directory).find((record) => record.step === step && 'valLoss' in record);
      if (evaluation) {
        expect(evaluation).toEqual({ step, valLoss });
        evaluations++;
      }
    }
    session.close();
    expect(evaluations).toBe(5);
  });
});

describe('a run with an overflow in the optimizer state', () => {
  it('is not saved; the error names the tensor, and the last checkpoint stays', () => {
    const directory = tempDirectory();
    const config: RunConfig = { ...SESSION_CONFIG, optimizer: OPTIMIZER_CONFIGS.adam, learningRate: 0.001 };
    const shape = modelConfig(config, SESSION_DATASET.vocabulary);
    const model = allocateModel(createWasmBackend, shape, trainingCapacity(config, INFERENCE));
    const { backend } = model;
    const session = openSession(directory, config, model);
    const { adamUpdate } = backend;
    backend.adamUpdate = (p, m, v, dp, ...rest) => {
      if (session.step === 9) model.gradients.W1[0] = 1e30;
      adamUpdate(p, m, v, dp, ...rest);
    };
    expect(() => finish(session)).toThrow(/^step 10: v of W1\[0, 0\] is Infinity, set by an earlier update; /);
    expect(loadCheckpoint(join(directory, 'checkpoint.safetensors')).state.step).toBe(7);
    session.close();
  });
});

describe('the best checkpoint', () => {
  it('is that of the smallest evaluation so far, after every step', () => {
    const directory = tempDirectory();
    // With this rate, the loss goes up and down.
    const session = start(directory, {
      ...SESSION_CONFIG,
      learningRate: 5,
      evalEvery: 1,
      steps: 60,
      schedule: { name: 'step', switchStep: 30 },
    });
    const improvements = new Set<number>();
    while (!session.done) {
      session.advance();
      const evaluations = metricsOf(directory).filter((record) => 'valLoss' in record);
      const smallest = evaluations.reduce((best, record) => (record.valLoss < best.valLoss ? record : best));
      improvements.add(smallest.step);
      expect(session.best).toEqual(smallest);
      const { state, best } = loadCheckpoint(join(directory, 'best.safetensors'));
      expect({ step: state.step, best }).toEqual({ step: smallest.step, best: smallest });
    }
    session.close();
    expect(improvements.size).toBeGreaterThan(5);
    expect(improvements.size).toBeLessThan(55);
  });

  it('is the first of equal evaluations', () => {
    const directory = tempDirectory();
    // This rate is too small to change any parameter.
    const session = start(directory, { ...SESSION_CONFIG, learningRate: 1e-30 });
    finish(session);
    expect(new Set(metricsOf(directory).flatMap((record) => ('valLoss' in record ? record.valLoss : []))).size).toBe(1);
    expect(session.best?.step).toBe(5);
    expect(loadCheckpoint(join(directory, 'best.safetensors')).state.step).toBe(5);
  });

  it('holds parameters and statistics that give its loss to the last bit', () => {
    const directory = tempDirectory();
    // With this seed, the smallest loss comes before the end.
    finish(
      start(directory, { ...SESSION_CONFIG, seed: 2147483647, learningRate: 5, steps: 60, schedule: { name: 'step', switchStep: 30 } }),
    );
    const checkpoint = loadCheckpoint(join(directory, 'best.safetensors'));
    expect(checkpoint.state.step).toBeLessThan(60);
    const model = restoreModel(checkpoint, createWasmBackend, { inference: INFERENCE });
    const validation = createExamples(SESSION_DATASET.parts.val, SESSION_DATASET.vocabulary, SESSION_CONFIG.context);
    expect(new Evaluator(model).loss(validation)).toBe(checkpoint.best?.valLoss);
  });

  it('is removed if a run resumes from before its first evaluation', () => {
    const directory = tempDirectory();
    advanceTo(start(directory), 6).close();
    expect(readdirSync(directory)).toContain('best.safetensors');
    resume(directory).close();
    expect(readdirSync(directory)).not.toContain('best.safetensors');
  });

  it('is written again if the run was killed before the next save', () => {
    const directory = tempDirectory();
    advanceTo(start(directory), 11).close();
    const session = advanceTo(resume(directory), 9);
    session.save();
    session.close();
    const { best } = loadCheckpoint(join(directory, 'checkpoint.safetensors'));
    expect(best?.step).toBe(5);
    finish(resume(directory));
    expect(snapshot(directory)).toEqual(uninterrupted);
  });
});

describe('metrics.jsonl', () => {
  it('starts again in a run that is resumed without it', () => {
    const directory = tempDirectory();
    const first = advanceTo(start(directory), 8);
    first.save();
    first.close();
    put(directory, 'metrics.jsonl', '');
    finish(resume(directory));
    expect(recordsIn(directory)).toEqual(['10 evaluation', '15 evaluation', '20 evaluation', '24 loss', '24 hashes', '24 evaluation']);
    const { 'metrics.jsonl': _, ...others } = snapshot(directory);
    expect(uninterrupted).toMatchObject(others);
  });

  it('loses incomplete lines anywhere, and the session knows their numbers', () => {
    const directory = tempDirectory();
    const first = advanceTo(start(directory), 11);
    first.save();
    first.close();
    const [hashes, diagnosis, ...others] = readFileSync(join(directory, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    put(directory, 'metrics.jsonl', [hashes, '{"step":3}', diagnosis, '\0\0\0', ...others, '{"step":11,"valLo'].join('\n'));
    const session = resume(directory);
    expect(session.droppedLines).toEqual([2, 4, 5 + others.length]);
    finish(session);
    expect(snapshot(directory)).toEqual(uninterrupted);
  });
});

describe('a directory that disappears', () => {
  it('stops the run with a SystemError at the next save', () => {
    const directory = makeDirectory();
    const session = advanceTo(start(directory), 3);
    removeDirectory(directory);
    expect(() => finish(session)).toThrow(SystemError);
    expect(session.savedAt).toBe(0);
    session.close();
  });
});

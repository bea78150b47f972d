import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import type { Examples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/node/checkpointFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { checkpointBytes, type RunSnapshot, restoreModel } from '../../src/run/checkpoint.js';
import { readSafetensors, storeFloats } from '../../src/run/safetensors.js';
import { type RunConfig, trainingCapacity } from '../../src/training/runConfig.js';
import { Training } from '../../src/training/training.js';
import { OPTIMIZER_TENSORS, OPTIMIZERS, type OptimizerName } from '../../src/training/updater.js';
import { type ChangeableFile, changedCopy, SAVED_STEP, saveSmallRun } from '../support/checkpoints.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import { RUN_CONFIG } from '../support/runConfig.js';
import { refusal } from '../support/safetensorsFiles.js';
import { makeDirectory, removeDirectory, tempDirectory } from '../support/tempDirectory.js';

let directory: string;
let model: Model;
let snapshot: RunSnapshot;
let training: Examples;

beforeAll(() => {
  directory = makeDirectory();
  ({ model, snapshot, training } = saveSmallRun(directory));
  return () => removeDirectory(directory);
});

describe('the optimizer state in a checkpoint', () => {
  /** A run after 13 steps with the optimizer, and the path where a test saves its checkpoint. `value` replaces one number of the state. */
  function save(name: OptimizerName, value?: [tensor: string, at: number, value: number]) {
    const config: RunConfig = { ...RUN_CONFIG, optimizer: OPTIMIZER_CONFIGS[name], learningRate: 0.01, clip: 2, sampling: 'epochs' };
    const trained = createModel(createReferenceBackend('float32'), model.config);
    const run = new Training(trained, training, config);
    while (run.step < SAVED_STEP) run.advance();
    new Evaluator(trained).calibrate(training);
    const { state } = run;
    if (value) state.optimizer.tensors[value[0]][value[1]] = value[2];
    const file = join(tempDirectory(), 'checkpoint.safetensors');
    return { file, trained, run, saved: { ...snapshot, config, state } };
  }

  /** A changed checkpoint of a run with the optimizer. */
  function changedBy(name: OptimizerName, change: (file: ChangeableFile) => void): string {
    const { file, trained, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    return changedCopy(file, change);
  }
  const P = () => model.flatParameters.length;

  it.each(OPTIMIZERS)('of %s loads as it was saved, and gives the same bytes when saved again', (name) => {
    const { file, trained, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    const { tensors, ...rest } = loadCheckpoint(file);
    expect(rest).toEqual(saved);
    expect([...tensors.keys()]).toEqual([...LESSON_PARAMETER_NAMES, 'bnmean', 'bnvar']);
    for (const tensor of Object.values(rest.state.optimizer.tensors)) expect(new Set(tensor).size).toBeGreaterThan(10);
    const restored = restoreModel({ tensors, ...rest }, () => createReferenceBackend('float32'), { inference: [] });
    expect(Buffer.from(checkpointBytes(restored, rest, sha256))).toEqual(readFileSync(file));
  });

  it.each(OPTIMIZERS)('of %s is stored as flat tensors after those of the network', (name) => {
    const { file, trained, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    const shapes = [...readSafetensors(readFileSync(file)).tensors].map(([key, { shape }]) => [key, shape] as const);
    expect(shapes.slice(9)).toEqual(OPTIMIZER_TENSORS[name].map((tensor) => [`optimizer.${tensor}`, [P()]]));
  });

  it.each(OPTIMIZERS)('of %s resumes a training with the same steps as an uninterrupted one', (name) => {
    const { file, trained, run, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    const checkpoint = loadCheckpoint(file);
    const resumed = restoreModel(checkpoint, () => createReferenceBackend('float32'), trainingCapacity(checkpoint.config));
    const other = new Training(resumed, training, checkpoint.config, {}, checkpoint.state);
    for (const one of [run, other]) while (!one.done) one.advance();
    expect(resumed.flatParameters).toEqual(trained.flatParameters);
    expect(other.state).toEqual(run.state);
  });

  it.each([
    ['momentum', 'velocity'],
    ['nesterov', 'velocity'],
    ['adam', 'm'],
    ['adamw', 'v'],
  ] as const)('of %s is refused if %s is missing, has another shape or is not finite', (name, tensor) => {
    const key = `optimizer.${tensor}`;
    const missing = changedBy(name, ({ tensors }) => tensors.delete(key));
    expect(refusal(() => loadCheckpoint(missing))).toBe(`${missing}: tensor "${key}" is missing`);
    const short = changedBy(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P() - 1), [P() - 1])));
    expect(refusal(() => loadCheckpoint(short))).toBe(`${short}: tensor "${key}" is F32 [${P() - 1}], expected F32 [${P()}]`);
    const square = changedBy(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P()), [1, P()])));
    expect(refusal(() => loadCheckpoint(square))).toBe(`${square}: tensor "${key}" is F32 [1, ${P()}], expected F32 [${P()}]`);
    for (const value of [Number.NaN, Infinity]) {
      const broken = changedBy(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P()).fill(value), [P()])));
      expect(refusal(() => loadCheckpoint(broken))).toBe(`${broken}: tensor "${key}" holds NaN or Inf`);
      const { file, trained, saved } = save(name, [tensor, 5, value]);
      expect(() => saveCheckpoint(file, trained, saved)).toThrow(`${key} holds NaN or Inf after 13 steps`);
    }
  });

  it('is refused with a negative mean square, but not with a negative mean or velocity', () => {
    const negative = (key: string) => (file: ChangeableFile) =>
      file.tensors.set(key, storeFloats(new Float32Array(P()).fill(-1e-9), [P()]));
    const file = changedBy('adam', negative('optimizer.v'));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "optimizer.v" holds a negative mean square`);
    expect(loadCheckpoint(changedBy('adam', negative('optimizer.m'))).state.step).toBe(SAVED_STEP);
    expect(loadCheckpoint(changedBy('momentum', negative('optimizer.velocity'))).state.step).toBe(SAVED_STEP);
  });

  it.each([
    ['sgd', 'optimizer.velocity'],
    ['sgd', 'optimizer.m'],
    ['momentum', 'optimizer.v'],
    ['adam', 'optimizer.velocity'],
  ] as const)('of %s is refused with an unexpected %s', (name, key) => {
    const file = changedBy(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P()), [P()])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: unexpected tensor "${key}"`);
  });

  it.each([
    ['sgd', '{"beta1":0.5,"beta2":0.5}', 'found, but optimizer sgd has none'],
    ['momentum', '{"beta1":0.5,"beta2":0.5}', 'found, but optimizer momentum has none'],
    ['adam', 'null', 'missing, but optimizer adam needs them'],
    ['adamw', 'null', 'missing, but optimizer adamw needs them'],
  ] as const)('of %s is refused with powers of betas %s', (name, powers, fault) => {
    const file = changedBy(name, ({ metadata }) => {
      metadata.powers = powers;
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: metadata: powers ${fault}`);
  });

  it('is refused with a list of all differences if the configuration names another optimizer', () => {
    const file = changedBy('momentum', ({ metadata }) => {
      metadata.config = JSON.stringify({ ...JSON.parse(metadata.config), optimizer: OPTIMIZER_CONFIGS.adam });
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: unexpected tensor "optimizer.velocity"; tensor "optimizer.m" is missing; tensor "optimizer.v" is missing; ` +
        'metadata: powers missing, but optimizer adam needs them',
    );
  });
});

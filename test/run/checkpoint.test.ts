import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { NumericalError, SystemError } from '../../src/core/errors.js';
import type { Examples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/node/checkpointFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { checkpointBytes, parseCheckpoint, type RunSnapshot, restoreModel } from '../../src/run/checkpoint.js';
import { Training } from '../../src/training/training.js';
import { contentsOf, SAVED_STEP, saveSmallRun, sha256Of } from '../support/checkpoints.js';
import { RUN_CONFIG } from '../support/runConfig.js';
import { snapshot as filesIn, makeDirectory, put, removeDirectory, tempDirectory } from '../support/tempDirectory.js';

let directory: string;
let path: string;
let model: Model;
let snapshot: RunSnapshot;
let training: Examples;
let validation: Examples;

beforeAll(() => {
  directory = makeDirectory();
  ({ path, model, snapshot, training, validation } = saveSmallRun(directory));
  return () => removeDirectory(directory);
});

describe('a checkpoint', () => {
  it('loads as it was saved, with the state of the training', () => {
    const { tensors, ...rest } = loadCheckpoint(path);
    expect(rest).toEqual(snapshot);
    expect(rest.state).toMatchObject({ step: SAVED_STEP, stepsSinceRecord: SAVED_STEP });
    expect([...tensors.keys()]).toEqual([...LESSON_PARAMETER_NAMES, 'bnmean', 'bnvar']);
    for (const name of LESSON_PARAMETER_NAMES) expect(tensors.get(name), name).toEqual(model.parameters[name]);
    expect(tensors.get('bnmean')).toEqual(model.statistics.bnmean);
    expect(tensors.get('bnvar')).toEqual(model.statistics.bnvar);
  });

  it('is read without a change to its bytes, also those of a Node Buffer', () => {
    const bytes = readFileSync(path);
    for (let time = 0; time < 2; time++) expect(parseCheckpoint(bytes, sha256).state.step).toBe(SAVED_STEP);
    expect(bytes.equals(readFileSync(path))).toBe(true);
  });

  it('loads as it was saved before the first step and the first evaluation', () => {
    const state = new Training(createModel(createReferenceBackend('float32'), model.config), training, RUN_CONFIG).state;
    const file = join(tempDirectory(), 'first');
    saveCheckpoint(file, model, { ...snapshot, state, best: null });
    expect(loadCheckpoint(file)).toMatchObject({ state, best: null });
  });

  it('resumes a training with the same steps as an uninterrupted one', () => {
    const finish = (run: Training) => {
      const losses: number[] = [];
      while (!run.done) losses.push(run.advance());
      return { losses, state: run.state };
    };
    const whole = createModel(createReferenceBackend('float32'), model.config);
    const run = new Training(whole, training, RUN_CONFIG);
    while (run.step < SAVED_STEP) run.advance();
    const checkpoint = loadCheckpoint(path);
    const resumed = restoreModel(checkpoint, () => createReferenceBackend('float32'), { inference: [] });
    expect(finish(new Training(resumed, training, checkpoint.config, {}, checkpoint.state))).toEqual(finish(run));
    expect(resumed.flatParameters).toEqual(whole.flatParameters);
    expect(resumed.flatParameters).not.toEqual(model.flatParameters);
  });

  it('has the same bytes for the same model, wherever it is saved', () => {
    const other = join(tempDirectory(), 'under another name');
    saveCheckpoint(other, model, snapshot);
    expect(readFileSync(other)).toEqual(readFileSync(path));
    expect(Buffer.from(checkpointBytes(model, snapshot, sha256))).toEqual(readFileSync(path));
  });

  it('has the same bytes after loading and saving', () => {
    const { tensors, ...rest } = loadCheckpoint(path);
    const restored = restoreModel({ tensors, ...rest }, () => createReferenceBackend('float32'), { inference: [] });
    expect(Buffer.from(checkpointBytes(restored, rest, sha256))).toEqual(readFileSync(path));
  });

  it('holds no path, time or host', () => {
    const { metadata } = contentsOf(path);
    expect(Object.keys(metadata)).toEqual([
      'format',
      'formatVersion',
      'program',
      'config',
      'vocabulary',
      'step',
      'streams',
      'powers',
      'losses',
      'best',
      'dataSha256',
      'sha256',
    ]);
    expect(Object.keys(JSON.parse(metadata.config) as object)).toEqual(Object.keys(RUN_CONFIG));
  });

  it('holds the digest of the whole file with zeros in its place', () => {
    const text = readFileSync(path, 'latin1');
    const { sha256 } = contentsOf(path).metadata;
    expect(text.split(sha256)).toHaveLength(2);
    expect(sha256).toBe(sha256Of(Buffer.from(text.replace(sha256, '0'.repeat(64)), 'latin1')));
  });

  it('can hold text that looks like the digest in the name of the program', () => {
    const program = `","sha256":"${'0'.repeat(64)}"`;
    const file = join(tempDirectory(), 'file');
    saveCheckpoint(file, model, { ...snapshot, program });
    expect(loadCheckpoint(file).program).toBe(program);
  });

  it("stores every tensor in the lesson's shape", () => {
    const shapes = Object.fromEntries([...contentsOf(path).tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]));
    const V = snapshot.vocabulary.length;
    expect(shapes).toEqual({
      C: ['F32', V, 2],
      W1: ['F32', 4, 3],
      b1: ['F32', 3],
      bngain: ['F32', 1, 3],
      bnbias: ['F32', 1, 3],
      W2: ['F32', 3, V],
      b2: ['F32', V],
      bnmean: ['F32', 1, 3],
      bnvar: ['F32', 1, 3],
    });
  });

  it('restores a model with exactly the same loss', () => {
    const restored = restoreModel(loadCheckpoint(path), () => createReferenceBackend('float32'), { inference: [] });
    const loss = new Evaluator(model).loss(validation);
    expect(loss).toBeGreaterThan(0);
    expect(new Evaluator(restored).loss(validation)).toBe(loss);
  });

  it('replaces an older file', () => {
    const file = put(tempDirectory(), 'checkpoint.safetensors', 'x'.repeat(100_000));
    saveCheckpoint(file, model, snapshot);
    expect(readFileSync(file)).toEqual(readFileSync(path));
  });
});

describe('a checkpoint is not saved', () => {
  it.each([
    ['C', Number.NaN],
    ['b2', Infinity],
    ['bnmean', -Infinity],
    ['bnvar', Number.NaN],
  ])('if %s holds %d; the error names it, and the older file stays', (name, value) => {
    const broken = restoreModel(loadCheckpoint(path), () => createReferenceBackend('float32'), { inference: [] });
    const array = { ...broken.parameters, ...broken.statistics }[name] as Float32Array;
    array[array.length - 1] = value;
    const folder = tempDirectory();
    const file = put(folder, 'checkpoint.safetensors', readFileSync(path));
    const before = filesIn(folder);
    const save = () => saveCheckpoint(file, broken, snapshot);
    expect(save).toThrow(NumericalError);
    expect(save).toThrow(`${name} holds NaN or Inf after 13 steps`);
    expect(filesIn(folder)).toEqual(before);
  });
});

describe('a SystemError with path and reason is thrown', () => {
  it('for a missing file', () => {
    const missing = join(tempDirectory(), 'none');
    expect(() => loadCheckpoint(missing)).toThrow(SystemError);
    expect(() => loadCheckpoint(missing)).toThrow(`cannot read ${missing}: no such file or directory`);
  });

  it('when the path is a directory, and nothing is left behind', () => {
    const folder = tempDirectory();
    const target = join(folder, 'target');
    mkdirSync(join(target, 'inside'), { recursive: true });
    const before = filesIn(folder);
    const save = () => saveCheckpoint(target, model, snapshot);
    expect(save).toThrow(SystemError);
    expect(save).toThrow(`cannot write ${target}: `);
    expect(filesIn(folder)).toEqual(before);
  });
});

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { OPTIMIZERS, type OptimizerName } from '../../src/core/choices.js';
import { NumericalError, SystemError } from '../../src/core/errors.js';
import { createDataset, createExamples, type Examples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { loadCheckpoint, saveCheckpoint } from '../../src/node/checkpointFile.js';
import { sha256 } from '../../src/node/sha256.js';
import { type Checkpoint, checkpointBytes, restoreModel } from '../../src/run/checkpoint.js';
import { readSafetensors, type Safetensors, type StoredTensor, storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { flatConfig, modelConfig, type RunConfig, trainingWork } from '../../src/training/runConfig.js';
import { Training } from '../../src/training/training.js';
import { OPTIMIZER_TENSORS } from '../../src/training/updater.js';
import { NAMES } from '../support/fakeIO.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import { rawFile, refusal } from '../support/safetensorsFiles.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../support/tempDirectory.js';

const CONFIG: RunConfig = {
  context: 2,
  embedding: 2,
  hidden: [3],
  batchSize: 4,
  steps: 20,
  learningRate: 0.1,
  optimizer: { name: 'sgd' },
  schedule: { name: 'step', switchStep: 10 },
  warmup: 0,
  sampling: 'replacement',
  evalEvery: 5,
  seed: 7,
  splitSeed: 42,
  unique: false,
};
const SHA256 = '0123456789abcdef'.repeat(4);
/** Steps done when the checkpoint is saved: in the middle of the run, and between two records. */
const STEP = 13;

let directory: string;
let path: string;
let model: Model;
let about: Omit<Checkpoint, 'tensors'>;
let vocabulary: readonly string[];
let training: Examples;
let validation: Examples;

beforeAll(() => {
  directory = makeDirectory();
  path = join(directory, 'checkpoint.safetensors');
  const dataset = createDataset(NAMES, CONFIG);
  vocabulary = dataset.vocabulary;
  model = createModel(createReferenceBackend('float32'), modelConfig(CONFIG, vocabulary));
  training = createExamples(dataset.parts.train, vocabulary, CONFIG.context);
  validation = createExamples(dataset.parts.val, vocabulary, CONFIG.context);
  const run = new Training(model, training, CONFIG);
  while (run.step < STEP) run.advance();
  new Evaluator(model).calibrate(training);
  const best = { step: 10, valLoss: 2.6180339887498949 };
  about = { program: 'backprop-ninja 1.2.3', config: CONFIG, vocabulary, state: run.state, best, dataSha256: SHA256 };
  saveCheckpoint(path, model, about);
  return () => removeDirectory(directory);
});

interface Changeable {
  metadata: Record<string, string>;
  tensors: Map<string, StoredTensor>;
}

function contents(): Changeable {
  const { metadata, tensors } = readSafetensors(readFileSync(path));
  return { metadata: { ...metadata }, tensors: new Map(tensors) } satisfies Safetensors;
}

/** The checkpoint with something changed and the digest that belongs to it, in a file of its own. */
function changed(change: (file: Changeable) => void): string {
  const file = contents();
  change(file);
  return put(tempDirectory(), 'changed.safetensors', sealed(file));
}

function sealed({ metadata, tensors }: Safetensors): Uint8Array {
  const withDigest = (sha256: string) => writeSafetensors({ metadata: { ...metadata, sha256 }, tensors });
  return withDigest(sha256Of(withDigest('0'.repeat(64))));
}

function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('save and load', () => {
  it('gives back everything that was saved, where the training stands included', () => {
    const { tensors, ...rest } = loadCheckpoint(path);
    expect(rest).toEqual(about);
    expect(rest.state).toMatchObject({ step: STEP, stepsSinceRecord: STEP });
    expect([...tensors.keys()]).toEqual([...LESSON_PARAMETER_NAMES, 'bnmean', 'bnvar']);
    for (const name of LESSON_PARAMETER_NAMES) expect(tensors.get(name), name).toEqual(model.parameters[name]);
    expect(tensors.get('bnmean')).toEqual(model.statistics.bnmean);
    expect(tensors.get('bnvar')).toEqual(model.statistics.bnvar);
  });

  it('before the first step and the first evaluation: no best, and every number of the state', () => {
    const state = new Training(createModel(createReferenceBackend('float32'), model.config), training, CONFIG).state;
    const file = join(tempDirectory(), 'first');
    saveCheckpoint(file, model, { ...about, state, best: null });
    expect(loadCheckpoint(file)).toMatchObject({ state, best: null });
  });

  it('a training that goes on from it takes the same steps as one that never stopped', () => {
    const finish = (run: Training) => {
      const losses: number[] = [];
      while (!run.done) losses.push(run.advance());
      return { losses, state: run.state };
    };
    const whole = createModel(createReferenceBackend('float32'), model.config);
    const run = new Training(whole, training, CONFIG);
    while (run.step < STEP) run.advance();
    const checkpoint = loadCheckpoint(path);
    const resumed = restoreModel(checkpoint, () => createReferenceBackend('float32'), { inference: [] });
    expect(finish(new Training(resumed, training, checkpoint.config, {}, checkpoint.state))).toEqual(finish(run));
    expect(resumed.flatParameters).toEqual(whole.flatParameters);
    expect(resumed.flatParameters).not.toEqual(model.flatParameters);
  });

  it('the same model gives the same bytes, wherever it is saved', () => {
    const other = join(tempDirectory(), 'under another name');
    saveCheckpoint(other, model, about);
    expect(readFileSync(other)).toEqual(readFileSync(path));
    expect(Buffer.from(checkpointBytes(model, about, sha256))).toEqual(readFileSync(path));
  });

  it('what is loaded and saved again gives the same bytes', () => {
    const { tensors, ...rest } = loadCheckpoint(path);
    const restored = restoreModel({ tensors, ...rest }, () => createReferenceBackend('float32'), { inference: [] });
    expect(Buffer.from(checkpointBytes(restored, rest, sha256))).toEqual(readFileSync(path));
  });

  it('holds no path, time or host', () => {
    const { metadata } = contents();
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
    expect(Object.keys(JSON.parse(metadata.config) as object)).toEqual(Object.keys(CONFIG));
  });

  it('its digest is that of the whole file with zeros in its place', () => {
    const text = readFileSync(path, 'latin1');
    const { sha256 } = contents().metadata;
    expect(text.split(sha256)).toHaveLength(2);
    expect(sha256).toBe(sha256Of(Buffer.from(text.replace(sha256, '0'.repeat(64)), 'latin1')));
  });

  it('a text that looks like the digest, in the name of the program, confuses nothing', () => {
    const program = `","sha256":"${'0'.repeat(64)}"`;
    const file = join(tempDirectory(), 'file');
    saveCheckpoint(file, model, { ...about, program });
    expect(loadCheckpoint(file).program).toBe(program);
  });

  it("stores every tensor in the lesson's shape", () => {
    const shapes = Object.fromEntries([...contents().tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]));
    const V = vocabulary.length;
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

  it('a restored model has exactly the loss of the one that was saved', () => {
    const restored = restoreModel(loadCheckpoint(path), () => createReferenceBackend('float32'), { inference: [] });
    const loss = new Evaluator(model).loss(validation);
    expect(loss).toBeGreaterThan(0);
    expect(new Evaluator(restored).loss(validation)).toBe(loss);
  });

  it('an older checkpoint is replaced', () => {
    const file = put(tempDirectory(), 'checkpoint.safetensors', 'x'.repeat(100_000));
    saveCheckpoint(file, model, about);
    expect(readFileSync(file)).toEqual(readFileSync(path));
  });
});

describe('numbers that are not finite are not saved', () => {
  it.each([
    ['C', Number.NaN],
    ['b2', Infinity],
    ['bnmean', -Infinity],
    ['bnvar', Number.NaN],
  ])('%s with %d: it is named, and the checkpoint before stays', (name, value) => {
    const broken = restoreModel(loadCheckpoint(path), () => createReferenceBackend('float32'), { inference: [] });
    const array = { ...broken.parameters, ...broken.statistics }[name] as Float32Array;
    array[array.length - 1] = value;
    const folder = tempDirectory();
    const file = put(folder, 'checkpoint.safetensors', readFileSync(path));
    const before = snapshot(folder);
    const save = () => saveCheckpoint(file, broken, about);
    expect(save).toThrow(NumericalError);
    expect(save).toThrow(`${name} holds NaN or Inf after 13 steps; not saved`);
    expect(snapshot(folder)).toEqual(before);
  });
});

describe('what the system refuses', () => {
  it('a missing file', () => {
    const missing = join(tempDirectory(), 'none');
    expect(() => loadCheckpoint(missing)).toThrow(SystemError);
    expect(() => loadCheckpoint(missing)).toThrow(`cannot read ${missing}: no such file or directory`);
  });

  it('saving where a directory stands: path and reason, and nothing is left behind', () => {
    const folder = tempDirectory();
    const target = join(folder, 'target');
    mkdirSync(join(target, 'inside'), { recursive: true });
    const before = snapshot(folder);
    const save = () => saveCheckpoint(target, model, about);
    expect(save).toThrow(SystemError);
    expect(save).toThrow(`cannot write ${target}: `);
    expect(snapshot(folder)).toEqual(before);
  });
});

describe('what is wrong with the file is named', () => {
  it('the path stands before it', () => {
    const file = put(tempDirectory(), 'my run.safetensors', 'short');
    expect(refusal(() => loadCheckpoint(file))).toBe(`'${file}': not a safetensors file: 5 bytes, expected at least 8`);
  });

  it.each(['C', 'b2', 'bnmean', 'bnvar'])('the tensor %s is missing', (name) => {
    const file = changed(({ tensors }) => tensors.delete(name));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "${name}" is missing`);
  });

  it('a tensor is there that does not belong', () => {
    const file = changed(({ tensors }) => tensors.set('W3', storeFloats(Float32Array.of(1), [1])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: unexpected tensor "W3"`);
  });

  it.each([
    ['of another size', storeFloats(new Float32Array(12), [6, 2]), 'F32 [6, 2]'],
    ['of another rank', storeFloats(new Float32Array(12), [12]), 'F32 [12]'],
    ['in another precision', storeFloats(new Float64Array(12), [4, 3]), 'F64 [4, 3]'],
  ])('a tensor is %s', (_, tensor, found) => {
    const file = changed(({ tensors }) => tensors.set('W1', tensor));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "W1" is ${found}, expected F32 [4, 3]`);
  });

  it.each([Number.NaN, Infinity, -Infinity])('a tensor holds %d', (value) => {
    const file = changed(({ tensors }) => tensors.set('b1', storeFloats(Float32Array.of(0, value, 0), [3])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "b1" holds NaN or Inf`);
  });

  it('all of it is listed, not the first only', () => {
    const file = changed(({ tensors }) => {
      tensors.delete('C');
      tensors.set('extra', storeFloats(Float32Array.of(1), [1]));
      tensors.set('b1', storeFloats(Float32Array.of(Number.NaN, 0, 0), [3]));
      tensors.set('bnvar', storeFloats(Float32Array.of(1, 1, 1), [3]));
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: unexpected tensor "extra"; tensor "C" is missing; tensor "b1" holds NaN or Inf; ` +
        'tensor "bnvar" is F32 [3], expected F32 [1, 3]',
    );
  });

  it.each([
    ['no tensors', []],
    ['1 tensors: "a"', ['a']],
    ['3 tensors: "a", "b", "c"', ['a', 'b', 'c']],
    ['4 tensors: "model.embed.weight", "b", "c", …', ['model.embed.weight', 'b', 'c', 'd']],
  ])("somebody else's safetensors, with %s", (held, names) => {
    const tensors = new Map(names.map((name) => [name, storeFloats(Float32Array.of(1), [1])]));
    const file = put(tempDirectory(), 'theirs', writeSafetensors({ metadata: { format: 'pt' }, tensors }));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: safetensors, but not a checkpoint of backprop-ninja; it holds ${held}`);
  });

  it("somebody else's safetensors without metadata, with a name that is shown escaped", () => {
    const file = put(tempDirectory(), 'theirs', rawFile({ '\x1b\u202e': { dtype: 'U8', shape: [0], data_offsets: [0, 0] } }));
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: safetensors, but not a checkpoint of backprop-ninja; it holds 1 tensors: "\\x1b\\u202e"`,
    );
  });

  it.each([
    ['an HTML page', '<!DOCTYPE html><html><body>404 Not Found</body></html>', /not a safetensors file: this is a web page \(HTML\)/],
    [
      "PyTorch's zip",
      'PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0archive/data.pkl',
      /not a safetensors file: this is a PyTorch file \(\.pt\)/,
    ],
    ['an empty file', '', /not a safetensors file: 0 bytes/],
    ['zeros', '\0'.repeat(64), /not a safetensors file: the header is not JSON/],
  ])('%s is not a safetensors file', (_, content, message) => {
    const file = put(tempDirectory(), 'file', Buffer.from(content, 'latin1'));
    expect(refusal(() => loadCheckpoint(file))).toMatch(message);
  });

  it.each(['4', '10', '99999999999999999999999'])(
    'version %s of the format is newer: the versions found and read, and the way out',
    (version) => {
      const file = changed(({ metadata }) => {
        metadata.formatVersion = version;
      });
      expect(refusal(() => loadCheckpoint(file))).toBe(
        `${file}: metadata: formatVersion: ${version}, this backprop-ninja reads 3; a newer one wrote it, update`,
      );
    },
  );

  it('a newer version is named as such even if its digest is made otherwise', () => {
    const { metadata, tensors } = contents();
    const newer = writeSafetensors({ metadata: { ...metadata, formatVersion: '4' }, tensors });
    expect(refusal(() => loadCheckpoint(put(tempDirectory(), 'newer', newer)))).toContain('a newer one wrote it');
  });

  it.each(['2', '1', '0'])('version %s of the format is older: the versions found and read, and the way out', (version) => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = version;
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: metadata: formatVersion: ${version}, this backprop-ninja reads 3; an older one wrote it, which can go on with it; or train again`,
    );
  });

  it.each(['', 'x', '3.0', '-3'])('version %j of the format is not read', (version) => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = version;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: formatVersion: /);
  });

  const json = JSON.stringify;
  it('a decay of what the network does not have', () => {
    const file = changed(({ metadata }) => {
      metadata.config = json({ ...CONFIG, optimizer: { ...OPTIMIZER_CONFIGS.adamw, weightDecay: { W1: 1, W3: 1 } } });
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('metadata: config: weight decay of "W3", which the network does not have');
  });

  it.each([
    ['config', '{'],
    ['config', 'null'],
    ['config', '[]'],
    ['config', json({ ...CONFIG, more: 1 })],
    ...Object.keys(CONFIG).map((key) => ['config', json({ ...CONFIG, [key]: undefined })]),
    ...Object.keys(CONFIG).map((key) => ['config', json({ ...CONFIG, [key]: '3' })]),
    ...Object.keys(CONFIG).map((key) => ['config', json({ ...CONFIG, [key]: null })]),
    ...['context', 'embedding', 'hidden', 'batchSize', 'steps', 'warmup', 'evalEvery', 'seed', 'splitSeed'].flatMap((key) =>
      [-1, 3.5, 2 ** 53].map((value) => ['config', json({ ...CONFIG, [key]: value })]),
    ),
    ...['context', 'embedding', 'hidden', 'steps', 'evalEvery'].map((key) => ['config', json({ ...CONFIG, [key]: 0 })]),
    ...[[], [0], [-1], [3.5], [2 ** 53], ['3'], [3, null], [[3]], Array(17).fill(3), {}].map((hidden) => [
      'config',
      json({ ...CONFIG, hidden }),
    ]),
    ['config', json({ ...CONFIG, batchSize: 1 })],
    ['config', json({ ...CONFIG, learningRate: 0 })],
    ['config', json({ ...CONFIG, learningRate: -0.1 })],
    ['config', json(CONFIG).replace('"learningRate":0.1', '"learningRate":1e400')],
    ['config', json({ ...CONFIG, unique: 1 })],
    ...[0, -1, null, '1'].map((clip) => ['config', json({ ...CONFIG, clip })]),
    ...['', 'shuffled', 1].map((sampling) => ['config', json({ ...CONFIG, sampling })]),
    ...[
      {},
      { name: 'step' },
      { name: 'step', switchStep: -1 },
      { name: 'step', switchStep: 1.5 },
      { name: 'step', switchStep: 10, more: 1 },
      { name: 'linear', switchStep: 10 },
      { name: 'exponential' },
    ].map((schedule) => ['config', json({ ...CONFIG, schedule })]),
    ...[
      {},
      { name: 'adagrad' },
      { name: 'sgd', momentum: 0.9 },
      { name: 'momentum' },
      { name: 'momentum', momentum: 1 },
      { name: 'momentum', momentum: -0.1 },
      { name: 'nesterov', momentum: null },
      { name: 'adam', beta1: 0.9, beta2: 0.999 },
      { name: 'adam', beta1: 1, beta2: 0.999, epsilon: 1e-8 },
      { name: 'adam', beta1: 0.9, beta2: -1, epsilon: 1e-8 },
      { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 0 },
      { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
      { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: -1 },
      { name: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: { W1: -1 } },
    ].map((optimizer) => ['config', json({ ...CONFIG, optimizer })]),
    ['config', json(CONFIG).replace('{', '{"__proto__":{},')],
    ['vocabulary', 'abc'],
    ['vocabulary', '[]'],
    ['vocabulary', '["."]'],
    ['vocabulary', '[".",1]'],
    ['vocabulary', '{}'],
    ['step', '-1'],
    ['step', '1.5'],
    ['step', ''],
    ['step', '"13"'],
    ['best', ''],
    ['best', '{}'],
    ['best', json({ step: 10, valLoss: null })],
    ['best', json({ step: -1, valLoss: 2 })],
    ['best', json({ step: 10, valLoss: 2, more: 1 })],
    ['best', '{"step":10,"valLoss":1e400}'],
    ['powers', '{}'],
    ['powers', json({ beta1: 0.5 })],
    ['powers', json({ beta1: 0.5, beta2: 0.5, beta3: 0.5 })],
    ['powers', json({ beta1: 1.5, beta2: 0.5 })],
    ['powers', json({ beta1: 0.5, beta2: -0.5 })],
    ['powers', json({ beta1: null, beta2: 0.5 })],
    ['losses', '{}'],
    ['losses', json({ lossSinceRecord: 1, stepsSinceRecord: -1, smoothed: 1, weight: 1 })],
    ['losses', json({ lossSinceRecord: 1, stepsSinceRecord: 1, smoothed: null, weight: 1 })],
    ['losses', '{"lossSinceRecord":1e400,"stepsSinceRecord":1,"smoothed":1,"weight":1}'],
    ['dataSha256', 'abc'],
    ['dataSha256', SHA256.toUpperCase()],
    ['dataSha256', `${SHA256}\n`],
  ])('metadata %s of %s', (key, value) => {
    const file = changed(({ metadata }) => {
      metadata[key] = value;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(new RegExp(`: metadata: ${key}`));
  });

  const lags = { s0: 0.5, s1: 0.25, s2: 0 };
  it.each([
    ['none', '{}'],
    ['of another name', json({ sampling: { c: 1, ...lags } })],
    ['one too many', json({ batches: { c: 1, ...lags }, sampling: { c: 1, ...lags } })],
    ['a text', json({ batches: 'state' })],
    ['without its carry', json({ batches: lags })],
    ['with more in it', json({ batches: { c: 1, ...lags, s3: 0 } })],
    ['a negative carry', json({ batches: { c: -1, ...lags } })],
    ['a carry that is no whole number', json({ batches: { c: 0.5, ...lags } })],
    ['a carry that is too large', json({ batches: { c: 2_091_639, ...lags } })],
    ['a lag of 1', json({ batches: { c: 1, ...lags, s0: 1 } })],
    ['a negative lag', json({ batches: { c: 1, ...lags, s1: -(2 ** -32) } })],
    ['a lag finer than 2^-32', json({ batches: { c: 1, ...lags, s2: 2 ** -33 } })],
    ['a lag that is null', json({ batches: { c: 1, ...lags, s2: null } })],
    ['an infinite carry', `{"batches":{"c":1e400,"s0":0.5,"s1":0.25,"s2":0}}`],
  ])('a malformed random state: %s', (_, streams) => {
    const file = changed(({ metadata }) => {
      metadata.streams = streams;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: streams/);
  });

  it('a random state at the ends of its range is restored', () => {
    const batches = { c: 2_091_638, s0: 1 - 2 ** -32, s1: 0, s2: 2 ** -32 };
    const file = changed(({ metadata }) => {
      metadata.streams = json({ batches });
    });
    expect(loadCheckpoint(file).state.batches).toEqual(batches);
  });

  it.each([21, 2 ** 53 - 1])('step %i is beyond the last', (step) => {
    const file = changed(({ metadata }) => {
      metadata.step = String(step);
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: metadata: step ${step} is beyond the last, 20`);
  });

  it('the last step is not beyond the last', () => {
    const file = changed(({ metadata }) => {
      metadata.step = '20';
    });
    expect(loadCheckpoint(file).state.step).toBe(20);
  });

  it('a wrong step and wrong tensors are listed together', () => {
    const file = changed(({ metadata, tensors }) => {
      metadata.step = '21';
      tensors.delete('b1');
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "b1" is missing; metadata: step 21 is beyond the last, 20`);
  });

  it('all wrong metadata is listed, not the first only', () => {
    const file = changed(({ metadata }) => {
      metadata.config = json({ ...CONFIG, hidden: [-3] });
      metadata.streams = '{}';
      metadata.best = '7';
    });
    const message = refusal(() => loadCheckpoint(file));
    for (const key of ['config.hidden.0', 'streams.batches', 'best']) expect(message).toContain(`${key}: `);
    expect(message).not.toContain('losses');
  });

  it('metadata that is missing is listed, all of it', () => {
    const file = changed(({ metadata }) => {
      for (const key of ['config', 'step', 'dataSha256']) delete metadata[key];
    });
    const message = refusal(() => loadCheckpoint(file));
    for (const key of ['config', 'step', 'dataSha256']) expect(message).toContain(key);
    expect(message).not.toContain('vocabulary');
  });

  it('without its digest', () => {
    const { metadata, tensors } = contents();
    delete metadata.sha256;
    const file = put(tempDirectory(), 'unsealed', writeSafetensors({ metadata, tensors }));
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: sha256: /);
  });

  it.each([
    ['zeros', () => '0'.repeat(64)],
    ['in capitals', (right: string) => right.toUpperCase()],
    ['cut short', (right: string) => right.slice(1)],
    ['empty', () => ''],
    ['of something else', () => SHA256],
  ])('a digest that is %s: damaged, and the way out', (_, digest) => {
    const { metadata, tensors } = contents();
    const file = put(tempDirectory(), 'damaged', writeSafetensors({ metadata: { ...metadata, sha256: digest(metadata.sha256) }, tensors }));
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: damaged: its SHA-256 is not the one it was written with; bring back a copy, or train again`,
    );
  });

  it('text of the file is shown escaped', () => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = '\x1b[31m2\n\u202e';
    });
    expect(refusal(() => loadCheckpoint(file))).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('a key of the file is shown escaped, and cut to a readable length', () => {
    const file = changed(({ metadata }) => {
      metadata.config = json({ ...CONFIG, [`\x1b[31m\n\u202e${'x'.repeat(2000)}`]: 1 });
    });
    const message = refusal(() => loadCheckpoint(file));
    expect(message).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(message.length).toBeLessThan(1000);
  });

  it.each([
    ['twice the same character', ['.', 'a', 'a']],
    ['no boundary in the first place', ['a', '.', 'b']],
    ['more than a character in an entry', ['.', 'ab', 'c']],
    ['an empty entry', ['.', '', 'c']],
    ['a control character', ['.', '\x1b', 'c']],
  ])('a vocabulary with %s', (_, letters) => {
    const file = changed(({ metadata, tensors }) => {
      metadata.vocabulary = json(letters);
      tensors.set('C', storeFloats(new Float32Array(6), [3, 2]));
      tensors.set('W2', storeFloats(new Float32Array(9), [3, 3]));
      tensors.set('b2', storeFloats(new Float32Array(3), [3]));
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('vocabulary');
  });

  it('sizes that no file can hold are refused without allocating them', () => {
    const file = changed(({ metadata }) => {
      metadata.config = json({ ...CONFIG, hidden: [2 ** 50], embedding: 2 ** 50 });
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('tensor "C" is F32');
  });
});

describe('what an optimizer keeps', () => {
  /** A checkpoint after 13 steps by that optimizer, and what was saved in it. */
  function save(name: OptimizerName, value?: [tensor: string, at: number, value: number]) {
    const config: RunConfig = { ...CONFIG, optimizer: OPTIMIZER_CONFIGS[name], learningRate: 0.01, clip: 2, sampling: 'epochs' };
    const trained = createModel(createReferenceBackend('float32'), model.config);
    const run = new Training(trained, training, config);
    while (run.step < STEP) run.advance();
    new Evaluator(trained).calibrate(training);
    const { state } = run;
    if (value) state.optimizer.tensors[value[0]][value[1]] = value[2];
    const file = join(tempDirectory(), 'checkpoint.safetensors');
    return { file, trained, run, saved: { ...about, config, state } };
  }

  /** The checkpoint with something changed. */
  function spoilt(name: OptimizerName, change: (file: Changeable) => void): string {
    const { file, trained, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    const { metadata, tensors } = readSafetensors(readFileSync(file));
    const copy = { metadata: { ...metadata }, tensors: new Map(tensors) };
    change(copy);
    return put(tempDirectory(), 'changed.safetensors', sealed(copy));
  }
  const P = () => model.flatParameters.length;

  it.each(OPTIMIZERS)(
    '%s: is given back as it was saved, apart from the tensors of the network; saved again, it gives the same bytes',
    (name) => {
      const { file, trained, saved } = save(name);
      saveCheckpoint(file, trained, saved);
      const { tensors, ...rest } = loadCheckpoint(file);
      expect(rest).toEqual(saved);
      expect([...tensors.keys()]).toEqual([...LESSON_PARAMETER_NAMES, 'bnmean', 'bnvar']);
      for (const tensor of Object.values(rest.state.optimizer.tensors)) expect(new Set(tensor).size).toBeGreaterThan(10);
      const restored = restoreModel({ tensors, ...rest }, () => createReferenceBackend('float32'), { inference: [] });
      expect(Buffer.from(checkpointBytes(restored, rest, sha256))).toEqual(readFileSync(file));
    },
  );

  it.each(OPTIMIZERS)('%s: the file has its tensors, flat, behind the network, and no others', (name) => {
    const { file, trained, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    const shapes = [...readSafetensors(readFileSync(file)).tensors].map(([key, { shape }]) => [key, shape] as const);
    expect(shapes.slice(9)).toEqual(OPTIMIZER_TENSORS[name].map((tensor) => [`optimizer.${tensor}`, [P()]]));
  });

  it.each(OPTIMIZERS)('%s: a training that goes on from it takes the same steps as one that never stopped', (name) => {
    const { file, trained, run, saved } = save(name);
    saveCheckpoint(file, trained, saved);
    const checkpoint = loadCheckpoint(file);
    const resumed = restoreModel(checkpoint, () => createReferenceBackend('float32'), trainingWork(checkpoint.config));
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
  ] as const)('%s: %s missing, of another shape, or not finite is named', (name, tensor) => {
    const key = `optimizer.${tensor}`;
    const missing = spoilt(name, ({ tensors }) => tensors.delete(key));
    expect(refusal(() => loadCheckpoint(missing))).toBe(`${missing}: tensor "${key}" is missing`);
    const short = spoilt(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P() - 1), [P() - 1])));
    expect(refusal(() => loadCheckpoint(short))).toBe(`${short}: tensor "${key}" is F32 [${P() - 1}], expected F32 [${P()}]`);
    const square = spoilt(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P()), [1, P()])));
    expect(refusal(() => loadCheckpoint(square))).toBe(`${square}: tensor "${key}" is F32 [1, ${P()}], expected F32 [${P()}]`);
    for (const value of [Number.NaN, Infinity]) {
      const broken = spoilt(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P()).fill(value), [P()])));
      expect(refusal(() => loadCheckpoint(broken))).toBe(`${broken}: tensor "${key}" holds NaN or Inf`);
      const { file, trained, saved } = save(name, [tensor, 5, value]);
      expect(() => saveCheckpoint(file, trained, saved)).toThrow(`${key} holds NaN or Inf after 13 steps; not saved`);
    }
  });

  it('a negative mean square is refused; a negative mean or velocity is not', () => {
    const negative = (key: string) => (file: Changeable) => file.tensors.set(key, storeFloats(new Float32Array(P()).fill(-1e-9), [P()]));
    const file = spoilt('adam', negative('optimizer.v'));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "optimizer.v" holds a negative mean square`);
    expect(loadCheckpoint(spoilt('adam', negative('optimizer.m'))).state.step).toBe(STEP);
    expect(loadCheckpoint(spoilt('momentum', negative('optimizer.velocity'))).state.step).toBe(STEP);
  });

  it.each([
    ['sgd', 'optimizer.velocity'],
    ['sgd', 'optimizer.m'],
    ['momentum', 'optimizer.v'],
    ['adam', 'optimizer.velocity'],
  ] as const)('%s: %s does not belong', (name, key) => {
    const file = spoilt(name, ({ tensors }) => tensors.set(key, storeFloats(new Float32Array(P()), [P()])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: unexpected tensor "${key}"`);
  });

  it.each([
    ['sgd', '{"beta1":0.5,"beta2":0.5}', 'given'],
    ['momentum', '{"beta1":0.5,"beta2":0.5}', 'given'],
    ['adam', 'null', 'missing'],
    ['adamw', 'null', 'missing'],
  ] as const)('%s: powers of betas %s', (name, powers, fault) => {
    const file = spoilt(name, ({ metadata }) => {
      metadata.powers = powers;
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: metadata: powers ${fault}, with the optimizer ${name}`);
  });

  it('another optimizer in the configuration than its tensors are of: all that differs is listed', () => {
    const file = spoilt('momentum', ({ metadata }) => {
      metadata.config = JSON.stringify({ ...JSON.parse(metadata.config), optimizer: OPTIMIZER_CONFIGS.adam });
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: unexpected tensor "optimizer.velocity"; tensor "optimizer.m" is missing; tensor "optimizer.v" is missing; ` +
        'metadata: powers missing, with the optimizer adam',
    );
  });
});

describe('flatConfig', () => {
  it('has every setting under a name of its own', () => {
    const { optimizer, schedule, ...others } = CONFIG;
    expect(flatConfig(CONFIG)).toEqual({ ...others, optimizer: 'sgd', schedule: 'step', switchStep: 10 });
    const adamw: RunConfig = { ...CONFIG, optimizer: OPTIMIZER_CONFIGS.adamw, clip: 3, schedule: { name: 'cosine' } };
    const settings = { optimizer: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, clip: 3, schedule: 'cosine' };
    expect(flatConfig(adamw)).toEqual({ ...others, ...settings });
    const { beta1, beta2, epsilon } = settings;
    const byName: RunConfig = { ...adamw, optimizer: { name: 'adamw', beta1, beta2, epsilon, weightDecay: { C: 0.5, W1: 1.2 } } };
    expect(flatConfig(byName)).toEqual({ ...others, ...settings, weightDecay: 'C=0.5,W1=1.2' });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { storeFloats, writeSafetensors } from '../../src/run/safetensors.js';
import { changedCopy, contentsOf, DATA_SHA256, READABLE_FORMATS, saveSmallRun, UNKNOWN_FORMAT } from '../support/checkpoints.js';
import { OPTIMIZER_CONFIGS } from '../support/recipes.js';
import { RUN_CONFIG } from '../support/runConfig.js';
import { rawFile, refusal } from '../support/safetensorsFiles.js';
import { makeDirectory, put, removeDirectory, tempDirectory } from '../support/tempDirectory.js';

let directory: string;
let path: string;

beforeAll(() => {
  directory = makeDirectory();
  ({ path } = saveSmallRun(directory));
  return () => removeDirectory(directory);
});

describe('a checkpoint is refused', () => {
  it('with its path in front of the message', () => {
    const file = put(tempDirectory(), 'my run.safetensors', 'short');
    expect(refusal(() => loadCheckpoint(file))).toBe(`'${file}': not a safetensors file: 5 bytes, expected at least 8`);
  });

  it.each(['C', 'b2', 'bnmean', 'bnvar'])('without the tensor %s', (name) => {
    const file = changedCopy(path, ({ tensors }) => tensors.delete(name));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "${name}" is missing`);
  });

  it('with an unexpected tensor', () => {
    const file = changedCopy(path, ({ tensors }) => tensors.set('W3', storeFloats(Float32Array.of(1), [1])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: unexpected tensor "W3"`);
  });

  it.each([
    ['of another size', storeFloats(new Float32Array(12), [6, 2]), 'F32 [6, 2]'],
    ['of another rank', storeFloats(new Float32Array(12), [12]), 'F32 [12]'],
    ['in another precision', storeFloats(new Float64Array(12), [4, 3]), 'F64 [4, 3]'],
  ])('with a tensor %s', (_, tensor, found) => {
    const file = changedCopy(path, ({ tensors }) => tensors.set('W1', tensor));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "W1" is ${found}, expected F32 [4, 3]`);
  });

  it.each([Number.NaN, Infinity, -Infinity])('with %d in a tensor', (value) => {
    const file = changedCopy(path, ({ tensors }) => tensors.set('b1', storeFloats(Float32Array.of(0, value, 0), [3])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "b1" holds NaN or Inf`);
  });

  it('with a list of all problems with its tensors', () => {
    const file = changedCopy(path, ({ tensors }) => {
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
    ['1 tensor: "a"', ['a']],
    ['3 tensors: "a", "b", "c"', ['a', 'b', 'c']],
    ['4 tensors: "model.embed.weight", "b", "c", …', ['model.embed.weight', 'b', 'c', 'd']],
  ])('if it is a safetensors file of another program, with %s', (held, names) => {
    const tensors = new Map(names.map((name) => [name, storeFloats(Float32Array.of(1), [1])]));
    const file = put(tempDirectory(), 'theirs', writeSafetensors({ metadata: { format: 'pt' }, tensors }));
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: a safetensors file, but not a checkpoint of backprop-ninja; it holds ${held}`,
    );
  });

  it('if its metadata has a key that this version does not know', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.optimiser = '{}';
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: .*optimiser/);
  });

  it('if it is a safetensors file without metadata, and names in it are escaped', () => {
    const file = put(tempDirectory(), 'theirs', rawFile({ '\x1b\u202e': { dtype: 'U8', shape: [0], data_offsets: [0, 0] } }));
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: a safetensors file, but not a checkpoint of backprop-ninja; it holds 1 tensor: "\\x1b\\u202e"`,
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
    ['zeros', '\0'.repeat(64), /not a safetensors file: the header is not valid JSON/],
  ])('if it is %s', (_, content, message) => {
    const file = put(tempDirectory(), 'file', Buffer.from(content, 'latin1'));
    expect(refusal(() => loadCheckpoint(file))).toMatch(message);
  });

  it.each([UNKNOWN_FORMAT, '10', '99999999999999999999999'])(
    'if its format version %s is newer, with both versions and a hint',
    (version) => {
      const file = changedCopy(path, ({ metadata }) => {
        metadata.formatVersion = version;
      });
      expect(refusal(() => loadCheckpoint(file))).toBe(
        `${file}: checkpoint format ${version}, this backprop-ninja reads ${READABLE_FORMATS}; a newer version wrote it: update`,
      );
    },
  );

  it('as newer even if its digest is computed differently', () => {
    const { metadata, tensors } = contentsOf(path);
    const newer = writeSafetensors({ metadata: { ...metadata, formatVersion: UNKNOWN_FORMAT }, tensors });
    expect(refusal(() => loadCheckpoint(put(tempDirectory(), 'newer', newer)))).toContain('a newer version wrote it');
  });

  it.each(['2', '1', '0'])('if its format version %s is older, with both versions and a hint', (version) => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.formatVersion = version;
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(
      `${file}: checkpoint format ${version}, this backprop-ninja reads ${READABLE_FORMATS}; an older version wrote it: resume with that version, or train again`,
    );
  });

  it.each(['', 'x', '3.0', '-3'])('if its format version is %j', (version) => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.formatVersion = version;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: formatVersion: /);
  });

  const json = JSON.stringify;
  it('with a weight decay of an unknown parameter', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.config = json({ ...RUN_CONFIG, optimizer: { ...OPTIMIZER_CONFIGS.adamw, weightDecay: { W1: 1, W3: 1 } } });
    });
    expect(refusal(() => loadCheckpoint(file))).toContain(
      'metadata: config: weight decay of "W3", which is not a parameter of the network',
    );
  });

  it.each([
    ['config', '{'],
    ['config', 'null'],
    ['config', '[]'],
    ['config', json({ ...RUN_CONFIG, more: 1 })],
    ...Object.keys(RUN_CONFIG).map((key) => ['config', json({ ...RUN_CONFIG, [key]: undefined })]),
    ...Object.keys(RUN_CONFIG).map((key) => ['config', json({ ...RUN_CONFIG, [key]: '3' })]),
    ...Object.keys(RUN_CONFIG).map((key) => ['config', json({ ...RUN_CONFIG, [key]: null })]),
    ...['context', 'embedding', 'hidden', 'batchSize', 'steps', 'warmup', 'evalEvery', 'seed', 'splitSeed'].flatMap((key) =>
      [-1, 3.5, 2 ** 53].map((value) => ['config', json({ ...RUN_CONFIG, [key]: value })]),
    ),
    ...['context', 'embedding', 'hidden', 'steps', 'evalEvery'].map((key) => ['config', json({ ...RUN_CONFIG, [key]: 0 })]),
    ...[[], [0], [-1], [3.5], [2 ** 53], ['3'], [3, null], [[3]], Array(17).fill(3), {}].map((hidden) => [
      'config',
      json({ ...RUN_CONFIG, hidden }),
    ]),
    ['config', json({ ...RUN_CONFIG, batchSize: 1 })],
    ['config', json({ ...RUN_CONFIG, learningRate: 0 })],
    ['config', json({ ...RUN_CONFIG, learningRate: -0.1 })],
    ['config', json(RUN_CONFIG).replace('"learningRate":0.1', '"learningRate":1e400')],
    ['config', json({ ...RUN_CONFIG, unique: 1 })],
    ...[0, -1, null, '1'].map((clip) => ['config', json({ ...RUN_CONFIG, clip })]),
    ...['', 'shuffled', 1].map((sampling) => ['config', json({ ...RUN_CONFIG, sampling })]),
    ...[
      {},
      { name: 'step' },
      { name: 'step', switchStep: -1 },
      { name: 'step', switchStep: 1.5 },
      { name: 'step', switchStep: 10, more: 1 },
      { name: 'linear', switchStep: 10 },
      { name: 'exponential' },
    ].map((schedule) => ['config', json({ ...RUN_CONFIG, schedule })]),
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
    ].map((optimizer) => ['config', json({ ...RUN_CONFIG, optimizer })]),
    ['config', json(RUN_CONFIG).replace('{', '{"__proto__":{},')],
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
    ['dataSha256', DATA_SHA256.toUpperCase()],
    ['dataSha256', `${DATA_SHA256}\n`],
  ])('with metadata %s of %s', (key, value) => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata[key] = value;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(new RegExp(`: metadata: ${key}`));
  });

  const lags = { s0: 0.5, s1: 0.25, s2: 0 };
  it.each([
    ['none', '{}'],
    ['under another name', json({ sampling: { c: 1, ...lags } })],
    ['with another one', json({ batches: { c: 1, ...lags }, sampling: { c: 1, ...lags } })],
    ['a text', json({ batches: 'state' })],
    ['without its carry', json({ batches: lags })],
    ['with more in it', json({ batches: { c: 1, ...lags, s3: 0 } })],
    ['a negative carry', json({ batches: { c: -1, ...lags } })],
    ['a fractional carry', json({ batches: { c: 0.5, ...lags } })],
    ['a carry that is too large', json({ batches: { c: 2_091_639, ...lags } })],
    ['a lag of 1', json({ batches: { c: 1, ...lags, s0: 1 } })],
    ['a negative lag', json({ batches: { c: 1, ...lags, s1: -(2 ** -32) } })],
    ['a lag finer than 2^-32', json({ batches: { c: 1, ...lags, s2: 2 ** -33 } })],
    ['a lag that is null', json({ batches: { c: 1, ...lags, s2: null } })],
    ['an infinite carry', `{"batches":{"c":1e400,"s0":0.5,"s1":0.25,"s2":0}}`],
  ])('with a malformed random state: %s', (_, streams) => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.streams = streams;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: streams/);
  });

  it('but not with a random state at the ends of its range', () => {
    const batches = { c: 2_091_638, s0: 1 - 2 ** -32, s1: 0, s2: 2 ** -32 };
    const file = changedCopy(path, ({ metadata }) => {
      metadata.streams = json({ batches });
    });
    expect(loadCheckpoint(file).state.batches).toEqual(batches);
  });

  it.each([21, 2 ** 53 - 1])('with step %i, beyond the last one', (step) => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.step = String(step);
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: metadata: step ${step} is beyond the last step, 20`);
  });

  it('but not at the last step', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.step = '20';
    });
    expect(loadCheckpoint(file).state.step).toBe(20);
  });

  it('with one list of a wrong step and wrong tensors', () => {
    const file = changedCopy(path, ({ metadata, tensors }) => {
      metadata.step = '21';
      tensors.delete('b1');
    });
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "b1" is missing; metadata: step 21 is beyond the last step, 20`);
  });

  it('with a list of all wrong metadata', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.config = json({ ...RUN_CONFIG, hidden: [-3] });
      metadata.streams = '{}';
      metadata.best = '7';
    });
    const message = refusal(() => loadCheckpoint(file));
    for (const key of ['config.hidden.0', 'streams.batches', 'best']) expect(message).toContain(`${key}: `);
    expect(message).not.toContain('losses');
  });

  it('with a list of all missing metadata', () => {
    const file = changedCopy(path, ({ metadata }) => {
      for (const key of ['config', 'step', 'dataSha256']) delete metadata[key];
    });
    const message = refusal(() => loadCheckpoint(file));
    for (const key of ['config', 'step', 'dataSha256']) expect(message).toContain(key);
    expect(message).not.toContain('vocabulary');
  });

  it('without its digest', () => {
    const { metadata, tensors } = contentsOf(path);
    delete metadata.sha256;
    const file = put(tempDirectory(), 'unsealed', writeSafetensors({ metadata, tensors }));
    expect(refusal(() => loadCheckpoint(file))).toMatch(/: metadata: sha256: /);
  });

  it.each([
    ['zeros', () => '0'.repeat(64)],
    ['in capitals', (right: string) => right.toUpperCase()],
    ['cut short', (right: string) => right.slice(1)],
    ['empty', () => ''],
    ['of something else', () => DATA_SHA256],
  ])('as damaged with a digest that is %s, and a hint', (_, digest) => {
    const { metadata, tensors } = contentsOf(path);
    const file = put(tempDirectory(), 'damaged', writeSafetensors({ metadata: { ...metadata, sha256: digest(metadata.sha256) }, tensors }));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: damaged: SHA-256 mismatch; restore a copy or train again`);
  });

  it('with text from the file escaped', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.formatVersion = '\x1b[31m2\n\u202e';
    });
    expect(refusal(() => loadCheckpoint(file))).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('with a key from the file escaped and shortened', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.config = json({ ...RUN_CONFIG, [`\x1b[31m\n\u202e${'x'.repeat(2000)}`]: 1 });
    });
    const message = refusal(() => loadCheckpoint(file));
    expect(message).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(message.length).toBeLessThan(1000);
  });

  it.each([
    ['a repeated character', ['.', 'a', 'a']],
    ['the boundary not in first place', ['a', '.', 'b']],
    ['two characters in an entry', ['.', 'ab', 'c']],
    ['an empty entry', ['.', '', 'c']],
    ['a control character', ['.', '\x1b', 'c']],
  ])('with a vocabulary with %s', (_, letters) => {
    const file = changedCopy(path, ({ metadata, tensors }) => {
      metadata.vocabulary = json(letters);
      tensors.set('C', storeFloats(new Float32Array(6), [3, 2]));
      tensors.set('W2', storeFloats(new Float32Array(9), [3, 3]));
      tensors.set('b2', storeFloats(new Float32Array(3), [3]));
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('vocabulary');
  });

  it('with sizes too large for any file, without allocating memory for them', () => {
    const file = changedCopy(path, ({ metadata }) => {
      metadata.config = json({ ...RUN_CONFIG, hidden: [2 ** 50], embedding: 2 ** 50 });
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('tensor "C" is F32');
  });
});

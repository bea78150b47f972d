import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/errors.js';
import type { ModelConfig } from '../../src/network/parameters.js';
import { loadFloats, readSafetensors, type StoredTensor } from '../../src/run/safetensors.js';
import { type Layout, readWeights, weightsBytes } from '../../src/run/weights.js';
import { refusal } from '../support/safetensorsFiles.js';
import { thrownBy } from '../support/thrown.js';
import { SHAPE, tensor, transposedTensor, weightTensors } from '../support/weights.js';

const vocabularyOf = (size: number) => [...'.abcdefghijklmnopqrstuvwxyz'].slice(0, size);

function read(tensors: Map<string, StoredTensor>, { layout, V = SHAPE.vocabulary }: { layout?: Layout; V?: number } = {}, metadata = {}) {
  return readWeights({ tensors, metadata }, { vocabulary: vocabularyOf(V), layout });
}

/** The message for a file in which something is changed. */
function refused(change: (tensors: Map<string, StoredTensor>) => void, options: Parameters<typeof read>[1] = {}, metadata = {}): string {
  const tensors = weightTensors();
  change(tensors);
  return refusal(() => read(tensors, options, metadata));
}

/** The file as modules of PyTorch keep it: matrices [out, in]. */
function asLinear(tensors: Map<string, StoredTensor>): Map<string, StoredTensor> {
  return new Map([...tensors].map(([name, one]) => [name, /(^W[12]|\.W)$/.test(name) ? transposedTensor(one) : one]));
}

const get = (tensors: Map<string, StoredTensor>, name: string) => tensors.get(name) as StoredTensor;
const DEEP: ModelConfig = { context: 2, embedding: 3, hidden: [5, 4, 7], vocabulary: 11 };

describe('weights', () => {
  it.each([SHAPE, DEEP, { ...SHAPE, context: 1, hidden: [1] }])('give the sizes of the network: %j', (shape) => {
    const tensors = weightTensors(shape);
    const { shape: found, parameters, statistics, reading } = read(tensors, { V: shape.vocabulary });
    expect(found).toEqual(shape);
    expect([...parameters.keys()]).toEqual([...tensors.keys()]);
    for (const [name, data] of parameters) expect(data).toEqual(loadFloats(name, get(tensors, name)));
    expect(statistics).toBeUndefined();
    expect(reading).toEqual({
      prefix: '',
      layout: 'lesson',
      ambiguous: false,
      rounded: 0,
      wide: 0,
      missingStatistics: [],
      unused: [],
    });
  });

  it.each([SHAPE, DEEP])("are transposed from nn.Linear's layout, which their shapes show: %j", (shape) => {
    const tensors = weightTensors(shape);
    const { parameters, reading } = read(asLinear(tensors), { V: shape.vocabulary });
    expect(reading).toMatchObject({ layout: 'linear', ambiguous: false });
    expect(parameters).toEqual(read(tensors, { V: shape.vocabulary }).parameters);
  });

  it('are transposed together: where W1 is square, W2 shows the layout', () => {
    const shape = { ...SHAPE, hidden: [12] };
    const tensors = weightTensors(shape);
    expect(read(tensors).reading).toMatchObject({ layout: 'lesson', ambiguous: false });
    const linear = read(asLinear(tensors));
    expect(linear.reading).toMatchObject({ layout: 'linear', ambiguous: false });
    expect(linear.parameters).toEqual(read(tensors).parameters);
  });

  it('have the layout that is asked for where all matrices are square', () => {
    const shape = { context: 3, embedding: 4, hidden: [12], vocabulary: 12 };
    const tensors = weightTensors(shape);
    const plain = read(tensors, { V: 12 });
    expect(plain.reading).toMatchObject({ layout: 'lesson', ambiguous: true });
    expect(read(asLinear(tensors), { V: 12, layout: 'linear' }).parameters).toEqual(plain.parameters);
  });

  it('are refused if their shapes contradict the layout asked for (2)', () => {
    const message = thrownBy(UsageError, () => read(weightTensors(), { layout: 'linear' }));
    expect(message).toBe('--layout is linear, but the shape of W1 [12, 8] shows the layout lesson; leave --layout out');
  });

  it('are refused if their layouts contradict each other', () => {
    expect(refused((tensors) => tensors.set('W1', transposedTensor(get(tensors, 'W1'))))).toBe(
      "W2 [8, 18] is in the lesson's layout, [in, out], but W1 [8, 12] in that of nn.Linear, [out, in]: save both in the same",
    );
  });

  it('may have vectors as [H] or as [1, H]', () => {
    const tensors = weightTensors(SHAPE, 'statistics');
    for (const [name, { shape, ...rest }] of tensors) {
      if (shape.length === 1) tensors.set(name, { ...rest, shape: [1, ...shape] });
      else if (shape[0] === 1) tensors.set(name, { ...rest, shape: shape.slice(1) });
    }
    expect(read(tensors)).toEqual(read(weightTensors(SHAPE, 'statistics')));
  });

  it.each(['', '_running'])('have statistics if the file has them all, as bnmean%s and bnvar%s', (suffix) => {
    const tensors = weightTensors(DEEP, 'statistics');
    const named = new Map([...tensors].map(([name, one]) => [/(bnmean|bnvar)$/.test(name) ? name + suffix : name, one]));
    const { statistics, reading } = read(named, { V: 11 });
    expect([...(statistics?.keys() ?? [])]).toEqual([
      'bnmean',
      'bnvar',
      'blocks.2.bnmean',
      'blocks.2.bnvar',
      'blocks.3.bnmean',
      'blocks.3.bnvar',
    ]);
    expect(reading).toMatchObject({ unused: [], missingStatistics: [] });
  });

  it('have none if one is missing, and say so', () => {
    const tensors = weightTensors(SHAPE, 'statistics');
    tensors.delete('bnvar');
    const { statistics, reading } = read(tensors);
    expect(statistics).toBeUndefined();
    expect(reading).toMatchObject({ missingStatistics: ['bnvar'], unused: ['bnmean'] });
  });

  it('have statistics of one kind: a running mean does not go with the variance of a batch', () => {
    const tensors = weightTensors(SHAPE, 'statistics');
    const running = (name: string) => tensor([8], new Float32Array(8).fill(name === 'bnvar' ? 5 : 4));
    const mixed = new Map([...tensors, ['bnmean_running', running('bnmean')]]);
    mixed.delete('bnmean');
    expect(read(mixed).reading).toMatchObject({ missingStatistics: ['bnmean'], unused: ['bnvar', 'bnmean_running'] });
    const whole = read(mixed.set('bnvar_running', running('bnvar')));
    expect(whole.statistics?.get('bnvar')?.[0]).toBe(5);
    expect(whole.reading).toMatchObject({ missingStatistics: [], unused: ['bnvar'] });
  });

  it.each([SHAPE, DEEP])('are those of a network without batch norm if the file has none of its tensors: %j', (config) => {
    const shape: ModelConfig = { ...config, norm: 'none' };
    const tensors = weightTensors(shape);
    const { shape: found, parameters, statistics, reading } = read(asLinear(tensors), { V: shape.vocabulary });
    expect(found).toEqual(shape);
    expect([...parameters.keys()]).toEqual([...tensors.keys()]);
    expect([statistics, reading.missingStatistics, reading.unused]).toEqual([undefined, [], []]);
  });

  it('are rounded from float64, and the changed numbers are counted', () => {
    const tensors = weightTensors();
    tensors.set('b1', tensor([8], Float64Array.of(0.1, 0.2, 0.5, 1, 2, 3, 4, 5)));
    const { parameters, reading } = read(tensors);
    expect(parameters.get('b1')).toEqual(Float32Array.of(0.1, 0.2, 0.5, 1, 2, 3, 4, 5));
    expect(reading).toMatchObject({ wide: 8, rounded: 2 });
  });

  it('may be the parameters of a module, with a prefix; other tensors are listed', () => {
    const tensors = new Map([...weightTensors()].map(([name, one]) => [`net.model.${name}`, one]));
    tensors.set('optimizer.state', tensor([3]));
    const { parameters, reading } = read(tensors);
    expect(parameters).toEqual(read(weightTensors()).parameters);
    expect(reading).toMatchObject({ prefix: 'net.model.', unused: ['optimizer.state'] });
  });

  it('give bytes that follow from the parameters alone, and can be read again', () => {
    const { shape, parameters } = read(weightTensors(DEEP), { V: 11 });
    const bytes = weightsBytes(shape, parameters);
    const again = read(new Map(readSafetensors(bytes).tensors), { V: 11 });
    expect(again.parameters).toEqual(parameters);
    const shuffled = new Map([...asLinear(weightTensors(DEEP))].reverse());
    const linear = read(shuffled, { V: 11 });
    expect(Buffer.compare(weightsBytes(shape, linear.parameters), bytes)).toBe(0);
  });
});

describe('weights are refused', () => {
  it('with every problem in one message', () => {
    const message = refused((tensors) => {
      tensors.set('C', tensor([17, 4]));
      tensors.set('b1', tensor([5]));
      tensors.set('b2', tensor([18], new Float32Array(18).fill(Number.NaN)));
      tensors.set('bngain', { ...get(tensors, 'bngain'), dtype: 'I32' });
    });
    expect(message).toBe(
      'C has shape [17, 4], expected [18, E]; b1 has shape [5], expected [8] or [1, 8]; ' +
        'bngain has dtype I32, expected F32 or F64; b2 holds NaN at [0], expected finite numbers',
    );
  });

  it.each<[string, Record<string, string>, string]>([
    ['in other letters', { W1: 'w1', bngain: 'BN_gain' }, 'missing W1, bngain; "w1" may be meant as W1; "BN_gain" may be meant as bngain'],
    ['misspelt', { bnbias: 'bnbais' }, 'missing bnbias; "bnbais" may be meant as bnbias'],
    [
      'as the parameters of modules',
      { C: 'C.weight', W1: 'W1.weight', b1: 'W1.bias' },
      'missing C, W1, b1; "C.weight" may be meant as C; "W1.weight" may be meant as W1; "W1.bias" may be meant as b1',
    ],
    ['of a first block', { b1: 'blocks.1.b' }, 'missing b1; "blocks.1.b" may be meant as b1; for a layer without bias, save zeros'],
    ['without a likeness', { W2: '5.weight' }, 'missing W2; the file also has 5.weight [8, 18]'],
  ])('under names %s', (_, names, message) => {
    const tensors = new Map([...weightTensors()].map(([name, one]) => [names[name] ?? name, one]));
    expect(refusal(() => read(tensors))).toContain(message);
  });

  it.each(['bn_gain', 'batchnorm.weight', 'bnmean', 'norm1.weight', 'running_mean'])(
    'without gain and bias of batch norm, if the file has %s',
    (name) => {
      const tensors = weightTensors({ ...SHAPE, norm: 'none' }).set(name, tensor([1, 8]));
      expect(refusal(() => read(tensors))).toContain('missing bngain, bnbias');
    },
  );

  it('if parameters of a block are missing', () => {
    const tensors = weightTensors(DEEP);
    for (const name of ['blocks.2.W', 'blocks.2.b', 'blocks.2.bngain', 'blocks.2.bnbias']) tensors.delete(name);
    expect(refusal(() => read(tensors, { V: 11 }))).toContain('missing blocks.2.W, blocks.2.b, blocks.2.bngain, blocks.2.bnbias');
  });

  it.each<[string, (tensors: Map<string, StoredTensor>) => void, string]>([
    [
      'no context length',
      (t) => t.set('W1', tensor([13, 8])),
      'W1 has 13 inputs, not a multiple of the 4 numbers per character of C, so there is no context length T',
    ],
    [
      'a matrix of another size',
      (t) => t.set('W2', tensor([8, 17])),
      'W2 has shape [8, 17], expected [8, 18], or its transpose as nn.Linear keeps it',
    ],
    ['a matrix of another rank', (t) => t.set('W1', tensor([96])), 'W1 has shape [96], expected [a multiple of 4, 8]'],
    ['a transposed table', (t) => t.set('C', tensor([4, 18])), 'C has shape [4, 18], expected [18, E], its transpose'],
    ['a vector as a column', (t) => t.set('b1', tensor([8, 1])), 'b1 has shape [8, 1], expected [8] or [1, 8]'],
    ['an empty tensor', (t) => t.set('C', tensor([18, 0])), 'C has shape [18, 0], expected sizes of at least 1'],
    ['infinity', (t) => t.set('b1', tensor([8], new Float32Array(8).fill(Infinity))), 'b1 holds Infinity at [0], expected finite numbers'],
    [
      'a number beyond float32',
      (t) => t.set('b1', tensor([8], new Float64Array(8).fill(1e39))),
      'b1 holds 1e+39 at [0], too large for float32',
    ],
    [
      'statistics of another size',
      (t) => {
        t.set('bnmean', tensor([7]));
        t.set('bnvar', tensor([8]));
      },
      'bnmean has shape [7], expected [8] or [1, 8]',
    ],
    [
      'a negative variance',
      (t) => {
        t.set('bnmean', tensor([8]));
        t.set('bnvar', tensor([8], new Float32Array(8).fill(-1)));
      },
      'bnvar holds the negative variance -1',
    ],
    [
      'a longer context than any',
      (t) => t.set('W1', tensor([65 * 4, 8])),
      'the context length T is 65, expected a whole number from 1 to 64',
    ],
  ])('with %s', (_, change, message) => {
    expect(refused(change)).toContain(message);
  });

  it('for a vocabulary of another size, with the order of the characters', () => {
    expect(refused(() => {}, { V: 27 })).toBe(
      "the network has 18 characters, the rows of C, but the data has 27: .abcdefghijklmnopqrstuvwxyz (row 0 of C is the boundary '.', " +
        'the others are sorted by code point); name the list that the weights were trained on with --data',
    );
  });

  it('for another vocabulary of the same size, if the file names its own', () => {
    const own = vocabularyOf(18).slice(0, -1).concat('ß');
    expect(refused(() => {}, {}, { vocabulary: JSON.stringify(own) })).toContain(
      'its vocabulary is .abcdefghijklmnopß, but that of the data is',
    );
    for (const vocabulary of ['{', '7', JSON.stringify(vocabularyOf(18))])
      expect(read(weightTensors(), {}, { vocabulary }).shape).toEqual(SHAPE);
  });
});

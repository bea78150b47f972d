import { describe, expect, it } from 'vitest';
import { type DType, type Shape, Tensor } from '../../../src/core/tensor.js';
import { judgeForward } from '../../../src/dojo/against/forward.js';
import { readInputs } from '../../../src/dojo/against/inputs.js';
import { remarkOn } from '../../../src/dojo/against/remarks.js';
import { backward } from '../../../src/lesson/exercise1.js';
import { forward, forwardLines } from '../../../src/lesson/forward.js';
import { softmax } from '../../../src/lesson/softmax.js';
import { INTERMEDIATE_NAMES, type LessonParameters, type LessonValues, STEP_NAMES, type StepName } from '../../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../../src/network/parameters.js';
import { type Safetensors, type StoredTensor, storeFloats } from '../../../src/run/safetensors.js';
import { batchOf, loadFixture } from '../../support/fixtures.js';

type Lines = Partial<Record<StepName, (at: LessonValues) => Tensor>>;
type Change = Partial<Record<string, StoredTensor | undefined>>;

const KEEP = { keepdim: true };
const SMALL = loadFixture('gradients-n5-t2-e3-h7-v11-f64');
const LESSON = loadFixture('gradients-n32-t3-e10-h64-v27-f64');
const PAIR = loadFixture('gradients-n2-t3-e4-h8-v13-f64');

const each = (a: Tensor, f: (x: number) => number) => new Tensor(a.data.map(f), a.shape);
const stored = ({ data, shape }: Tensor) => storeFloats(data, shape);
const parametersOf = (fixture: typeof SMALL, dtype: DType): LessonParameters =>
  Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, fixture.parameters()[name].to(dtype)])) as LessonParameters;

/** A notebook's forward pass, some steps of it computed in another way. */
function pass(lines: Lines = {}, fixture = SMALL, dtype: DType = 'float64'): LessonValues {
  const batch = batchOf(fixture);
  const values = { ...parametersOf(fixture, dtype), ...batch, n: batch.Xb.shape[0] } as LessonValues;
  for (const step of STEP_NAMES) values[step] = (lines[step] ?? forwardLines[step])(values);
  return values;
}

/** What the notebook saves: parameters, batch and these values. */
function fileOf(values: LessonValues, names: readonly StepName[] = STEP_NAMES, change: Change = {}, fixture = SMALL): Safetensors {
  const floats = [...LESSON_PARAMETER_NAMES, ...names].map((name) => [name, stored(values[name])] as const);
  const tensors = new Map<string, StoredTensor>(floats);
  for (const name of ['Xb', 'Yb']) tensors.set(name, fixture.file.tensors.get(name) as StoredTensor);
  for (const [name, tensor] of Object.entries(change)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return { metadata: {}, tensors };
}

const judge = (file: Safetensors) => judgeForward(file, readInputs(file));
const verdicts = (file: Safetensors) => Object.fromEntries(judge(file).rows.map(({ name, verdict }) => [name, verdict]));
const wrong = (file: Safetensors) => judge(file).rows.flatMap(({ name, verdict }) => (verdict === 'wrong' ? [name] : []));
const causeOf = (file: Safetensors) => {
  const { first } = judge(file).report;
  return first && { name: first.name, id: first.cause?.id };
};

describe('a right forward pass', () => {
  it.each([
    ['float64', SMALL],
    ['float32', SMALL],
    ['float64', LESSON],
    ['float32', LESSON],
    ['float64', PAIR],
    ['float32', PAIR],
  ] as const)('in %s has a row per value in the order of the pass, all right', (dtype, fixture) => {
    const { report, rows, values } = judge(fileOf(pass({}, fixture, dtype), STEP_NAMES, {}, fixture));
    expect(report).toEqual({ compared: 20, judgedOn: 'ours', first: null });
    expect(rows.map(({ name }) => name)).toEqual(STEP_NAMES);
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(values.h.dtype).toBe('float64');
  });

  it('computed in float32 and stored as float64 is judged as float32', () => {
    const narrow = pass({}, LESSON, 'float32');
    const wide = {
      ...narrow,
      ...Object.fromEntries([...LESSON_PARAMETER_NAMES, ...STEP_NAMES].map((name) => [name, narrow[name].to('float64')])),
    };
    expect(wrong(fileOf(wide, STEP_NAMES, {}, LESSON))).toEqual([]);
  });

  it('may keep other shapes, with a remark: [n] for [n,1], [H] for [1,H], [1] for []', () => {
    const values = pass();
    const as = (name: StepName, shape: Shape) => stored(values[name].view(shape));
    const { rows } = judge(
      fileOf(values, STEP_NAMES, { bnmeani: as('bnmeani', [7]), counts_sum: as('counts_sum', [5]), loss: as('loss', [1]) }),
    );
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(rows.flatMap(({ remarks }) => remarkOn(remarks) ?? [])).toEqual([
      '[7] is read as [1, 7]',
      '[5] is read as [5, 1]',
      '[1] is read as []',
    ]);
  });

  it('may call embact embcat', () => {
    const values = pass();
    expect(judge(fileOf(values, ['h'], { embcat: stored(values.embact) })).rows.map(({ name }) => name)).toEqual(['embact', 'h']);
  });
});

/** A mistake: the id of its cause, and the way in which the notebook computes the step. */
const MISTAKES: readonly (readonly [id: string, step: StepName, line: (at: LessonValues) => Tensor])[] = [
  ['contexts-reversed', 'emb', ({ C, Xb }) => C.gatherRows({ ...Xb, data: flipped(Xb) })],
  ['embact-viewed', 'embact', ({ emb, n }) => emb.view([n * emb.shape[1], -1]).T.view([n, -1])],
  ['bias-missing', 'hprebn', ({ embact, W1 }) => embact.matmul(W1)],
  ['sum-for-mean', 'bnmeani', ({ hprebn }) => hprebn.sum(0, KEEP)],
  ['mean-over-other-dimension', 'bnmeani', ({ hprebn }) => hprebn.mean(1, KEEP)],
  ['biased-variance', 'bnvar', ({ bndiff2 }) => bndiff2.mean(0, KEEP)],
  ['standard-deviation', 'bnvar', ({ bndiff2, n }) => each(bndiff2.sum(0, KEEP).div(n - 1), Math.sqrt)],
  ['epsilon-other', 'bnvar_inv', ({ bnvar }) => bnvar.add(1e-3).pow(-0.5)],
  ['epsilon-other', 'bnvar_inv', ({ bnvar }) => bnvar.add(0.0042).pow(-0.5)],
  ['epsilon-missing', 'bnvar_inv', ({ bnvar }) => bnvar.pow(-0.5)],
  ['epsilon-outside', 'bnvar_inv', ({ bnvar }) => each(bnvar, (x) => 1 / (Math.sqrt(x) + 1e-5))],
  ['root-missing', 'bnvar_inv', ({ bnvar }) => bnvar.add(1e-5).pow(-1)],
  ['gain-missing', 'hpreact', ({ bnraw, bnbias }) => bnraw.add(bnbias)],
  ['bias-missing', 'hpreact', ({ bnraw, bngain }) => bnraw.mul(bngain)],
  ['other-activation', 'h', ({ hpreact }) => each(hpreact, (x) => Math.max(x, 0))],
  ['other-activation', 'h', ({ hpreact }) => each(hpreact, (x) => 1 / (1 + Math.exp(-x)))],
  ['bias-missing', 'logits', ({ h, W2 }) => h.matmul(W2)],
  ['maximum-over-batch', 'logit_maxes', ({ logits }) => logits.max(0, KEEP).values],
  ['base-2', 'counts', ({ norm_logits }) => each(norm_logits, (x) => 2 ** x)],
  ['sum-over-batch', 'counts_sum', ({ counts }) => counts.sum(0, KEEP)],
  ['softmax-over-batch', 'probs', ({ logits }) => softmax(logits.T).T],
  ['base-10', 'logprobs', ({ probs }) => each(probs, Math.log10)],
  ['log-missing', 'logprobs', ({ probs }) => probs],
  ['summed-loss', 'loss', ({ logprobs, Yb }) => logprobs.pick(Yb).sum().neg()],
  ['sign', 'loss', ({ logprobs, Yb }) => logprobs.pick(Yb).mean()],
];

function flipped({ data, shape: [, T] }: LessonValues['Xb']): Int32Array {
  return data.map((_, i) => data[i - (i % T) + (T - 1 - (i % T))]);
}

describe('the first value that differs is named, with its cause', () => {
  it.each(MISTAKES)('%s, in %s', (id, step, line) => {
    const file = fileOf(pass({ [step]: line }));
    expect(causeOf(file)).toEqual({ name: step, id });
    expect(wrong(file)).toEqual([step]);
    expect(judge(file).rows.find(({ name }) => name === step)).toMatchObject({ ok: false, verdict: 'wrong', mistake: { id } });
  });

  // What batch norm hides, and an epsilon below the rounding of float32.
  const hidden = ['epsilon-missing', 'epsilon-outside'];
  const visible = MISTAKES.filter(([id, step]) => step !== 'hprebn' && step !== 'bnmeani' && !hidden.includes(id));
  it.each(visible)('%s in %s, from float32 values at the end of the pass alone', (id, step, line) => {
    const names: StepName[] = ['h', 'logits', 'probs', 'logprobs', 'loss'];
    const name = names.find((one) => STEP_NAMES.indexOf(one) >= STEP_NAMES.indexOf(step));
    expect(causeOf(fileOf(pass({ [step]: line }, LESSON, 'float32'), names, {}, LESSON))).toEqual({ name, id });
  });

  it('says which epsilon it is', () => {
    const text = (epsilon: number) =>
      judge(fileOf(pass({ bnvar_inv: ({ bnvar }) => bnvar.add(epsilon).pow(-0.5) }))).report.first?.cause?.text;
    expect(text(1e-3)).toBe('the epsilon is 0.001, expected 1e-5');
    expect(text(1e-8)).toBe('the epsilon is 1e-8, expected 1e-5');
    expect(text(0.0042)).toBe('the epsilon is 0.0042, expected 1e-5');
  });

  it('names the step, where the value is of a later one', () => {
    const file = fileOf(pass({ bnvar: ({ bndiff2 }) => bndiff2.mean(0, KEEP) }), ['h', 'loss']);
    expect(judge(file).report.first).toMatchObject({
      name: 'h',
      cause: { id: 'biased-variance', text: expect.stringMatching(/^bnvar: the variance is divided by n, expected n-1/) },
    });
  });

  it('the rows after it are right given what they were fed', () => {
    const found = verdicts(fileOf(pass({ h: ({ hpreact }) => each(hpreact, (x) => Math.max(x, 0)) })));
    expect(found).toMatchObject({ hpreact: 'right', h: 'wrong', logits: 'right-as-fed', probs: 'right-as-fed', loss: 'right-as-fed' });
  });

  it('a second mistake is located, too', () => {
    const lines: Lines = {
      bnvar: ({ bndiff2 }) => bndiff2.mean(0, KEEP),
      logits: ({ h, W2 }) => h.matmul(W2),
    };
    expect(wrong(fileOf(pass(lines)))).toEqual(['bnvar', 'logits']);
  });

  it('an unknown mistake has no cause', () => {
    expect(causeOf(fileOf(pass({ h: ({ hpreact }) => each(hpreact, (x) => Math.sin(x) ** 3) })))).toEqual({ name: 'h', id: undefined });
  });

  it('running statistics', () => {
    const lines: Lines = {
      bnmeani: ({ hprebn }) => each(hprebn.sum(0, KEEP), (x) => Math.cos(x)),
      bnvar: ({ bndiff2 }) => each(bndiff2.sum(0, KEEP), (x) => 1 + Math.cos(x) ** 2),
    };
    expect(causeOf(fileOf(pass(lines)))).toEqual({ name: 'bnmeani', id: 'other-statistics' });
    expect(causeOf(fileOf(pass(lines), ['hprebn', 'bnraw']))).toEqual({ name: 'bnraw', id: 'other-statistics' });
  });
});

describe('what is harmless is a remark:', () => {
  it.each<[string, StepName, (at: LessonValues) => Tensor]>([
    ['the maximum is not subtracted', 'norm_logits', ({ logits }) => logits],
    ['the maximum is not subtracted', 'counts', ({ logits }) => logits.exp()],
    ['the maximum is over everything', 'logit_maxes', ({ logits }) => Tensor.of([Math.max(...logits.data)], [1, 1], 'float64')],
  ])('%s, in %s', (remark, step, line) => {
    const values = pass({ [step]: line });
    const { report, rows, values: judged } = judge(fileOf(values));
    expect(report).toMatchObject({ judgedOn: 'file', first: null });
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(remarkOn(rows.find(({ name }) => name === step)?.remarks ?? [])).toContain(remark);
    // The gradients of counts belong to these counts.
    const error = backward(judged).dcounts.sub(backward({ ...values, logit_maxes: values.logit_maxes }).dcounts);
    expect(Math.max(...error.data.map(Math.abs))).toBeLessThan(1e-12);
  });
});

describe('whose forward values the gradients are judged on', () => {
  const biased = pass({ bnvar: ({ bndiff2 }) => bndiff2.mean(0, KEEP) });

  it("the file's own, where they are complete", () => {
    const { report, values } = judge(fileOf(biased));
    expect(report.judgedOn).toBe('file');
    for (const name of INTERMEDIATE_NAMES) expect(values[name].data).toEqual(biased[name].data);
  });

  it('completed by the recognised mistake, where they are not', () => {
    const { report, values } = judge(fileOf(biased, ['loss']));
    expect(report.judgedOn).toBe('file');
    expect(values.bnraw.data).toEqual(biased.bnraw.data);
  });

  it('ours, where the mistake is not known and values are missing', () => {
    const odd = pass({ h: ({ hpreact }) => each(hpreact, (x) => Math.sin(x) ** 3) });
    expect(judge(fileOf(odd, ['loss'])).report.judgedOn).toBe('ours');
    expect(judge(fileOf(odd)).report.judgedOn).toBe('file');
  });

  it('ours for a value that the later ones were not computed from', () => {
    const { report, rows, values } = judge(fileOf(pass(), STEP_NAMES, { h: stored(each(pass().h, (x) => x + 1)) }));
    expect(rows.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['h']);
    expect(report.first?.name).toBe('h');
    expect(values.h.data).toEqual(pass().h.data);
  });
});

describe('mistakes in what is saved', () => {
  const values = pass();
  const asBytesOf = (a: Tensor) => storeFloats(a.T.data, a.shape);

  it.each(['hpreact', 'h', 'logits'] as const)('%s in column order', (name) => {
    const file = fileOf(values, STEP_NAMES, { [name]: asBytesOf(values[name]) });
    expect(causeOf(file)).toEqual({ name, id: 'column-order' });
    expect(wrong(file)).toEqual([name]);
  });

  it.each([
    ['C', 'emb'],
    ['W1', 'hprebn'],
    ['W2', 'logits'],
  ] as const)('the parameter %s in column order, seen in %s', (name, step) => {
    const { report, values: judged } = judge(fileOf(values, STEP_NAMES, { [name]: asBytesOf(values[name]) }));
    expect(report).toMatchObject({ judgedOn: 'file', first: { name: step, cause: { id: 'column-order' } } });
    expect(judged[name].data).toEqual(values[name].data);
  });

  it('W1 of nn.Linear where T·E = H, seen in the loss alone', () => {
    const W1 = Tensor.of(
      Array.from({ length: 36 }, (_, i) => Math.sin(i)),
      [6, 6],
      'float64',
    );
    const square = { ...parametersOf(SMALL, 'float64'), W1 };
    const six = (name: 'b1' | 'bngain' | 'bnbias') => Tensor.of(square[name].data.slice(0, 6), name === 'b1' ? [6] : [1, 6], 'float64');
    const parameters = {
      ...square,
      b1: six('b1'),
      bngain: six('bngain'),
      bnbias: six('bnbias'),
      W2: Tensor.of(square.W2.data.slice(0, 66), [6, 11], 'float64'),
    };
    const file = fileOf(forward(parameters, batchOf(SMALL)), ['loss'], { W1: stored(W1.T) });
    expect(judge(file).report.first?.cause).toEqual({
      id: 'transposed',
      text: 'W1 is transposed: nn.Linear stores the transpose; save W1.T',
    });
  });

  it('emb with its dimensions in another order', () => {
    const [n, T, E] = values.emb.shape;
    const data = Float64Array.from(
      values.emb.data,
      (_, i) => values.emb.data[((Math.floor(i / E) % n) * T + Math.floor(i / (n * E))) * E + (i % E)],
    );
    expect(causeOf(fileOf(values, STEP_NAMES, { emb: storeFloats(data, [T, n, E]) }))).toEqual({ name: 'emb', id: 'permuted' });
  });

  it('h as its transpose, and in another shape', () => {
    expect(causeOf(fileOf(values, ['h'], { h: stored(values.h.T) }))).toEqual({ name: 'h', id: 'transposed' });
    const { rows } = judge(fileOf(values, ['h'], { h: stored(values.h.view([35, 1])) }));
    expect(rows[0].mistake?.text).toBe('the values are right, the shape is not: [35, 1], expected [5, 7]');
  });

  it.each([[STEP_NAMES], [['h', 'loss'] as const], [['loss'] as const]])(
    'parameters after the update, with the learning rate: %j',
    (names) => {
      const gradients = backward(values);
      const after = Object.fromEntries(
        LESSON_PARAMETER_NAMES.map((name) => [name, stored(values[name].sub(gradients[`d${name}`].mul(0.1)))]),
      );
      const own = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [`d${name}`, stored(gradients[`d${name}`])]));
      const { report, values: judged } = judge(fileOf(values, names, { ...after, ...own }));
      expect(report.first?.cause).toMatchObject({ id: 'after-update', text: expect.stringContaining('a learning rate of 0.1') });
      expect(judged.W1.at(0, 0)).toBeCloseTo(values.W1.at(0, 0), 10);
    },
  );

  it('another batch', () => {
    const { data, shape } = SMALL.indices('Xb');
    const other = { dtype: 'I32' as const, shape, bytes: new Uint8Array(Int32Array.from(data, (x) => (x + 1) % 11).buffer) };
    const { report, values: judged } = judge(fileOf(values, STEP_NAMES, { Xb: other }));
    expect(report.first?.cause?.id).toBe('other-batch');
    expect(judged.Xb.data).toEqual(data);
    expect(judge(fileOf(values, ['hprebn', 'loss'], { Xb: other })).report.first?.cause?.text).toBe(
      'are the parameters, Xb and Yb those of this forward pass, from before the update?',
    );
  });

  it('NaN and infinite values', () => {
    const file = fileOf(values, STEP_NAMES, { counts: stored(each(values.counts, () => Number.POSITIVE_INFINITY)) });
    expect(judge(file).report.first?.cause?.text).toBe('it holds Infinity: does exp overflow? Subtract the maximum of each row first');
    expect(causeOf(fileOf(values, STEP_NAMES, { h: stored(each(values.h, () => Number.NaN)) }))).toEqual({ name: 'h', id: 'not-finite' });
  });
});

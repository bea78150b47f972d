import { describe, expect, it } from 'vitest';
import { Tensor } from '../../../src/core/tensor.js';
import { checkAgainst } from '../../../src/dojo/against/checkAgainst.js';
import { remarkOn } from '../../../src/dojo/against/remarks.js';
import type { AgainstReport } from '../../../src/dojo/against/report.js';
import { findMutant } from '../../../src/dojo/mutants.js';
import { exercise1, GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
import { forward } from '../../../src/lesson/forward.js';
import type { GradientName, LessonGradients } from '../../../src/lesson/values.js';
import { byName, LESSON_PARAMETER_NAMES } from '../../../src/network/parameters.js';
import { againstCase, fileOf, gradientsOf, planted } from '../../support/against.js';

const CASES = [againstCase('float64'), againstCase('float32')];
const rowOf = ({ tensors }: AgainstReport, name: string) => tensors.find((row) => row.name === name);
const verdictsBelow = ({ tensors }: AgainstReport, line: string) =>
  new Set(tensors.slice(tensors.findIndex(({ name }) => name === line) + 1).map(({ verdict }) => verdict));

describe.each(CASES)('in $dtype', (given) => {
  const right = gradientsOf(given);
  const judged = (...names: string[]) => checkAgainst(fileOf(given, gradientsOf(given, planted(names.map(findMutant)))));
  const changed = (gradients: Record<string, Tensor>) => checkAgainst(fileOf(given, { ...right, ...gradients }));
  /** What takes long, and is the same in float32. */
  const once = it.runIf(given.dtype === 'float64');

  it.each<[string, GradientName, string]>([
    ['dbnraw-gain-forgotten', 'dbnraw', 'the gain, bngain, is missing'],
    ['dbndiff2-n-for-n-minus-1', 'dbndiff2', "you have the factor 1/n where 1/(n-1) belongs (Bessel's correction)"],
    ['dhpreact-1-minus-h-for-1-minus-h2', 'dhpreact', 'you have 1 - h where 1 - h² belongs'],
    ['dlogprobs-no-division-by-n', 'dlogprobs', 'the division by n is missing'],
  ])('%s is located and named, and the rows below are right as fed', (name, line, text) => {
    const report = judged(name);
    expect(report.culprits).toEqual([line]);
    expect(rowOf(report, line)?.mistake?.text).toBe(text);
    expect(verdictsBelow(report, line)).toEqual(new Set(['right', 'right-as-fed']));
  });

  it.each<[string, (row: number, column: number, targets: readonly number[], last: readonly number[]) => boolean]>([
    ['in the columns of all targets, in every row', (_, column, targets) => targets.includes(column)],
    ['in whole rows, those numbered like the targets', (row, _, targets) => targets.includes(row)],
    ['at the last character of the context, Xb', (row, column, _, last) => last[row] === column],
  ])('dlogprobs %s', (text, holds) => {
    const { Xb, Yb } = given.values;
    const [n, V] = right.dlogprobs.shape;
    const last = Array.from({ length: n }, (_, row) => Xb.data[row * Xb.shape[1] + Xb.shape[1] - 1]);
    const data = Array.from({ length: n * V }, (_, k) => (holds(Math.floor(k / V), k % V, [...Yb.data], last) ? -1 / n : 0));
    const report = changed({ dlogprobs: Tensor.of(data, [n, V], given.dtype) });
    expect(rowOf(report, 'dlogprobs')?.mistake?.text).toBe(`the entries are ${text}, expected at the target`);
  });

  it.each<['dlogit_maxes' | 'db1', string]>([
    ['dlogit_maxes', 'missing'],
    ['db1', 'extra'],
  ])('%s, which is always 0, has right values in the wrong shape', (name, keepdim) => {
    const { data, size } = right[name];
    const shape = name === 'db1' ? [1, size] : [size];
    expect(rowOf(changed({ [name]: Tensor.of(data, shape, given.dtype) }), name)?.mistake).toMatchObject({
      id: 'reshaped',
      found: shape,
      keepdim,
    });
  });

  it('a sum of squares of sizes is read as sizes, not as a number', () => {
    expect(rowOf(changed({ dW2: right.dW2.div(32 * 32) }), 'dW2')?.mistake).toMatchObject({ id: 'scaled', by: '1/n²' });
  });

  it('four mistakes at once are all located and named', () => {
    const names = [
      'dprobs-times-probs-for-divided-by',
      'dhpreact-1-minus-h-for-1-minus-h2',
      'dbndiff2-n-for-n-minus-1',
      'dW1-averaged-over-the-batch',
    ];
    const { culprits, tensors } = judged(...names);
    expect(culprits).toEqual(['dprobs', 'dhpreact', 'dbndiff2', 'dW1']);
    expect(tensors.filter(({ verdict }) => verdict === 'wrong').every(({ mistake }) => mistake !== null)).toBe(true);
  });

  once('gradients that add up over backward calls are one mistake of all parameters', () => {
    const report = changed(Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [`d${name}`, right[`d${name}`].mul(3)])));
    expect(report.culprits).toEqual(['dW2', 'db2', 'dbngain', 'dbnbias', 'dW1', 'dC']);
    for (const name of report.culprits) expect(rowOf(report, name)?.mistake).toMatchObject({ id: 'accumulated', times: 3 });
  });

  once('nothing more is said of many lines that disagree, where gradients add up', () => {
    const sums = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [`d${name}`, right[`d${name}`].mul(2)]));
    const { culprits, remarks } = checkAgainst(fileOf(given, sums));
    expect(culprits).toHaveLength(6);
    expect(remarks).toEqual([]);
  });

  it('a tensor that was changed through its second name', () => {
    const report = changed({ dbndiff: right.dhprebn });
    expect(report.culprits).toEqual(['dbndiff']);
    expect(rowOf(report, 'dbndiff')?.mistake).toMatchObject({ id: 'aliased', by: 'dhprebn' });
    expect(report.tensors.filter(({ ok }) => !ok)).toHaveLength(1);
  });

  it('a wrong shape, and whether its values are right', () => {
    const report = changed({ dW2: right.dW2.T, dcounts_sum: right.dcounts_sum.view([32]), db2: right.dlogits.sum(1) });
    expect(report.culprits).toEqual(['dcounts_sum', 'dW2', 'db2']);
    expect(report.culprits.map((name) => rowOf(report, name)?.mistake?.id)).toEqual(['reshaped', 'transposed', 'summed-over']);
  });

  it('a line below a wrong shape is right if it is what that shape gives', () => {
    const report = judged('dcounts_sum_inv-sum-over-the-row-forgotten');
    expect(report.culprits).toEqual(['dcounts_sum_inv']);
    expect(rowOf(report, 'dcounts_sum')).toMatchObject({ verdict: 'right-as-fed', shape: [32, 27], expectedShape: [32, 1], error: null });
  });

  once('NaN is the mistake of the first row that has it', () => {
    const report = checkAgainst(
      fileOf(given, gradientsOf(given, { ...planted([findMutant('dh-divided-by-n')]), dh: ({ h }) => h.mul(Number.NaN) })),
    );
    expect(report.culprits).toEqual(['dh']);
    expect(rowOf(report, 'dh')?.mistake).toMatchObject({ id: 'not-finite', entry: 'NaN', index: [0, 0] });
  });

  it('the closed forms of Exercises 2 and 3 are right, without the lines that they replace', () => {
    const held = ['dlogits', 'dh', 'dW2', 'db2', 'dhpreact', 'dbngain', 'dbnbias', 'dhprebn', 'dembact', 'dW1', 'db1', 'demb', 'dC'];
    const of = (gradients: Record<string, Tensor>) => fileOf(given, Object.fromEntries(held.map((name) => [name, gradients[name]])));
    expect(checkAgainst(of(right))).toMatchObject({ ok: true, compared: 13, culprits: [] });
    const wrong = checkAgainst(of(gradientsOf(given, planted([findMutant('batch-norm-mean-not-divided-by-n')]))));
    expect(wrong.culprits).toEqual(['dhprebn']);
    expect(rowOf(wrong, 'dhprebn')?.mistake?.text).toBe('the branch through the mean is too large by a factor of n');
  });

  once('a gradient that is absent is replaced by what its line gives for the file', () => {
    const gradients = gradientsOf(given, planted([findMutant('dhpreact-1-minus-h-for-1-minus-h2')]));
    const { dbnraw: _, ...others } = gradients;
    const report = checkAgainst(fileOf(given, others));
    expect(report).toMatchObject({ culprits: ['dhpreact'], absent: ['dbnraw'] });
  });

  it('what the values do not show is listed', () => {
    const { notShown } = changed({});
    expect(notShown.map(({ name }) => name)).toEqual(['dlogit_maxes', 'dlogits', 'db1']);
  });
});

describe.each(CASES)('a name that is true, in $dtype', (given) => {
  const right = gradientsOf(given);
  const nameOf = (name: GradientName, gradient: Tensor) => {
    const report = checkAgainst(fileOf(given, { ...right, [name]: gradient.to(given.dtype) }));
    return rowOf(report, name)?.mistake?.text;
  };
  const { n, bndiff, Xb } = given.values;
  const contextOf = (row: number) => Array.from(Xb.data.slice(row * Xb.shape[1], (row + 1) * Xb.shape[1]));
  const [, V] = right.dlogits.shape;

  it('row and column of dembact swapped are no second name of demb', () => {
    expect(nameOf('dembact', right.dembact.T.clone())).toMatch(/^this is the transpose of the right answer/);
  });

  it('dlogits of the closed form, divided by V or twice by n', () => {
    const { probs, Yb } = given.values;
    const closed = Tensor.of(
      Array.from(probs.data, (p, k) => p - Number(Yb.data[Math.floor(k / V)] === k % V)),
      [n, V],
      given.dtype,
    );
    expect(nameOf('dlogits', closed.div(V))).toBe('you have the factor 1/V where 1/n belongs');
    expect(nameOf('dh', right.dh.mul(n / V))).toBe(
      'it is n/V times what it should be, as if you divided by V, the row length, instead of n',
    );
    expect(nameOf('dlogits', closed)).toBe('the division by n is missing');
    expect(nameOf('dlogits', closed.div(n * n))).toBe('it is divided by n once too often');
  });

  it('1.0/n-1 is 1/n - 1', () => {
    expect(
      nameOf(
        'dbndiff2',
        Tensor.onesLike(bndiff)
          .mul(right.dbnvar)
          .mul(1 / n - 1),
      ),
    ).toBe('you have the factor 1/n - 1 where 1/(n-1) belongs: write n - 1 in parentheses');
  });

  it('a branch in whose shadow the other one has few digits is not said to be right', () => {
    const scaled = bndiff.add(right.dbnmeani.div(n));
    expect(nameOf('dhprebn', scaled)).toBe('in the branch through bndiff, you have bndiff where dbndiff belongs');
  });

  it.each<[string, (row: number, t: number) => number]>([
    ['each position has the gradient of the first position', () => 0],
    [
      'a character that occurs twice in one context is counted only once: its last position overwrites the others',
      (row, t) => (contextOf(row).lastIndexOf(contextOf(row)[t]) === t ? t : -1),
    ],
  ])('dC: %s', (text, from) => {
    const [, T, E] = right.demb.shape;
    const data = Array.from(right.demb.data, (_, k) => {
      const [row, t] = [Math.floor(k / (T * E)), Math.floor(k / E) % T];
      return from(row, t) < 0 ? 0 : right.demb.data[(row * T + from(row, t)) * E + (k % E)];
    });
    const demb = Tensor.of(data, right.demb.shape, given.dtype);
    expect(nameOf('dC', exercise1.dC({ ...given.values, ...(right as unknown as LessonGradients), demb }))).toBe(text);
  });

  it('a result that is 0 up to rounding has no far-fetched name', () => {
    expect(nameOf('dbnmeani', bndiff.sum(0, { keepdim: true }).neg())).toBe('it is 0 up to rounding');
  });
});

describe.each(CASES)('a batch of one repeated character, whose sums cancel, in $dtype', (given) => {
  const { Xb, Yb } = given.values;
  const batch = { Xb: { ...Xb, data: Xb.data.slice().fill(5) }, Yb };
  const values = forward(
    byName(
      LESSON_PARAMETER_NAMES,
      LESSON_PARAMETER_NAMES.map((name) => given.values[name]),
    ),
    batch,
  );
  const alike = { ...given, values };

  it('is right by hand', () => {
    expect(checkAgainst(fileOf(alike, gradientsOf(alike)))).toMatchObject({ ok: true, culprits: [] });
  });

  it('is right where the sums are rounded in another order', () => {
    const right = gradientsOf(alike);
    const [n, H] = right.dhprebn.shape;
    const rounded = given.dtype === 'float32' ? Math.fround : (x: number) => x;
    const dW1 = right.dW1.clone();
    for (let i = 0; i < dW1.shape[0]; i++)
      for (let j = 0; j < H; j++) {
        let sum = 0;
        for (let k = n - 1; k >= 0; k--) sum = rounded(sum + rounded(values.embact.data[i] * right.dhprebn.data[k * H + j]));
        dW1.data[i * H + j] = sum;
      }
    expect(checkAgainst(fileOf(alike, { ...right, dW1 }))).toMatchObject({ ok: true, culprits: [] });
  });
});

it('why an upstream gradient of the file is not used is said as it is', () => {
  const given = againstCase('float64');
  const wrong = gradientsOf(given, planted([findMutant('dhpreact-1-minus-h-for-1-minus-h2')]));
  const remarkWith = (dh: Record<string, Tensor>) => {
    const { dh: _, ...others } = wrong;
    return remarkOn(rowOf(checkAgainst(fileOf(given, { ...others, ...dh })), 'dhpreact')?.remarks ?? []);
  };
  expect(remarkWith({})).toBe('judged with the right dh, which the file does not hold');
  expect(remarkWith({ dh: wrong.dh.T })).toBe('judged with the right dh, which the file holds in another shape');
});

describe('float32 values that are stored as float64', () => {
  it.each([true, false])('are judged as float32, with the forward pass: %s', (withForward) => {
    const narrow = againstCase('float32');
    const parameters = Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, narrow.values[name].to('float64')]));
    const wide = { dtype: 'float64', values: { ...narrow.values, ...parameters } } as const;
    const gradients = Object.fromEntries(GRADIENT_NAMES.map((name) => [name, gradientsOf(narrow)[name].to('float64')]));
    const { tensors, ok } = checkAgainst(fileOf(wide, gradients, { forward: withForward }));
    expect(tensors.filter((row) => row.name.startsWith('d') && !row.ok)).toEqual([]);
    for (const name of ['dW1', 'db1', 'dlogit_maxes'])
      expect(tensors.find((row) => row.name === name)?.remarks).toEqual([{ id: 'widened' }]);
    expect(ok).toBe(true);
  });
});

it('bngain of 1 hides a forgotten gain, and that is said', () => {
  const flat = againstCase('float64', 32, { bngain: Tensor.onesLike(CASES[0].values.bngain) });
  const forgotten = gradientsOf(flat, planted([findMutant('dbnraw-gain-forgotten')]));
  for (const gradients of [gradientsOf(flat), forgotten]) {
    const report = checkAgainst(fileOf(flat, gradients));
    expect(report).toMatchObject({ ok: true, culprits: [] });
    expect(report.notShown.map(({ name }) => name)).toContain('dbnraw');
  }
});

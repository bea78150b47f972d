import { describe, expect, it } from 'vitest';
import type { InputRow, LayerReport, PropertyRow } from '../../../src/gradCheck/anyLayer/report.js';
import {
  inputSentence,
  notALayer,
  notShown,
  propertySentence,
  reportText,
  verdictSentence,
} from '../../../src/gradCheck/anyLayer/sentences.js';

const RIGHT: InputRow = {
  ...{ name: 'gain', ok: true, sizes: { n: 2, d: 3 }, train: true, error: 1e-12, limit: 1e-9, at: [2], found: 0.5, expected: 0.5 },
  ...{ wrongEntries: 0, entries: 3, mistake: null },
};
const WRONG: InputRow = {
  ...RIGHT,
  name: 'x',
  ok: false,
  error: 0.26,
  at: [1, 2],
  found: 0.52,
  expected: 0.26,
  wrongEntries: 6,
  entries: 6,
};
const NO_FIGURES = { error: null, limit: null, at: [], found: null, expected: null };
const LINEAR: PropertyRow = { name: 'linear', ok: false, detail: 'dout is not used' };
const BATCH: PropertyRow = { name: 'batch', ok: null, detail: 'there is no size b' };

function report(change: Partial<LayerReport> = {}): LayerReport {
  const inputs = change.inputs ?? [RIGHT];
  const ok = inputs.every((row) => row.ok);
  const tried = { points: 10, dropped: 0, kinks: 0, undecided: 0 };
  return { name: 'layerNorm', ok, precision: 'float64', refused: null, inputs, properties: [], tried, ...change };
}
const tried = (change: object) => report({ tried: { ...report().tried, ...change } });

describe('the line of a layer', () => {
  it.each([
    [report(), 'layerNorm: right'],
    [report({ inputs: [WRONG, RIGHT] }), 'layerNorm: dx is wrong'],
    [report({ inputs: [WRONG, { ...WRONG, name: 'gain' }] }), 'layerNorm: dx and dgain are wrong'],
    [report({ inputs: ['a', 'b', 'c'].map((name) => ({ ...WRONG, name })) }), 'layerNorm: da, db and dc are wrong'],
    [report({ ok: false, properties: [LINEAR] }), 'layerNorm: the gradients are right, but the property linear fails'],
    [report({ ok: false, inputs: [], refused: { id: 'threw', text: '' } }), 'layerNorm: not judged'],
    [report({ name: 'a\nb\u001b[31m' }), 'a\\x0ab\\x1b[31m: right'],
  ])('gives the verdict %#', (given, line) => {
    expect(verdictSentence(given)).toBe(line);
  });
});

describe('the line of an input', () => {
  it.each([
    [WRONG, 'dx (input x): wrong at [1, 2]: yours 0.52, right 0.26 (n = 2, d = 3); 6 of 6 entries'],
    [RIGHT, 'dgain (input gain): right'],
    [{ ...WRONG, at: [], sizes: {}, wrongEntries: 1, entries: 1 }, 'dx (input x): wrong: yours 0.52, right 0.26; 1 of 1 entry'],
    [
      { ...WRONG, train: false, sizes: { n: 1 } },
      'dx (input x): wrong at [1, 2]: yours 0.52, right 0.26 (n = 1, not in training); 6 of 6 entries',
    ],
    [
      { ...WRONG, entries: 100_000, wrongEntries: 1 },
      'dx (input x): wrong at [1, 2]: yours 0.52, right 0.26 (n = 2, d = 3); 1 of 100,000 entries',
    ],
    [{ ...WRONG, ...NO_FIGURES }, 'dx (input x): wrong (n = 2, d = 3)'],
  ])('says what is wrong, where, and what is right %#', (row, line) => {
    expect(inputSentence(row)).toBe(line);
  });

  it('calls a gradient without an input as backward calls it', () => {
    const row: InputRow = { ...WRONG, ...NO_FIGURES, name: 'dx', mistake: { id: 'unknown-name', text: '' } };
    expect(inputSentence(row)).toBe('dx: wrong (n = 2, d = 3)');
    const missed: InputRow = { ...row, name: 'x', mistake: { id: 'unknown-name', text: '', returned: 'dx', suggestion: 'x' } };
    expect(inputSentence(missed)).toBe('dx (input x): wrong (n = 2, d = 3)');
  });

  it.each([
    [0.52, 0.52004, 'yours 0.52, right 0.52004'],
    [1 / 3, 2 / 3, 'yours 0.3333, right 0.6667'],
    [-1.23e-9, 0, 'yours -1.23e-9, right 0'],
    [Number.NaN, Number.NaN, 'yours NaN, right NaN'],
    [Number.NaN, 1.5, 'yours NaN, right 1.5'],
    [1 + 2 ** -52, 1, 'yours 1.0000000000000002, right 1'],
  ])('shows %f and %f with the digits in which they differ', (found, expected, text) => {
    expect(inputSentence({ ...WRONG, found, expected })).toContain(text);
  });
});

describe('the line of a property', () => {
  it.each([
    [LINEAR, 'linear: dout is not used'],
    [BATCH, 'batch: not tried: there is no size b'],
    [{ ...LINEAR, ok: true, detail: '' }, 'linear: right'],
  ])('says what failed, or why it was not tried %#', (row, line) => {
    expect(propertySentence(row)).toBe(line);
  });
});

describe('what was not shown', () => {
  const FITS = 'the gradients fit your forward; whether forward is right was not checked';

  it.each([
    [report(), [FITS]],
    [report({ properties: [{ ...BATCH, detail: '' }] }), [FITS]],
    [report({ properties: [BATCH, { ...LINEAR, ok: true }] }), [FITS, 'batch: not tried: there is no size b']],
    [report({ inputs: [WRONG], properties: [BATCH] }), []],
    [report({ ok: false, inputs: [], refused: { id: 'threw', text: '' }, precision: 'float32' }), []],
    [report({ precision: 'float32', inputs: [WRONG] }), ['judged in float32: a mistake below float32 rounding is not seen']],
    [tried({ dropped: 2 }), [FITS, '2 points of 12 left out, because forward was not finite there']],
    [tried({ kinks: 1, taken: 'left' }), [FITS, 'forward has a kink in 1 comparison: your gradient took the left slope']],
    [tried({ kinks: 3 }), [FITS, 'forward has a kink in 3 comparisons: your gradient took values from the left to the right slope']],
    [tried({ undecided: 2 }), [FITS, '2 comparisons left out, because no derivative could be measured there']],
  ])('is said, and nothing else %#', (given, sentences) => {
    expect(notShown(given)).toEqual(sentences);
  });
});

describe('the whole report', () => {
  const mistake = {
    id: 'jacobian-for-transpose',
    text: 'the gain stands outside the sums over a row: multiply dout by it first, and then compute the two sums',
  } as const;

  it('names what is wrong and what is right, in 80 columns', () => {
    expect(reportText(report({ inputs: [{ ...WRONG, mistake }, RIGHT], properties: [BATCH, LINEAR] }))).toBe(
      [
        'layerNorm: dx is wrong',
        '  dx (input x): wrong at [1, 2]: yours 0.52, right 0.26 (n = 2, d = 3); 6 of 6',
        '    entries',
        '    the gain stands outside the sums over a row: multiply dout by it first,',
        '      and then compute the two sums',
        '  linear: dout is not used',
        '  right: dgain',
      ].join('\n'),
    );
  });

  it('says once what is both a mistake and a failed property', () => {
    const text = 'backward returned no gradient for x';
    const missing: InputRow = { ...WRONG, ...NO_FIGURES, mistake: { id: 'missing', text } };
    const shapes: PropertyRow = { name: 'shapes', ok: false, detail: text };
    expect(reportText(report({ inputs: [missing], properties: [shapes] })).split(text)).toHaveLength(2);
  });

  it('of a layer that was not judged says why, with what it threw escaped', () => {
    const refused = { id: 'threw', text: 'forward threw TypeError: \u001b[31mno' } as const;
    expect(reportText(report({ ok: false, inputs: [], properties: [LINEAR], refused }))).toBe(
      'layerNorm: not judged\n  forward threw TypeError: \\x1b[31mno',
    );
  });

  it('of a right layer says what was not shown', () => {
    expect(reportText(report())).toBe(
      'layerNorm: right\n  note: the gradients fit your forward; whether forward is right was not\n    checked',
    );
  });
});

describe('a value that is no layer', () => {
  const needs = 'a layer has functions inputs, forward and backward, as defineLayer makes it';
  const f = () => ({});

  it.each([
    [undefined, `not a layer, but undefined; ${needs}`],
    [null, `not a layer, but null; ${needs}`],
    [f, `not a layer, but a function; ${needs}`],
    [{ inputs: f, forward: f }, `not a layer: backward is missing; ${needs}`],
    [{ forward: f }, `not a layer: inputs and backward are missing; ${needs}`],
    [{ inputs: f, forward: f, backward: f }, undefined],
  ])('is told what is missing: %o', (value, text) => {
    expect(notALayer(value)).toBe(text);
  });
});

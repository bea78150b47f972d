/**
 * Layers as people write them, right and wrong, each with what is expected: no right one is refused, no wrong one passes, and no name is wrong. Written
 * from the specification of a layer alone, by someone who had not read the checker.
 */
import { describe, expect, it } from 'vitest';
import { checkLayer, type Layer, type LayerReport } from '../../src/gradcheck.js';
import * as activation from '../gradCheck/anyLayer/bank/activation.js';
import * as attention from '../gradCheck/anyLayer/bank/attention.js';
import * as convolution from '../gradCheck/anyLayer/bank/convolution.js';
import * as dropout from '../gradCheck/anyLayer/bank/dropout.js';
import * as embedding from '../gradCheck/anyLayer/bank/embedding.js';
import type { Expectation } from '../gradCheck/anyLayer/bank/expectation.js';
import * as gating from '../gradCheck/anyLayer/bank/gating.js';
import * as linear from '../gradCheck/anyLayer/bank/linear.js';
import * as loss from '../gradCheck/anyLayer/bank/loss.js';
import * as normalisation from '../gradCheck/anyLayer/bank/normalisation.js';
import * as padding from '../gradCheck/anyLayer/bank/padding.js';
import * as pooling from '../gradCheck/anyLayer/bank/pooling.js';
import * as rearranging from '../gradCheck/anyLayer/bank/rearranging.js';
import * as recurrent from '../gradCheck/anyLayer/bank/recurrent.js';
import * as reduction from '../gradCheck/anyLayer/bank/reduction.js';
import * as scan from '../gradCheck/anyLayer/bank/scan.js';

const FAMILIES: Record<string, { EXPECTED: Record<string, Expectation> }> = {
  activation,
  attention,
  convolution,
  dropout,
  embedding,
  gating,
  linear,
  loss,
  normalisation,
  padding,
  pooling,
  rearranging,
  recurrent,
  reduction,
  scan,
};

/** Share of the wrong layers with a true name in the table that must get one. */
const NAMED = 0.9;

const nameable: boolean[] = [];

describe.each(Object.entries(FAMILIES))('%s', (_, family) => {
  it.each(Object.entries(family.EXPECTED))('%s', async (name, expected) => {
    const report = await checkLayer((family as unknown as Record<string, Layer>)[name], { name });
    expect(report.refused).toBeNull();
    if (expected === 'right') expect(report.ok, JSON.stringify(wrongRows(report))).toBe(true);
    else expectWrong(report, expected);
  });
});

describe('the names', () => {
  it(`are given to ${NAMED * 100} % of the wrong layers that have one`, () => {
    expect(nameable.length).toBeGreaterThan(60);
    expect(nameable.filter(Boolean).length / nameable.length).toBeGreaterThanOrEqual(NAMED);
  });
});

function expectWrong(report: LayerReport, { input, ids, other = [] }: Exclude<Expectation, 'right'>): void {
  const wrong = wrongRows(report);
  expect(wrong.map(({ name }) => name).sort()).toEqual([input, ...other].sort());
  const id = wrong.find(({ name }) => name === input)?.mistake?.id;
  if (id !== undefined) expect(ids).toContain(id);
  if (ids.length > 0) nameable.push(id !== undefined);
}

function wrongRows({ inputs }: LayerReport) {
  return inputs.filter(({ ok }) => !ok);
}

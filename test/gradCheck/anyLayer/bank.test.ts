/**
 * Layers as people write them, right and wrong, each with what is expected: no right one is refused, no wrong one passes, and no name is wrong. Written
 * from the specification of a layer alone, by someone who had not read the checker.
 */
import { describe, expect, it } from 'vitest';
import { checkLayer, type Layer, type LayerReport } from '../../../src/gradcheck.js';
import * as activation from './bank/activation.js';
import * as attention from './bank/attention.js';
import * as convolution from './bank/convolution.js';
import * as dropout from './bank/dropout.js';
import * as embedding from './bank/embedding.js';
import type { Expectation } from './bank/expectation.js';
import * as gating from './bank/gating.js';
import * as linear from './bank/linear.js';
import * as loss from './bank/loss.js';
import * as normalisation from './bank/normalisation.js';
import * as padding from './bank/padding.js';
import * as pooling from './bank/pooling.js';
import * as rearranging from './bank/rearranging.js';
import * as recurrent from './bank/recurrent.js';
import * as reduction from './bank/reduction.js';
import * as scan from './bank/scan.js';

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

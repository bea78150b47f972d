import { describe, expect, it } from 'vitest';
import type { Finding, FindingFacts } from '../../../src/run/findings/finding.js';
import { findingsOf } from '../../../src/run/findings/findings.js';
import type { TrainingOptionValues } from '../../../src/training/options.js';
import { type DiagnosedRun, diagnosedRun, times } from '../../support/diagnosedRun.js';

const SMALL = { hidden: [32], embedding: 4, steps: 300 };

/** From the records alone, as in a page or a report. */
const recorded = ({ config, vocabulary, records }: FindingFacts) => findingsOf({ config, vocabulary, records });

describe('a healthy training', () => {
  it.each<[string, TrainingOptionValues]>([
    ['of the lesson', {}],
    ['with momentum', { optimizer: 'momentum' }],
    ['with adam and warm-up', { optimizer: 'adam', warmup: 50 }],
    ['with adamw, clipped, and a falling rate', { optimizer: 'adamw', clip: 1, schedule: 'cosine' }],
    ['of three blocks', { hidden: [16, 16, 16] }],
    ['without batch norm', { norm: 'none' }],
    ['with a small output layer', { initOutput: 0.01 }],
    ['of 20 steps', { steps: 20 }],
    ['of batches of 2', { batchSize: 2, steps: 100 }],
    ['of batches of 512', { batchSize: 512, steps: 60 }],
    ['of batches of 512 at a higher rate', { optimizer: 'adam', batchSize: 512, lr: 0.03, steps: 60 }],
  ])('%s has no finding', (_, given) => {
    const facts = diagnosedRun({ ...SMALL, ...given });
    expect(findingsOf(facts)).toEqual([]);
    expect(recorded(facts)).toEqual([]);
  });
});

describe('a fault', () => {
  it.each<[string, TrainingOptionValues, DiagnosedRun['change'], object]>([
    ['a confident output', { initOutput: 1 }, undefined, { id: 'confident-output', where: 'W2', option: '--init-output' }],
    ['a saturated tanh', { norm: 'none', initGain: 6 }, undefined, { id: 'saturated', where: 'block 1', option: '--init-gain' }],
    ['a missing gain', { norm: 'none', initGain: 1 }, undefined, { id: 'missing-gain', where: 'block 1', option: '--init-gain' }],
    ['a gain of batch norm that is too large', {}, times('bngain', 4), { id: 'large-gain', where: 'block 1', option: '--init' }],
    ['weights that are too large for their rate', { initGain: 17 }, undefined, { id: 'weight-scale', where: 'W1', option: '--init-gain' }],
    ['weights that are too small for their rate', { initGain: 0.1 }, undefined, { id: 'weight-scale', where: 'W1', option: '--init-gain' }],
    ['a rate that is too high', { lr: 10 }, undefined, { id: 'rate-high', option: '--lr' }],
    ['a rate that is too high for adam', { optimizer: 'adam', lr: 0.3 }, undefined, { id: 'rate-high', option: '--lr' }],
    ['a rate that is too high for momentum', { optimizer: 'momentum', lr: 1 }, undefined, { id: 'rate-high', option: '--lr' }],
    ['a rate that is too high for adam by 30', { optimizer: 'adam', lr: 0.03 }, undefined, { id: 'rate-high', option: '--lr' }],
    ['a rate that is too low', { lr: 1e-4 }, undefined, { id: 'rate-low', where: null, option: '--lr' }],
    ['a rate that is too low by 10', { lr: 0.01 }, undefined, { id: 'rate-low', where: null, option: '--lr' }],
    [
      'a rate that is too low for nesterov',
      { optimizer: 'nesterov', lr: 0.001 },
      undefined,
      { id: 'rate-low', where: null, option: '--lr' },
    ],
    ['a rate that is too low for adam', { optimizer: 'adam', lr: 1e-4 }, undefined, { id: 'rate-low', where: null, option: '--lr' }],
    ['clipping nearly always', { clip: 0.01 }, undefined, { id: 'clipped-often', option: '--clip' }],
  ])('%s is named, and nothing else', (_, given, change, expected) => {
    const facts = diagnosedRun({ ...SMALL, ...given }, { change });
    expect(findingsOf(facts)).toMatchObject([expected]);
    expect(recorded(facts)).toMatchObject([expected]);
  });

  it.each<[string, TrainingOptionValues, string[]]>([
    ['a saturated tanh and a rate that is too high', { norm: 'none', initGain: 6, lr: 3 }, ['rate-high', 'saturated']],
    ['weights that are too large for their rate and a rate that is too high', { initGain: 20, lr: 3 }, ['rate-high', 'weight-scale']],
    ['weights that are too small for their rate and a rate that is too low', { initGain: 0.2, lr: 0.001 }, ['rate-low', 'weight-scale']],
    ['a confident output and a rate that is too high', { initOutput: 2, lr: 10 }, ['rate-high', 'confident-output']],
  ])('does not hide another one: %s', (_, given, ids) => {
    const facts = diagnosedRun({ ...SMALL, ...given });
    const idsIn = (found: Finding[]) => found.map(({ id }) => id).sort();
    expect(idsIn(findingsOf(facts))).toEqual([...ids].sort());
    expect(idsIn(recorded(facts))).toEqual([...ids].sort());
  });

  it('that is worse comes first: a confident output before a single dead unit', () => {
    const change: DiagnosedRun['change'] = (model) => {
      times('W2', 30)(model);
      model.parameters.bnbias.fill(20, 3, 4);
    };
    const found = findingsOf(diagnosedRun(SMALL, { change }));
    expect(found.map(({ id }) => id)).toEqual(['confident-output', 'dead-units']);
  });

  it('of a network that was trained before is named before its first step: bngain, however low the loss', () => {
    const { config, vocabulary, fresh } = diagnosedRun({ ...SMALL, steps: 1000 });
    if (!fresh) throw new Error('the network was not looked at');
    const { parameters, blocks } = fresh.diagnostics;
    expect(fresh.diagnostics.loss).toBeLessThan(Math.log(vocabulary) - 0.3);
    const initial = {
      step: 0,
      diagnostics: {
        ...fresh.diagnostics,
        blocks: blocks.map((block) => ({ ...block, saturated: 0.92 })),
        parameters: { ...parameters, bngain: { ...parameters.bngain, value: { mean: 20, std: 1, histogram: null } } },
      },
    };
    const found = findingsOf({ config, vocabulary, records: [], initial });
    expect(found).toMatchObject([{ id: 'large-gain', where: 'block 1', step: 0, value: 0.92 }]);
    expect(found[0].text).toMatch(/^92 % of h is saturated in block 1: bngain is too large, 20\./);
  });

  it('of one output bias is named: the loss begins far above ln V', () => {
    const change: DiagnosedRun['change'] = ({ parameters: { b2 } }) => b2.fill(30, 3, 4);
    expect(findingsOf(diagnosedRun(SMALL, { change }))).toMatchObject([{ id: 'confident-output', where: 'b2', option: '--init' }]);
  });

  it('that lets gradients vanish is named, with the gain that is missing', () => {
    const facts = diagnosedRun({ ...SMALL, norm: 'none', initGain: 0.2, hidden: [32, 32, 32, 32] });
    expect(findingsOf(facts).map(({ id, option }) => [id, option])).toEqual([
      ['vanishing', '--init-gain'],
      ['missing-gain', '--init-gain'],
    ]);
  });

  it('that lets gradients explode is named, with the saturation that comes with it', () => {
    const facts = diagnosedRun({ ...SMALL, norm: 'none', initGain: 10, hidden: Array.from({ length: 8 }, () => 32) });
    const found = findingsOf(facts).map(({ id, option }) => [id, option]);
    expect(found).toEqual([
      ['exploding', '--init-gain'],
      ['saturated', '--init-gain'],
    ]);
  });

  it('of learning a short list by heart is named', () => {
    const [found, ...others] = findingsOf(diagnosedRun({ ...SMALL, hidden: [200], steps: 3000 }));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ id: 'overfitting', option: '--hidden', step: 3000 });
  });

  it('of a dead unit is named after training', () => {
    const change: DiagnosedRun['change'] = ({ parameters: { bnbias } }) => bnbias.fill(20, 3, 4);
    const found = findingsOf(diagnosedRun(SMALL, { change }));
    expect(found).toMatchObject([{ id: 'dead-units', where: 'block 1', step: 300, value: 1, option: '--init' }]);
  });
});

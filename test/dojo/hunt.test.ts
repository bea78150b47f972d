import { describe, expect, it } from 'vitest';
import { FULL_SCORE, Hunt, PROBE_COST, WRONG_COST } from '../../src/dojo/hunt.js';
import { LINE_MUTANTS } from '../../src/dojo/mutants.js';
import { GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { consumersOf, type GradientName, type StepName } from '../../src/lesson/values.js';

const HUNTS = Array.from({ length: 40 }, (_, seed) => new Hunt(seed));

/** The gradients that a line reads: those of the steps that read its tensor. */
function above(name: GradientName): GradientName[] {
  return consumersOf(name.slice(1) as Exclude<StepName, 'loss'>)
    .filter((step) => step !== 'loss')
    .map((step) => `d${step}` as GradientName);
}

describe('a hunt', () => {
  it('hides the same mistake for the same seed, and others for other seeds', () => {
    expect(new Hunt(7).reveal().name).toBe(new Hunt(7).reveal().name);
    expect(new Set(HUNTS.map((hunt) => hunt.reveal().name)).size).toBeGreaterThan(20);
  });

  it('can be won with probes: the wrong line differs, and everything that it reads agrees', () => {
    for (const [seed, hunt] of HUNTS.entries()) {
      const probes = new Map(GRADIENT_NAMES.map((name) => [name, hunt.probe(name)]));
      const first = GRADIENT_NAMES.filter((name) => !probes.get(name)?.agrees && above(name).every((upper) => probes.get(upper)?.agrees));
      expect(first, `seed ${seed}`).toEqual([hunt.reveal().line]);
    }
  });

  it('costs points for each probe, once, and for each wrong answer', () => {
    const hunt = new Hunt(1);
    const { line } = hunt.reveal();
    const other = GRADIENT_NAMES.find((name) => name !== line) as GradientName;
    hunt.probe(other);
    hunt.probe(other);
    expect(hunt.score).toBe(FULL_SCORE - PROBE_COST);
    expect(hunt.guess(other)).toBe(false);
    expect(hunt.found).toBe(false);
    expect(hunt.guess(line)).toBe(true);
    expect([hunt.found, hunt.named, hunt.score]).toEqual([true, false, FULL_SCORE - PROBE_COST - WRONG_COST]);
    const right = hunt.choices.indexOf(hunt.reveal().mistake);
    expect(hunt.choose((right + 1) % hunt.choices.length)).toBe(false);
    expect(hunt.choose(right)).toBe(true);
    expect([hunt.named, hunt.score]).toEqual([true, FULL_SCORE - PROBE_COST - 2 * WRONG_COST]);
    hunt.guess(other);
    expect(hunt.score).toBe(FULL_SCORE - PROBE_COST - 2 * WRONG_COST);
    for (const name of GRADIENT_NAMES) if (name !== line) hunt.guess(name);
    expect(hunt.score).toBe(0);
  });

  it('offers the mistakes of the line, including the hidden one', () => {
    for (const hunt of HUNTS) {
      const { line, mistake } = hunt.reveal();
      expect(hunt.choices).toContain(mistake);
      expect(new Set(hunt.choices)).toEqual(new Set(LINE_MUTANTS.filter((one) => one.line === line).map((one) => one.mistake)));
    }
  });
});

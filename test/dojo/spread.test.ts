import { describe, expect, it } from 'vitest';
import { largestMagnitude } from '../../src/core/numbers.js';
import { findMutant, MUTANTS } from '../../src/dojo/mutants.js';
import { spreadOf, spreadText } from '../../src/dojo/spread.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward, exercise1, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { type GradientName, stepsAfter, valueNamed } from '../../src/lesson/values.js';

const { values } = createLessonCase(LESSON_CONFIG, 32, 'spread');
const at = { ...values, ...backward(values) };
const named = (name: string) => spreadOf(findMutant(name), at);
const state = (name: string, line: GradientName) => named(name).gradients.find((row) => row.name === line);

/** The gradients that the mistake can reach: those of the tensors that the line's tensor is computed from. */
const reachable = (line: GradientName) =>
  GRADIENT_NAMES.filter((name) => (stepsAfter(valueNamed(name)) as readonly string[]).includes(valueNamed(line)));

describe('how a planted mistake spreads', () => {
  it.each(MUTANTS)('$name: nothing before its line is wrong, and only what reads it', (mutant) => {
    const { gradients, first } = spreadOf(mutant, at);
    expect(gradients.map(({ name }) => name)).toEqual(GRADIENT_NAMES);
    const other = gradients.filter((row) => row.state !== 'right').map(({ name }) => name);
    const below = reachable(mutant.line);
    expect(other.filter((name) => name !== mutant.line && !below.includes(name))).toEqual([]);
    expect([mutant.line, undefined]).toContain(first);
    for (const row of gradients) {
      expect(row.state === 'wrong', row.name).toBe(row.name === mutant.line && first !== undefined && row.state !== 'failed');
      if (row.difference) expect(row.maxDiff).toBe(largestMagnitude(row.difference.data));
      if (row.state === 'failed') expect(row.problem).toMatch(/./);
      else expect(row.found).toBeDefined();
    }
  });

  it('shows a wrong sign of dh in the line itself, as twice the gradient, and in all that reads it but db1, which is 0 anyway', () => {
    const { gradients, first } = named('dh-sign');
    expect(first).toBe('dh');
    const reached = gradients.filter((row) => row.state === 'reached').map(({ name }) => name);
    expect(reached).toEqual(GRADIENT_NAMES.filter((name) => reachable('dh').includes(name) && name !== 'db1'));
    const dh = gradients.find(({ name }) => name === 'dh');
    expect(dh?.maxDiff).toBeCloseTo(2 * largestMagnitude(at.dh.data), 12);
  });

  it('has no first wrong gradient where the mistake does not show on these values', () => {
    expect(named('dlogit_maxes-sign-forgotten').first).toBeUndefined();
  });

  it('shows the shape that a wrong line has, without a difference', () => {
    const row = state('db2-shape-1-v-for-v', 'db2');
    expect(row).toMatchObject({ state: 'wrong', shape: [1, 27], difference: undefined, maxDiff: Number.NaN });
  });

  it('carries on after a line that throws: what reads it failed, with the reason, and the rest is right', () => {
    const mutant = {
      ...findMutant('dh-sign'),
      planted: () => {
        throw new Error('TODO');
      },
    };
    const { gradients, first } = spreadOf(mutant, at);
    expect(first).toBe('dh');
    const failed = new Map(gradients.filter((row) => row.state === 'failed').map(({ name, problem }) => [name, problem]));
    expect(failed.get('dh')).toBe('TODO');
    expect(failed.get('dhpreact')).toBe('it reads dh, which failed');
    expect([...failed.keys()]).toEqual(GRADIENT_NAMES.filter((name) => name === 'dh' || reachable('dh').includes(name)));
  });

  it('changes nothing in the values and gradients that it is given', () => {
    const before = GRADIENT_NAMES.map((name) => at[name]);
    spreadOf(findMutant('dlogprobs-everywhere'), at);
    expect(GRADIENT_NAMES.map((name) => at[name])).toEqual(before);
  });

  it('finds nothing wrong with the solution', () => {
    const { gradients, first } = spreadOf({ ...findMutant('dh-sign'), planted: exercise1.dh }, at);
    expect(first).toBeUndefined();
    expect(gradients.filter((row) => row.state !== 'right' || row.maxDiff !== 0)).toEqual([]);
  });
});

describe('the sentence of a spread', () => {
  const textOf = (name: string, given = at) => spreadText(spreadOf(findMutant(name), given));

  it('names the first wrong gradient, and counts those that are also wrong, cannot be computed, or are right', () => {
    expect(textOf('dh-sign')).toBe('dh is wrong first. 14 gradients computed from it are also wrong, and 11 are right.');
    expect(textOf('db2-sum-forgotten')).toBe('db2 is wrong first. The other 25 are right.');
    expect(textOf('dh-w2-not-transposed')).toBe('dh is wrong first: it fails. 15 others cannot be computed, and 10 are right.');
    expect(textOf('dlogit_maxes-sign-forgotten')).toBe('On this batch, all 26 gradients are right: the mistake does not show.');
  });
});

describe('a spread where right gradients are NaN or infinite, such as those of a network with huge weights,', () => {
  const broken = { ...values, probs: values.probs.mul(0) };
  const given = { ...broken, ...backward(broken) };

  it('says of them that nothing is known: neither right nor wrong', () => {
    const { gradients, first } = spreadOf(findMutant('dh-sign'), given);
    expect(gradients.map(({ state: known }) => known)).toEqual(['right', ...Array(25).fill('unknown')]);
    expect(first).toBeUndefined();
    expect(spreadText({ gradients, first })).toBe(
      'On this batch, 25 of the 26 gradients are NaN or infinite even without the mistake: nothing can be said about them. The other one is right.',
    );
  });

  it('still names a wrong gradient above them', () => {
    const { gradients, first } = spreadOf(findMutant('dlogprobs-sign-forgotten'), given);
    expect(first).toBe('dlogprobs');
    expect(spreadText({ gradients, first })).toBe(
      'dlogprobs is wrong first. 25 others are NaN or infinite even without the mistake: nothing can be said about them.',
    );
  });
});

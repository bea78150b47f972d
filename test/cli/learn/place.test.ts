import { describe, expect, it } from 'vitest';
import { exerciseNamed, placeOf } from '../../../src/cli/learn/place.js';
import { UsageError } from '../../../src/core/errors.js';
import { thrownBy } from '../../support/thrown.js';

describe('the words after an exercise command', () => {
  it.each([
    [['1'], { number: 1 }],
    [['dojo/exercise3.ts'], { number: 3, dir: 'dojo' }],
    [['a\\exercise2.ts'], { number: 2 }],
    [['dbnvar'], { gradient: 'dbnvar' }],
    [['1', 'dprobs'], { number: 1, gradient: 'dprobs' }],
    [['dprobs', '1'], { number: 1, gradient: 'dprobs' }],
    [['x/exercise4.ts', 'dh'], { number: 4, dir: 'x', gradient: 'dh' }],
    [[undefined, undefined], {}],
  ])('%j name an exercise, a line, or both, in any order', (words, place) => {
    expect(placeOf(words)).toMatchObject(place);
  });

  it.each([
    ['dprob', 'dprobs'],
    ['probs', 'dprobs'],
    ['W2', 'dW2'],
    ['DPROBS', 'dprobs'],
    ['dembcat', 'dembact'],
    ['dcount_sum', 'dcounts_sum'],
    ['exercise2', '2'],
    ['ex4', '4'],
  ])('%s leads to a proposal: %s', (word, meant) => {
    expect(thrownBy(UsageError, () => placeOf([word]))).toMatch(new RegExp(`; did you mean ${meant}$`));
  });

  it.each(['0', '5', '12', 'x', '', 'all', 'exercise1.js', '\x1b[2J'])('%j leads to what is expected', (word) => {
    expect(thrownBy(UsageError, () => placeOf([word]))).toContain('an exercise from 1 to 4, its file, such as');
  });

  it('that contradict each other are refused', () => {
    const refusal = (...words: string[]) => thrownBy(UsageError, () => placeOf(words));
    expect(refusal('1', '2')).toBe("'2' is a second exercise; name one");
    expect(refusal('dh', 'dW2')).toBe("'dW2' is a second gradient; name one");
    expect(refusal('3', 'dprobs')).toBe('Exercise 3 has no gradient dprobs; Exercise 1 has it');
    expect(thrownBy(UsageError, () => exerciseNamed('dh'))).toContain('dh is a gradient; name an exercise');
  });
});

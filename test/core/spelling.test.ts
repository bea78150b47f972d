import { describe, expect, it } from 'vitest';
import { closest } from '../../src/core/spelling.js';

const WORDS = ['dlogits', 'dlogprobs', 'embact', 'dh', 'h'];

describe('the closest word', () => {
  it.each([
    ['dlogit', 'dlogits'],
    ['dlogitz', 'dlogits'],
    ['dlgoits', 'dlogits'],
    ['embcat', 'embact'],
    ['dH', 'dh'],
    ['dlogprob', 'dlogprobs'],
  ])('to %s is %s', (word, meant) => {
    expect(closest(word, WORDS)).toBe(meant);
  });

  it.each(['gradient', 'x', '', 'logits2d', 'softmax'])('to %j does not exist', (word) => {
    expect(closest(word, WORDS)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { NGram } from '../../src/evaluation/ngram.js';

const VOCABULARY = ['.', 'a', 'b'];
const mean = (probabilities: number[]) => -probabilities.reduce((sum, p) => sum + Math.log(p), 0) / probabilities.length;

describe('NGram', () => {
  // Counts: .a 2, ab 1, a. 1, b. 1. Each of the three counts of a context gets 0.1.
  const bigram = new NGram(['ab', 'a'], VOCABULARY, 2);

  it.each([
    ['ab', [2.1 / 2.3, 1.1 / 2.3, 1.1 / 1.3]],
    ['a', [2.1 / 2.3, 1.1 / 2.3]],
    ['ba', [0.1 / 2.3, 0.1 / 1.3, 1.1 / 2.3]],
    ['', [0.1 / 2.3]],
  ])('gives "%s" in a bigram model the mean of -ln of %j, counted by hand', (name, probabilities) => {
    expect(bigram.loss([name])).toBeCloseTo(mean(probabilities), 12);
  });

  it('gives the mean loss over the characters of several names, not over the names', () => {
    expect(bigram.loss(['ab', 'a'])).toBeCloseTo(mean([2.1 / 2.3, 1.1 / 2.3, 1.1 / 1.3, 2.1 / 2.3, 1.1 / 2.3]), 12);
  });

  it('looks two characters back for trigrams, with boundaries before the name', () => {
    const trigram = new NGram(['ab', 'a'], VOCABULARY, 3);
    expect(trigram.loss(['ab'])).toBeCloseTo(mean([2.1 / 2.3, 1.1 / 2.3, 1.1 / 1.3]), 12);
    expect(trigram.loss(['bb'])).toBeCloseTo(mean([0.1 / 2.3, 1 / 3, 1 / 3]), 12);
  });

  it('gives every character probability 1/V after an unseen context', () => {
    expect(new NGram([], VOCABULARY, 4).loss(['ab', 'bba'])).toBeCloseTo(Math.log(3), 12);
  });

  it('knows a hundred thousand contexts, and gives each character after one the count that it has there', () => {
    const letters = ['.', ...Array.from({ length: 400 }, (_, i) => String.fromCodePoint(0x4e00 + i))];
    const names = letters.slice(1).flatMap((first) => letters.slice(1, 251).map((second) => `${first}${second}`));
    const trigram = new NGram(names, letters, 3);
    expect(trigram.loss([`${letters[3]}${letters[7]}`])).toBeCloseTo(
      mean([250.1 / (100_000 + 40.1), 1.1 / (250 + 40.1), 1.1 / (1 + 40.1)]),
      12,
    );
  });

  it('refuses a character outside the vocabulary', () => {
    expect(() => new NGram(['x'], VOCABULARY, 2)).toThrow(RangeError);
  });
});

describe('the probabilities of an NGram sum to 1', () => {
  it('over the vocabulary, without context', () => {
    const unigram = new NGram(['ab', 'a', 'bbb'], VOCABULARY, 1);
    const end = unigram.loss(['']);
    const characters = ['a', 'b'].map((character) => 2 * unigram.loss([character]) - end);
    expect([end, ...characters].reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 12);
  });

  it.each([[2], [3], [4]])('over all names, order %i: names of up to 12 letters leave less than 1e-3', (order) => {
    const model = new NGram(Array(30).fill(['', 'a', 'b', 'ab', 'ba', 'aab']).flat(), VOCABULARY, order);
    let names = [''];
    let total = 0;
    for (let length = 0; length <= 12; length++) {
      for (const name of names) total += Math.exp(-model.loss([name]) * (length + 1));
      names = names.flatMap((name) => [`${name}a`, `${name}b`]);
    }
    expect(total).toBeLessThan(1 + 1e-12);
    expect(total).toBeGreaterThan(1 - 1e-3);
  });
});

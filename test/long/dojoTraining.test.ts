import { describe, expect, it } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import type { Exercise4 } from '../../src/dojo/learnerFile.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { trainWith } from '../support/dojo.js';

const { names: NAMES } = readNamesFile(BUNDLED_NAMES);
const SOLVED = Object.fromEntries(EXERCISES[4].lines.map(({ name, solution }) => [name, solution])) as Exercise4;

describe('training with the lines of Exercise 4', () => {
  it('starts near ln 27, ends where the lesson is after as many steps, and gives the same numbers every time', () => {
    const report = trainWith(SOLVED, NAMES);
    expect(report).toMatchObject({ steps: 1_000 });
    expect(Math.abs(report.firstLoss - Math.log(27))).toBeLessThan(0.2);
    // A bigram model reaches 2.45.
    expect(report.lastLoss).toBeLessThan(2.55);
    expect(trainWith(SOLVED, NAMES)).toEqual(report);
  });
});

import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { EXERCISES } from '../../src/dojo/exercises.js';
import type { Exercise4, Line, ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { BUNDLED_NAMES } from '../../src/node/paths.js';
import { trainWith } from '../support/dojo.js';

const { names: NAMES } = readNamesFile(BUNDLED_NAMES);
const SOLVED = Object.fromEntries(EXERCISES[4].lines.map(({ name, solution }) => [name, solution])) as Exercise4;

describe('training with the lines of Exercise 4', () => {
  it('uses these lines and no others', () => {
    const counts: Record<string, number> = {};
    const counting = (name: string, line: Line): Line => {
      counts[name] = 0;
      return (at) => {
        counts[name]++;
        return line(at);
      };
    };
    trainWith(Object.fromEntries(Object.entries(SOLVED).map(([name, line]) => [name, counting(name, line)])) as Exercise4, NAMES, 7);
    expect(counts).toEqual(Object.fromEntries(Object.keys(SOLVED).map((name) => [name, 7])));
    const still: Line = ({ W2 }) => Tensor.of([0]).mul(W2.sum());
    const { lastLoss } = trainWith(
      { ...SOLVED, dC: still, dW1: still, dbngain: still, dbnbias: still, dW2: still, db2: still },
      NAMES,
      300,
    );
    expect(lastLoss).toBeGreaterThan(3.2);
  });

  it('accepts anything with data and shape, and names a line that returns something else', () => {
    const bare = Object.fromEntries(
      Object.entries(SOLVED).map(([name, line]) => [
        name,
        (at: ValuesAndGradients) => ({ data: line(at).data, shape: [...line(at).shape] }),
      ]),
    );
    expect(trainWith(bare as unknown as Exercise4, NAMES, 3)).toEqual(trainWith(SOLVED, NAMES, 3));
    expect(() => trainWith({ ...SOLVED, dh: () => undefined as unknown as Tensor }, NAMES, 1)).toThrow('dh: it returns nothing');
  });

  it('gives each line all gradients above it, even those that Exercise 4 does not ask for', () => {
    const seen = new Set<string>();
    const dlogits: Line = (at) => {
      for (const name of ['dlogprobs', 'dcounts', 'dlogit_maxes'] as const) if (at[name] instanceof Tensor) seen.add(name);
      return SOLVED.dlogits(at);
    };
    const dhprebn: Line = (at) => {
      for (const name of ['dbnraw', 'dbnvar', 'dbnmeani'] as const) if (at[name] instanceof Tensor) seen.add(name);
      return SOLVED.dhprebn(at);
    };
    trainWith({ ...SOLVED, dlogits, dhprebn }, NAMES, 1);
    expect([...seen]).toEqual(['dlogprobs', 'dcounts', 'dlogit_maxes', 'dbnraw', 'dbnvar', 'dbnmeani']);
  });
});

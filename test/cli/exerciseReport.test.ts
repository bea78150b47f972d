import { describe, expect, it } from 'vitest';
import { paintFor } from '../../src/cli/colors.js';
import { reportLines } from '../../src/cli/exerciseReport.js';
import type { LineReport } from '../../src/dojo/check.js';
import { fakeIO } from './fakeIO.js';

const RIGHT: LineReport = {
  name: 'dlogprobs',
  shape: [32, 27],
  verdict: 'right',
  figures: { exact: true, close: true, maxDiff: 0, maxUlps: 0 },
};
const WRONG: LineReport = {
  name: 'dcounts_sum_inv',
  shape: [32, 1],
  verdict: 'wrong',
  figures: { exact: false, close: false, maxDiff: 2.94, maxUlps: 3e7 },
  problem: 'the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast must be summed',
  named: true,
};
const FAILED: LineReport = { name: 'dh', shape: [32, 64], verdict: 'failed', problem: 'it threw \x1b[31mno' };
const TODO: LineReport = { name: 'dC', shape: [27, 10], verdict: 'todo', problem: 'not written yet' };
const LINES = [RIGHT, { ...RIGHT, name: 'dprobs', note: 'right, but rounded' } satisfies LineReport, WRONG, FAILED, TODO];

const paint = await paintFor(fakeIO('/').stdout, {});

function shown(lines: LineReport[], columns?: number): string[] {
  return reportLines({ exercise: 1, ok: false, lines }, paint, columns);
}

describe('the table of an exercise', () => {
  it('has a row per line, with what is said of it behind, where nothing limits it', () => {
    expect(shown(LINES)).toEqual([
      'Exercise 1: every atomic step',
      '  gradient         shape     exact  close  max diff  ULPs',
      '✓ dlogprobs        [32, 27]  yes    yes           0     0',
      '✓ dprobs           [32, 27]  yes    yes           0     0  right, but rounded',
      '✗ dcounts_sum_inv  [32, 1]   no     no       2.9e+0  >1e6  the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast must be summed',
      '✗ dh               [32, 64]  it threw \\x1b[31mno',
      '· dC               [27, 10]  to be written',
      '2 of 5 right; next: dcounts_sum_inv',
      'the rule of dcounts_sum_inv: In a product, each factor gets the other one times the gradient above. counts_sum_inv [n,1] was broadcast along the row: sum along the row.',
    ]);
  });

  it('has no rule to point to where the next line is not written, or gave no answer', () => {
    for (const next of [TODO, FAILED]) expect(shown([RIGHT, next, WRONG]).at(-1)).toBe(`1 of 3 right; next: ${next.name}`);
  });

  it.each([80, 60, 40])('puts below the row what does not fit beside it, in words, at %d columns', (columns) => {
    const lines = shown(LINES, columns);
    // The figures are as wide as they are.
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(Math.max(columns, 57));
    const below = lines.slice(5).filter((line) => line.startsWith('    '));
    expect(below.map((line) => line.trim()).join(' ')).toContain(WRONG.problem);
    expect(lines.filter((line) => /^[✓✗·] d/.test(line))).toHaveLength(5);
  });

  it('at 80 columns', () => {
    expect(shown(LINES, 80).slice(4, 7)).toEqual([
      '✗ dcounts_sum_inv  [32, 1]   no     no       2.9e+0  >1e6',
      '    the sum over the row is forgotten, [32, 27] for [32, 1]: what was broadcast',
      '    must be summed',
    ]);
  });

  it('says in one paragraph why a file cannot be run', () => {
    const broken = `SyntaxError: ${'word '.repeat(30)}(line 3)`;
    expect(reportLines({ exercise: 2, ok: false, lines: [], broken }, paint)).toEqual([
      'Exercise 2: cross-entropy in one expression',
      `exercise2.ts cannot be run: ${broken}`,
    ]);
    const narrow = reportLines({ exercise: 2, ok: false, lines: [], broken }, paint, 60);
    for (const line of narrow) expect(line.length).toBeLessThanOrEqual(60);
    expect(narrow.slice(1).join(' ')).toBe(`exercise2.ts cannot be run: ${broken}`);
  });
});

import { describe, expect, it } from 'vitest';
import { ENDLESS, reportLines } from '../../../src/cli/learn/exerciseReport.js';
import { paintFor } from '../../../src/cli/terminal/colors.js';
import type { LineReport } from '../../../src/dojo/check.js';
import type { ExerciseNumber } from '../../../src/dojo/exercises.js';
import { fakeIO } from '../../support/fakeIO.js';

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
  findings: [
    { id: 'exchanged', found: 'probs', expected: 'counts' },
    { id: 'not-summed', over: 'row', found: [32, 27], expected: [32, 1] },
  ],
  problem: 'you have probs where counts belongs; the sum over the row is missing too: shape [32, 27], expected [32, 1]',
  named: true,
};
const FAILED: LineReport = { name: 'dh', shape: [32, 64], verdict: 'failed', problem: 'it threw \x1b[31mno' };
const TODO: LineReport = { name: 'dC', shape: [27, 10], verdict: 'todo', problem: 'not written yet' };
const LINES = [RIGHT, { ...RIGHT, name: 'dprobs', note: 'the file has it twice' } satisfies LineReport, WRONG, FAILED, TODO];

const paint = await paintFor(fakeIO('/').stdout, {});

function shown(lines: LineReport[], width = ENDLESS.width, height = ENDLESS.height): string[] {
  return reportLines({ exercise: 1, ok: false, lines }, paint, { width, height });
}

describe('the table of an exercise', () => {
  it('has one row per line, with the remark behind it, if the width is unlimited', () => {
    expect(shown(LINES)).toEqual([
      'Exercise 1: every atomic step',
      '  gradient         shape     exact  close  max diff  ULPs',
      '✓ dlogprobs        [32, 27]  yes    yes           0     0',
      '✓ dprobs           [32, 27]  yes    yes           0     0  the file has it twice',
      '✗ dcounts_sum_inv  [32, 1]   no     no       2.9e+0  >1e6  you have probs where counts belongs; the sum over the row is missing too: shape [32, 27], expected [32, 1]',
      '✗ dh               [32, 64]  it threw \\x1b[31mno',
      '· dC               [27, 10]  not written yet',
      '2 of 5 right; next: dcounts_sum_inv',
      'rule for dcounts_sum_inv: In a product, the gradient of each factor is the other factor times the gradient above. counts_sum_inv [n,1] was broadcast along the row: sum along the row.',
    ]);
  });

  it('has no rule if the next line is not written or returned nothing', () => {
    for (const next of [TODO, FAILED]) expect(shown([RIGHT, next, WRONG]).at(-1)).toBe(`1 of 3 right; next: ${next.name}`);
  });

  it.each([80, 60, 40])('puts a remark below its row if it does not fit, at %d columns', (columns) => {
    const lines = shown(LINES, columns);
    // The columns of figures need 57 characters.
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(Math.max(columns, 57));
    const below = lines.slice(5).filter((line) => line.startsWith('    '));
    expect(below.map((line) => line.trim()).join(' ')).toContain(WRONG.problem);
    expect(lines.filter((line) => /^[✓✗·] d/.test(line))).toHaveLength(5);
  });

  it('wraps a remark at 80 columns', () => {
    expect(shown(LINES, 80).slice(4, 7)).toEqual([
      '✗ dcounts_sum_inv  [32, 1]   no     no       2.9e+0  >1e6',
      '    you have probs where counts belongs; the sum over the row is missing too:',
      '    shape [32, 27], expected [32, 1]',
    ]);
  });

  it('says in one paragraph why a file cannot run', () => {
    const broken = `SyntaxError: ${'word '.repeat(30)}(line 3)`;
    expect(reportLines({ exercise: 2, ok: false, lines: [], broken }, paint)).toEqual([
      'Exercise 2: cross-entropy in one expression',
      `exercise2.ts cannot run: ${broken}`,
    ]);
    const narrow = reportLines({ exercise: 2, ok: false, lines: [], broken }, paint, { ...ENDLESS, width: 60 });
    for (const line of narrow) expect(line.length).toBeLessThanOrEqual(60);
    expect(narrow.slice(1).join(' ')).toBe(`exercise2.ts cannot run: ${broken}`);
  });

  it('says what comes after an exercise that is right', () => {
    const last = (exercise: ExerciseNumber, lines: LineReport[]) => reportLines({ exercise, ok: true, lines }, paint).at(-1);
    expect(last(1, [RIGHT, RIGHT])).toBe('all 2 right: continue with Exercise 2');
    expect(last(3, [RIGHT])).toBe('right: continue with Exercise 4');
    expect(last(4, [RIGHT, RIGHT])).toMatch(/^all 2 right: you are a backprop ninja\. 'hunt' .*'mutants' .*'train --mutant NAME' /);
  });

  it('breaks no shape across lines', () => {
    for (let width = 20; width <= 80; width++) {
      for (const line of shown([WRONG], width)) expect(line).not.toMatch(/\[\d+,$/);
    }
  });

  it('shows the place of the worst entry, and whether the gradients above are random', () => {
    const worst = { index: [3, 5], yours: 1.5, truth: -2, ratio: null };
    const { findings: _, problem: __, named: ___, ...nameless } = WRONG;
    expect(shown([{ ...nameless, worst }])[2]).toMatch(/ {2}wrong: 1\.50000 at \[3, 5\], expected -2\.00000$/);
    expect(shown([{ ...nameless, worst: { ...worst, random: true } }])[2]).toMatch(
      / {2}wrong with random gradients above it: 1\.50000 at \[3, 5\], expected /,
    );
  });
});

describe('the table in a short terminal', () => {
  const rights = (count: number): LineReport[] => Array.from({ length: count }, () => RIGHT);
  const todos = (count: number): LineReport[] => Array.from({ length: count }, () => TODO);
  const marks = (lines: string[]): string[] => lines.filter((line) => /^[✓✗·] /.test(line)).map((line) => line.replace(/ +\[.*/, ''));

  it('has all rows if they fit', () => {
    expect(shown(todos(26), 80, 29)).toHaveLength(29);
    expect(shown(todos(26), 80, 29)).toEqual(shown(todos(26), 80));
  });

  it.each([28, 20, 10, 5])('of %d lines counts the unwritten rows after the next one', (height) => {
    const lines = shown(todos(26), 80, height);
    expect(lines.length).toBe(height);
    expect(marks(lines)).toEqual([...Array(height - 4).fill('· dC'), `· ${26 - (height - 4)} not written yet`]);
  });

  it('collapses right rows first, and keeps every wrong one', () => {
    const lines = [...rights(7), WRONG, ...rights(2), FAILED, ...todos(15)];
    expect(marks(shown(lines, 200, 22))).toEqual([
      '✓ 7 right',
      '✗ dcounts_sum_inv',
      '✓ 2 right',
      '✗ dh',
      ...Array(13).fill('· dC'),
      '· 2 not written yet',
    ]);
    expect(marks(shown(lines, 200, 1))).toEqual(['✓ 7 right', '✗ dcounts_sum_inv', '✓ 2 right', '✗ dh', '· dC', '· 14 not written yet']);
    const wrong = Array.from({ length: 26 }, () => WRONG);
    expect(marks(shown(wrong, 80, 10))).toHaveLength(26);
  });

  it('has one row if all rows are right', () => {
    expect(marks(shown(rights(26), 80, 20))).toEqual(['✓ 26 right']);
  });
});

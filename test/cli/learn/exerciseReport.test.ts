import { describe, expect, it } from 'vitest';
import { ENDLESS, type Proposals, pageOf, reportLines } from '../../../src/cli/learn/exerciseReport.js';
import { paintFor } from '../../../src/cli/terminal/colors.js';
import type { LineReport } from '../../../src/dojo/check.js';
import type { ExerciseReport } from '../../../src/dojo/exerciseReport.js';
import type { ExerciseNumber } from '../../../src/dojo/exercises.js';
import { GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
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
const PROPOSALS: Proposals = { exercise: (...words) => `npx ninja exercise ${words.join(' ')}`, program: 'npx ninja' };

function reportOn(lines: LineReport[], exercise: ExerciseNumber = 1): ExerciseReport {
  return { exercise, ok: lines.every(({ verdict }) => verdict === 'right'), lines };
}

function shown(lines: LineReport[], width = ENDLESS.width, height = ENDLESS.height): string[] {
  return reportLines(reportOn(lines), paint, { width, height }, PROPOSALS);
}

/** The reports on the lines of Exercise 1, by their marks: ✓ right, ✗ wrong, ! failed, · not written. */
function linesWith(marks: string): LineReport[] {
  const reports: Record<string, LineReport> = { '✓': RIGHT, '✗': WRONG, '!': FAILED, '·': TODO };
  return [...marks].map((mark, i) => ({ ...reports[mark], name: GRADIENT_NAMES[i] }));
}

describe('keys that are no lines', () => {
  const strays = [
    { key: 'dprbs', suggestion: 'dprobs' },
    { key: 'dlogits', exercise: 2 } as const,
    { key: 'x\x1b' },
    { key: 'd\u0421' },
    { key: '' },
  ];
  const end = (report: Partial<ExerciseReport>, width = ENDLESS.width) =>
    reportLines({ ...reportOn([RIGHT]), ok: false, ...report }, paint, { width, height: ENDLESS.height }, PROPOSALS).slice(3);

  it('are listed below the table, with what may be meant', () => {
    expect(end({ strays })).toEqual([
      "✗ not in Exercise 1: dprbs (did you mean dprobs?), dlogits (a line of Exercise 2), x\\x1b, d\u0421 (with U+0421), ''",
      'right; next: correct or remove the keys that are no lines',
    ]);
  });

  it('are counted beyond five', () => {
    const [line] = end({ strays: Array.from({ length: 1005 }, (_, i) => ({ key: `k${i}` })) });
    expect(line).toBe('✗ not in Exercise 1: k0, k1, k2, k3, k4, and 1,000 more');
  });

  it('are said once, where a line is missing', () => {
    const missing: LineReport = { ...TODO, verdict: 'failed', findings: [{ id: 'line-missing', stray: 'dprbs' }], problem: 'missing' };
    expect(end({ lines: [missing], strays: [strays[0]] })).toEqual(['hint: npx ninja exercise hint 1 dC']);
  });

  it('fit a narrow terminal', () => {
    for (const line of end({ strays }, 40)) expect(line.length).toBeLessThanOrEqual(40);
  });
});

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
      'hint: npx ninja exercise hint 1',
    ]);
  });

  it.each([80, 60, 40, 30, 20])('has no line that is longer than %d columns: it leaves out columns, and remarks are below', (columns) => {
    const lines = shown(LINES, columns);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
    expect(lines.filter((line) => /^[✓✗·] d/.test(line))).toHaveLength(5);
    const below = lines.slice(5).filter((line) => line.startsWith('    '));
    if (columns >= 40) expect(below.map((line) => line.trim()).join(' ')).toContain(WRONG.problem);
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
    expect(reportLines({ exercise: 2, ok: false, lines: [], broken }, paint, ENDLESS)).toEqual([
      'Exercise 2: cross-entropy in one expression',
      `exercise2.ts cannot run: ${broken}`,
    ]);
    const narrow = reportLines({ exercise: 2, ok: false, lines: [], broken }, paint, { ...ENDLESS, width: 60 });
    for (const line of narrow) expect(line.length).toBeLessThanOrEqual(60);
    expect(narrow.slice(1).join(' ')).toBe(`exercise2.ts cannot run: ${broken}`);
  });

  it('breaks no shape across lines', () => {
    for (let width = 24; width <= 80; width++) {
      for (const line of shown([WRONG, TODO], width)) expect(line).not.toMatch(/\[\d+,$/);
    }
  });

  it('shows the place of the worst entry, and whether the gradients above are random', () => {
    const worst = { index: [3, 5], yours: 1.5, truth: -2, ratio: null };
    const { findings: _, problem: __, named: ___, ...nameless } = WRONG;
    expect(shown([{ ...nameless, worst }])[2]).toMatch(/ {2}entry \[3, 5\] is 1\.50000, expected -2\.00000 \(batch of 32\)$/);
    expect(shown([{ ...nameless, worst: { ...worst, random: true } }])[2]).toMatch(/ \(batch of 32, random gradients above\)$/);
    expect(shown([{ ...nameless, worst: { ...worst, ratio: 2 } }])[2]).toContain(
      '; every entry is 2.00000 times the right one (batch of 32)',
    );
  });

  it('has no rule and no formula: those are hints', () => {
    for (const line of shown(linesWith(`✓✗✗!${'·'.repeat(22)}`), 80)) expect(line).not.toMatch(/rule|derivative/);
  });
});

describe('the end of a report', () => {
  const end = (exercise: ExerciseNumber, lines: LineReport[], proposals: Partial<Proposals> = {}) =>
    reportLines(reportOn(lines, exercise), paint, { width: 80, height: Number.POSITIVE_INFINITY }, { ...PROPOSALS, ...proposals });

  it('names the next line, and the command for a hint', () => {
    for (const next of [TODO, FAILED]) {
      expect(end(1, [RIGHT, next, WRONG]).slice(-2)).toEqual([`1 of 3 right; next: ${next.name}`, 'hint: npx ninja exercise hint 1']);
    }
    expect(end(1, [RIGHT, TODO], { keys: true }).at(-1)).toBe('1 of 2 right; next: dC');
  });

  it('repeats the first problem if many rows come after it', () => {
    const repeated = '✗ dprobs: you have probs where counts belongs; the sum over the row is';
    expect(end(1, linesWith(`✓✗${'✓'.repeat(24)}`)).slice(-4)).toEqual([
      repeated,
      '    missing too: shape [32, 27], expected [32, 1]',
      '25 of 26 right; next: dprobs',
      'hint: npx ninja exercise hint 1',
    ]);
    expect(end(1, linesWith('✓✗✓✓'))).not.toContain(repeated);
  });

  it('has the command for the next exercise once all lines are right', () => {
    expect(end(1, linesWith('✓'.repeat(26))).at(-1)).toBe('all 26 right; next: npx ninja exercise watch 2');
    expect(end(3, [RIGHT]).at(-1)).toBe('right; next: npx ninja exercise watch 4');
    expect(end(2, [RIGHT], { keys: true }).at(-1)).toBe('right; next: press n, or npx ninja exercise watch 3');
    expect(
      end(1, linesWith('✓✓'), { exercise: () => "npx ninja exercise watch 2 --dir '/a/long path/to/the folder of/exercises'" }).slice(-2),
    ).toEqual(['all 2 right; next:', "  npx ninja exercise watch 2 --dir '/a/long path/to/the folder of/exercises'"]);
  });

  it('has commands to continue with after the last exercise', () => {
    expect(end(4, [RIGHT, RIGHT]).slice(-4)).toEqual([
      'all 2 right: you have written the whole backward pass. Next:',
      '  npx ninja train    train with the same formulas, in fast kernels',
      '  npx ninja hunt     find the one wrong line in a backward pass',
      '  npx ninja mutants  see which checks notice each known mistake',
    ]);
  });

  it('proposes nothing if training with the lines failed', () => {
    const report = { ...reportOn([RIGHT, RIGHT], 4), training: { problem: 'it threw' } };
    expect(reportLines(report, paint, ENDLESS, PROPOSALS).at(-1)).toBe('all lines are right, but training with them failed: it threw');
  });

  it('of one line has a hint for that line, or says that it is right', () => {
    expect(end(1, [WRONG]).at(-1)).toBe('hint: npx ninja exercise hint 1 dcounts_sum_inv');
    expect(end(1, [RIGHT]).at(-1)).toBe('right');
  });
});

describe('the table in a short terminal', () => {
  const rowsOf = (lines: string[]): string[] => lines.filter((line) => /^[✓✗·] /.test(line)).map((line) => line.replace(/ +\[.*/, ''));
  const rowsIn = (marks: string, height: number, width = 80): string[] => rowsOf(shown(linesWith(marks), width, height));

  it('has all rows if they fit', () => {
    expect(shown(linesWith('·'.repeat(26)), 80, 30)).toEqual(shown(linesWith('·'.repeat(26)), 80));
  });

  it('folds the rows that are not written yet, then the right ones', () => {
    expect(rowsIn('·'.repeat(26), 23)).toEqual(['· dlogprobs ... dC: 26 not written yet']);
    expect(rowsIn(`✓✓✓✗${'·'.repeat(22)}`, 23)).toEqual([
      '✓ dlogprobs',
      '✓ dprobs',
      '✓ dcounts_sum_inv',
      '✗ dcounts_sum',
      '· dcounts ... dC: 22 not written yet',
    ]);
    expect(rowsIn(`${'✓'.repeat(19)}✗✓✓${'·'.repeat(4)}`, 23)).toEqual([
      '✓ dlogprobs ... dbndiff: 19 right',
      '✗ dbnmeani',
      '✓ dhprebn, dembact: 2 right',
      '· dW1 ... dC: 4 not written yet',
    ]);
    expect(rowsIn('✓'.repeat(26), 23)).toEqual(['✓ dlogprobs ... dC: 26 right']);
  });

  it('folds everything after the first problems, if there are many, and repeats the first one at the end', () => {
    expect(rowsIn('✗!'.repeat(13), 23)).toEqual([
      '✗ dlogprobs',
      '✗ dprobs',
      '✗ dcounts_sum_inv',
      '✗ dcounts_sum',
      '✗ dcounts',
      '✗ dnorm_logits',
      '✗ dlogit_maxes',
      '✗ dlogits',
      '✗ dh ... dC: 18 not right',
      '✗ dlogprobs: you have probs where counts belongs; the sum over the row is',
    ]);
    expect(rowsIn('✓✗✓·!✗✓·✓', 10).at(1)).toBe('✗ dprobs');
    expect(rowsIn('✓✗✓·!✗✓·✓', 10).at(2)).toBe('· dcounts_sum_inv ... dh: 3 right, 2 not right, 2 not written yet');
  });

  it.each([
    [80, 23],
    [40, 23],
    [80, 12],
    [132, 9],
  ])('fits %d columns and %d lines, whatever the rows are', (width, height) => {
    const long = { ...WRONG, problem: `it threw ${'a long message '.repeat(60)}` };
    const marks = ['✓', '✗', '!', '·', 'L'];
    for (let seed = 1; seed < 200; seed++) {
      let state = seed;
      const lines = GRADIENT_NAMES.map((name): LineReport => {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        const mark = marks[(state >> 16) % (seed % 5 === 0 ? 5 : (seed % 4) + 1)];
        return mark === 'L' ? { ...long, name } : { ...linesWith(mark)[0], name };
      });
      const page = shown(lines, width, height);
      expect(page.length).toBeLessThanOrEqual(height);
      for (const line of page) expect([...line].length).toBeLessThanOrEqual(width);
      const problem = lines.find(({ verdict }) => verdict === 'wrong' || verdict === 'failed');
      if (problem) expect(page.join('\n')).toContain(`✗ ${problem.name}`);
    }
  });
});

describe('the reports on all exercises in a terminal', () => {
  const ones = linesWith('·');
  const all = (...exercises: LineReport[][]) => exercises.map((lines, i) => reportOn(lines, (i + 1) as ExerciseNumber));
  const page = (reports: ExerciseReport[], height: number) => pageOf(reports, paint, { width: 80, height }, PROPOSALS);

  it('fit 23 lines: only the first that is not done has a table and proposes what to do', () => {
    const lines = page(all(linesWith(`✓✗✗!${'·'.repeat(22)}`), linesWith('✗'), ones, linesWith('·'.repeat(13))), 23);
    expect(lines.length).toBeLessThanOrEqual(23);
    expect(lines.filter((line) => line.startsWith('  gradient'))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('hint: '))).toEqual(['hint: npx ninja exercise hint 1']);
    expect(lines.slice(-6)).toEqual([
      '',
      'Exercise 3: batch norm in one expression',
      '0 of 1 right; next: dlogprobs',
      '',
      'Exercise 4: the whole backward pass',
      '0 of 13 right; next: dlogprobs',
    ]);
  });

  it('end with what to do next once all are done', () => {
    const lines = page(all(linesWith('✓'.repeat(26)), linesWith('✓'), linesWith('✓'), linesWith('✓'.repeat(13))), 23);
    expect(lines).toContain('all 26 right');
    expect(lines.at(-1)).toContain('npx ninja mutants');
  });

  it('have all rows in a pipe', () => {
    const lines = page(all(linesWith('✓'.repeat(26)), linesWith('✗'), ones, linesWith('·'.repeat(13))), Number.POSITIVE_INFINITY);
    expect(lines.filter((line) => /^[✓✗·] \w+ +\[/.test(line))).toHaveLength(41);
  });
});

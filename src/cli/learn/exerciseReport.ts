/** The report on a checked exercise, as lines of text. */

import { showShape } from '../../core/tensor.js';
import { showText } from '../../core/text.js';
import type { LineReport, Verdict } from '../../dojo/check.js';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import type { WorstEntry } from '../../dojo/worstEntry.js';
import type { ExerciseReport } from '../../node/learner/run.js';
import type { Paint } from '../terminal/colors.js';
import { formatCount, formatDifference, formatLoss, formatTable, wrapText } from '../terminal/format.js';
import type { Output } from '../terminal/io.js';

const COLUMNS = ['  gradient', 'shape', 'exact', 'close', 'max diff', 'ULPs'];
const INDENT = '    ';

/** The size of a page, in characters. A file or a pipe has no limits: its reader wraps lines. */
export interface Page {
  /** A remark that does not fit behind its row goes below it. */
  width: number;
  /** If the rows do not fit, right rows and unwritten rows collapse into counts. */
  height: number;
}

export const ENDLESS: Page = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

/** The width of a terminal; infinite for a file or a pipe. */
export function widthOf({ isTTY, columns }: Output): number {
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}

export function reportLines(report: ExerciseReport, paint: Paint, { width, height } = ENDLESS): string[] {
  const { exercise, broken, lines, training } = report;
  const head = paint.bold(`Exercise ${exercise}: ${EXERCISES[exercise].title}`);
  if (broken !== undefined) {
    const text = `${exerciseFile(exercise)} cannot run: ${showText(broken)}`;
    return [head, ...wrapText(text, width).map((line) => paint.red(line))];
  }
  const [columns, ...rows] = formatTable([COLUMNS, ...lines.map(cellsOf)], ['left', 'left', 'left', 'left', 'right', 'right']);
  const blocks = rows.map((row, i): RowBlock => {
    // A row without figures has its remark in their place.
    const start = lines[i].figures ? columns.length : columns.indexOf(COLUMNS[2]) - 2;
    return { verdict: lines[i].verdict, lines: withRemark(row, start, remarkOn(lines[i]), width), count: 1 };
  });
  const end = [
    ...(training ? wrapText(trainingText(training), width) : []),
    ...summaryOf(report, paint, width),
    ...ruleOf(report, paint, width),
  ];
  const table = fold(blocks, height - end.length - 2).flatMap((block) => block.lines.map((line) => paintLine(line, block.verdict, paint)));
  return [head, paint.dim(columns), ...table, ...end];
}

/** A row with its remark, or the count of several rows. */
interface RowBlock {
  verdict: Verdict;
  lines: string[];
  count: number;
}

/** Collapses rows until the page fits: first the right ones, then those not written yet, except the next one. Wrong rows always stay. */
function fold(blocks: readonly RowBlock[], height: number): readonly RowBlock[] {
  const fits = (some: readonly RowBlock[]) => some.reduce((sum, { lines }) => sum + lines.length, 0) <= height;
  if (fits(blocks)) return blocks;
  for (let shown = blocks.filter(({ verdict }) => verdict === 'todo').length; shown > 1; shown--) {
    const folded = foldRuns(blocks, shown);
    if (fits(folded)) return folded;
  }
  return foldRuns(blocks, 1);
}

/**
 * Each run of right rows becomes one line, and so does each run of unwritten rows after the first few.
 * @param shown unwritten rows that stay
 */
function foldRuns(blocks: readonly RowBlock[], shown: number): RowBlock[] {
  const folded: RowBlock[] = [];
  let todo = 0;
  for (const block of blocks) {
    if (block.verdict === 'todo') todo++;
    const last = folded.at(-1);
    const together = last?.verdict === block.verdict && (block.verdict === 'right' || (block.verdict === 'todo' && todo > shown + 1));
    if (!last || !together) folded.push(block);
    else folded[folded.length - 1] = runOf(block.verdict, last.count + 1);
  }
  return folded;
}

/** One line for several rows of a verdict. */
function runOf(verdict: Verdict, count: number): RowBlock {
  return { verdict, lines: [verdict === 'right' ? `✓ ${count} right` : `· ${count} not written yet`], count };
}

function summaryOf({ exercise, lines, ok }: ExerciseReport, paint: Paint, width: number): string[] {
  if (ok)
    return wrapText(`${lines.length === 1 ? '' : `all ${lines.length} `}right${NEXT[exercise]}`, width).map((line) => paint.green(line));
  const right = lines.filter(({ verdict }) => verdict === 'right').length;
  const next = lines.find(({ verdict }) => verdict !== 'right');
  return [`${right} of ${lines.length} right; next: ${next?.name}`];
}

const NEXT: Record<ExerciseNumber, string> = {
  1: ': continue with Exercise 2',
  2: ': continue with Exercise 3',
  3: ': continue with Exercise 4',
  4: ": you are a backprop ninja. 'hunt' hides a mistake for you to find, 'mutants' lists all mistakes, 'train --mutant NAME' shows the effect of one",
};

/** The rule of the first line that is not right, if it is wrong. */
function ruleOf({ exercise, lines }: ExerciseReport, paint: Paint, width: number): string[] {
  const next = lines.find(({ verdict }) => verdict !== 'right');
  const line = next?.verdict === 'wrong' ? EXERCISES[exercise].lines.find(({ name }) => name === next.name) : undefined;
  return line ? wrapText(`rule for ${line.name}: ${line.knowledge.rule}`, width).map((text) => paint.dim(text)) : [];
}

function trainingText(training: NonNullable<ExerciseReport['training']>): string {
  if ('problem' in training) return `all lines are right, but training with them failed: ${showText(training.problem)}`;
  const { steps, firstLoss, lastLoss } = training;
  const losses = `loss ${formatLoss(firstLoss)} -> ${formatLoss(lastLoss)} (mean of the last 100)`;
  return `trained ${formatCount(steps)} steps with your gradients: ${losses}`;
}

function cellsOf({ name, shape, figures, verdict }: LineReport): string[] {
  const mark = { right: '✓', wrong: '✗', failed: '✗', todo: '·' }[verdict];
  const numbers = figures
    ? [figures.exact ? 'yes' : 'no', figures.close ? 'yes' : 'no', formatDifference(figures.maxDiff), showUlps(figures.maxUlps)]
    : [];
  return [`${mark} ${name}`, showShape(shape), ...numbers];
}

function remarkOn({ verdict, problem, worst, note }: LineReport): string {
  const text = verdict === 'todo' ? 'not written yet' : problem;
  return showText([text, worst && showWorst(worst), note].filter((part) => part !== undefined).join('; '));
}

/** The row with the remark behind it, from the column `start` on, or below it. */
function withRemark(row: string, start: number, remark: string, width: number): string[] {
  if (remark === '') return [row];
  const line = `${row}${' '.repeat(Math.max(0, start - [...row].length))}  ${remark}`;
  return [...line].length <= width ? [line] : [row, ...wrapText(remark, width - INDENT.length).map((part) => `${INDENT}${part}`)];
}

function showUlps(ulps: number): string {
  return ulps < 1e6 ? `${ulps}` : '>1e6';
}

/** The worst entry in a sentence: your value, its place, and the right value. */
export function showWorst({ random, index, yours, truth, ratio }: WorstEntry): string {
  const constant = ratio === null ? '' : `; every entry is ${ratio.toPrecision(6)} times the right one`;
  return `wrong${random ? ' with random gradients above it' : ''}: ${yours.toPrecision(6)} at ${showShape(index)}, expected ${truth.toPrecision(6)}${constant}`;
}

function paintLine(line: string, verdict: Verdict, paint: Paint): string {
  if (verdict === 'right') return paint.green(line);
  return verdict === 'todo' ? paint.dim(line) : paint.red(line);
}

/** What a checked exercise looks like on a terminal or in a file. */

import { showShape } from '../../core/tensor.js';
import { showText } from '../../core/text.js';
import type { LineReport, Verdict } from '../../dojo/check.js';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import type { WorstEntry } from '../../dojo/worstEntry.js';
import type { ExerciseReport } from '../../node/learner/run.js';
import type { Paint } from '../terminal/colors.js';
import { formatCount, formatDifference, formatLoss, formatTable, wrapText } from '../terminal/format.js';

const COLUMNS = ['  gradient', 'shape', 'exact', 'close', 'max diff', 'ULPs'];
const INDENT = '    ';

/** The room there is; what reads a file or a pipe breaks its own lines. */
export interface Page {
  /** What is said of a line goes below its row where it would make it longer. */
  width: number;
  /** Rows that tell nothing new are folded where there are more. */
  height: number;
}

export const ENDLESS: Page = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

export function reportLines(report: ExerciseReport, paint: Paint, { width, height } = ENDLESS): string[] {
  const { exercise, broken, lines, training } = report;
  const head = paint.bold(`Exercise ${exercise}: ${EXERCISES[exercise].title}`);
  if (broken !== undefined) {
    const text = `${exerciseFile(exercise)} cannot be run: ${showText(broken)}`;
    return [head, ...wrapText(text, width).map((line) => paint.red(line))];
  }
  const [columns, ...rows] = formatTable([COLUMNS, ...lines.map(cellsOf)], ['left', 'left', 'left', 'left', 'right', 'right']);
  const blocks = rows.map((row, i): Block => {
    // Where there are no figures, there is room in their place.
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

/** A row with what is said of it, or several rows of which only the number is told. */
interface Block {
  verdict: Verdict;
  lines: string[];
  count: number;
}

/** As many rows as there is room for: right ones are counted, and those to be written, but for the next. Wrong ones are shown whatever the room. */
function fold(blocks: readonly Block[], height: number): readonly Block[] {
  const fits = (some: readonly Block[]) => some.reduce((sum, { lines }) => sum + lines.length, 0) <= height;
  if (fits(blocks)) return blocks;
  for (let shown = blocks.filter(({ verdict }) => verdict === 'todo').length; shown > 1; shown--) {
    const folded = foldRuns(blocks, shown);
    if (fits(folded)) return folded;
  }
  return foldRuns(blocks, 1);
}

/** Runs of right rows become one line, and those of rows to be written behind the first so many. */
function foldRuns(blocks: readonly Block[], shown: number): Block[] {
  const folded: Block[] = [];
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

function runOf(verdict: Verdict, count: number): Block {
  return { verdict, lines: [verdict === 'right' ? `✓ ${count} right` : `· ${count} to be written`], count };
}

function summaryOf({ exercise, lines, ok }: ExerciseReport, paint: Paint, width: number): string[] {
  if (ok)
    return wrapText(`${lines.length === 1 ? '' : `all ${lines.length} `}right${NEXT[exercise]}`, width).map((line) => paint.green(line));
  const right = lines.filter(({ verdict }) => verdict === 'right').length;
  const next = lines.find(({ verdict }) => verdict !== 'right');
  return [`${right} of ${lines.length} right; next: ${next?.name}`];
}

const NEXT: Record<ExerciseNumber, string> = {
  1: '; Exercise 2 is next',
  2: '; Exercise 3 is next',
  3: '; Exercise 4 is next',
  4: ": you are a backprop ninja. 'hunt' hides a mistake for you to find, 'mutants' lists them all, 'train --mutant NAME' shows what one does",
};

/** The rule that the first wrong line breaks. */
function ruleOf({ exercise, lines }: ExerciseReport, paint: Paint, width: number): string[] {
  const next = lines.find(({ verdict }) => verdict !== 'right');
  const line = next?.verdict === 'wrong' ? EXERCISES[exercise].lines.find(({ name }) => name === next.name) : undefined;
  return line ? wrapText(`the rule of ${line.name}: ${line.knowledge.rule}`, width).map((text) => paint.dim(text)) : [];
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
  const what = verdict === 'todo' ? 'to be written' : problem;
  return showText([what, worst && showWorst(worst), note].filter((text) => text !== undefined).join('; '));
}

/** Behind the row, from a column on, or below it. */
function withRemark(row: string, start: number, remark: string, width: number): string[] {
  if (remark === '') return [row];
  const line = `${row}${' '.repeat(Math.max(0, start - [...row].length))}  ${remark}`;
  return [...line].length <= width ? [line] : [row, ...wrapText(remark, width - INDENT.length).map((part) => `${INDENT}${part}`)];
}

function showUlps(ulps: number): string {
  return ulps < 1e6 ? `${ulps}` : '>1e6';
}

export function showWorst({ random, index, yours, truth, ratio }: WorstEntry): string {
  const constant = ratio === null ? '' : `; every entry is ${ratio.toPrecision(6)} times the truth`;
  return `wrong${random ? ' with random gradients above it' : ''}: at ${showShape(index)} it is ${yours.toPrecision(6)}, and should be ${truth.toPrecision(6)}${constant}`;
}

function paintLine(line: string, verdict: Verdict, paint: Paint): string {
  if (verdict === 'right') return paint.green(line);
  return verdict === 'todo' ? paint.dim(line) : paint.red(line);
}

/** What a checked exercise looks like on a terminal or in a file. */
import type { LineReport, WorstEntry } from '../dojo/check.js';
import { EXERCISES, exerciseFile } from '../dojo/exercises.js';
import type { ExerciseReport } from '../dojo/run.js';
import { showText } from '../errors.js';
import { showShape } from '../tensor.js';
import type { Paint } from './colors.js';
import { formatCount, formatDifference, formatLoss, formatTable, wrapText } from './format.js';

const COLUMNS = ['  gradient', 'shape', 'exact', 'close', 'max diff', 'ULPs'];
const INDENT = '    ';

/** @param width what is said of a line goes below its row where it would make it longer */
export function reportLines(report: ExerciseReport, paint: Paint, width = Number.POSITIVE_INFINITY): string[] {
  const { exercise, broken, lines, training } = report;
  const head = paint.bold(`Exercise ${exercise}: ${EXERCISES[exercise].title}`);
  if (broken !== undefined) {
    const text = `${exerciseFile(exercise)} cannot be run: ${showText(broken)}`;
    return [head, ...wrapText(text, width).map((line) => paint.red(line))];
  }
  const [columns, ...rows] = formatTable([COLUMNS, ...lines.map(cellsOf)], ['left', 'left', 'left', 'left', 'right', 'right']);
  const colored = rows.flatMap((row, i) => {
    // Where there are no figures, there is room in their place.
    const start = lines[i].figures ? columns.length : columns.indexOf(COLUMNS[2]) - 2;
    return withRemark(row, start, remarkOn(lines[i]), width).map((line) => paintLine(line, lines[i], paint));
  });
  return [
    head,
    paint.dim(columns),
    ...colored,
    ...(training ? [trainingText(training)] : []),
    summaryOf(report, paint),
    ...ruleOf(report, width).map((line) => paint.dim(line)),
  ];
}

function summaryOf({ exercise, lines, ok }: ExerciseReport, paint: Paint): string {
  if (ok)
    return paint.green(`all ${lines.length} right${exercise < 4 ? `; Exercise ${exercise + 1} is next` : ': you are a backprop ninja'}`);
  const right = lines.filter(({ verdict }) => verdict === 'right').length;
  const next = lines.find(({ verdict }) => verdict !== 'right');
  return `${right} of ${lines.length} right; next: ${next?.name}`;
}

/** The rule that the first wrong line breaks. */
function ruleOf({ exercise, lines }: ExerciseReport, width: number): string[] {
  const next = lines.find(({ verdict }) => verdict !== 'right');
  const line = next?.verdict === 'wrong' ? EXERCISES[exercise].lines.find(({ name }) => name === next.name) : undefined;
  return line ? wrapText(`the rule of ${line.name}: ${line.knowledge.rule}`, width) : [];
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
  if (verdict === 'todo') return 'to be written';
  return showText([problem, worst && showWorst(worst), note].filter((text) => text !== undefined).join('; '));
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

export function showWorst({ index, yours, truth, ratio }: WorstEntry): string {
  const constant = ratio === null ? '' : `; every entry is ${ratio.toPrecision(6)} times the truth`;
  return `wrong: at ${showShape(index)} it is ${yours.toPrecision(6)}, and should be ${truth.toPrecision(6)}${constant}`;
}

function paintLine(line: string, { verdict }: LineReport, paint: Paint): string {
  if (verdict === 'right') return paint.green(line);
  return verdict === 'todo' ? paint.dim(line) : paint.red(line);
}

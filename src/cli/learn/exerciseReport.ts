/** The report on a checked exercise, as lines of text. */

import { showShape } from '../../core/tensor.js';
import { quoteName, showText } from '../../core/text.js';
import type { LineReport, Verdict } from '../../dojo/check.js';
import type { ExerciseReport, StrayKey } from '../../dojo/exerciseReport.js';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { worstText } from '../../dojo/worstEntry.js';
import { type Paint, PLAIN } from '../terminal/colors.js';
import {
  columnsThatFit,
  formatCount,
  formatDifference,
  formatLoss,
  formatTable,
  listCommands,
  wrapCommand,
  wrapText,
} from '../terminal/format.js';
import { htmlParagraph, htmlTable } from '../terminal/html.js';
import { displayWidth } from '../terminal/width.js';
import { foldRows, type Page, type Row, type ShownLine } from './foldRows.js';

/** The columns of the table. In a narrow terminal, those with the highest number are left out first. */
const COLUMNS = [
  { title: '  gradient', align: 'left', leaves: 0 },
  { title: 'shape', align: 'left', leaves: 1 },
  { title: 'exact', align: 'left', leaves: 4 },
  { title: 'close', align: 'left', leaves: 2 },
  { title: 'max diff', align: 'right', leaves: 3 },
  { title: 'ULPs', align: 'right', leaves: 5 },
] as const;
const INDENT = '    ';
/** Lines of a remark on a page of limited height; `exercise check 1 dprobs` shows all of it. */
const REMARK_LINES = 4;

export const ENDLESS: Page = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

/** What a report proposes to do next. */
export interface Proposals {
  /** An exercise command, as it can be typed here: `npx backprop-ninja exercise hint 1`. */
  exercise(...words: readonly (string | number)[]): string;
  /** The program's name in other commands. */
  program: string;
  /** Whether keys are at hand: h for a hint, n for the next exercise. */
  keys?: boolean;
  /** Set for lines that are in no folder of exercises, such as lines in Python: a hint names its line, and no next exercise is proposed. */
  loose?: true;
}

/**
 * @param proposals undefined if the report ends with its counts
 * @param file the name of the file
 */
export function reportLines(
  report: ExerciseReport,
  paint: Paint,
  { width, height }: Page,
  proposals?: Proposals,
  file = exerciseFile(report.exercise),
): string[] {
  const { broken, lines } = report;
  const head = wrapText(titleOf(report), width).map((line) => paint.bold(line));
  if (broken !== undefined) return [...head, ...wrapText(brokenText(broken, file), width).map((line) => paint.red(line))];
  const { columns, rows } = tableOf(lines, { width, height });
  const end = [
    ...strayLines(report, width).map((line) => paint.red(line)),
    ...notGivenLines(report, width).map((line) => paint.dim(line)),
    ...endOf(report, paint, width, proposals),
  ];
  const again = problemAgain(lines, width).map((line) => paint.red(line));
  const room = height - head.length - 1 - end.length;
  let table = foldRows(rows, { width, height: room });
  const far = isFar(lines, table);
  if (far) table = foldRows(rows, { width, height: room - again.length });
  return [
    ...head,
    ...(table.some(({ name }) => name !== undefined) ? [paint.dim(columns)] : []),
    ...table.map(({ text, verdict }) => paintLine(text, verdict, paint)),
    ...(far ? again : []),
    ...end,
  ];
}

function titleOf({ exercise }: ExerciseReport): string {
  return `Exercise ${exercise}: ${EXERCISES[exercise].title}`;
}

function brokenText(broken: string, file: string): string {
  return `${file} cannot run: ${showText(broken)}`;
}

const TONES = { right: 'good', wrong: 'bad', failed: 'bad', todo: 'dim' } as const;

/** The same report as HTML for a notebook. */
export function reportHtml(report: ExerciseReport, proposals: Proposals, file: string): string {
  const { broken, lines } = report;
  const head = htmlParagraph(titleOf(report));
  if (broken !== undefined) return `${head}${htmlParagraph(brokenText(broken, file), 'bad')}`;
  const titles = [...COLUMNS.map(({ title }) => title.trim()), ''];
  const rows = lines.map((line) => {
    const cells = cellsOf(line);
    return { cells: [...COLUMNS.map((_, i) => cells[i] ?? ''), remarkOn(line)], tone: TONES[line.verdict] };
  });
  const width = Number.POSITIVE_INFINITY;
  return [
    head,
    ...(rows.length === 0 ? [] : [htmlTable(titles, rows)]),
    ...strayLines(report, width).map((text) => htmlParagraph(text, 'bad')),
    ...notGivenLines(report, width).map((text) => htmlParagraph(text, 'dim')),
    ...endOf(report, PLAIN, width, proposals).map((text) => htmlParagraph(text, report.ok ? 'good' : undefined)),
  ].join('');
}

/**
 * The reports on several exercises. The first that is not done, or the last, proposes what to do next. On a page of limited height, only
 * that one has a table.
 */
export function pageOf(reports: readonly ExerciseReport[], paint: Paint, { width, height }: Page, proposals: Proposals): string[] {
  const open = reports.findIndex(({ ok }) => !ok);
  const main = open === -1 ? reports.length - 1 : open;
  const others = height === Number.POSITIVE_INFINITY ? height : 0;
  const parts = reports.map((report, i) => (i === main ? [] : reportLines(report, paint, { width, height: others })));
  const taken = parts.flat().length + reports.length - 1;
  parts[main] = reportLines(reports[main], paint, { width, height: height - taken }, proposals);
  return parts.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function tableOf(lines: readonly LineReport[], { width, height }: Page): { columns: string; rows: Row[] } {
  const cells = [COLUMNS.map(({ title }) => title), ...lines.map(cellsOf)];
  const shown = columnsThatFit(cells, COLUMNS, width);
  const [columns, ...texts] = formatTable(
    cells.map((row) => shown.map((column) => row[column] ?? '')),
    shown.map((column) => COLUMNS[column].align),
  );
  const shapeEnd = Math.max(
    ...formatTable(
      cells.map((row) => row.slice(0, 2)),
      ['left', 'left'],
    ).map((text) => displayWidth(text)),
  );
  const rows = texts.map((text, i): Row => {
    const { name, verdict, figures } = lines[i];
    // A row without figures has its remark in their place.
    const start = figures ? columns.length : shapeEnd;
    return { name, verdict, lines: withRemark(text, start, remarkOn(lines[i]), { width, height }) };
  });
  return { columns, rows };
}

/** Lines that may come after the first problem before it is repeated at the end. */
const NEAR = 5;

/** Whether the first problem is not near the end of the table, or has no row. */
function isFar(lines: readonly LineReport[], shown: readonly ShownLine[]): boolean {
  const problem = firstProblem(lines);
  if (!problem) return false;
  const row = shown.findLastIndex(({ name }) => name === problem.name);
  return row === -1 || shown.length - 1 - row > NEAR;
}

function firstProblem(lines: readonly LineReport[]): LineReport | undefined {
  return lines.find(({ verdict }) => verdict === 'wrong' || verdict === 'failed');
}

/** The first problem once more, below the table. */
function problemAgain(lines: readonly LineReport[], width: number): string[] {
  const problem = firstProblem(lines);
  if (!problem) return [];
  const [first, ...more] = wrapText(`✗ ${problem.name}: ${remarkOn(problem)}`, width - INDENT.length);
  return cut([first, ...more.map((line) => `${INDENT}${line}`)], REMARK_LINES);
}

/** Stray keys that are listed. */
const MAX_STRAYS = 5;

/** The keys that are no lines, unless the row of a missing line says it. */
function strayLines({ exercise, lines, strays = [] }: ExerciseReport, width: number): string[] {
  const said = new Set(lines.flatMap(({ findings = [] }) => findings.flatMap((one) => (one.id === 'line-missing' ? [one.stray] : []))));
  const shown = strays.filter(({ key }) => !said.has(key));
  if (shown.length === 0) return [];
  const list = shown.slice(0, MAX_STRAYS).map(strayText).join(', ');
  const more = shown.length > MAX_STRAYS ? `, and ${formatCount(shown.length - MAX_STRAYS)} more` : '';
  const [first, ...others] = wrapText(`✗ not in Exercise ${exercise}: ${list}${more}`, width - INDENT.length);
  return [first, ...others.map((line) => `${INDENT}${line}`)];
}

function strayText({ key, suggestion, exercise }: StrayKey): string {
  const shown = key === '' ? "''" : quoteName(key);
  if (exercise !== undefined) return `${shown} (a line of Exercise ${exercise})`;
  return suggestion === undefined ? shown : `${shown} (did you mean ${suggestion}?)`;
}

/** Lines that were not given, and that are listed by name. */
const MAX_NOT_GIVEN = 5;

/** The lines that may be left out. */
function notGivenLines({ exercise, lines, notGiven = [] }: ExerciseReport, width: number): string[] {
  if (notGiven.length === 0 || lines.length === 0) return [];
  const few = notGiven.length <= MAX_NOT_GIVEN;
  const what = few ? `not given: ${notGiven.join(', ')}` : `${notGiven.length} of ${EXERCISES[exercise].lines.length} lines not given`;
  const [first, ...others] = wrapText(`· ${what}`, width - INDENT.length);
  return [first, ...others.map((line) => `${INDENT}${line}`)];
}

/** What is done, and what comes next. */
function endOf(
  { exercise, lines, ok, strays = [], training }: ExerciseReport,
  paint: Paint,
  width: number,
  proposals?: Proposals,
): string[] {
  const hint = (...words: string[]) =>
    !proposals || proposals.keys ? [] : wrapCommand('hint:', proposals.exercise('hint', exercise, ...words), width);
  if (lines.length === 0) return ['nothing came back: no line was given'];
  const one = lines.length === 1 && EXERCISES[exercise].lines.length > 1 ? lines[0] : undefined;
  if (one && one.verdict !== 'right') return hint(one.name);
  if (one && ok) return [paint.green('right')];
  if (!ok) {
    const right = lines.filter(({ verdict }) => verdict === 'right').length;
    const next = lines.find(({ verdict }) => verdict !== 'right');
    if (next)
      return [
        ...wrapText(`${right} of ${lines.length} right; next: ${next.name}`, width),
        ...hint(...(proposals?.loose ? [next.name] : [])),
      ];
    const what = strays.length === 1 ? 'the key that is no line' : 'the keys that are no lines';
    return wrapText(`${lines.length === 1 ? 'right' : `all ${right} lines right`}; next: correct or remove ${what}`, width);
  }
  const trained = training ? wrapText(trainingText(training), width) : [];
  if (training && 'problem' in training) return trained.map((line) => paint.red(line));
  return [...trained, ...doneLines(exercise, lines.length, width, proposals).map((line) => paint.green(line))];
}

function doneLines(exercise: ExerciseNumber, count: number, width: number, proposals?: Proposals): string[] {
  const all = count === 1 ? 'right' : `all ${count} right`;
  if (!proposals || proposals.loose) return [all];
  const { exercise: command, program, keys } = proposals;
  if (exercise < 4) return wrapCommand(`${all}; next:${keys ? ' press n, or' : ''}`, command('watch', exercise + 1), width);
  return [...wrapText(`${all}: you have written the whole backward pass. Next:`, width), ...afterLast(program, width)];
}

/** What to do when all exercises are done. */
function afterLast(program: string, width: number): string[] {
  return listCommands(
    [
      [`${program} train`, 'train with the same formulas, in fast kernels'],
      [`${program} hunt`, 'find the one wrong line in a backward pass'],
      [`${program} mutants`, 'see which checks notice each known mistake'],
    ],
    width,
  );
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
  return showText([text, worst && worstText(worst), note].filter((part) => part !== undefined).join('; '));
}

/** The row with the remark behind it, from the column `start` on, or below it. */
function withRemark(row: string, start: number, remark: string, { width, height }: Page): string[] {
  if (remark === '') return [row];
  const line = `${row}${' '.repeat(Math.max(0, start - displayWidth(row)))}  ${remark}`;
  if (displayWidth(line) <= width) return [line];
  const below = wrapText(remark, width - INDENT.length);
  return [row, ...cut(below, height === Number.POSITIVE_INFINITY ? below.length : REMARK_LINES).map((part) => `${INDENT}${part}`)];
}

/** The first lines, with an ellipsis if more follow. */
function cut(lines: readonly string[], most: number): string[] {
  return lines.length <= most ? [...lines] : [...lines.slice(0, most - 1), `${lines[most - 1].replace(/.{2}$/u, '')} …`];
}

function showUlps(ulps: number): string {
  return ulps < 1e6 ? `${ulps}` : '>1e6';
}

function paintLine(line: string, verdict: Verdict | undefined, paint: Paint): string {
  if (verdict === 'right') return paint.green(line);
  return verdict === 'wrong' || verdict === 'failed' ? paint.red(line) : paint.dim(line);
}

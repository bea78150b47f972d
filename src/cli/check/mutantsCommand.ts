import { CHECK_TEXT, CHECKS, isCaught, KillMatrix, type KillRow } from '../../dojo/killMatrix.js';
import { MUTANTS } from '../../dojo/mutants.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import type { IO } from '../terminal/io.js';

export interface MutantsCommandOptions {
  json?: boolean;
  color: boolean;
}

/** @returns whether our checks notice every mistake of the bank and misname none */
export async function mutantsCommand({ json, color }: MutantsCommandOptions, io: IO): Promise<boolean> {
  const paint = await paintFor(io.stdout, io.env, color);
  const matrix = new KillMatrix();
  const rows: KillRow[] = [];
  if (!json) io.stdout.write(`${headLines(paint).join('\n')}\n`);
  for (const mutant of MUTANTS) {
    const row = matrix.judge(mutant);
    rows.push(row);
    if (!json) io.stdout.write(`${rowLine(row, paint)}\n`);
  }
  const ok = rows.every(isCaught);
  io.stdout.write(json ? `${JSON.stringify({ ok, mutants: rows.map(jsonOf) })}\n` : `${summaryLines(rows, paint).join('\n')}\n`);
  return ok;
}

const NAME_WIDTH = Math.max(...MUTANTS.map(({ name }) => name.length));

function headLines(paint: Paint): string[] {
  const width = Math.max(...CHECKS.map((check) => check.length));
  return [
    `${MUTANTS.length} planted mistakes, and the gradient checks that notice each:`,
    '',
    ...CHECKS.map((check, i) => `  ${i + 1}  ${check.padEnd(width)}  ${CHECK_TEXT[check]}`),
    '',
    paint.dim(`${'mutant'.padEnd(NAME_WIDTH)}  ${CHECKS.map((_, i) => i + 1).join('  ')}  the dojo`),
  ];
}

const NAMING_TEXT: Record<KillRow['naming'], string> = { right: 'names it', none: 'shows it', wrong: 'misnames it' };

function rowLine(row: KillRow, paint: Paint): string {
  const marks = CHECKS.map((check) => (row.noticedBy[check] ? '✓' : '·')).join('  ');
  const line = `${row.mutant.name.padEnd(NAME_WIDTH)}  ${marks}  ${NAMING_TEXT[row.naming]}`;
  return isCaught(row) ? line : paint.red(line);
}

function summaryLines(rows: readonly KillRow[], paint: Paint): string[] {
  const missedBy = CHECKS.map((check) => rows.filter(({ noticedBy }) => !noticedBy[check]).length);
  const width = Math.max(...CHECKS.map((check) => check.length));
  const named = (naming: KillRow['naming']) => rows.filter((row) => row.naming === naming).length;
  const escaped = rows.filter((row) => !isCaught(row)).map(({ mutant }) => mutant.name);
  return [
    '',
    paint.dim(`${'check'.padEnd(width)}  misses, of ${rows.length}`),
    ...CHECKS.map((check, i) => `${check.padEnd(width)}  ${String(missedBy[i]).padStart(6)}`),
    '',
    `the dojo names ${named('right')} correctly (${((100 * named('right')) / rows.length).toFixed(0)} %), misnames ${named('wrong')}, and shows ${named('none')} without a name`,
    escaped.length === 0 ? paint.green('all mistakes are caught') : paint.red(`not caught: ${escaped.join(', ')}`),
  ];
}

function jsonOf({ mutant, noticedBy, findings, said, naming }: KillRow) {
  const { name, exercise, line, mistake } = mutant;
  return { name, exercise, line, mistake, noticedBy, findings, said, naming };
}

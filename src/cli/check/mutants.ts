import { CHECK_TEXT, CHECKS, isCaught, KillMatrix, type KillRow } from '../../dojo/killMatrix.js';
import { MUTANTS } from '../../dojo/mutants.js';
import { type CommandContext, defineCommand } from '../command.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_NO } from '../terminal/exitCodes.js';

export const mutants = defineCommand({
  description: 'Plants known mistakes, and shows which gradient checks notice each.',
  examples: [
    ['backprop-ninja mutants', 'the kill matrix: our checks and the usual ones'],
    ['backprop-ninja mutants --json', 'the same, with what the dojo says about each'],
  ],
  run: async (context) => ((await judgeAll(context)) ? 0 : EXIT_NO),
});

/** @returns whether our checks notice every mistake of the bank and misname none */
async function judgeAll({ io, json, paint, printJson }: CommandContext): Promise<boolean> {
  const styles = await paint();
  const matrix = new KillMatrix();
  const rows: KillRow[] = [];
  if (!json) io.stdout.write(`${headLines(styles).join('\n')}\n`);
  for (const mutant of MUTANTS) {
    const row = matrix.judge(mutant);
    rows.push(row);
    if (!json) io.stdout.write(`${rowLine(row, styles)}\n`);
  }
  const ok = rows.every(isCaught);
  if (json) printJson({ ok, mutants: rows.map(jsonOf) });
  else io.stdout.write(`${summaryLines(rows, styles).join('\n')}\n`);
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

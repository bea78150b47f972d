/** The tables of grad-check. */
import { showShape } from '../../core/tensor.js';
import type { Part } from '../../gradCheck/options.js';
import type { CheckRow } from '../../gradCheck/row.js';
import type { Paint } from '../terminal/colors.js';
import { type Align, formatBlocks, formatCount, formatDifference, formatTable } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';

const TITLES: Record<Part, Record<string, string>> = {
  atomic: {
    'local differences': '(a) atomic gradients, each line alone with random upstream gradients, against finite differences',
    'end-to-end differences': '(a) atomic gradients, the whole chain, against finite differences of the loss',
  },
  'closed-forms': {
    'local differences': '(b) closed forms of cross-entropy and batch norm, against finite differences',
    'atomic chain': '(b) the same, against the atomic chain',
  },
  model: { 'end-to-end differences': "(c) the network's backward pass, against finite differences of the loss" },
  backend: { 'float64 reference': '(d) the float32 backend used for training, against the float64 reference' },
};

/** One table per witness and network, in the order of the rows. */
function tablesOf(rows: readonly CheckRow[]): CheckRow[][] {
  const tables = new Map<string, CheckRow[]>();
  for (const row of rows) {
    const key = `${row.witness} ${row.hidden} ${row.norm}`;
    tables.set(key, [...(tables.get(key) ?? []), row]);
  }
  return [...tables.values()];
}

/** Prints a table for each witness and network. */
export function printChecks(rows: readonly CheckRow[], io: IO, paint: Paint): void {
  for (const table of tablesOf(rows)) printTable(table, io, paint);
}

/** Prints a line per tensor: every batch size that failed, otherwise the worst one. */
function printTable(rows: readonly CheckRow[], io: IO, paint: Paint): void {
  const [{ part, witness, ...network }] = rows;
  const sizes = new Set(rows.map((row) => row.n));
  io.stdout.write(`\n${paint.bold(TITLES[part][witness])}  ${paint.dim(`${formatBlocks(network)}, n = ${[...sizes].join(', ')}`)}\n`);
  const shown = [...new Set(rows.map((row) => row.name))].flatMap((name) => failedOrWorst(rows.filter((row) => row.name === name)));
  const ulps = rows.some((row) => row.maxUlps !== undefined);
  const entriesOf = (name: string) => rows.filter((row) => row.name === name).reduce((sum, row) => sum + row.entries, 0);
  const head = ['tensor', 'entries', 'worst at n', 'shape', 'max |a-b|', 'relative', ...(ulps ? ['ULPs'] : []), 'at', ''];
  const align: Align[] = ['left', 'right', 'right', 'left', 'right', 'right', ...(ulps ? ['right' as const] : []), 'left', 'left'];
  writeTable(io, paint, [head, ...shown.map((row) => cellsOf(row, entriesOf(row.name), ulps))], align, shown);
}

function failedOrWorst(ofTensor: readonly CheckRow[]): CheckRow[] {
  const failed = ofTensor.filter((row) => !row.ok);
  return failed.length > 0 ? failed : [ofTensor.reduce((worst, row) => (row.error > worst.error ? row : worst))];
}

function cellsOf(row: CheckRow, entries: number, ulps: boolean): string[] {
  return [
    row.name,
    formatCount(entries),
    String(row.n),
    showShape(row.shape),
    row.problem ? '-' : formatDifference(row.maxAbsDiff),
    row.problem || row.structuralZero ? '-' : formatDifference(row.error),
    ...(ulps ? [row.maxUlps === undefined ? '-' : formatUlps(row.maxUlps)] : []),
    row.problem ? '' : showShape(row.at),
    verdictOf(row),
  ];
}

/** Prints a dimmed head and a line per row; failed rows are red. */
function writeTable(io: IO, paint: Paint, cells: string[][], align: Align[], rows: readonly { ok: boolean }[]): void {
  const [head, ...lines] = formatTable(cells, align);
  const painted = lines.map((line, i) => (rows[i].ok ? line : paint.red(line)));
  io.stdout.write(`${[paint.dim(head), ...painted].join('\n')}\n`);
}

function verdictOf(row: CheckRow): string {
  if (row.problem) return `FAILED: ${row.problem}`;
  if (!row.ok) return row.structuralZero ? `FAILED: expected 0, found ${formatDifference(row.error)}` : `FAILED: limit ${row.limit}`;
  return row.structuralZero ? 'ok: always 0' : 'ok';
}

/** How many rows passed, and the names of those that failed. */
export function verdictLine(rows: readonly { name: string; ok: boolean }[], paint: Paint): string {
  const failed = rows.filter((row) => !row.ok);
  if (failed.length === 0) return paint.green(rows.length === 1 ? 'the check passed' : `all ${formatCount(rows.length)} checks passed`);
  const names = [...new Set(failed.map(({ name }) => name))];
  return paint.red(`${formatCount(failed.length)} of ${formatCount(rows.length)} checks failed: ${names.join(', ')}`);
}

/** Large distances need no exact figure. */
function formatUlps(ulps: number): string {
  return ulps < 1e6 ? formatCount(ulps) : ulps.toExponential(1);
}

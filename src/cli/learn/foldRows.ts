/** Makes the rows of an exercise fit a page: runs of rows of the same state become one line each. */
import type { Verdict } from '../../dojo/check.js';
import { wrapText } from '../terminal/format.js';

/** The size of a page, in characters. A file or a pipe has no limits: everything is there, and its reader wraps lines. */
export interface Page {
  width: number;
  /** If the rows do not fit, some are folded. */
  height: number;
}

/** The lines of one row. */
export interface Row {
  name: string;
  verdict: Verdict;
  lines: readonly string[];
}

export interface ShownLine {
  text: string;
  /** It is painted as this verdict; a line for rows of several states has none. */
  verdict: Verdict | undefined;
  /** The name of the row, if the line belongs to one only. */
  name?: string;
}

type Kind = 'right' | 'wrong' | 'todo';

const MARK = { right: '✓', wrong: '✗', todo: '·' } as const;
const STATE = { right: 'right', wrong: 'not right', todo: 'not written yet' } as const;

const kindOf = ({ verdict }: Row): Kind => (verdict === 'failed' ? 'wrong' : verdict);

/**
 * The lines of the rows, at most `height`. First the rows that are not written yet are folded, then the right ones, then everything after
 * the first wrong rows. If there is no room for the first wrong row, there are no lines.
 */
export function foldRows(rows: readonly Row[], { width, height }: Page): ShownLine[] {
  const fold = (some: readonly Row[]) => foldAll(some, width);
  const foldRuns = (some: readonly Row[], folds: (row: Row) => boolean) =>
    runsOf(some, folds).flatMap((run) => (run.length === 1 ? linesOf(run[0]) : fold(run)));
  const isTodo = (row: Row) => kindOf(row) === 'todo';
  const isWrong = (row: Row) => kindOf(row) === 'wrong';
  const ends = rows.flatMap((row, i) => (isWrong(row) ? [i + 1] : []));
  const ways = [
    () => foldRuns(rows, () => false),
    () => foldRuns(rows, isTodo),
    () => foldRuns(rows, (row) => !isWrong(row)),
    ...ends
      .slice(0, -1)
      .reverse()
      .map((end) => () => [...foldRuns(rows.slice(0, end), (row) => !isWrong(row)), ...fold(rows.slice(end))]),
    () => {
      const first = rows.findIndex(isWrong);
      return first === -1 ? fold(rows) : [...fold(rows.slice(0, first)), ...linesOf(rows[first]), ...fold(rows.slice(first + 1))];
    },
  ];
  for (const way of ways) {
    const lines = way();
    if (lines.length <= height) return lines;
  }
  return [];
}

/** The rows, with neighbours of the same kind together if they are to be folded. */
function runsOf(rows: readonly Row[], folds: (row: Row) => boolean): Row[][] {
  const runs: Row[][] = [];
  for (const row of rows) {
    const run = runs.at(-1);
    if (run && folds(row) && folds(run[0]) && kindOf(run[0]) === kindOf(row)) run.push(row);
    else runs.push([row]);
  }
  return runs;
}

function linesOf({ lines, verdict, name }: Row): ShownLine[] {
  return lines.map((text) => ({ text, verdict, name }));
}

/** All rows at once: `✓ dlogprobs ... dcounts: 5 right`, or `· dh ... dC: 3 right, 9 not written yet`. */
function foldAll(rows: readonly Row[], width: number): ShownLine[] {
  if (rows.length === 0) return [];
  const counts = (['right', 'wrong', 'todo'] as const).flatMap((kind) => {
    const count = rows.filter((row) => kindOf(row) === kind).length;
    return count === 0 ? [] : [{ kind, text: rows.length === 1 ? STATE[kind] : `${count} ${STATE[kind]}` }];
  });
  const [first, last] = [rows[0].name, rows[rows.length - 1].name];
  const names = rows.length === 1 ? first : `${first}${rows.length === 2 ? ', ' : ' ... '}${last}`;
  const only = counts.length === 1 ? counts[0].kind : undefined;
  const text = `${MARK[only ?? 'todo']} ${names}: ${counts.map((count) => count.text).join(', ')}`;
  return wrapText(text, width - 2).map((line, i) => ({ text: i === 0 ? line : `  ${line}`, verdict: only }));
}

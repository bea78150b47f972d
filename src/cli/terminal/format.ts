/** Formats numbers, lists and tables for people. */

import { messageParts } from '../../core/errors.js';
import { showText } from '../../core/text.js';
import { wrapWords } from '../../core/wrapWords.js';
import { hasBatchNorm, type ModelConfig } from '../../network/parameters.js';
import { commandName, type IO, type Output } from './io.js';
import { displayWidth } from './width.js';

export { countOf as formatCountOf, formatBytes, formatCount } from '../../core/text.js';

/** The noun of a list that follows: `line 3`, `lines 3, 5`. */
export function formatList(noun: string, items: readonly unknown[]): string {
  return `${noun}${items.length === 1 ? '' : 's'} ${items.join(', ')}`;
}

/** A loss in nats per character: 2.1099 */
export function formatLoss(loss: number): string {
  return loss.toFixed(4);
}

/** A difference: 0, or two digits with an exponent. */
export function formatDifference(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

/** 45 s, 3 min 20 s, 2 h 5 min */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export type Align = 'left' | 'right';

/** Lines of cells in columns as wide as the widest cell on a terminal, two spaces apart, without trailing spaces. */
export function formatTable(rows: readonly (readonly string[])[], align: readonly Align[]): string[] {
  const length = (cell = '') => displayWidth(cell);
  const widths = align.map((_, column) => rows.reduce((widest, row) => Math.max(widest, length(row[column])), 0));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const padding = ' '.repeat(widths[column] - length(cell));
        return align[column] === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd(),
  );
}

/**
 * The indices of the columns of a table that fit the width.
 * @param columns a column that leaves at a higher number is left out before others; the first stays
 */
export function columnsThatFit(cells: readonly (readonly string[])[], columns: readonly { leaves: number }[], width: number): number[] {
  let shown = columns.map((_, i) => i);
  const fits = () => {
    const [first] = formatTable(
      cells.map((row) => shown.map((column) => row[column] ?? '')),
      shown.map(() => 'right'),
    );
    return displayWidth(first) <= width;
  };
  while (shown.length > 1 && !fits()) {
    const last = shown.reduce((a, b) => (columns[b].leaves > columns[a].leaves ? b : a));
    shown = shown.filter((column) => column !== last);
  }
  return shown;
}

/** The width of a terminal; infinite for a file or a pipe, whose reader wraps lines. */
export function widthOf({ isTTY, columns }: Pick<Output, 'isTTY' | 'columns'>): number {
  return isTTY ? columns : Number.POSITIVE_INFINITY;
}

/** {@link wrapWords} by the columns of a terminal. */
export function wrapText(text: string, width: number): string[] {
  return wrapWords(text, width, displayWidth);
}

/** Writes a paragraph. */
export function say(output: Output, text: string): void {
  output.write(`${wrapText(text, widthOf(output)).join('\n')}\n`);
}

/**
 * A command to type, after a text that ends with a colon. It gets its own lines if it does not fit behind the text. A line of it that
 * continues ends with a backslash, as shells read it.
 */
export function wrapCommand(text: string, command: string, width: number): string[] {
  const line = `${text} ${command}`;
  if (displayWidth(line) <= width) return [line];
  return [...wrapText(text, width), ...commandLines(command, width)];
}

function commandLines(command: string, width: number): string[] {
  const words = command.match(SHELL_WORD) ?? [];
  const lines: string[] = [];
  for (const [i, word] of words.entries()) {
    const last = lines.at(-1);
    const room = i < words.length - 1 ? width - ' \\'.length : width;
    if (last !== undefined && displayWidth(last) + 1 + displayWidth(word) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${lines.length === 0 ? '  ' : '    '}${word}`);
  }
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}

/** Commands with what they do, in two columns, or on lines of their own if the columns do not fit. */
export function listCommands(rows: readonly (readonly [command: string, does: string])[], width: number): string[] {
  const table = formatTable(rows, ['left', 'left']).map((line) => `  ${line}`);
  if (table.every((line) => displayWidth(line) <= width)) return table;
  return rows.flatMap(([command, does]) => [...commandLines(command, width), ...wrapText(does, width - 6).map((line) => `      ${line}`)]);
}

/** A word, which may have spaces in quotes. */
const SHELL_WORD = /(?:\\.|"[^"]*"|\$'(?:\\.|[^'\\])*'|'[^']*'|\S)+/g;

/** An error, or its message, for a stream: one line, unless a terminal is narrower. */
export function errorLines(error: Error | string, output: Output, io: Pick<IO, 'env'>): string[] {
  const { message, command } = typeof error === 'string' ? { message: error, command: undefined } : messageParts(error);
  const text = `error: ${showText(message)}`;
  const width = widthOf(output);
  return command === undefined ? wrapText(text, width) : wrapCommand(`${text}:`, `${commandName(io)} ${command}`, width);
}

/** The blocks of a network, such as `H 300,200`, or `H 200 without batch norm`. */
export function formatBlocks(config: Pick<ModelConfig, 'hidden' | 'norm'>): string {
  return `H ${config.hidden.join(',')}${hasBatchNorm(config) ? '' : ' without batch norm'}`;
}

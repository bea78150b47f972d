/** Formats numbers, lists and tables for people. */

/** 200,000 */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** 1 name, 2,000 names */
export function formatCountOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

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

/** 1.5 GiB */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

export type Align = 'left' | 'right';

/** Lines of cells in columns as wide as the widest cell, two spaces apart, without trailing spaces. */
export function formatTable(rows: readonly (readonly string[])[], align: readonly Align[]): string[] {
  const length = (cell = '') => [...cell].length;
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

/** Lines of at most `width` characters, broken between words, but not within a shape such as [1, 64]. A longer word gets its own line. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/ (?![^[\]]*\])/)) {
    const last = lines.at(-1);
    if (last !== undefined && [...last].length + 1 + [...word].length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

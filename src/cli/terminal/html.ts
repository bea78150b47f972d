/** HTML fragments for notebooks: no script, no style block, no background and no black text, so that they fit light and dark pages. */
import { escapeHtml } from '../../core/html.js';

export type Tone = 'good' | 'bad' | 'dim';

/** Colours that can be read on white and on black. */
const TONES: Record<Tone, string> = { good: 'color:#2e8b57', bad: 'color:#d9483b', dim: 'opacity:0.65' };
const CELL = 'text-align:left;padding:2px 10px 2px 0;vertical-align:top';

export interface HtmlRow {
  cells: readonly string[];
  tone?: Tone;
}

/** A table; every cell is escaped. */
export function htmlTable(head: readonly string[], rows: readonly HtmlRow[]): string {
  const titles = head.map((title) => `<th scope="col" style="${CELL}">${escapeHtml(title)}</th>`).join('');
  const lines = rows.map(({ cells, tone }) => {
    const style = tone === undefined ? '' : ` style="${TONES[tone]}"`;
    return `<tr${style}>${cells.map((cell) => `<td style="${CELL}">${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  return `<table style="border-collapse:collapse"><thead><tr>${titles}</tr></thead><tbody>${lines.join('')}</tbody></table>`;
}

/** A paragraph of escaped text. */
export function htmlParagraph(text: string, tone?: Tone): string {
  return `<p style="margin:4px 0${tone === undefined ? '' : `;${TONES[tone]}`}">${escapeHtml(text)}</p>`;
}

/** What is said about the way in which names were read. */
import { countOf, quoteText } from '../core/text.js';
import type { ParsedNames } from './parseNames.js';
import { separatorText, type TableLayout } from './table.js';

/** @param first the first name */
export function describeTable({ separator, columns, column, header }: TableLayout, first: string): string {
  const place = columns === 1 ? 'the only column' : `column ${column} of ${columns}, separated by ${separatorText(separator, columns)}`;
  return `read ${place}${header === undefined ? '' : ', below a header'}; the first name is '${quoteText(first)}'`;
}

/** What was tidied; empty for a plain file. */
export function describeTidied(tidied: ParsedNames['tidied']): string {
  const { byteOrderMark, carriageReturns, loneCarriageReturns, surroundingBlanks, blankLines, blankFields, normalized } = tidied;
  const notes = [
    byteOrderMark > 0 ? 'a byte order mark' : '',
    carriageReturns > 0 ? countOf(carriageReturns, 'CRLF line ending') : '',
    loneCarriageReturns > 0 ? countOf(loneCarriageReturns, 'CR line ending') : '',
    surroundingBlanks > 0 ? `blanks around ${countOf(surroundingBlanks, 'name')}` : '',
    blankLines > 0 ? countOf(blankLines, 'blank line') : '',
    blankFields > 0 ? `${countOf(blankFields, 'line')} with an empty column` : '',
  ].filter((text) => text !== '');
  const changed = normalized > 0 ? [`brought ${countOf(normalized, 'name')} into NFC`] : [];
  return [...(notes.length > 0 ? [`dropped ${notes.join(', ')}`] : []), ...changed].join('; ');
}

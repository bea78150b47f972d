import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileContentError, fullMessage, UsageError } from '../../src/core/errors.js';
import { parseNames } from '../../src/data/parseNames.js';

const read = (text: string, column: string) => parseNames(new TextEncoder().encode(text), 'names.csv', { column });

function refusalOf(text: string, column: string): Error {
  try {
    read(text, column);
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('a column of a table', () => {
  it.each([
    ['commas', 'emma,F,5\nava,F,7\n', '1', ['emma', 'ava']],
    ['semicolons, with commas inside', 'Smith, Emma;F\nJones, Ava;F\n', '1', ['Smith, Emma', 'Jones, Ava']],
    ['tabs', '1\temma\tF\n2\tava\tF\n', '2', ['emma', 'ava']],
    ['bars', 'emma | 5\nava | 7\n', '1', ['emma', 'ava']],
    ['a table of Markdown', '| name | count |\n|:-----|---|\n| emma | 5 |\n| --- | 1 |\n', 'name', ['emma', '---']],
    ['blanks', '  1  emma 5\n 10  ava  7 \n', '2', ['emma', 'ava']],
    ['a header, by its name', 'Year,Name,Sex\n1880,emma,F\n1880,ava,F\n', 'Name', ['emma', 'ava']],
    ['a header in other letters', 'Year,Name\n1880,emma\n', 'name', ['emma']],
    ['a header with blanks', 'Year,First Name\n1880,emma\n', 'first name', ['emma']],
    ['a header in quotes', '"Year","Name"\n"1880","emma"\n', 'Name', ['emma']],
    ['a single column with a header', 'name\nemma\nava\n', 'name', ['emma', 'ava']],
    ['a single column with a header of two words', 'First name\nMary Ann\nava\n', 'First name', ['Mary Ann', 'ava']],
    ['quotes', '"emma","F"\n"ava","F"\n', '1', ['emma', 'ava']],
    ['quotes around separators', '"Smith, Emma",F\n"Jones, Ava",F\n', '1', ['Smith, Emma', 'Jones, Ava']],
    ['quotes inside quotes', '"the ""big"" one",1\nava,2\n', '1', ['the "big" one', 'ava']],
    ['only quotes', '"emma"\n"ava"\n', '1', ['emma', 'ava']],
    ['quotes and commas of a list in JSON', '"emma",\n"ava"\n', '1', ['emma', 'ava']],
    ['other quotes', "'emma'\n“ava”\n«mia»\n", '1', ['emma', 'ava', 'mia']],
    ['apostrophes', "o'neil,5\n'tis,7\n", '1', ["o'neil", "'tis"]],
    ['CRLF and a mark', '\ufeffName,Sex\r\nemma,F\r\n', 'Name', ['emma']],
    ['empty fields, which are dropped', 'emma,F\n,F\nava,\n', '1', ['emma', 'ava']],
    ['more columns in some lines', 'emma,F\nava,F,7,8\n', '2', ['F', 'F']],
  ])('%s', (_, text, column, names) => {
    expect([...read(text, column).names]).toEqual(names);
  });

  it('reports the layout', () => {
    expect(read('Year,Name\n1880,emma\n', 'Name').table).toEqual({ separator: ',', columns: 2, column: 2, header: 'Year,Name' });
    expect(read('emma;5\n', '1').table).toEqual({ separator: ';', columns: 2, column: 1 });
    expect(read('emma,5\n,7\n', '1').tidied.blankFields).toBe(1);
  });

  it.each([
    ['emma,5\n', '3', UsageError, '--column 3: names.csv has 2 columns in its first line'],
    ['emma\n', '2', UsageError, '--column 2: names.csv has one column in its first line'],
    ['emma,5\n', '0', UsageError, '--column 0: names.csv has 2 columns in its first line'],
    ['Year,Name\n1880,emma\n', 'Nmae', UsageError, "--column Nmae: the first line of names.csv has 'Year', 'Name'; did you mean 'Name'?"],
    ['Year,Name\n1880,emma\n', 'x', UsageError, "has 'Year', 'Name'; name one of them, or give its number"],
    ['1880,emma\n1881\n', '2', FileContentError, 'names.csv, line 2: has 1 column, expected at least 2'],
    ['emma,5\n"ava,7\n', '1', FileContentError, 'names.csv, line 2: a quote is not closed'],
  ])('of %j is refused: %s', (text, column, kind, message) => {
    const error = refusalOf(text, column);
    expect(error).toBeInstanceOf(kind);
    expect(fullMessage(error)).toContain(message);
  });
});

describe('lines after the second are read by their bytes where they are plain:', () => {
  const field = fc.string({ unit: fc.constantFrom(...'abé漢"\'`“”« ;'), maxLength: 4 });
  const row = fc.tuple(field, field, field).map((fields) => fields.join(','));

  it('each gives the name, the error and the counts that it gives as one of the first two', () => {
    const outcomeOf = (text: string) => {
      try {
        const { names, tidied } = read(text, '2');
        return { names: [...names].slice(1), blank: tidied.blankFields };
      } catch (error) {
        return (error as Error).message.replace(/line \d+/, 'line');
      }
    };
    fc.assert(
      fc.property(row, (line) => {
        const known = 'x,abé漢;,x';
        const first = outcomeOf(`${known}\n${line}\n`);
        const later = outcomeOf(`${known}\n${known}\n${line}\n`);
        if (typeof first === 'string') expect(later).toBe(first);
        else expect(later).toEqual({ ...first, names: ['abé漢;', ...first.names] });
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['a column that is missing', 'a,b\nc,d\ne,f\ng\n', 'names.csv, line 4: has 1 column, expected at least 2'],
    ['a quote that is not closed', 'a,b\nc,d\ne,f\n"g,h\n', 'names.csv, line 4: a quote is not closed'],
  ])('%s has its line in the error', (_, text, message) => {
    expect(() => read(text, '2')).toThrow(message);
  });
});

describe('normalize', () => {
  const parse = (text: string) => parseNames(new TextEncoder().encode(text), 'names.txt', { normalize: 'nfc' });

  it('makes one character of a letter and its marks, and counts the names', () => {
    const { names, tidied } = parse('rene\u0301\nren\u00e9\nanna\n\u1112\u1161\u11ab\n');
    expect([...names]).toEqual(['ren\u00e9', 'ren\u00e9', 'anna', '\ud55c']);
    expect(tidied.normalized).toBe(2);
  });
});

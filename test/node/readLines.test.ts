import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileContentError, SystemError } from '../../src/core/errors.js';
import { readLines } from '../../src/node/jsonLines.js';
import { metricsLines } from '../../src/node/metricsFile.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

function linesOf(content: string) {
  return [...readLines(put(tempDirectory(), 'lines', content))];
}

describe('lines that are read one by one', () => {
  it.each([
    ['', []],
    ['a\n', ['a']],
    ['a\n\nb\n', ['a', '', 'b']],
    ['é\n漢\n', ['é', '漢']],
  ])('%j', (content, expected) => {
    expect(linesOf(content).map(({ text }) => text)).toEqual(expected);
    expect(linesOf(content).every(({ ended }, i) => ended && linesOf(content)[i].number === i + 1)).toBe(true);
  });

  it('say whether the last one has its end', () => {
    expect(linesOf('a\nb')).toEqual([
      { number: 1, text: 'a', ended: true },
      { number: 2, text: 'b', ended: false },
    ]);
  });

  it('may begin and end anywhere in a chunk of 1 MiB, within a character, too', () => {
    for (const length of [2 ** 20 - 2, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20]) {
      const expected = ['x'.repeat(length), '漢é', 'y'.repeat(2 ** 20 - 3), 'z'];
      expect(linesOf(`${expected.join('\n')}\n`).map(({ text }) => text)).toEqual(expected);
    }
  });

  it('are none if there is no file, and a directory is refused', () => {
    const directory = tempDirectory();
    expect([...readLines(join(directory, 'nothing'))]).toEqual([]);
    expect(() => [...readLines(directory)]).toThrow(SystemError);
  });

  it('are refused at 16 MiB', () => {
    const path = put(tempDirectory(), 'long', Buffer.alloc(18 * 2 ** 20, 0x78));
    expect(() => [...readLines(path)]).toThrow(FileContentError);
    expect(() => [...readLines(path)]).toThrow('line 1 is longer than 16 MiB');
  });
});

it('lines of metrics.jsonl are records, flawed or incomplete', () => {
  const path = put(tempDirectory(), 'metrics.jsonl', '{"step":1,"valLoss":2}\nhello\n{"step":2,"valLoss":2}');
  expect([...metricsLines(path)]).toEqual([
    { number: 1, record: { step: 1, valLoss: 2 } },
    { number: 2, flaw: 'it is not a JSON object' },
    { number: 3, incomplete: true },
  ]);
});

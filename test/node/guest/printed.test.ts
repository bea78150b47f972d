import { describe, expect, it } from 'vitest';
import { Printed } from '../../../src/node/guest/printed.js';

/** The lines that are shown for chunks on stdout. */
function shown(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const printed = new Printed((line) => lines.push(line));
  printed.startSource('dh');
  for (const chunk of chunks) printed.take(0, Buffer.from(chunk));
  printed.startSource(undefined);
  return lines;
}

describe('the output of a guest’s file', () => {
  it.each<[string, (string | Buffer)[], string[]]>([
    ['a line in parts', ['on', 'e\ntw', 'o\n'], ['dh: one', 'dh: two']],
    ['no line break at the end', ['one\ntwo'], ['dh: one', 'dh: two']],
    ['empty lines', ['\n\n'], ['dh: ', 'dh: ']],
    ['CRLF and tabs', ['a\tb\r\n'], ['dh: a    b']],
    ['a character in two chunks', [Buffer.from([0xe2, 0x82]), Buffer.from([0xac, 10])], ['dh: €']],
    ['bytes that are no text', [Buffer.from([0xff, 0xfe, 10])], ['dh: \ufffd\ufffd']],
    ['an incomplete character', [Buffer.from([0xe2, 0x82])], ['dh: \ufffd']],
    ['escape sequences, a bell and the clipboard', ['\x1b[2J\x07\x1b]52;c;aGk=\x07\n'], ['dh: \\x1b[2J\\x07\\x1b]52;c;aGk=\\x07']],
    ['C1 controls', ['\u009b31m\n'], ['dh: \\x9b31m']],
    ['marks that change the direction of text', ['\u202egnp\u2066\n'], ['dh: \\u202egnp\\u2066']],
    ['a carriage return that hides the beginning', ['wrong\rright\n'], ['dh: wrong\\x0dright']],
  ])('is shown line by line and escaped: %s', (_, chunks, lines) => {
    expect(shown(...chunks)).toEqual(lines);
  });

  it.each<[string, string[], number, string]>([
    ['a long line', ['x'.repeat(1e7), 'y\n'], 1, `dh: ${'x'.repeat(2_000)}…`],
    ['a long line without an end', ['x'.repeat(1e7)], 1, `dh: ${'x'.repeat(2_000)}…`],
    ['many lines', ['x\n'.repeat(1e6)], 1_001, 'dh: …'],
    ['many lines of some length', [`${'x'.repeat(500)}\n`.repeat(1e4)], 201, 'dh: …'],
    ['many empty lines', ['\n'.repeat(1e6)], 1_001, 'dh: …'],
  ])('is cut: %s', (_, chunks, count, last) => {
    const lines = shown(...chunks);
    expect([lines.length, lines.at(-1)]).toEqual([count, last]);
  });

  it('counts anew for each source, and drops what has none', () => {
    const lines: string[] = [];
    const printed = new Printed((line) => lines.push(line));
    printed.take(0, Buffer.from('before\n'));
    printed.startSource('dh');
    printed.take(0, Buffer.from('x\n'.repeat(2_000)));
    printed.take(1, Buffer.from('lost'));
    printed.startSource('dW2');
    printed.take(0, Buffer.from('out'));
    printed.take(1, Buffer.from('err\n'));
    printed.startSource(undefined);
    printed.take(0, Buffer.from('after\n'));
    expect(lines.slice(1_000)).toEqual(['dh: …', 'dW2: err', 'dW2: out']);
  });
});

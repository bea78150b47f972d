// Faulty data sets, on the command line. The titles are the cases of docs/promises.md.
import { chmodSync, mkdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensorsFile } from '../../src/node/safetensorsFile.js';
import { NAMES, runCli, SMALL, type TrainReport, trainSmall, writeNames } from '../support/fakeIO.js';
import { expectRefusal, ninja, openToAll } from '../support/faults.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';

const SIZES = SMALL.slice(2);

/** Trains on a file with these bytes, which must be refused, and change nothing. */
async function refuse(content: string | Uint8Array, exitCode: number, ...says: (string | RegExp)[]): Promise<void> {
  const cwd = tempDirectory();
  put(cwd, 'names.txt', content);
  const before = snapshot(cwd);
  for (const command of [['train', ...SIZES], ['bench']]) {
    expectRefusal(await runCli(cwd, [...command, '--data', 'names.txt']), exitCode, 'names.txt', ...says);
  }
  expect(snapshot(cwd)).toEqual(before);
}

describe('missing, a directory, no permission (4)', () => {
  const COMMANDS = [['train'], ['bench'], ['eval', 'run'], ['replay', 'run'], ['train', '--resume', 'run']];

  it.each(COMMANDS.map((argv) => [argv.join(' '), argv] as const))('%s', async (_, argv) => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    const given = [...argv, '--data'];
    const path = join(cwd, 'none.txt');
    expectRefusal(await runCli(cwd, [...given, 'none.txt']), 4, 'cannot read none.txt: no such file or directory');
    mkdirSync(path);
    expectRefusal(await runCli(cwd, [...given, 'none.txt']), 4, 'cannot read none.txt: it is a directory');
  });

  it('no permission', () => {
    const cwd = tempDirectory();
    openToAll(cwd);
    const path = writeNames(cwd);
    chmodSync(path, 0);
    expectRefusal(ninja(cwd, ['train', ...SMALL], { withPermissions: true }), 4, 'cannot read names.txt: permission denied');
  });
});

describe('empty, or only blank lines (3)', () => {
  it.each([[''], ['\n'], ['\n \n\t\r\n\u00a0'], ['\ufeff'], ['\ufeff\r\n']])('%j', async (content) => {
    await refuse(content, 3, 'contains no names; expected one name per line');
  });
});

describe('invalid UTF-8: the line and the byte (3)', () => {
  it.each([
    ['Latin-1', [0x7a, 0xf6, 0x65], '0xf6 at byte 11 of the file is not UTF-8'],
    ['a stray continuation', [0x61, 0x80], '0x80 at byte 11 of the file is not UTF-8'],
    ['a character cut short at the end', [0xe6, 0xbc], '0xe6 at byte 10 of the file is not UTF-8'],
    ['an overlong form', [0xc0, 0xaf], '0xc0 at byte 10 of the file is not UTF-8'],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80], '0xed at byte 10 of the file is not UTF-8'],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '0xf4 at byte 10 of the file is not UTF-8'],
    ['after a true U+FFFD', [0xef, 0xbf, 0xbd, 0xff], '0xff at byte 13 of the file is not UTF-8'],
  ])('%s', async (_, bytes, says) => {
    await refuse(Buffer.concat([Buffer.from('anna\nzoé\n'), Buffer.from(bytes)]), 3, 'line 3: ', says);
  });

  it('UTF-16', async () => {
    await refuse(
      Buffer.from('\ufeffanna\n', 'utf16le'),
      3,
      'this is text in UTF-16; expected one name per line; convert it to UTF-8: iconv -f UTF-16 -t UTF-8 names.txt > utf8.txt',
    );
  });
});

describe('byte order mark, CRLF, CR alone, surrounding blanks, no newline at the end, blank lines: accepted, and counted in a note (0)', () => {
  const clean = `${NAMES.join('\n')}\n`;
  const [first, ...others] = NAMES;

  it.each([
    ['BOM', `\ufeff${clean}`, 'a byte order mark'],
    ['CRLF', clean.replaceAll('\n', '\r\n'), '60 CRLF line endings'],
    ['CR', clean.replaceAll('\n', '\r'), '60 CR line endings'],
    ['CR, LF and CRLF', clean.replace('\n', '\r').replace('\n', '\r\n'), '1 CRLF line ending, 1 CR line ending'],
    [
      'surrounding blanks',
      [`\t${first}`, ` ${others[0]} `, `\u3000${others[1]}`, ...others.slice(2), ''].join('\n'),
      'blanks around 3 names',
    ],
    ['blank lines', `\n\n  \n${clean}\n`, '4 blank lines'],
    [
      'all of them',
      `\ufeff ${first}\r\n\r\n${others.join('\n')}`,
      'a byte order mark, 2 CRLF line endings, blanks around 1 name, 1 blank line',
    ],
    ['no last newline, without a note', clean.slice(0, -1), undefined],
  ])('%s', async (_, content, dropped) => {
    const train = async (text: string) => {
      const cwd = tempDirectory();
      put(cwd, 'names.txt', text);
      const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL, '--out', 'run', '--json']);
      const { tensors } = readSafetensorsFile(join(cwd, 'run', 'checkpoint.safetensors'));
      return { exitCode, stderr, tensors, samples: (JSON.parse(stdout) as TrainReport).samples };
    };
    const { stderr, ...result } = await train(content);
    expect(stderr.split('\n').filter((line) => line.startsWith('note: '))).toEqual(dropped ? [`note: names.txt: dropped ${dropped}`] : []);
    const { stderr: _clean, ...expected } = await train(clean);
    expect(result).toEqual(expected);
    expect(result.exitCode).toBe(0);
  });
});

describe('control, escape or bidi characters inside a name: refused, and shown escaped (3)', () => {
  it.each([
    ['a\0b', '\\x00'],
    ['a\tb', '\\x09'],
    ['\x07ab', '\\x07'],
    ['a\x1b[31mb', '\\x1b'],
    ['a\x7fb', '\\x7f'],
    ['a\x85b', '\\x85'],
    ['a\x9b31mb', '\\x9b'],
    ['a\u061cb', '\\u061c'],
    ['a\u200fb', '\\u200f'],
    ['a\u2028b', '\\u2028'],
    ['a\u202eb', '\\u202e'],
    ['ab\u2066', '\\u2066'],
  ])('%j', async (name, shown) => {
    await refuse(`anna\n${name}\n`, 3, "line 2: '", `contains the control character ${shown}`);
  });
});

describe('a name that contains the boundary character `.` (3)', () => {
  it.each(['.', '..', 'a.b', '.ab', 'ab.'])('%s', async (name) => {
    await refuse(`anna\n\n${name}\nbob\n`, 3, `line 3: '${name}' contains '.'`, 'spell the name without it');
  });
});

describe('a line of gigabytes: refused at a documented limit, with bounded memory (3)', () => {
  it.each([
    ['900 MiB', 900 * 2 ** 20, 'names.txt, line 2: longer than 65536 bytes; expected one name per line'],
    ['3 GiB', 3 * 2 ** 30, 'names.txt: larger than 1073741824 bytes, the limit for a data set; train on a part of it'],
  ])('of %s without a line end', (_, size, says) => {
    const cwd = tempDirectory();
    truncateSync(put(cwd, 'names.txt', 'anna\n'), size);
    const peak = "process.on('exit', () => process.stdout.write(String(process.resourceUsage().maxRSS)))";
    const { stdout, ...outcome } = ninja(cwd, ['train', ...SMALL], { before: peak });
    expectRefusal({ ...outcome, stdout: '' }, 3, says);
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout)).toBeLessThan(200 * 1024);
  });
});

describe('duplicates, one-letter names, any alphabet (0)', () => {
  it.each([
    ['duplicates', ['ab', 'ab', 'ab', 'ba', 'ba', 'ab', 'ab'], 'ab'],
    ['one name, repeated', Array<string>(12).fill('ab'), 'ab'],
    ['one-letter names', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'abcdefg'],
    ['any alphabet', ['é', 'ß', '漢字', 'ßé', 'שלום', 'ไทย', 'éé', '漢'], 'éß漢字שלוםไทย'],
    ['beyond 16 bits', ['😀', '😀𝒳', '𝒳', '🂡', '🂡😀', '𝒳𝒳', '😀😀'], '😀𝒳🂡'],
    ['é in two code points', ['e\u0301', 'e\u0301e', 'ee\u0301', 'e', 'e\u0301', 'e', 'ee'], 'e\u0301'],
  ])('%s', async (_, names, letters) => {
    const cwd = tempDirectory();
    writeNames(cwd, names);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL, '--json']);
    expect({ exitCode, refused: stderr.includes('error:') }).toEqual({ exitCode: 0, refused: false });
    const alphabet = new Set(letters);
    expect(stderr).toContain(` ${names.length} names`);
    expect(stderr).toContain(` ${alphabet.size + 1} characters\n`);
    const { samples, valLoss } = JSON.parse(stdout) as TrainReport;
    expect(valLoss).toBeGreaterThan(0);
    expect([...new Set(samples.join(''))].filter((letter) => !alphabet.has(letter))).toEqual([]);
  });
});

describe('a vocabulary so large that the model would not fit (3)', () => {
  const letters = Array.from({ length: 20_000 }, (_, i) => String.fromCodePoint(0x4e00 + i));

  it('is refused with the memory needed and the limit, and the file is named', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, letters);
    const before = snapshot(cwd);
    expectRefusal(
      await runCli(cwd, ['train', '--data', 'names.txt', '--hidden', '65536']),
      3,
      'names.txt: its vocabulary has 20,001 characters, with which the network needs ',
      /needs [\d.]+ GiB of memory, the limit is [\d.]+ GiB/,
    );
    expect(snapshot(cwd)).toEqual(before);
  });

  it('is not blamed for a network that is too large for any vocabulary: the options are named (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const outcome = await runCli(cwd, ['train', '--data', 'names.txt', '--hidden', '1048576', '--embedding', '65536']);
    expectRefusal(outcome, 2, /needs .+ of memory, the limit is .+; lower --hidden, --embedding, --context or --batch-size/);
  });
});

describe('so few names that a split is empty (2)', () => {
  it.each([
    ['1 name', ['anna'], [], 'has 1 name'],
    ['5 names', NAMES.slice(0, 5), [], 'has 5 names'],
    ['5 different names with --unique', [...NAMES.slice(0, 5), ...NAMES.slice(0, 5)], ['--unique'], 'has 5 different names'],
  ])('%s', async (_, names, options, says) => {
    const cwd = tempDirectory();
    writeNames(cwd, names);
    const before = snapshot(cwd);
    const outcome = await runCli(cwd, ['train', ...SMALL, ...options]);
    expectRefusal(outcome, 2, `names.txt ${says}, too few to split 80/10/10: the `, 'give --data a file with at least 6');
    expect(snapshot(cwd)).toEqual(before);
  });

  it('a batch of 1', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    expectRefusal(await runCli(cwd, ['train', ...SMALL, '--batch-size', '1']), 2, "'--batch-size <n>'", 'from 2 to 1048576');
  });

  it('but not 6 of the shortest names', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, Array<string>(6).fill('a'));
    expect((await runCli(cwd, ['train', ...SMALL])).exitCode).toBe(0);
  });
});

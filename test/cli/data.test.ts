// How data sets are read: kinds of files, tables, pipes. Kinds of faults are in test/faults/dataSet.test.ts.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAIN } from '../support/child.js';
import { NAMES, runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { expectRefusal, ninja } from '../support/faults.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';

const SIZES = SMALL.slice(2);
const LIST = `${NAMES.join('\n')}\n`;
const TABLE = `Year,Name,Sex\n${NAMES.map((name, i) => `${1880 + i},${name},F\n`).join('')}`;

const notes = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('note: '));
const trainOn = (cwd: string, ...more: string[]) => runCli(cwd, ['train', ...SIZES, '--out', 'run', ...more]);

describe('what is no list of names is refused, and named (3)', () => {
  it.each([
    ['a gzip archive', gzipSync(LIST), 'this is a gzip archive; expected one name per line; unpack it with gunzip'],
    ['UTF-16', Buffer.from(LIST, 'utf16le'), 'convert it to UTF-8: iconv -f UTF-16LE -t UTF-8 names.txt > utf8.txt'],
    ['an error page', '404: Not Found', "this is an error message, '404: Not Found', perhaps from a failed download"],
    ['a web page', `<!doctype html><title>names</title>${LIST}`, 'this is a web page (HTML)'],
    ['JSON', JSON.stringify(NAMES), "this is a JSON file; expected one name per line; write one name per line: jq -r '.[]' names.txt"],
    [
      'one line',
      NAMES.join(', '),
      "its only line holds 59 commas; expected one name per line; put each name on its own line: tr ',' '\\n'",
    ],
    [
      'one long line',
      NAMES.join(',').repeat(300),
      'line 1: longer than 65536 bytes; expected one name per line; put each name on its own line',
    ],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', "with 'git lfs pull'"],
    ['Latin-1', Buffer.from(`${LIST}zo\xe9\n`, 'latin1'), "iconv -f ISO-8859-1 -t UTF-8 names.txt > utf8.txt (if the line is 'zoé'"],
    ['tabs', NAMES.map((name) => `${name}\t5\n`).join(''), 'if the lines are columns, read one of them: --column 1'],
    ['numbered lines', NAMES.map((name, i) => `${i}. ${name}\n`).join(''), 'remove the numbers: sed -E'],
    ['line separators', NAMES.join('\u2028'), "if it ends lines, put line feeds in its place: perl -CSD -pe 's/\\x{2028}/\\n/g' names.txt"],
  ])('%s', async (_, content, says) => {
    const cwd = tempDirectory();
    put(cwd, 'names.txt', content);
    const before = snapshot(cwd);
    expectRefusal(await trainOn(cwd, '--data', 'names.txt'), 3, says);
    expect(snapshot(cwd)).toEqual(before);
  });
});

describe('--column', () => {
  it('is suggested for a table, and reads the names alone, here and in eval, replay, resume and diff', async () => {
    const cwd = tempDirectory();
    put(cwd, 'table.csv', TABLE);
    const whole = await trainOn(cwd, '--data', 'table.csv', '--out', 'whole');
    expect(notes(whole.stderr)).toEqual([
      "note: table.csv: every line holds 2 commas: the names column alone? --column Name reads that column and drops the header, 'Year,Name,Sex'",
    ]);
    const { stderr, exitCode } = await trainOn(cwd, '--data', 'table.csv', '--column', 'Name');
    expect(exitCode).toBe(0);
    const note = `note: table.csv: read column 2 of 3, separated by commas, below a header; the first name is '${NAMES[0]}'`;
    expect(notes(stderr)).toEqual([note]);
    for (const argv of [
      ['eval', 'run'],
      ['replay', 'run'],
      ['train', '--resume', 'run'],
    ]) {
      const outcome = await runCli(cwd, argv);
      expect({ exitCode: outcome.exitCode, notes: notes(outcome.stderr) }).toEqual({ exitCode: 0, notes: [note] });
    }
    writeNames(cwd);
    await trainOn(cwd, '--data', 'names.txt', '--out', 'plain');
    const { stdout } = await runCli(cwd, ['diff', 'run', 'plain']);
    expect(stdout).toContain('Name and none');
  });

  it('gives the weights of the same names in a plain file, and the checkpoint says so', async () => {
    const cwd = tempDirectory();
    put(cwd, 'table.csv', TABLE);
    writeNames(cwd);
    await trainOn(cwd, '--data', 'table.csv', '--column', '2');
    const table = await trainOn(cwd, '--data', 'table.csv', '--column', 'Name', '--out', 'named', '--json');
    const plain = await trainOn(cwd, '--data', 'names.txt', '--out', 'plain', '--json');
    expect(JSON.parse(table.stdout).samples).toEqual(JSON.parse(plain.stdout).samples);
    expect(readFileSync(join(cwd, 'named', 'checkpoint.safetensors'), 'latin1')).toMatch(/"formatVersion":"4".*\\"column\\":\\"Name\\"/);
    expect(readFileSync(join(cwd, 'plain', 'checkpoint.safetensors'), 'latin1')).toMatch(/"formatVersion":"3"/);
  });

  it('must be that of the run when it is resumed (2)', async () => {
    const cwd = tempDirectory();
    put(cwd, 'table.csv', TABLE);
    await trainOn(cwd, '--data', 'table.csv', '--column', 'Name');
    expectRefusal(await runCli(cwd, ['train', '--resume', 'run', '--column', 'Sex']), 2, '--column is Name there, but Sex here');
  });

  it.each([
    ['9', 'has 3 columns'],
    ['Nmae', "did you mean 'Name'?"],
  ])('that the table does not have is refused: %s (2)', async (column, says) => {
    const cwd = tempDirectory();
    put(cwd, 'table.csv', TABLE);
    expectRefusal(await trainOn(cwd, '--data', 'table.csv', '--column', column), 2, 'table.csv', says);
  });

  it('works in lr-find and bench', async () => {
    const cwd = tempDirectory();
    put(cwd, 'table.csv', TABLE);
    const table = ['--data', 'table.csv', '--column', 'Name'];
    const characters = new Set(NAMES.join('')).size + 1;
    const bench = await runCli(cwd, ['bench', ...table, '--seconds', '0.01', '--backend', 'wasm', '--json']);
    expect(JSON.parse(bench.stdout).config.vocabulary).toBe(characters);
    const lrFind = await runCli(cwd, ['lr-find', ...table, '--steps', '100', '--hidden', '4', '--json']);
    expect({ exitCode: lrFind.exitCode, notes: notes(lrFind.stderr).length }).toEqual({ exitCode: 0, notes: 1 });
  });
});

describe('--normalize nfc', () => {
  it('makes one letter of two forms, and is suggested where both occur', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, [...NAMES, 'zo\u00e9', 'zoe\u0301']);
    const mixed = await trainOn(cwd, '--data', 'names.txt');
    expect(notes(mixed.stderr)).toEqual([
      expect.stringContaining('é as U+00E9 and as U+0065 U+0301; 1 name is there in both forms; --normalize nfc'),
    ]);
    const { stderr } = await trainOn(cwd, '--data', 'names.txt', '--normalize', 'nfc', '--out', 'nfc');
    expect(notes(stderr)).toEqual(['note: names.txt: brought 1 name into NFC']);
    expect((await runCli(cwd, ['eval', 'nfc'])).exitCode).toBe(0);
  });
});

describe('names from a pipe', () => {
  const input = { input: LIST };

  it('are kept with the run, so that it can be evaluated, replayed and resumed, even where it is moved to', () => {
    const cwd = tempDirectory();
    const { exitCode, stderr } = ninja(cwd, ['train', ...SIZES, '--out', 'run', '--data', '-'], input);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('note: reading names from standard input\nstdin: 60 names');
    expect(readFileSync(join(cwd, 'run', 'names.txt'), 'utf8')).toBe(LIST);
    renameSync(join(cwd, 'run'), join(cwd, 'moved'));
    for (const argv of [
      ['eval', 'moved'],
      ['replay', 'moved'],
      ['train', '--resume', 'moved'],
      ['eval', 'moved', '--data', '-'],
    ]) {
      expect(ninja(cwd, argv, input).exitCode, argv.join(' ')).toBe(0);
    }
  });

  it.each(['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'])('%s', (path) => {
    const cwd = tempDirectory();
    expect(ninja(cwd, ['train', ...SIZES, '--out', 'run', '--data', path], input).exitCode).toBe(0);
    expect(readFileSync(join(cwd, 'run', 'names.txt'), 'utf8')).toBe(LIST);
  });

  it('<(...) of a shell, whose path means nothing later', () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    execFileSync('bash', ['-c', `"$0" "$@" --data <(cat names.txt)`, process.execPath, MAIN, 'train', ...SIZES, '--out', 'run'], {
      cwd,
      stdio: 'ignore',
    });
    expect(ninja(cwd, ['replay', 'run']).exitCode).toBe(0);
  });

  it('are kept with a sweep, whose runs read them there, and the same command resumes it', () => {
    const cwd = tempDirectory();
    const argv = ['sweep', '--vary', 'lr=0.1/0.2', '--json', '--', '--data', '-', '--steps', '5', '--hidden', '4'];
    const first = ninja(cwd, argv, input);
    expect({ exitCode: first.exitCode, runs: JSON.parse(first.stdout || '{}').ranked?.length }).toEqual({ exitCode: 0, runs: 2 });
    expect(readFileSync(join(cwd, 'sweep', 'names.txt'), 'utf8')).toBe(LIST);
    expect(ninja(cwd, argv, input).exitCode).toBe(0);
    expectRefusal(ninja(cwd, argv, { input: `${LIST}zoe\n` }), 3, 'the data set has changed');
  });

  it('never replace a names.txt that is not the own of a run (2)', () => {
    const cwd = tempDirectory();
    put(cwd, 'run/names.txt', 'mine\n');
    const argv = ['train', ...SIZES, '--out', 'run', '--force', '--data', '-'];
    expectRefusal(ninja(cwd, argv, input), 2, 'names.txt exists, and the names of this run would replace it');
    expect(readFileSync(join(cwd, 'run', 'names.txt'), 'utf8')).toBe('mine\n');
  });

  it('replace those of the run that --force replaces', () => {
    const cwd = tempDirectory();
    const argv = ['train', ...SIZES, '--out', 'run', '--force', '--data', '-'];
    expect(ninja(cwd, argv, input).exitCode).toBe(0);
    expect(ninja(cwd, argv, { input: `${LIST}zoe\n` }).exitCode).toBe(0);
    expect(readFileSync(join(cwd, 'run', 'names.txt'), 'utf8')).toBe(`${LIST}zoe\n`);
    expect(ninja(cwd, ['replay', 'run']).exitCode).toBe(0);
  });

  it('are named in errors, and nothing is written (3)', () => {
    const cwd = tempDirectory();
    expectRefusal(ninja(cwd, ['train', '--data', '-'], { input: '404: Not Found' }), 3, 'stdin: this is an error message');
    expectRefusal(ninja(cwd, ['train', '--data', '-'], { input: '' }), 3, 'stdin: contains no names');
    expectRefusal(ninja(cwd, ['train', '--data', '-', '--column', '2'], { input: LIST }), 2, '--column 2: stdin has one column');
    expect(snapshot(cwd)).toEqual({});
  });

  it('of a named pipe are waited for, which is said, and a signal ends the wait at once', async () => {
    const cwd = tempDirectory();
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const child = spawn(process.execPath, [MAIN, 'train', '--data', 'pipe'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    const said = await new Promise<string>((resolve) => child.stderr.once('data', (data) => resolve(String(data))));
    expect(said).toBe('note: waiting for names from pipe\n');
    child.kill('SIGINT');
    const ended = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
    expect(['SIGINT', 130]).toContain(ended);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });
});

describe('no plain file', () => {
  it.each([
    ['/dev/zero', 3, 'line 1: longer than 65536 bytes'],
    ['/dev/urandom', 3, 'this is a binary file'],
    ['/dev/null', 3, 'contains no names'],
    ['/proc/self/status', 3, 'line 1'],
    ['/proc/self/mem', 4, 'cannot read /proc/self/mem'],
    ['dangling', 4, 'cannot read dangling: no such file or directory'],
    ['loop', 4, 'cannot read loop: too many symbolic links'],
    ['.', 4, 'cannot read .: it is a directory'],
  ])('%s is refused (%i)', (path, exitCode, says) => {
    const cwd = tempDirectory();
    symlinkSync('nowhere', join(cwd, 'dangling'));
    symlinkSync('loop', join(cwd, 'loop'));
    expectRefusal(ninja(cwd, ['train', '--data', path]), exitCode, says);
  });
});

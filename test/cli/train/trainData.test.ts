import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parameterNames, statisticNames } from '../../../src/network/parameters.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { NAMES, ONE_ERROR_LINE, runCli, SMALL, type TrainReport, trainSmall, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory, tempDirectory } from '../../support/tempDirectory.js';

describe('a data set', () => {
  it('may have a BOM, CRLF, blanks and blank lines, which a note counts', async () => {
    const cwd = tempDirectory();
    put(cwd, 'names.txt', `\ufeff${NAMES.map((name, i) => (i < 3 ? ` ${name}` : name)).join('\r\n')}\r\n\r\n`);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: names\.txt: dropped a byte order mark, 61 CRLF line endings, blanks around 3 names, 1 blank line\n/);
    expect(stderr).toContain('60 names');
  });

  it('has no note if it is plain', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    expect((await runCli(cwd, ['train', ...SMALL])).stderr).not.toContain('note:');
  });

  it('may have names of one letter and any alphabet, split into code points', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['é', 'ß', '漢', '😀', '😀漢', 'é😀', 'ßß', '漢é', '😀😀', 'éß']);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL, '--json']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('5 characters');
    const { samples } = JSON.parse(stdout) as TrainReport;
    expect(samples.join('')).toMatch(/^[éß漢😀]+$/u);
  });

  it.each(['mit Leerzeichen.txt', 'zwei\nZeilen.txt', '漢字.txt', '-names.txt', 'it\'s "x".txt', `${'n'.repeat(251)}.txt`])(
    'a file named %j',
    async (file) => {
      const cwd = tempDirectory();
      writeNames(cwd, NAMES, file);
      const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL.slice(2), `--data=${file}`]);
      expect(exitCode).toBe(0);
      expect(stderr.split('\n')).toHaveLength(4);
    },
  );

  it.each([
    ['missing', (cwd: string) => join(cwd, 'names.txt'), 4, 'no such file or directory'],
    ['a directory', (cwd: string) => mkdirSync(join(cwd, 'names.txt')), 4, 'it is a directory'],
    ['empty', (cwd: string) => put(cwd, 'names.txt', ''), 3, 'contains no names; expected one name per line'],
    ['blank lines only', (cwd: string) => put(cwd, 'names.txt', '\n \n\n'), 3, 'contains no names; expected one name per line'],
    [
      'not UTF-8',
      (cwd: string) => put(cwd, 'names.txt', Buffer.from('anna\nzo\xe9\n', 'latin1')),
      3,
      'line 2: 0xe9 at byte 7 of the file is not UTF-8',
    ],
    [
      'with an escape sequence',
      (cwd: string) => put(cwd, 'names.txt', 'a\x1b[2Jb\n'),
      3,
      "line 1: 'a\\x1b[2Jb' contains the control character",
    ],
    ["with a '.'", (cwd: string) => put(cwd, 'names.txt', 'anna\nj.r\n'), 3, "line 2: 'j.r' contains '.'"],
    ['a line too long', (cwd: string) => put(cwd, 'names.txt', 'a'.repeat(70_000)), 3, 'line 1: longer than 65536 bytes'],
    ['5 names', (cwd: string) => writeNames(cwd, NAMES.slice(0, 5)), 2, 'has 5 names, too few to split 80/10/10'],
  ])('is refused in one line with path and reason, before a run starts: %s', async (_, prepare, exitCode, reason) => {
    const cwd = tempDirectory();
    prepare(cwd);
    const outcome = await runCli(cwd, ['train', ...SMALL]);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    expect(outcome.stderr).toContain('names.txt');
    expect(outcome.stderr).toContain(reason);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  it('needs 6 names, and 6 different ones with --unique', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['a', 'b', 'c', 'd', 'e', 'a']);
    expect((await runCli(cwd, ['train', ...SMALL])).exitCode).toBe(0);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--unique']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('names.txt has 5 different names, too few to split 80/10/10: the val part is empty');
  });
});

describe('a network of several blocks', () => {
  const DEEP = ['--hidden', '12,8,6', '--steps', '400'];
  let cwd: string;
  let report: TrainReport;
  beforeAll(async () => {
    cwd = makeDirectory();
    report = await trainSmall(cwd, ...DEEP);
    return () => removeDirectory(cwd);
  });

  it('is announced with the units of each block', async () => {
    const { stderr } = await runCli(cwd, ['train', ...SMALL, ...DEEP, '--steps', '1', '--out', 'short', '--force']);
    expect(stderr).toMatch(/^T 3, E 4, H 12,8,6: [\d,]+ parameters; writing short$/m);
  });

  it('learns: its loss is well below that of a uniform guess', () => {
    expect(report.valLoss).toBeLessThan(report.baselines.uniform.val - 0.3);
  });

  it('gives the same losses and samples from its checkpoint as at the end of the training', async () => {
    const evaluated = await runCli(cwd, ['eval', 'run', '--json']);
    expect(JSON.parse(evaluated.stdout).loss).toBe(report.valLoss);
    const sampled = await runCli(cwd, ['sample', 'run', '--json']);
    expect(JSON.parse(sampled.stdout).samples).toEqual(report.samples);
  });

  it('has a checkpoint with a list of units, and tensors and statistics of each block', async () => {
    const { config, tensors } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(config.hidden).toEqual([12, 8, 6]);
    expect([...tensors.keys()]).toEqual([...parameterNames(config), ...statisticNames(config)]);
    expect(tensors.get('blocks.3.W')?.length).toBe(48);
  });

  it('is refused if its blocks are too large', async () => {
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--hidden', '50000,50000', '--out', 'large']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: the network needs \S+ GiB of memory, the limit is 4\.0 GiB; lower --hidden/);
  });
});

describe('a network that does not fit into memory', () => {
  const LARGE = ['--hidden', '1048576', '--embedding', '1', '--context', '1'];

  it('is refused before anything is written, with the memory it needs and the limit (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stdout, stderr } = await runCli(cwd, [
      'train',
      ...SMALL,
      '--hidden',
      '1048576',
      '--embedding',
      '65536',
      '--context',
      '64',
    ]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      'error: the network needs 48.0 TiB of memory, the limit is 4.0 GiB; lower --hidden, --embedding, --context or --batch-size\n',
    );
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });

  it('is refused because of its batch (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL, '--batch-size', '1048576', '--hidden', '2000']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });

  it('is refused because of the vocabulary of a file, which is named, before anything is written (3)', async () => {
    const cwd = tempDirectory();
    writeNames(
      cwd,
      Array.from({ length: 600 }, (_, i) => String.fromCodePoint(0x4e00 + i)),
    );
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL, ...LARGE]);
    expect(exitCode).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toMatch(
      /names\.txt: its vocabulary has 601 characters, with which the network needs \d\.\d GiB of memory, the limit is 4\.0 GiB/,
    );
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readNamesFile } from '../../src/node/namesFile.js';
import { MAIN } from '../support/child.js';
import { writeManyNames } from '../support/manyNames.js';
import { tempDirectory } from '../support/tempDirectory.js';

it('an endless pipe of names is read up to the limit (3)', () => {
  const cwd = tempDirectory();
  const script = `yes emma | "$0" "$@" --data -`;
  let failed: { status?: number; stderr?: Buffer } = {};
  try {
    execFileSync('bash', ['-c', script, process.execPath, MAIN, 'train'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    failed = error as typeof failed;
  }
  expect(failed.status).toBe(3);
  expect(String(failed.stderr)).toContain('error: stdin: larger than 1073741824 bytes, the limit for a data set\n');
});

it('10 million names train, with less than 600 MiB', () => {
  const cwd = tempDirectory();
  writeManyNames(join(cwd, 'names.txt'), 10_000_000);
  const atExit = `process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS))`;
  // Of 20 units and T 1, so that the losses of 76 million examples take seconds.
  const words = ['train', '--data', 'names.txt', '--steps', '300', '--hidden', '20', '--context', '1', '--eval-every', '300'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`, MAIN, ...words],
    {
      cwd,
      encoding: 'utf8',
    },
  );
  expect([status, stderr.match(/error: .*/)]).toEqual([0, null]);
  expect(stderr).toContain('names.txt: 10,000,000 names, 8,000,000 of them for training');
  expect(stdout).toContain('20 sampled names');
  expect(Number(/peak (\d+)/.exec(stderr)?.[1])).toBeLessThan(600 * 1024);
  const page = spawnSync(process.execPath, [MAIN, 'open', '--run', 'latest', '--out', 'page.html'], { cwd, encoding: 'utf8' });
  expect(page.status).toBe(2);
  expect(page.stderr).toMatch(
    /the 10,000,000 names of its data set take 8\d\.\d MiB, the limit of the page is 64\.0 MiB; train on a part of them/,
  );
});

it('a list of names is read in less than eight times the time of splitting its text into lines', () => {
  const path = join(tempDirectory(), 'names.txt');
  writeManyNames(path, 3_000_000);
  const cpuOf = (work: () => number) => {
    const start = process.cpuUsage();
    expect(work()).toBe(3_000_000);
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  const ratios = Array.from({ length: 5 }, () => {
    const lines = cpuOf(() => readFileSync(path, 'utf8').split('\n').length - 1);
    return cpuOf(() => readNamesFile(path).names.length) / lines;
  });
  expect(ratios.sort((a, b) => a - b)[2], `${statSync(path).size} bytes; ratios ${ratios}`).toBeLessThan(8);
});

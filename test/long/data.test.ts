import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { readNamesFile } from '../../src/node/namesFile.js';
import { MAIN, start } from '../support/child.js';
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
  expect(String(failed.stderr)).toContain('error: stdin: larger than 1073741824 bytes, the limit for a data set; train on a part of it\n');
});

it('10 million names train, in shuffled epochs too, with less than 700 MiB, and can be stopped; the page has no room for them', async () => {
  const cwd = tempDirectory();
  writeManyNames(join(cwd, 'names.txt'), 10_000_000);
  const atExit = `process.on('exit', () => console.error('peak ' + process.resourceUsage().maxRSS))`;
  for (const sampling of ['replacement', 'epochs']) {
    const words = ['train', '--data', 'names.txt', '--force', '--out', 'run', '--steps', '100000000', '--sampling', sampling];
    const argv = ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`, MAIN, ...words];
    const child = start(process.execPath, argv, { cwd });
    await child.says(/writing run/);
    await sleep(3000);
    child.kill('SIGINT');
    const { exitCode, stderr } = await child.ended;
    expect(exitCode, stderr).toBe(130);
    expect(stderr).toContain('names.txt: 10,000,000 names, 8,000,000 of them for training');
    expect(loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).state.step).toBeGreaterThan(0);
    expect(Number(/peak (\d+)/.exec(stderr)?.[1])).toBeLessThan(700 * 1024);
  }
  const page = spawnSync(process.execPath, [MAIN, 'open', '--run', 'run', '--out', 'page.html'], { cwd, encoding: 'utf8' });
  expect(page.status).toBe(2);
  expect(page.stderr).toMatch(
    /the 10,000,000 names of its data set take 7\d\.\d MiB, the limit of the page is 64\.0 MiB; train on a part of them/,
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

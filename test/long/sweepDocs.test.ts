// docs/sweeps.md: its commands are run from top to bottom, in one shell after the other, as a reader would.
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MAIN, start } from '../support/child.js';
import { missingPrograms } from '../support/slurm.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/sweeps.md', import.meta.url)), 'utf8');
const COMMANDS = [...PAGE.matchAll(/^ {4}(\S.*)$/gm)].map(([, command]) => command);
const RANKING = /^1 +0\.\d +(\d\.\d{4} +){4}.*\n2 +0\.\d /m;

const missing = missingPrograms(['parallel', 'xargs']);
if (missing.length > 0) process.stderr.write(`skipped: docs/sweeps.md: ${missing.join(', ')} missing; apt-get install parallel\n`);

it.skipIf(missing.length > 0)('docs/sweeps.md can be followed', async () => {
  const cwd = tempDirectory();
  const npx = put(cwd, 'bin/npx', `#!/bin/sh\nshift\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(npx, 0o755);
  const env = { ...process.env, PATH: `${join(cwd, 'bin')}:${process.env.PATH}` };
  expect(COMMANDS).toHaveLength(9);
  const printed: string[] = [];
  for (const command of COMMANDS) {
    const { exitCode, stdout, stderr } = await start('bash', ['-o', 'pipefail', '-c', command], { cwd, env }).ended;
    expect(exitCode, `${command}: ${stderr}`).toBe(0);
    printed.push(stdout);
  }
  const [print, first, again, logged, byXargs, ranked, collected, part, last] = printed;
  expect([print, again, part]).toEqual(['', '', '']);
  expect(readFileSync(join(cwd, 'runs.sh'), 'utf8')).toMatch(
    /^(\S+ \S+ train --continue --out \S+\/sweep\/000\d --steps 2000 --lr 0\.\d --seed \d\n){4}$/,
  );
  expect(first.match(/^more names: /gm)).toHaveLength(4);
  for (const done of [logged, byXargs]) expect(done.match(/^sweep\/000\d is done: validation \d\.\d{4}$/gm)).toHaveLength(4);
  for (const table of [ranked, collected, last]) expect(table).toMatch(RANKING);
});

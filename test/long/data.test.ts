import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { MAIN } from '../support/child.js';
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

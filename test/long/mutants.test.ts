import { expect, it } from 'vitest';
import { MUTANTS } from '../../src/dojo/mutants.js';
import { runCli } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

it('no planted mistake escapes our checks, or is misnamed by the dojo', async () => {
  const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['mutants']);
  expect([exitCode, stderr]).toEqual([0, '']);
  for (const { name } of MUTANTS) expect(stdout).toMatch(new RegExp(`^${name} +([✓·] +){6}(names|shows) it$`, 'm'));
  expect(stdout).toMatch(/^batch-norm-gain-forgotten +✓ {2}· {2}· {2}✓ {2}✓ {2}✓ {2}names it$/m);
  expect(stdout).toMatch(/^grad-check +0\ndojo +0\n/m);
  expect(stdout).toMatch(/\nthe dojo names 142 correctly \(99 %\), misnames 0, and shows 1 without a name\nall mistakes are caught\n$/);
});

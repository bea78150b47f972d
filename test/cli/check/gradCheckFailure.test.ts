import { expect, it, vi } from 'vitest';
import type { CheckRow } from '../../../src/gradCheck/row.js';
import { runCli } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

vi.mock('../../../src/gradCheck/gradCheck.js', async (original) => {
  const { checkPart } = await original<typeof import('../../../src/gradCheck/gradCheck.js')>();
  const broken = (row: CheckRow) => (row.name === 'dhprebn' ? { ...row, ok: false, error: 0.5 } : row);
  return { checkPart: (...args: Parameters<typeof checkPart>) => checkPart(...args).map(broken) };
});

it('grad-check exits with 1 and names the tensors whose rows fail', async () => {
  const argv = ['grad-check', '--part', 'closed-forms', '--entries', '20'];
  const { exitCode, stdout, stderr } = await runCli(tempDirectory(), argv);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  expect(stdout).toMatch(/^dhprebn .* FAILED: limit 0\.000001$/m);
  expect(stdout).toMatch(/\n6 of 12 checks failed: dhprebn in \d+\.\d s\n$/);
  const json = await runCli(tempDirectory(), [...argv, '--json']);
  expect([json.exitCode, JSON.parse(json.stdout).ok]).toEqual([1, false]);
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CHECKS, KillMatrix, type KillRow } from '../../../src/dojo/killMatrix.js';
import { MUTANTS } from '../../../src/dojo/mutants.js';
import { runCli } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

/** Replaces the verdicts, which take ten seconds: test/long/mutants.test.ts has them. Each mistake is noticed by all checks but llm.c's. */
function judgeBy(change: (row: KillRow) => KillRow): void {
  vi.spyOn(KillMatrix.prototype, 'judge').mockImplementation((mutant) => {
    const noticedBy = { cmp: true, 'llm.c': false, minitorch: true, gradcheck: true, 'grad-check': true, dojo: true };
    return change({ mutant, noticedBy, findings: mutant.expected, said: 'it is wrong', naming: 'right' });
  });
}

beforeEach(() => judgeBy((row) => row));
afterEach(() => vi.restoreAllMocks());

describe('mutants', () => {
  it('prints a row per mistake and the misses of each check, and exits with 0', async () => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['mutants']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const { name } of MUTANTS) expect(stdout).toMatch(new RegExp(`^${name} +✓ {2}· {2}✓ {2}✓ {2}✓ {2}✓ {2}names it$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^llm\\.c +${MUTANTS.length}\\nminitorch +0\\n`, 'm'));
    expect(stdout).toMatch(/\nthe dojo names \d+ correctly \(100 %\), misnames 0, and shows 0 without a name\nall mistakes are caught\n$/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(96);
  });

  it('prints the same as one document with --json', async () => {
    const { stdout } = await runCli(tempDirectory(), ['mutants', '--json']);
    const { ok, mutants } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(mutants.map(({ name }: { name: string }) => name)).toEqual(MUTANTS.map(({ name }) => name));
    expect(Object.keys(mutants[0].noticedBy)).toEqual([...CHECKS]);
  });

  it.each<[string, (row: KillRow) => KillRow]>([
    ['grad-check misses', (row) => ({ ...row, noticedBy: { ...row.noticedBy, 'grad-check': false } })],
    ['the dojo misses', (row) => ({ ...row, noticedBy: { ...row.noticedBy, dojo: false } })],
    ['the dojo misnames', (row) => ({ ...row, naming: 'wrong' })],
  ])('exits with 1 and lists the mistake that %s', async (_, change) => {
    judgeBy((row) => (row.mutant.name === 'dh-sign' ? change(row) : row));
    const { exitCode, stdout } = await runCli(tempDirectory(), ['mutants']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\nnot caught: dh-sign\n$/);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { CHECKS, KillMatrix, type KillRow } from '../../../src/dojo/killMatrix.js';
import { MUTANTS } from '../../../src/dojo/mutants.js';
import { runCli } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

afterEach(() => vi.restoreAllMocks());

const { judge } = KillMatrix.prototype;
const rows = new Map<string, KillRow>();

/** Judges each mistake once for all tests, and replaces one row of the matrix. */
function replaceRow(name: string, change: (row: KillRow) => KillRow): void {
  vi.spyOn(KillMatrix.prototype, 'judge').mockImplementation(function (this: KillMatrix, mutant) {
    const row = rows.get(mutant.name) ?? judge.call(this, mutant);
    rows.set(mutant.name, row);
    return mutant.name === name ? change(row) : row;
  });
}

describe('mutants', () => {
  it('prints a row per mistake and the misses of each check, and exits with 0', async () => {
    replaceRow('none', (row) => row);
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), ['mutants']);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const { name } of MUTANTS) expect(stdout).toMatch(new RegExp(`^${name} +([✓·] +){6}(names|shows) it$`, 'm'));
    expect(stdout).toMatch(/^batch-norm-gain-forgotten +✓ {2}· {2}· {2}✓ {2}✓ {2}✓ {2}names it$/m);
    expect(stdout).toMatch(/^grad-check +0\ndojo +0\n/m);
    expect(stdout).toMatch(/\nthe dojo names 142 correctly \(99 %\), misnames 0, and shows 1 without a name\nall mistakes are caught\n$/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(96);
  });

  it('prints the same as one document with --json', async () => {
    replaceRow('none', (row) => row);
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
    replaceRow('dh-sign', change);
    const { exitCode, stdout } = await runCli(tempDirectory(), ['mutants']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\nnot caught: dh-sign\n$/);
  });
});

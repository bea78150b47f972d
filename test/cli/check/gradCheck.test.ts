import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const CLOSED_FORMS = ['grad-check', '--part', 'closed-forms', '--entries', '20'];

describe('grad-check of our own gradients', () => {
  it('exits with 0 and prints a table per witness with a line per tensor, and the verdict', async () => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), CLOSED_FORMS);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const blocks = stdout.trim().split('\n\n');
    expect(blocks.map((block) => block.split('\n')[0])).toEqual([
      '(b) closed forms of cross-entropy and batch norm, against finite differences  H 64, n = 2, 3, 32',
      '(b) the same, against the atomic chain  H 64, n = 2, 3, 32',
      expect.stringMatching(/^all 12 checks passed in \d+\.\d s$/),
    ]);
    for (const block of blocks.slice(0, 2)) {
      const [, head, ...rows] = block.split('\n').map((line) => line.split(/ {2,}/));
      expect(head).toEqual(['tensor', 'entries', 'worst at n', 'shape', 'max |a-b|', 'relative', 'at']);
      expect(rows.map((row) => [row[0], row[1], row.at(-1)])).toEqual([
        ['dlogits', '60', 'ok'],
        ['dhprebn', '60', 'ok'],
      ]);
    }
  });

  it('writes every row with all its figures as JSON', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), [...CLOSED_FORMS, '--json']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
    const { ok, tensors } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(tensors.map(({ name, n, witness }: Record<string, unknown>) => `${name} ${n} ${witness}`)).toEqual(
      [2, 3, 32].flatMap((n) => ['dlogits', 'dhprebn'].flatMap((name) => [`${name} ${n} local differences`, `${name} ${n} atomic chain`])),
    );
    for (const row of tensors) {
      expect(row).toEqual({
        part: 'closed-forms',
        witness: expect.any(String),
        n: expect.any(Number),
        hidden: [64],
        name: expect.any(String),
        ok: true,
        shape: [row.n, row.name === 'dlogits' ? 27 : 64],
        entries: 20,
        maxAbsDiff: expect.any(Number),
        maxRelDiff: expect.any(Number),
        at: [expect.any(Number), expect.any(Number)],
        error: expect.any(Number),
        limit: 1e-6,
        structuralZero: false,
      });
      expect(row.error).toBeLessThanOrEqual(row.limit);
    }
  });

  it.each([[['--eps', '0.00001']], [['--eps', '0.1']], [['--eps', '0.00001', '--tolerance', '1e-9']], [['--tolerance', '1e-9']]])(
    'passes correct gradients with %j',
    async (options) => {
      const { exitCode, stderr } = await runCli(tempDirectory(), ['grad-check', '--entries', '5', ...options]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    },
  );

  it('says that small mistakes pass at a large tolerance', async () => {
    const { exitCode, stderr } = await runCli(tempDirectory(), [...CLOSED_FORMS, '--tolerance', '0.01']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'note: with --tolerance 0.01, a gradient that is wrong by less passes; the default is 0.000001\n',
    });
  });

  it('says which options have no effect on --part backend', async () => {
    const { exitCode, stderr } = await runCli(tempDirectory(), ['grad-check', '--part', 'backend', '--eps', '0.1', '--entries', '5']);
    expect([exitCode, stderr]).toEqual([0, 'note: --eps, --entries have no effect on --part backend, which compares every entry\n']);
  });

  it('checks several parts in the given order', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), [
      'grad-check',
      '--part',
      'backend',
      'closed-forms',
      '--entries',
      '2',
      '--json',
    ]);
    expect(exitCode).toBe(0);
    const parts = JSON.parse(stdout).tensors.map(({ part }: { part: string }) => part);
    expect([...new Set(parts)]).toEqual(['backend', 'closed-forms']);
  });

  it('prints the distance in float32 ULPs for the backend', async () => {
    const { exitCode, stdout } = await runCli(tempDirectory(), ['grad-check', '--part', 'backend']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('(d) the float32 backend used for training, against the float64 reference');
    expect(stdout).toMatch(/^tensor .* ULPs +at$/m);
    expect(stdout).toMatch(/^dW1 /m);
  });

  it.each(['model', 'backend'])(
    'checks the %s in the lesson network and in three blocks with and without batch norm, one table each',
    async (part) => {
      const { exitCode, stdout } = await runCli(tempDirectory(), ['grad-check', '--part', part, '--entries', '5']);
      expect(exitCode).toBe(0);
      const [lesson, deep, plain] = stdout.trim().split('\n\n');
      const tensors = (table: string) =>
        table
          .split('\n')
          .slice(2)
          .map((line) => line.split(' ')[0]);
      expect(lesson).toMatch(/^\([cd]\) .+ {2}H 64, n = 2, 3, 32\n/);
      expect(deep).toMatch(/^\([cd]\) .+ {2}H 24,16,8, n = 3, 32\n/);
      expect(plain).toMatch(/^\([cd]\) .+ {2}H 24,16,8 without batch norm, n = 2, 3, 32\n/);
      expect(plain).toMatch(/^dblocks\.3\.b (?!.*always 0).* ok$/m);
      expect(tensors(plain).join()).not.toMatch(/bngain|bnbias/);
      expect(tensors(lesson)).toEqual(expect.arrayContaining(['dC', 'dW1', 'db1', 'dbngain', 'dbnbias', 'dW2', 'db2']));
      expect(tensors(deep)).toEqual(
        expect.arrayContaining(['dC', 'dW1', 'dblocks.2.W', 'dblocks.2.b', 'dblocks.3.W', 'dblocks.3.bngain', 'dblocks.3.bnbias', 'dW2']),
      );
      expect(deep).toMatch(/^dblocks\.3\.b .* ok/m);
      expect(tensors(lesson).join()).not.toContain('blocks');
    },
  );

  it('gives the same figures for the same seed and others for another', async () => {
    const figures = async (seed: string) => (await runCli(tempDirectory(), [...CLOSED_FORMS, '--seed', seed, '--json'])).stdout;
    expect(await figures('1')).toBe(await figures('1'));
    expect(await figures('1')).not.toBe(await figures('2'));
  });
});

import { mkdirSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  loadFloats,
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  storeFloats,
  writeSafetensors,
} from '../../../src/run/safetensors.js';
import { ONE_ERROR_LINE, runCli } from '../../support/fakeIO.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

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

  it.each(['model', 'backend'])('checks the %s in the lesson network and in three blocks, one table each', async (part) => {
    const { exitCode, stdout } = await runCli(tempDirectory(), ['grad-check', '--part', part, '--entries', '5']);
    expect(exitCode).toBe(0);
    const [lesson, deep] = stdout.trim().split('\n\n');
    const tensors = (table: string) =>
      table
        .split('\n')
        .slice(2)
        .map((line) => line.split(' ')[0]);
    expect(lesson).toMatch(/^\([cd]\) .+ {2}H 64, n = 2, 3, 32\n/);
    expect(deep).toMatch(/^\([cd]\) .+ {2}H 24,16,8, n = 3, 32\n/);
    expect(tensors(lesson)).toEqual(expect.arrayContaining(['dC', 'dW1', 'db1', 'dbngain', 'dbnbias', 'dW2', 'db2']));
    expect(tensors(deep)).toEqual(
      expect.arrayContaining(['dC', 'dW1', 'dblocks.2.W', 'dblocks.2.b', 'dblocks.3.W', 'dblocks.3.bngain', 'dblocks.3.bnbias', 'dW2']),
    );
    expect(deep).toMatch(/^dblocks\.3\.b .* ok/m);
    expect(tensors(lesson).join()).not.toContain('blocks');
  });

  it('compares all entries with --entries all', async () => {
    const { stdout } = await runCli(tempDirectory(), [...CLOSED_FORMS, '--entries', 'all', '--json']);
    for (const { entries, shape } of JSON.parse(stdout).tensors) expect(entries).toBe(shape[0] * shape[1]);
  });

  it('gives the same figures for the same seed and others for another', async () => {
    const figures = async (seed: string) => (await runCli(tempDirectory(), [...CLOSED_FORMS, '--seed', seed, '--json'])).stdout;
    expect(await figures('1')).toBe(await figures('1'));
    expect(await figures('1')).not.toBe(await figures('2'));
  });
});

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const GRADIENTS = readdirSync(FIXTURES).filter((name) => name.startsWith('gradients-'));
const SMALLEST = 'gradients-n3-t4-e5-h9-v6-f64.safetensors';

/** A new directory with a changed copy of the fixture, mine.safetensors. */
function changed(change: (tensors: Map<string, StoredTensor>) => void, fixture = SMALLEST): string {
  const file = readSafetensors(readFileSync(join(FIXTURES, fixture)));
  const tensors = new Map(file.tensors);
  change(tensors);
  const cwd = tempDirectory();
  put(cwd, 'mine.safetensors', writeSafetensors({ ...file, tensors } satisfies Safetensors));
  return cwd;
}

function stored(tensors: Map<string, StoredTensor>, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the fixture has no ${name}`);
  return tensor;
}

const AGAINST = ['grad-check', '--against', 'mine.safetensors'];

describe('grad-check --against', () => {
  it.each(GRADIENTS)("passes PyTorch's %s", async (fixture) => {
    const { exitCode, stdout, stderr } = await runCli(FIXTURES, ['grad-check', '--against', fixture]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^tensor +shape +exact +close +max \|a-b\| +ULPs +at\n/);
    expect(stdout).toMatch(/\n26 of 26 gradients compared\nall 27 checks passed\n$/);
    for (const name of ['loss', 'dC', 'dW1', 'db1', 'dbngain', 'dbnbias', 'dW2', 'db2', 'dlogits', 'dhprebn']) {
      expect(stdout).toMatch(new RegExp(`^${name} .* ok$`, 'm'));
    }
  });

  it('writes every row with its figures as JSON', async () => {
    const { stdout } = await runCli(FIXTURES, ['grad-check', '--against', SMALLEST, '--json']);
    const { ok, tensors } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(tensors).toHaveLength(27);
    expect(tensors.find(({ name }: { name: string }) => name === 'dC')).toEqual({
      name: 'dC',
      ok: true,
      shape: [6, 5],
      dtype: 'F64',
      exact: expect.any(Boolean),
      close: true,
      maxAbsDiff: expect.any(Number),
      at: [expect.any(Number), expect.any(Number)],
      theirs: expect.any(Number),
      ours: expect.any(Number),
      maxUlps: expect.any(Number),
    });
  });

  it.each(['dC', 'dW1', 'dhprebn', 'dlogits', 'loss'])(
    'exits with 1 for one wrong entry of %s, and prints the tensor and both values',
    async (name) => {
      let theirs = Number.NaN;
      const cwd = changed((tensors) => {
        const tensor = stored(tensors, name);
        const data = loadFloats(name, tensor);
        data[data.length - 1] += 0.001;
        theirs = data[data.length - 1];
        tensors.set(name, storeFloats(data, tensor.shape));
      });
      const { exitCode, stdout, stderr } = await runCli(cwd, AGAINST);
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
      expect(stdout).toMatch(
        new RegExp(`^${name} .* no +no +1\\.0e-3 .* FAILED: theirs ${String(theirs).replace('.', '\\.')}, ours `, 'm'),
      );
      expect(stdout).toContain(`\n1 of 27 checks failed: ${name}\n`);
      const json = await runCli(cwd, [...AGAINST, '--json']);
      expect(json.exitCode).toBe(1);
      const { ok, tensors } = JSON.parse(json.stdout);
      expect(ok).toBe(false);
      expect(tensors.filter((row: { ok: boolean }) => !row.ok).map((row: { name: string }) => row.name)).toEqual([name]);
    },
  );

  it.each([
    ['NaN', Number.NaN],
    ['infinity', Infinity],
  ])('fails a gradient with %s', async (_, value) => {
    const cwd = changed((tensors) => {
      const tensor = stored(tensors, 'dW2');
      tensors.set('dW2', storeFloats(loadFloats('dW2', tensor).fill(value, 3, 4), tensor.shape));
    });
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('1 of 27 checks failed: dW2');
  });

  it('fails a gradient of another shape with the same numbers, and prints both shapes', async () => {
    const cwd = changed((tensors) => tensors.set('dbnmeani', { ...stored(tensors, 'dbnmeani'), shape: [9] }));
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^dbnmeani .* FAILED: shape \[9\], expected \[1, 9\]$/m);
  });

  it('accepts a file with some of the gradients, and embcat as embact', async () => {
    const cwd = changed((tensors) => {
      const dembact = stored(tensors, 'dembact');
      for (const name of [...tensors.keys()]) if (name.startsWith('d') && name !== 'dC') tensors.delete(name);
      tensors.set('dembcat', dembact);
    });
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\n2 of 26 gradients compared; absent: dlogprobs, .*, dC|dW1.*\nall 3 checks passed\n$/);
    expect(stdout).toMatch(/^dembact /m);
  });

  it('fails a file with unknown and duplicate names, and suggests what was meant', async () => {
    const cwd = changed((tensors) => {
      const dembact = stored(tensors, 'dembact');
      for (const name of [...tensors.keys()]) if (name.startsWith('d') && name !== 'dC' && name !== 'dembact') tensors.delete(name);
      tensors.set('dw1', dembact).set('dembcat', dembact).set('\u202enotes', dembact).set('d\u0421', dembact);
    });
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('\n"dw1": not compared, because there is no such tensor; did you mean dW1?\n');
    expect(stdout).toContain('\n"dembcat": not compared, because the file also holds dembact, which is the same tensor\n');
    expect(stdout).toContain('\n"\\u202enotes": not compared, because there is no such tensor\n');
    expect(stdout).toContain('\n"d\u0421" (with U+0421): not compared, because there is no such tensor\n');
    expect(stdout).toMatch(
      /\n2 of 26 gradients compared; absent: dlogprobs, .*\n4 of 7 checks failed: dw1, dembcat, \\u202enotes, d\u0421\n$/,
    );
    const json = await runCli(cwd, [...AGAINST, '--json']);
    expect([json.exitCode, JSON.parse(json.stdout)]).toMatchObject([
      1,
      {
        ok: false,
        compared: 2,
        of: 26,
        notCompared: [{ name: 'dw1', suggestion: 'dW1' }, { name: 'dembcat', duplicateOf: 'dembact' }, {}, {}],
      },
    ]);
  });

  it.each([
    ['a missing file', () => tempDirectory(), 4, 'cannot read mine.safetensors: no such file or directory'],
    [
      'a directory',
      () => {
        const cwd = tempDirectory();
        mkdirSync(join(cwd, 'mine.safetensors'));
        return cwd;
      },
      4,
      'cannot read mine.safetensors: it is a directory',
    ],
    ['another format', () => withFile('{"dW1": [1, 2]}'), 3, 'mine.safetensors: not a safetensors file: this is a JSON file'],
    ['an unknown format', () => withFile('\x01\x02\x03\x04\x05\x06\x07\x08'), 3, 'mine.safetensors: not a safetensors file: header length'],
    ['an empty file', () => withFile(''), 3, 'mine.safetensors: not a safetensors file: 0 bytes, expected at least 8'],
    [
      'a file of 3 GiB',
      () => {
        const cwd = withFile('\xff'.repeat(8));
        truncateSync(join(cwd, 'mine.safetensors'), 3 * 2 ** 30);
        return cwd;
      },
      3,
      'mine.safetensors: not a safetensors file: header length',
    ],
    ['a truncated file', () => withFile(readFileSync(join(FIXTURES, SMALLEST)).subarray(0, -1)), 3, 'mine.safetensors: the file holds'],
    [
      'a file without some parameters',
      () => changed((tensors) => void (tensors.delete('W1') && tensors.delete('Yb'))),
      3,
      'mine.safetensors: missing W1, Yb; the comparison needs the parameters and the batch',
    ],
    [
      'a file without gradients',
      () =>
        changed((tensors) => {
          for (const name of [...tensors.keys()]) if (name.startsWith('d') || name === 'loss') tensors.delete(name);
        }),
      3,
      'mine.safetensors: no gradient found; expected at least one of dlogprobs',
    ],
    [
      'contradictory shapes',
      () => changed((tensors) => void tensors.set('b2', storeFloats(new Float64Array(5), [5]))),
      3,
      'tensor "b2" has shape [5], expected [6]',
    ],
    [
      'a parameter that is NaN',
      () => changed((tensors) => void tensors.set('b2', storeFloats(new Float64Array(6).fill(Number.NaN, 2, 3), [6]))),
      3,
      'tensor "b2" holds NaN at entry 2, expected finite numbers',
    ],
    [
      'an index outside the vocabulary',
      () =>
        changed(
          (tensors) => void tensors.set('Yb', { dtype: 'I64', shape: [3], bytes: new Uint8Array(BigInt64Array.of(0n, 6n, 1n).buffer) }),
        ),
      3,
      'tensor "Yb" holds the index 6, expected 0 to 5',
    ],
  ])('refuses %s in one line that names the file and the problem', async (_, prepare, exitCode, problem) => {
    const outcome = await runCli(prepare(), AGAINST);
    expect(outcome).toMatchObject({ exitCode, stdout: '' });
    expect(outcome.stderr).toMatch(ONE_ERROR_LINE);
    expect(outcome.stderr).toContain(problem);
  });

  it.each([
    ['--eps', '1e-4'],
    ['--tolerance', '1e-4'],
    ['--entries', 'all'],
    ['--seed', '1'],
    ['--part', 'model'],
  ])('refuses %s with exit code 2', async (option, value) => {
    const { exitCode, stdout, stderr } = await runCli(FIXTURES, ['grad-check', '--against', SMALLEST, option, value]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: ${option} cannot be used with --against, which checks every tensor in the file\n`);
  });

  function withFile(content: string | Uint8Array): string {
    const cwd = tempDirectory();
    put(cwd, 'mine.safetensors', content);
    return cwd;
  }
});

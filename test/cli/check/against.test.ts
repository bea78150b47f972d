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
    expect(stdout).toContain('26 of 26 gradients compared\n');
    expect(stdout).toContain('✓ the forward pass: 1 tensor right\n');
    for (const name of ['dC', 'dW1', 'db1', 'dbngain', 'dbnbias', 'dW2', 'db2', 'dlogits', 'dhprebn']) {
      expect(stdout).toMatch(new RegExp(`^✓ ${name} .* right`, 'm'));
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
      verdict: 'right',
      expectedShape: [6, 5],
      error: expect.any(Number),
      limit: expect.any(Number),
      asFed: { error: expect.any(Number), limit: expect.any(Number) },
      at: [expect.any(Number), expect.any(Number)],
      found: expect.any(Number),
      expected: expect.any(Number),
      structuralZero: false,
      exact: null,
      maxUlps: expect.any(Number),
      mistake: null,
      remark: null,
    });
  });

  it('says a remark that more than two rows have once, and every row has it as JSON', async () => {
    const rows = ['dbngain', 'dbnbias', 'dbnmeani'];
    const flat = changed((tensors) => {
      for (const name of rows) tensors.set(name, { ...stored(tensors, name), shape: [9] });
    });
    const { stdout } = await runCli(flat, AGAINST);
    expect(stdout.match(/is read as/g)).toHaveLength(1);
    expect(stdout).toContain('\ndbngain and 2 other rows: shape [9] is read as [1, 9]\n');
    const { tensors } = JSON.parse((await runCli(flat, [...AGAINST, '--json'])).stdout);
    const remarks = tensors.flatMap(({ name, remark }: Record<string, string | null>) => (remark === null ? [] : [[name, remark]]));
    expect(remarks).toEqual(rows.map((name) => [name, 'shape [9] is read as [1, 9]']));
    const two = changed((all) => {
      for (const name of rows.slice(1)) all.set(name, { ...stored(all, name), shape: [9] });
    });
    expect((await runCli(two, AGAINST)).stdout.match(/^ {4}shape \[9\] is read as \[1, 9\]$/gm)).toHaveLength(2);
  });

  it.each(['dlogits', 'loss'])('exits with 1 for one wrong entry of %s, and prints the tensor and both values', async (name) => {
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
    expect(stdout).toContain(name === 'loss' ? 'The forward pass differs, first at loss' : `${name} is wrong by itself`);
    if (name !== 'loss') expect(stdout).toContain(` is ${Number(theirs.toPrecision(7))}, expected `);
    const json = await runCli(cwd, [...AGAINST, '--json']);
    expect(json.exitCode).toBe(1);
    const { ok, tensors } = JSON.parse(json.stdout);
    expect(ok).toBe(false);
    expect(tensors.filter((row: { ok: boolean }) => !row.ok).map((row: { name: string }) => row.name)).toEqual([name]);
  });

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
    expect(stdout).toContain('dW2 is wrong by itself: entry');
  });

  it('fails a gradient of another shape with the same numbers, and prints both shapes', async () => {
    const cwd = changed((tensors) => tensors.set('dcounts_sum', { ...stored(tensors, 'dcounts_sum'), shape: [3] }));
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('dcounts_sum is wrong by itself: right values in the wrong shape: [3], expected [3, 1]');
  });

  it('accepts a file with some of the gradients, and embcat as embact', async () => {
    const cwd = changed((tensors) => {
      const dembact = stored(tensors, 'dembact');
      for (const name of [...tensors.keys()]) if (name.startsWith('d') && name !== 'dC') tensors.delete(name);
      tensors.set('dembcat', dembact);
    });
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\n2 of 26 gradients compared; absent: dlogprobs, .*, dC|dW1.*\n/);
    expect(stdout).toMatch(/^✓ dembact .* right/m);
  });

  it('lists absent gradients and passes; with --all they fail', async () => {
    const cwd = changed((tensors) => void tensors.delete('dbnraw'));
    expect(await runCli(cwd, AGAINST)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('25 of 26 gradients compared; absent: dbnraw\n'),
    });
    const failed = await runCli(cwd, [...AGAINST, '--all']);
    expect(failed).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^--all: dbnraw is absent\.\n/) });
    const { stdout } = await runCli(cwd, [...AGAINST, '--all', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, all: true, absent: ['dbnraw'] });
    expect((await runCli(FIXTURES, ['grad-check', '--against', SMALLEST, '--all'])).exitCode).toBe(0);
  });

  it('says what is wrong before the table, in 80 columns', async () => {
    const cwd = changed((tensors) => {
      const tensor = stored(tensors, 'dbnraw');
      const gain = loadFloats('bngain', stored(tensors, 'bngain'));
      const data = loadFloats('dbnraw', tensor).map((x, k) => x / gain[k % gain.length]);
      tensors.set('dbnraw', storeFloats(data, tensor.shape));
    });
    const { stdout } = await runCli(cwd, AGAINST);
    expect(stdout).toMatch(/^dbnraw is wrong by itself: the gain, bngain, is missing\.\n/);
    const table = stdout.split('\n').filter((line) => /^( {2}tensor|[✓✗·] )/.test(line));
    for (const line of table) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('prints an HTML fragment with --html, and not together with --json', async () => {
    const { exitCode, stdout } = await runCli(FIXTURES, ['grad-check', '--against', SMALLEST, '--html']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^<p.*<table.*<\/table>.*26 of 26 gradients compared<\/p>\n$/s);
    expect((await runCli(FIXTURES, ['grad-check', '--against', SMALLEST, '--html', '--json'])).exitCode).toBe(2);
  });

  it.each(['--all', '--html'])('%s needs --against', async (flag) => {
    const { exitCode, stderr } = await runCli(FIXTURES, ['grad-check', flag]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`${flag} needs a file of gradients`)]);
  });

  it('fails a file with unknown and duplicate names, and suggests what was meant', async () => {
    const cwd = changed((tensors) => {
      const dembact = stored(tensors, 'dembact');
      for (const name of [...tensors.keys()]) if (name.startsWith('d') && name !== 'dC' && name !== 'dembact') tensors.delete(name);
      tensors.set('dw1', dembact).set('dembcat', dembact).set('\u202enotes', dembact).set('d\u0421', dembact);
    });
    const { exitCode, stdout } = await runCli(cwd, AGAINST);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('"dw1" is not compared: the lesson has no tensor of this name; did you mean dW1?\n');
    expect(stdout).toContain('\n"dembcat" is the same tensor as dembact, which the file holds, too; save one of them\n');
    expect(stdout).toContain('\n"\\u202enotes" is not compared: the lesson has no tensor of this name\n');
    expect(stdout).toContain('\n"d\u0421" (with U+0421) is not compared: the lesson has no tensor of this name\n');
    const json = await runCli(cwd, [...AGAINST, '--json']);
    expect([json.exitCode, JSON.parse(json.stdout)]).toMatchObject([
      1,
      {
        ok: false,
        compared: 2,
        of: 26,
        unknown: [{ name: 'dw1', suggestion: 'dW1' }, { suggestion: null }, { suggestion: null }],
        duplicate: [{ name: 'dembcat', of: 'dembact' }],
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

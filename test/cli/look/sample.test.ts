import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../../src/backend/reference.js';
import { NameList } from '../../../src/data/nameList.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { restoreModel } from '../../../src/run/checkpoint.js';
import { NAMES, runCli, SMALL, type TrainReport, trainSmall, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const LETTERS = NameList.of(NAMES).vocabulary.slice(1).join('');

let trained: string;
let report: TrainReport;

beforeAll(async () => {
  trained = makeDirectory();
  report = await trainSmall(trained, '--seed', '11');
  return () => removeDirectory(trained);
});

/** The names that sample prints, one per line. */
async function sample(...argv: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await runCli(trained, ['sample', 'run', ...argv]);
  expect(stderr.replace(/^note: .* were cut at 100 characters\n$/, '')).toBe('');
  expect(exitCode).toBe(0);
  expect(stdout.endsWith('\n')).toBe(true);
  return stdout.slice(0, -1).split('\n');
}

describe('the names', () => {
  it("are the 20 of the training's report by default, one per line", async () => {
    expect(await sample()).toEqual(report.samples);
  });

  it('have only characters of the data', async () => {
    for (const name of await sample('--count', '100')) expect(name).toMatch(new RegExp(`^[${LETTERS}]*$`));
  });

  it.each([1, 3, 20, 57])('are --count %i', async (count) => {
    expect(await sample('--count', String(count))).toHaveLength(count);
  });

  it('with a smaller count are the first ones with a larger count', async () => {
    expect(await sample('--count', '5')).toEqual(report.samples.slice(0, 5));
  });

  it("depend on the seed, which is the run's by default", async () => {
    expect(await sample('--seed', '11')).toEqual(report.samples);
    expect(await sample('--seed', '0')).not.toEqual(report.samples);
    expect(await sample('--seed', '0')).toEqual(await sample('--seed', '0'));
  });

  it('come from the newest run unless another one is named', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, ['train', ...SMALL, '--seed', '1']);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--seed', '2', '--json']);
    expect((await runCli(cwd, ['sample'])).stdout).toBe(`${(JSON.parse(stdout) as TrainReport).samples.join('\n')}\n`);
  });

  it('are printed as one JSON document with --json', async () => {
    const { exitCode, stdout } = await runCli(trained, ['sample', 'run', '--json']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(JSON.parse(stdout)).toEqual({
      checkpoint: join(trained, 'run', 'checkpoint.safetensors'),
      seed: 11,
      samples: report.samples,
      emptyNameProbability: report.emptyNameProbability,
    });
  });

  it('change nothing in the run', async () => {
    const before = snapshot(trained);
    await sample();
    expect(snapshot(trained)).toEqual(before);
  });
});

describe('--prefix', () => {
  it.each(['m', 'mi', 'milu', 'a'.repeat(99)])('begins every name: %s', async (prefix) => {
    const names = await sample('--prefix', prefix);
    expect(names).toHaveLength(20);
    for (const name of names) expect(name.startsWith(prefix), name).toBe(true);
  });

  it('may be empty', async () => {
    expect(await sample('--prefix', '')).toEqual(report.samples);
  });

  it('is split into code points', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['é', 'ß', '漢', '😀', '😀漢', 'é😀', 'ßß', '漢é', '😀😀', 'éß']);
    await runCli(cwd, ['train', ...SMALL]);
    const { exitCode, stdout } = await runCli(cwd, ['sample', '--prefix', '😀', '--count', '3']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^(😀[éß漢😀]*\n){3}$/u);
    expect((await runCli(cwd, ['sample', '--prefix', '😁'])).stderr).toContain('the network does not know 😁 (U+1F601); it knows ßé漢😀');
  });

  it.each([
    ['z', 'z'],
    ['mizzq', 'z q'],
    ['mié', 'é (U+00E9)'],
    ['e\u0301', 'U+0301'],
    ['m\u200bi', 'U+200B'],
    ['A', 'A'],
    ['mi lu', "' '"],
    ['.', '.'],
    ['mi\x1b[31m', 'U+001B [ 3 1'],
    ['\u202e', 'U+202E'],
  ])('is refused if it has unknown characters, which are shown with the vocabulary: %j (2)', async (prefix, unknown) => {
    const { exitCode, stdout, stderr } = await runCli(trained, ['sample', 'run', '--prefix', prefix]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: --prefix: the network does not know ${unknown}; it knows ${LETTERS}\n`);
  });

  it('is refused if it has 100 characters (2)', async () => {
    const { exitCode, stderr } = await runCli(trained, ['sample', 'run', '--prefix', 'a'.repeat(100)]);
    expect(exitCode).toBe(2);
    expect(stderr).toBe('error: --prefix: at most 99 characters\n');
  });
});

describe('--temperature and --top-k', () => {
  it('take the likeliest character at temperature 0, whatever the seed', async () => {
    const names = new Set([...(await sample('--temperature', '0')), ...(await sample('--temperature', '0', '--seed', '5'))]);
    expect(names.size).toBe(1);
  });

  it('do the same with --top-k 1 and with a tiny temperature', async () => {
    const [greedy] = await sample('--temperature', '0');
    expect(new Set(await sample('--top-k', '1'))).toEqual(new Set([greedy]));
    expect(new Set(await sample('--temperature', '1e-300'))).toEqual(new Set([greedy]));
  });

  it('are 1 and all characters by default', async () => {
    expect(await sample('--temperature', '1', '--top-k', '1114112')).toEqual(report.samples);
  });

  it('give fewer different names at a lower temperature, and more at a higher one', async () => {
    const different = async (temperature: string) => new Set(await sample('--count', '200', '--temperature', temperature)).size;
    const [low, middle] = [await different('0.2'), await different('1')];
    expect(low).toBeLessThan(middle);
    expect(await sample('--temperature', '100')).not.toEqual(report.samples);
  });

  it('leave out unlikely characters with a small --top-k', async () => {
    const letters = async (...argv: string[]) => new Set((await sample('--count', '200', ...argv)).join('')).size;
    expect(await letters('--top-k', '2')).toBeLessThan(await letters());
  });
});

describe('a network that never ends a name', () => {
  async function endless(...argv: string[]) {
    const cwd = tempDirectory();
    const checkpoint = loadCheckpoint(join(trained, 'run', 'checkpoint.safetensors'));
    const model = restoreModel(checkpoint, () => createReferenceBackend('float32'), { inference: [1] });
    model.parameters.b2[0] = -1e6;
    saveCheckpoint(join(cwd, 'endless.safetensors'), model, checkpoint);
    return runCli(cwd, ['sample', 'endless.safetensors', '--count', '3', ...argv]);
  }

  it('is cut at 100 characters, with a note on stderr', async () => {
    const { exitCode, stdout, stderr } = await endless();
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^([a-z]{100}\n){3}$/);
    expect(stderr).toBe('note: 3 of 3 names did not end and were cut at 100 characters\n');
  });

  it('counts the prefix among the 100', async () => {
    const { stdout } = await endless('--prefix', 'mi');
    expect(stdout).toMatch(/^(mi[a-z]{98}\n){3}$/);
  });

  it('does not change the JSON document', async () => {
    const { stdout } = await endless('--json');
    expect(JSON.parse(stdout).samples.map((name: string) => name.length)).toEqual([100, 100, 100]);
  });
});

it('sample needs neither the data nor run.json', async () => {
  const cwd = tempDirectory();
  copyFileSync(join(trained, 'run', 'checkpoint.safetensors'), join(cwd, 'x.safetensors'));
  const { exitCode, stdout, stderr } = await runCli(cwd, ['sample', 'x.safetensors']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(`${report.samples.join('\n')}\n`);
});

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../../src/backend/reference.js';
import { createVocabulary } from '../../../src/data/dataset.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { restoreModel } from '../../../src/run/checkpoint.js';
import { NAMES, runCli, SMALL, type TrainReport, trainSmall, writeNames } from '../../support/fakeIO.js';
import { makeDirectory, removeDirectory, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const LETTERS = createVocabulary(NAMES).slice(1).join('');

let trained: string;
let report: TrainReport;

beforeAll(async () => {
  trained = makeDirectory();
  report = await trainSmall(trained, '--seed', '11');
  return () => removeDirectory(trained);
});

/** The names that sample prints, one a line. */
async function sample(...argv: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await runCli(trained, ['sample', 'run', ...argv]);
  expect(stderr.replace(/^note: .* were cut at 100 characters\n$/, '')).toBe('');
  expect(exitCode).toBe(0);
  expect(stdout.endsWith('\n')).toBe(true);
  return stdout.slice(0, -1).split('\n');
}

describe('the names', () => {
  it("are by default the 20 of the training's report, one a line", async () => {
    expect(await sample()).toEqual(report.samples);
  });

  it('are spelt with the characters of the data', async () => {
    for (const name of await sample('--count', '100')) expect(name).toMatch(new RegExp(`^[${LETTERS}]*$`));
  });

  it.each([1, 3, 20, 57])('are as many as --count %i says', async (count) => {
    expect(await sample('--count', String(count))).toHaveLength(count);
  });

  it('of a smaller count are the first of a larger one', async () => {
    expect(await sample('--count', '5')).toEqual(report.samples.slice(0, 5));
  });

  it("come from the run's seed, which may be said, and another gives others", async () => {
    expect(await sample('--seed', '11')).toEqual(report.samples);
    expect(await sample('--seed', '0')).not.toEqual(report.samples);
    expect(await sample('--seed', '0')).toEqual(await sample('--seed', '0'));
  });

  it('of the newest run, unless another is named', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, ['train', ...SMALL, '--seed', '1']);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, '--seed', '2', '--json']);
    expect((await runCli(cwd, ['sample'])).stdout).toBe(`${(JSON.parse(stdout) as TrainReport).samples.join('\n')}\n`);
  });

  it('as one JSON document', async () => {
    const { exitCode, stdout } = await runCli(trained, ['sample', 'run', '--json']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
    expect(JSON.parse(stdout)).toEqual({ checkpoint: join(trained, 'run', 'checkpoint.safetensors'), seed: 11, samples: report.samples });
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

  it('that is empty is none', async () => {
    expect(await sample('--prefix', '')).toEqual(report.samples);
  });

  it('is taken by code points', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, ['é', 'ß', '漢', '😀', '😀漢', 'é😀', 'ßß', '漢é', '😀😀', 'éß']);
    await runCli(cwd, ['train', ...SMALL]);
    const { exitCode, stdout } = await runCli(cwd, ['sample', '--prefix', '😀', '--count', '3']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^(😀[éß漢😀]*\n){3}$/u);
    expect((await runCli(cwd, ['sample', '--prefix', '😁'])).stderr).toContain("the network does not know '😁'; it knows ßé漢😀");
  });

  it.each([
    ['z', 'z'],
    ['mizzq', 'zzq'],
    ['A', 'A'],
    ['mi lu', ' '],
    ['.', '.'],
    ['mi\x1b[31m', '\\x1b[31'],
    ['\u202e', '\\u202e'],
  ])('with unknown characters %j is refused (2) with them and the vocabulary', async (prefix, unknown) => {
    const { exitCode, stdout, stderr } = await runCli(trained, ['sample', 'run', '--prefix', prefix]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: --prefix: the network does not know '${unknown}'; it knows ${LETTERS}\n`);
  });

  it('of 100 characters is refused (2)', async () => {
    const { exitCode, stderr } = await runCli(trained, ['sample', 'run', '--prefix', 'a'.repeat(100)]);
    expect(exitCode).toBe(2);
    expect(stderr).toBe('error: --prefix: at most 99 characters\n');
  });
});

describe('--temperature and --top-k', () => {
  it('temperature 0 always takes the likeliest, whatever the seed', async () => {
    const names = new Set([...(await sample('--temperature', '0')), ...(await sample('--temperature', '0', '--seed', '5'))]);
    expect(names.size).toBe(1);
  });

  it('--top-k 1 and a tiny temperature do the same', async () => {
    const [greedy] = await sample('--temperature', '0');
    expect(new Set(await sample('--top-k', '1'))).toEqual(new Set([greedy]));
    expect(new Set(await sample('--temperature', '1e-300'))).toEqual(new Set([greedy]));
  });

  it('temperature 1 and all characters are the default', async () => {
    expect(await sample('--temperature', '1', '--top-k', '1114112')).toEqual(report.samples);
  });

  it('a lower temperature gives fewer different names, a higher one more', async () => {
    const different = async (temperature: string) => new Set(await sample('--count', '200', '--temperature', temperature)).size;
    const [low, middle] = [await different('0.2'), await different('1')];
    expect(low).toBeLessThan(middle);
    expect(await sample('--temperature', '100')).not.toEqual(report.samples);
  });

  it('--top-k keeps the unlikely out', async () => {
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

  it('keeps the prefix within the 100', async () => {
    const { stdout } = await endless('--prefix', 'mi');
    expect(stdout).toMatch(/^(mi[a-z]{98}\n){3}$/);
  });

  it('leaves the JSON document alone', async () => {
    const { stdout } = await endless('--json');
    expect(JSON.parse(stdout).samples.map((name: string) => name.length)).toEqual([100, 100, 100]);
  });
});

it('needs neither the data nor run.json', async () => {
  const cwd = tempDirectory();
  copyFileSync(join(trained, 'run', 'checkpoint.safetensors'), join(cwd, 'x.safetensors'));
  const { exitCode, stdout, stderr } = await runCli(cwd, ['sample', 'x.safetensors']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toBe(`${report.samples.join('\n')}\n`);
});

import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../../src/network/parameters.js';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { writeNpz } from '../../../src/run/npz.js';
import { loadFloats, readSafetensors, storeFloats } from '../../../src/run/safetensors.js';
import { NAMES, runCli, type Surroundings, trainSmall, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';
import { NAMES_SHAPE, tensor, transposedTensor, weightsFile, weightTensors } from '../../support/weights.js';

const IMPORT = ['import', 'w.safetensors', '--data', 'names.txt'];

/** A directory with names.txt and w.safetensors. */
function withWeights(tensors = weightTensors(NAMES_SHAPE)): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  put(cwd, 'w.safetensors', weightsFile(tensors));
  return cwd;
}

async function imported(cwd: string, argv: readonly string[] = IMPORT) {
  const { exitCode, stdout, stderr } = await runCli(cwd, [...argv, '--json']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return { ...JSON.parse(stdout), stderr };
}

describe('import', () => {
  it('makes a run for eval and sample, with the weights of the file', async () => {
    const cwd = withWeights();
    const { run, checkpoint, valLoss, ...rest } = await imported(cwd);
    expect(run).toBe(join(realpathSync(cwd), 'runs', '0001'));
    expect(rest).toMatchObject({
      ...NAMES_SHAPE,
      parameters: 315,
      layout: 'lesson',
      statistics: 'computed',
      rounded: 0,
      unused: [],
      stderr: '',
    });
    const { config, state, tensors, best } = loadCheckpoint(checkpoint);
    expect(config).toMatchObject({ context: 3, embedding: 4, hidden: [8], steps: 0, imported: true, splitSeed: 42, unique: false });
    expect([state.step, best]).toEqual([0, null]);
    for (const [name, stored] of weightTensors(NAMES_SHAPE)) expect(tensors.get(name)).toEqual(loadFloats(name, stored));
    expect(JSON.parse((await runCli(cwd, ['eval', '--json'])).stdout).loss).toBe(valLoss);
    expect((await runCli(cwd, ['sample', '--count', '3'])).stdout.split('\n')).toHaveLength(4);
    expect(readSafetensors(readFileSync(checkpoint)).metadata.formatVersion).toBe('5');
  });

  it('says what it made', async () => {
    const cwd = withWeights();
    const { valLoss } = await imported(cwd, [...IMPORT, '--out', 'a']);
    expect((await runCli(cwd, [...IMPORT, '--out', 'b'])).stdout).toBe(
      'imported as b: T 3, E 4, H 8, 15 characters: 315 parameters\n' +
        `statistics of batch norm computed from 241 training examples\nvalidation loss ${valLoss.toFixed(4)} nats per character\n`,
    );
  });

  it('reads a network without batch norm from a file that has none of its tensors', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const shape: ModelConfig = { ...NAMES_SHAPE, norm: 'none' };
    put(cwd, 'w.safetensors', weightsFile(weightTensors(shape)));
    const { checkpoint, valLoss, ...rest } = await imported(cwd, [...IMPORT, '--out', 'a']);
    expect(rest).toMatchObject({ ...shape, parameters: 299, statistics: 'none', unused: [] });
    expect(loadCheckpoint(checkpoint).config).toMatchObject({ norm: 'none', imported: true });
    const { stdout, stderr } = await runCli(cwd, [...IMPORT, '--out', 'b']);
    expect(stdout).toBe(
      `imported as b: T 3, E 4, H 8, 15 characters: 299 parameters\nvalidation loss ${valLoss.toFixed(4)} nats per character\n`,
    );
    expect(stderr).toBe('note: w.safetensors: no bngain and no bnbias: a network without batch norm\n');
    expect(JSON.parse((await runCli(cwd, ['eval', 'a', '--json'])).stdout).loss).toBe(valLoss);
  });

  it('computes statistics as a training does, and takes those of the file if it has them', async () => {
    const cwd = tempDirectory();
    const { valLoss, checkpoint } = await trainSmall(cwd);
    const { tensors } = readSafetensors(readFileSync(checkpoint));
    const own = new Map([...tensors].filter(([name]) => !name.startsWith('bnmean') && !name.startsWith('bnvar')));
    put(cwd, 'without.safetensors', weightsFile(own));
    put(cwd, 'with.safetensors', weightsFile(new Map(tensors)));
    put(cwd, 'other.safetensors', weightsFile(new Map([...tensors, ['bnmean', tensor([1, 8])]])));
    const results = [];
    for (const file of ['without', 'with', 'other'])
      results.push(await imported(cwd, ['import', `${file}.safetensors`, '--data', 'names.txt']));
    expect(results.map(({ statistics }) => statistics)).toEqual(['computed', 'read', 'read']);
    expect(results.slice(0, 2).map((one) => one.valLoss)).toEqual([valLoss, valLoss]);
    expect(results[2].valLoss).not.toBe(valLoss);
  });

  it('reads .npz, a checkpoint and a run to the same weights', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    const { tensors } = readSafetensors(readFileSync(join(cwd, 'run', 'checkpoint.safetensors')));
    put(cwd, 'w.npz', writeNpz(tensors));
    const weights = [];
    for (const file of ['w.npz', join('run', 'checkpoint.safetensors'), 'run']) {
      const { checkpoint, stderr } = await imported(cwd, ['import', file, '--data', 'names.txt']);
      expect(stderr).toBe('');
      weights.push(loadCheckpoint(checkpoint).tensors);
    }
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).toEqual(weights[0]);
  });

  it('splits the names as train does with the same options', async () => {
    const cwd = withWeights();
    writeNames(cwd, [...NAMES, ...NAMES.slice(0, 30)]);
    const options = ['--split-seed', '7', '--unique'];
    const { checkpoint } = await imported(cwd, [...IMPORT, ...options]);
    expect(loadCheckpoint(checkpoint).config).toMatchObject({ splitSeed: 7, unique: true });
    const { stdout } = await runCli(cwd, ['eval', '--split', 'train', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ names: 48 });
  });

  it('says how it read the file', async () => {
    const tensors = weightTensors(NAMES_SHAPE);
    const linear = new Map([...tensors].map(([name, one]) => [`m.${name}`, name === 'W1' || name === 'W2' ? transposedTensor(one) : one]));
    linear.set('m.b1', storeFloats(new Float64Array(8).fill(0.1), [8]));
    linear.set('m.bnmean', tensor([8]));
    linear.set('step', tensor([1]));
    const { stderr, layout, rounded, unused } = await imported(withWeights(linear));
    expect(stderr).toBe(
      [
        'read m.C as C, and the others likewise',
        'W1, W2 are in the layout of nn.Linear, [out, in]: transposed',
        'float64 is rounded to float32, which changes 8 of 8 numbers',
        'missing bnvar: the statistics of batch norm are computed',
        'not used: m.bnmean, step',
      ]
        .map((text) => `note: w.safetensors: ${text}\n`)
        .join(''),
    );
    expect({ layout, rounded, unused }).toEqual({ layout: 'linear', rounded: 8, unused: ['m.bnmean', 'step'] });
  });

  it('says that square matrices do not show their layout, unless --layout decides', async () => {
    const shape = { context: 3, embedding: 5, hidden: [15], vocabulary: 15 };
    const tensors = weightTensors(shape);
    const cwd = withWeights(tensors);
    const { stderr, valLoss } = await imported(cwd);
    expect(stderr).toContain(
      "W1, W2 are square, so their shapes do not show their layout; read as the lesson's, [in, out]; --layout linear reads",
    );
    const linear = new Map([...tensors].map(([name, one]) => [name, name === 'W1' || name === 'W2' ? transposedTensor(one) : one]));
    put(cwd, 'w.safetensors', weightsFile(linear));
    expect((await imported(cwd, [...IMPORT, '--layout', 'linear'])).valLoss).toBe(valLoss);
    expect((await imported(cwd, [...IMPORT, '--layout', 'lesson'])).stderr).toBe('');
  });

  it('replaces an older run with --force, and leaves none of its files', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    await runCli(cwd, ['train', '--init', 'run', '--data', 'names.txt', '--steps', '20', '--out', 'second']);
    put(cwd, 'w.safetensors', weightsFile(weightTensors(NAMES_SHAPE)));
    put(cwd, join('second', 'mine.txt'), '');
    expectRefusal(await runCli(cwd, [...IMPORT, '--out', 'second']), 2, 'exists and is not empty; --force replaces the run in it');
    await imported(cwd, [...IMPORT, '--out', 'second', '--force']);
    expect(readdirSync(join(cwd, 'second')).sort()).toEqual(['checkpoint.safetensors', 'mine.txt', 'run.json']);
  });
});

describe('an imported run', () => {
  it.each([['replay'], ['train', '--resume']])('is refused by %s %s, with the way out (2)', async (...command) => {
    const cwd = withWeights();
    await imported(cwd, [...IMPORT, '--out', 'torch']);
    const found = await runCli(cwd, [...command, 'torch']);
    const what = command.length === 1 ? 'replay' : 'resume';
    const data = join(realpathSync(cwd), 'names.txt');
    const way = `train from its weights: backprop-ninja train --init torch --data ${data}`;
    expectRefusal(found, 2, `torch was imported: there is no training to ${what}; ${way}`);
    expect((await runCli(cwd, ['train', '--init', 'torch', '--data', data, '--steps', '3'])).exitCode).toBe(0);
  });

  it('has no steps to trace (2)', async () => {
    const cwd = withWeights();
    await imported(cwd, [...IMPORT, '--out', 'torch']);
    const found = await runCli(cwd, ['export', 'torch', '--trace', '1', '--to', 'trace.safetensors']);
    expectRefusal(found, 2, 'torch was imported: there is no training to trace; train from its weights: backprop-ninja train --init torch');
  });

  it('is compared by diff with a trained one in weights and data, at whatever step', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    for (const [file, options] of [
      ['w.npz', []],
      ['w.safetensors', ['--split-seed', '3']],
    ] as const) {
      await runCli(cwd, ['export', 'run', '--to', file]);
      await imported(cwd, ['import', file, '--data', 'names.txt', '--out', `from-${file}`, ...options]);
    }
    const same = await runCli(cwd, ['diff', 'run', 'from-w.npz']);
    expect(same).toMatchObject({ exitCode: 0, stderr: '' });
    expect(same.stdout).toBe(
      'the same weights\ncompared:\n  data and sizes\n  weights: parameters, statistics\n' +
        'not compared:\n  records, and the state of the training: one of the runs was imported\n  settings of the training: for the same reason\n',
    );
    const other = await runCli(cwd, ['diff', 'from-w.safetensors', 'run']);
    expect(other.exitCode).toBe(1);
    expect(other.stdout).toMatch(/^--split-seed: 3 and 42\nthe same weights, except for the settings\n/);
    await runCli(cwd, ['train', '--resume', 'run', '--steps', '60']);
    const { stdout, exitCode } = await runCli(cwd, ['diff', 'from-w.npz', 'run', '--json']);
    expect(exitCode).toBe(1);
    const { same: isSame, weights } = JSON.parse(stdout);
    expect([isSame, weights.differences.map(({ part }: { part: string }) => part)]).toEqual([false, ['parameters', 'statistics']]);
    expect((await runCli(cwd, ['diff', 'from-w.npz', 'run'])).stdout).toMatch(/^the weights differ: C, W1, .* differ$/m);
  });

  it('is compared by diff with another one', async () => {
    const cwd = withWeights();
    await imported(cwd, [...IMPORT, '--out', 'a']);
    await imported(cwd, [...IMPORT, '--out', 'b']);
    expect((await runCli(cwd, ['diff', 'a', 'b'])).exitCode).toBe(0);
    const changed = weightTensors(NAMES_SHAPE).set('b1', tensor([8]));
    put(cwd, 'w.safetensors', weightsFile(changed));
    await imported(cwd, [...IMPORT, '--out', 'b', '--force']);
    const { exitCode, stdout } = await runCli(cwd, ['diff', 'a', 'b']);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('parameters: b1 differs');
  });
});

describe('import refuses', () => {
  const refused = async (code: number, files: Record<string, string | Uint8Array>, argv: string[], ...says: string[]) => {
    const cwd = withWeights();
    for (const [name, content] of Object.entries(files)) put(cwd, name, content);
    const before = snapshot(cwd);
    expectRefusal(await runCli(cwd, ['import', '--data', 'names.txt', ...argv]), code, ...says);
    expect(snapshot(cwd)).toEqual(before);
  };
  const whole = weightsFile(weightTensors(NAMES_SHAPE));

  it.each<[string, string | Uint8Array, string]>([
    ['an empty file', '', 'w: not a safetensors file: 0 bytes, expected at least 8'],
    ['a truncated file', whole.subarray(0, -5), 'w: the file holds'],
    ['a truncated .npz', writeNpz(weightTensors(NAMES_SHAPE)).subarray(0, -5), 'w: '],
    ['an unknown dtype', Buffer.from(whole).toString('latin1').replace('"F32"', '"F99"'), 'unknown dtype "F99"'],
    ['a PyTorch file', `PK\x03\x04${'\0'.repeat(26)}archive/data.pkl`, 'this is a PyTorch file (.pt); in Python, ninja.save('],
    ['a pickle', '\x80\x02}q\x00.', 'this is a Python pickle (perhaps an old .pt file); in Python, ninja.save('],
    ['a single array', '\x93NUMPY\x01\0', 'this is a NumPy array (.npy); write it with numpy.savez'],
    ['a text', 'C W1 b1\n', 'w: not a safetensors file'],
    [
      'the weights of another network',
      weightsFile(weightTensors()),
      'w: the network has 18 characters, the rows of C, but the data has 15',
    ],
  ])('%s (3), and writes nothing', async (_, content, message) => {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    await refused(3, { w: bytes }, ['w'], message);
  });

  it('a missing file and a directory that is no run (4)', async () => {
    await refused(4, {}, ['missing.npz'], 'cannot read missing.npz: no such file or directory');
    await refused(4, { 'folder/x': '' }, ['folder'], 'no checkpoint in folder: not a run');
  });

  it('a damaged checkpoint (3)', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    const bytes = readFileSync(join(cwd, 'run', 'checkpoint.safetensors'));
    bytes[bytes.length - 1] ^= 1;
    await refused(3, { 'c.safetensors': bytes }, ['c.safetensors'], 'c.safetensors: damaged: SHA-256 mismatch');
  });

  it('weights with which the numbers overflow (5)', async () => {
    const tensors = weightTensors(NAMES_SHAPE).set('W1', tensor([12, 8], new Float32Array(96).fill(3e38)));
    await refused(5, { w: weightsFile(tensors) }, ['w'], 'hprebn');
  });

  it('a place that is a file, and one that would overwrite the weights', async () => {
    await refused(4, { out: '' }, ['w.safetensors', '--out', 'out'], 'cannot write in out: it is a file');
    const cwd = tempDirectory();
    await trainSmall(cwd);
    const found = await runCli(cwd, ['import', 'run', '--data', 'names.txt', '--out', 'run', '--force']);
    expectRefusal(found, 2, '--out run would overwrite the weights run/checkpoint.safetensors; name another directory');
  });

  it('a missing argument (2)', async () => {
    expectRefusal(await runCli(tempDirectory(), ['import']), 2, "missing required argument 'file'");
  });
});

describe('a signal', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with %d, and nothing is written', async (signal, code) => {
    const cwd = withWeights();
    const stop: Surroundings = { tick: 50, stop: { signal, at: 50 } };
    const { exitCode, stdout, stderr } = await runCli(cwd, [...IMPORT, '--out', 'run'], stop);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: code, stdout: '', stderr: `${signal}: nothing is imported\n` });
    expect(existsSync(join(cwd, 'run'))).toBe(false);
  });
});

describe('an --out that cannot be used', () => {
  it('is a directory in use (4)', async () => {
    const cwd = withWeights();
    mkdirSync(join(cwd, 'run'));
    put(
      cwd,
      join('run', 'lock'),
      JSON.stringify({ pid: 1, host: 'elsewhere.example', startedAt: '2020-01-01T00:00:00.000Z', processStart: null }),
    );
    const found = await runCli(cwd, [...IMPORT, '--out', 'run', '--force']);
    expect(found.exitCode).toBe(4);
    expect(readdirSync(join(cwd, 'run'))).toEqual(['lock']);
  });
});

import {
  appendFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDataset } from '../../../src/data/dataset.js';
import { loadCheckpoint, saveCheckpoint } from '../../../src/node/checkpointFile.js';
import { createWasmBackend } from '../../../src/node/kernels.js';
import { restoreModel } from '../../../src/run/checkpoint.js';
import { readNpz } from '../../../src/run/npz.js';
import { loadFloats, loadIndices, readSafetensors, type StoredTensor } from '../../../src/run/safetensors.js';
import { NAMES, runCli, trainSmall, writeNames } from '../../support/fakeIO.js';
import { expectRefusal, ninja } from '../../support/faults.js';
import { onnxOf } from '../../support/onnxRun.js';
import { makeDirectory, removeDirectory, tempDirectory } from '../../support/tempDirectory.js';

let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  await trainSmall(trained, '--split-seed', '5');
  return () => removeDirectory(trained);
});

/** A copy of the trained run and its data that a test may change. */
function copyOfRun(): string {
  const cwd = tempDirectory();
  cpSync(trained, cwd, { recursive: true });
  return cwd;
}

/** Runs `export` and expects that it did not complain. */
async function exported(cwd: string, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(cwd, ['export', ...argv]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

/** The arrays of the checkpoint by name, without those of the optimizer. */
function ownArrays(cwd: string) {
  return loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).tensors;
}

function floatsOf(tensors: ReadonlyMap<string, StoredTensor>) {
  return new Map([...tensors].map(([name, tensor]) => [name, loadFloats(name, tensor)]));
}

describe('the network', () => {
  it('is written as .npz, .safetensors, .json and .onnx, with the numbers of the checkpoint', async () => {
    const cwd = copyOfRun();
    for (const extension of ['npz', 'safetensors', 'json', 'onnx']) {
      expect(await exported(cwd, 'run', '--to', `model.${extension}`)).toMatch(
        new RegExp(`^model\\.${extension}: [\\d,]+ parameters in arrays C, W1, b1, bngain, bnbias, W2, b2; .+; [\\d.]+ (KiB|bytes)\n$`),
      );
    }
    const own = ownArrays(cwd);
    expect(floatsOf(readNpz(readFileSync(join(cwd, 'model.npz'))))).toEqual(own);
    expect(floatsOf(readSafetensors(readFileSync(join(cwd, 'model.safetensors'))).tensors)).toEqual(own);
    expect(Object.keys(JSON.parse(readFileSync(join(cwd, 'model.json'), 'utf8')).parameters)).toHaveLength(7);
    expect(onnxOf(readFileSync(join(cwd, 'model.onnx'))).graph?.initializer).toHaveLength(11);
  });

  it('is that of the newest run unless another one is named; a checkpoint can be named, too', async () => {
    const cwd = copyOfRun();
    mkdirSync(join(cwd, 'runs'));
    renameSync(join(cwd, 'run'), join(cwd, 'runs', '0001'));
    symlinkSync('0001', join(cwd, 'runs', 'latest'));
    await exported(cwd, '--to', 'newest.npz');
    await exported(cwd, join('runs', '0001', 'best.safetensors'), '--to', 'best.npz');
    expect(readFileSync(join(cwd, 'newest.npz'))).toEqual(readFileSync(join(cwd, 'best.npz')));
  });

  it.each(['safetensors', 'npz'])(
    'comes back by import of the .%s: the same loss to the last bit, and the same file again',
    async (extension) => {
      const cwd = copyOfRun();
      await exported(cwd, 'run', '--to', `model.${extension}`);
      const argv = ['import', `model.${extension}`, '--data', 'names.txt', '--split-seed', '5', '--out', 'back'];
      expect((await runCli(cwd, argv)).exitCode).toBe(0);
      const lossOf = async (run: string) => JSON.parse((await runCli(cwd, ['eval', run, '--json'])).stdout).loss;
      expect(await lossOf('back')).toBe(await lossOf('run'));
      await exported(cwd, 'run', '--to', 'own.npz');
      await exported(cwd, 'back', '--to', 'again.npz');
      expect(readFileSync(join(cwd, 'again.npz'))).toEqual(readFileSync(join(cwd, 'own.npz')));
      expectRefusal(
        await runCli(cwd, ['export', 'back', '--trace', '1', '--to', 'x.safetensors']),
        2,
        'back was imported: there is no training to trace; train from its weights: backprop-ninja train --init back',
      );
    },
  );

  it('needs neither run.json nor the data', async () => {
    const cwd = copyOfRun();
    writeFileSync(join(cwd, 'run', 'run.json'), 'damaged');
    await exported(cwd, 'run', '--to', 'model.npz');
    const alone = tempDirectory();
    cpSync(join(cwd, 'run', 'checkpoint.safetensors'), join(alone, 'mine.safetensors'));
    await exported(alone, 'mine.safetensors', '--to', 'model.npz');
    expect(readFileSync(join(alone, 'model.npz'))).toEqual(readFileSync(join(cwd, 'model.npz')));
  });

  it('is described by --json', async () => {
    const cwd = copyOfRun();
    const document = JSON.parse(await exported(cwd, 'run', '--to', 'model.ONNX', '--json'));
    expect(document).toMatchObject({
      checkpoint: join(cwd, 'run', 'checkpoint.safetensors'),
      file: join(cwd, 'model.ONNX'),
      format: 'onnx',
      bytes: readFileSync(join(cwd, 'model.ONNX')).length,
    });
    expect(document.arrays.slice(0, 2)).toEqual([
      { name: 'C', shape: [expect.any(Number), 4] },
      { name: 'W1', shape: [12, 8] },
    ]);
  });

  it('of a run that was stopped is calibrated first, as eval does it', async () => {
    const cwd = copyOfRun();
    await exported(cwd, 'run', '--to', 'whole.npz');
    const path = join(cwd, 'run', 'checkpoint.safetensors');
    const checkpoint = loadCheckpoint(path);
    const model = restoreModel(checkpoint, createWasmBackend, {});
    model.statistics.bnmean.fill(0);
    model.statistics.bnvar.fill(1);
    saveCheckpoint(path, model, { ...checkpoint, statistics: 'missing' });
    const { exitCode, stderr } = await runCli(cwd, ['export', 'run', '--to', 'stopped.npz']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: the run was stopped before the statistics of batch norm were computed/);
    expect(readFileSync(join(cwd, 'stopped.npz'))).toEqual(readFileSync(join(cwd, 'whole.npz')));
    const stopped = await runCli(cwd, ['export', 'run', '--to', 'never.npz'], { stop: { signal: 'SIGTERM', at: 0 } });
    expect(stopped.exitCode).toBe(143);
    expect(existsSync(join(cwd, 'never.npz'))).toBe(false);
  });
});

describe('the lists of --split', () => {
  it('hold the names of each part, in its order and with repeats', async () => {
    const cwd = tempDirectory();
    const names = [...NAMES, ...NAMES.slice(0, 30)];
    writeNames(cwd, names);
    await runCli(cwd, ['train', '--data', 'names.txt', '--steps', '2', '--hidden', '4', '--out', 'run', '--split-seed', '9']);
    expect(await exported(cwd, 'run', '--split', 'lists')).toBe(
      'lists/train.txt: 72 names\nlists/val.txt: 9 names\nlists/test.txt: 9 names\n',
    );
    const { parts } = createDataset(names, { splitSeed: 9, unique: false });
    for (const [split, own] of Object.entries(parts)) {
      expect(readFileSync(join(cwd, 'lists', `${split}.txt`), 'utf8'), split).toBe(`${[...own].join('\n')}\n`);
    }
  });

  it('give the same loss when they are judged whole', async () => {
    const cwd = copyOfRun();
    await exported(cwd, 'run', '--split', 'lists');
    const whole = await runCli(cwd, ['eval', 'run', '--data', 'lists/val.txt', '--whole', '--json']);
    const own = await runCli(cwd, ['eval', 'run', '--json']);
    expect(JSON.parse(whole.stdout).loss).toBe(JSON.parse(own.stdout).loss);
  });

  it('are described by --json', async () => {
    const cwd = copyOfRun();
    expect(JSON.parse(await exported(cwd, 'run', '--split', 'lists', '--json'))).toMatchObject({
      splitSeed: 5,
      unique: false,
      files: [
        { split: 'train', file: join(cwd, 'lists', 'train.txt'), names: 48 },
        { split: 'val', names: 6 },
        { split: 'test', names: 6 },
      ],
    });
  });

  it("are not written over the run's own data, nor over others without --force", async () => {
    const cwd = tempDirectory();
    writeNames(cwd, NAMES, 'train.txt');
    await runCli(cwd, ['train', '--data', 'train.txt', '--steps', '2', '--hidden', '4', '--out', 'run']);
    const refused = await runCli(cwd, ['export', 'run', '--split', '.', '--force']);
    expectRefusal(refused, 2, 'train.txt would overwrite what it is made from');
    await exported(cwd, 'run', '--split', 'lists');
    writeFileSync(join(cwd, 'lists', 'test.txt'), 'mine\n');
    expectRefusal(await runCli(cwd, ['export', 'run', '--split', 'lists']), 2, 'exists; --force replaces it');
    expect(readFileSync(join(cwd, 'lists', 'test.txt'), 'utf8')).toBe('mine\n');
    await exported(cwd, 'run', '--split', 'lists', '--force');
    expect(readFileSync(join(cwd, 'lists', 'test.txt'), 'utf8')).not.toBe('mine\n');
  });

  it('are refused if the data has changed (3), or if a file has the name of the directory (4)', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    expectRefusal(await runCli(cwd, ['export', 'run', '--split', 'names.txt']), 4, 'names.txt: it is a file; name a directory');
    appendFileSync(join(cwd, 'names.txt'), 'anna\n');
    expectRefusal(await runCli(cwd, ['export', 'run', '--split', 'lists']), 3, 'is not the data set of the run');
    expect(existsSync(join(cwd, 'lists'))).toBe(false);
  });
});

describe('the trace', () => {
  const read = (cwd: string, file = 'trace.safetensors') => readSafetensors(readFileSync(join(cwd, file)));
  const floats = ({ tensors }: ReturnType<typeof read>, name: string) => loadFloats(name, tensors.get(name) as StoredTensor);

  it('of all steps ends with the parameters of the run, and has a batch, a loss and a rate per step', async () => {
    const cwd = copyOfRun();
    const report = JSON.parse(await exported(cwd, 'run', '--trace', '50', '--to', 'trace.safetensors', '--json'));
    const trace = read(cwd);
    const own = ownArrays(cwd);
    const names = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'];
    expect([...trace.tensors.keys()]).toEqual([
      'Xb',
      'Yb',
      'losses',
      'rates',
      ...names.map((name) => `initial.${name}`),
      ...names.map((name) => `final.${name}`),
    ]);
    for (const name of names) expect(floats(trace, `final.${name}`), name).toEqual(own.get(name));
    expect(trace.tensors.get('Xb')).toMatchObject({ dtype: 'I64', shape: [50, 32, 3] });
    expect(trace.tensors.get('Yb')).toMatchObject({ dtype: 'I64', shape: [50, 32] });
    const losses = floats(trace, 'losses');
    expect(report).toMatchObject({ steps: 50, batchSize: 32, loss: { first: losses[0], last: losses[49] } });
    expect([...floats(trace, 'rates')]).toEqual(Array.from({ length: 50 }, (_, k) => (k < 25 ? 0.1 : 0.01)));
    expect(trace.metadata).toMatchObject({ steps: '50', batchSize: '32', optimizer: '{"name":"sgd"}', clip: 'null', epsilon: '0.00001' });
  });

  it('of the first steps has the examples of the training part', async () => {
    const cwd = copyOfRun();
    expect(await exported(cwd, 'run', '--trace', '3', '--to', 'trace.safetensors')).toMatch(
      /^trace\.safetensors: 3 steps of 32 examples, losses \d\.\d{4} to \d\.\d{4}; [\d.]+ KiB\n$/,
    );
    const { tensors, metadata } = read(cwd);
    const vocabulary: string[] = JSON.parse(metadata.vocabulary);
    const Xb = loadIndices('Xb', tensors.get('Xb') as StoredTensor, vocabulary.length);
    const Yb = loadIndices('Yb', tensors.get('Yb') as StoredTensor, vocabulary.length);
    const { train } = createDataset(NAMES, { splitSeed: 5, unique: false }).parts;
    const text = Array.from(train, (name) => `...${name}.`).join(' ');
    for (let i = 0; i < Yb.length; i++) {
      expect(text).toContain([...Xb.subarray(3 * i, 3 * i + 3), Yb[i]].map((index) => vocabulary[index]).join(''));
    }
  });

  it('spells out the weight decay of each parameter', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--optimizer', 'adamw', '--weight-decay', '0.5', '--clip', '1');
    await exported(cwd, 'run', '--trace', '1', '--to', 'trace.safetensors');
    const { metadata } = read(cwd);
    expect(JSON.parse(metadata.weightDecay)).toEqual({ C: 0, W1: 0.5, b1: 0, bngain: 0, bnbias: 0, W2: 0.5, b2: 0 });
    expect(JSON.parse(metadata.optimizer)).toMatchObject({ name: 'adamw', beta1: 0.9, beta2: 0.999 });
    expect(metadata.clip).toBe('1');
  });

  it('is that of a run that was extended: the former schedule up to its end, the new one after', async () => {
    const cwd = copyOfRun();
    await runCli(cwd, ['train', '--resume', 'run', '--steps', '80', '--json']);
    await exported(cwd, 'run', '--trace', '80', '--to', 'trace.safetensors');
    const trace = read(cwd);
    expect(floats(trace, 'final.C')).toEqual(ownArrays(cwd).get('C'));
    expect([...floats(trace, 'rates')].slice(20, 55)).toEqual(Array.from({ length: 35 }, (_, k) => (k < 5 ? 0.1 : 0.01)));
  });

  it('of a run that began with given parameters begins with them', async () => {
    const cwd = copyOfRun();
    await exported(cwd, 'run', '--to', 'model.npz');
    const argv = ['train', '--init', 'model.npz', '--data', 'names.txt', '--steps', '4', '--out', 'next', '--json'];
    expect((await runCli(cwd, argv)).exitCode).toBe(0);
    await exported(cwd, 'next', '--trace', '4', '--to', 'trace.safetensors');
    const trace = read(cwd);
    expect(floats(trace, 'initial.W1')).toEqual(ownArrays(cwd).get('W1'));
    expect(floats(trace, 'final.W1')).toEqual(loadCheckpoint(join(cwd, 'next', 'checkpoint.safetensors')).tensors.get('W1'));
  });

  it('ends at a signal, without a file', async () => {
    const cwd = copyOfRun();
    const argv = ['export', 'run', '--trace', '50', '--to', 'trace.safetensors'];
    expect((await runCli(cwd, argv, { stop: { signal: 'SIGINT', at: 5 } })).exitCode).toBe(130);
    expect(readdirSync(cwd).sort()).toEqual(['names.txt', 'run']);
  });

  it.each([
    [['--trace', '51', '--to', 'x.safetensors'], '--trace 51: the run of run/checkpoint.safetensors has 50 steps; give 1 to 50'],
    [['--trace', '0', '--to', 'x.safetensors'], '--trace'],
    [['--trace', '5'], '--trace needs a file to write; name it with --to trace.safetensors'],
    [['--trace', '5', '--to', 'x.npz'], '--trace writes a .safetensors file, not x.npz'],
  ])('is refused for %j (2)', async (argv, message) => {
    expectRefusal(await runCli(trained, ['export', 'run', ...argv]), 2, message);
  });
});

describe('export refuses', () => {
  it.each([
    [[], 'nothing to export; give --to FILE, --split DIR, or --trace K --to FILE'],
    [['--to', 'model.pt'], '--to model.pt has the extension .pt, expected .onnx, .npz, .safetensors or .json; PyTorch reads .npz'],
    [['--to', 'model'], '--to model has no extension, expected .onnx, .npz, .safetensors or .json'],
    [['--to', 'model.safetensor'], 'did you mean .safetensors?'],
    [['--to', 'model.npz', '--split', 'lists'], '--split and --to are two exports; run the command twice'],
    [['--split', ''], '--split needs the name of a directory'],
    [['--trace', '3', '--split', 'lists'], '--split and --trace are two exports'],
  ])('%j (2)', async (argv, message) => {
    expectRefusal(await runCli(trained, ['export', 'run', ...argv]), 2, message);
  });

  it('a file in the place of the run, and says what may be meant (2)', async () => {
    expectRefusal(await runCli(trained, ['export', 'model.onnx']), 2, 'nothing to export; did you mean --to model.onnx?');
  });

  it('to replace a file without --force', async () => {
    const cwd = copyOfRun();
    writeFileSync(join(cwd, 'model.npz'), 'mine');
    expectRefusal(await runCli(cwd, ['export', 'run', '--to', 'model.npz']), 2, '--to model.npz exists; --force replaces it');
    expect(readFileSync(join(cwd, 'model.npz'), 'utf8')).toBe('mine');
    await exported(cwd, 'run', '--to', 'model.npz', '--force');
    expect(readNpz(readFileSync(join(cwd, 'model.npz'))).size).toBe(9);
  });

  it('to replace its own checkpoint, under whatever name, and any file of a run', async () => {
    const cwd = copyOfRun();
    const checkpoint = readFileSync(join(cwd, 'run', 'checkpoint.safetensors'));
    symlinkSync(join('run', 'checkpoint.safetensors'), join(cwd, 'link.safetensors'));
    linkSync(join(cwd, 'run', 'checkpoint.safetensors'), join(cwd, 'same.safetensors'));
    for (const file of ['link.safetensors', 'same.safetensors', join('run', 'checkpoint.safetensors')]) {
      const refused = await runCli(cwd, ['export', 'run', '--to', file, '--force']);
      expectRefusal(refused, 2, 'would overwrite what it is made from; name another file');
    }
    cpSync(join(cwd, 'run'), join(cwd, 'other'), { recursive: true });
    for (const file of [join('run', 'run.json'), join('other', 'best.safetensors'), join('other', 'checkpoint.safetensors')]) {
      expectRefusal(await runCli(cwd, ['export', 'run', '--to', file, '--force']), 2, 'would overwrite a file of a run');
    }
    expect(readFileSync(join(cwd, 'run', 'checkpoint.safetensors'))).toEqual(checkpoint);
  });

  it('a missing directory, a directory and a part of the path that is a file (4)', async () => {
    const cwd = copyOfRun();
    mkdirSync(join(cwd, 'model.npz'));
    expectRefusal(await runCli(cwd, ['export', 'run', '--to', 'missing/model.npz']), 4, 'there is no directory', 'create it first');
    expectRefusal(await runCli(cwd, ['export', 'run', '--to', 'model.npz', '--force']), 4, 'model.npz: it is a directory; name a file');
    expectRefusal(await runCli(cwd, ['export', 'run', '--to', 'names.txt/model.npz']), 4, 'names.txt is a file');
  });

  it('to leave half a file where the disk is full: the old one stays, and no temporary file (4)', () => {
    const cwd = copyOfRun();
    writeFileSync(join(cwd, 'model.json'), 'mine');
    const { exitCode, stdout, stderr } = ninja(cwd, ['export', 'run', '--to', 'model.json', '--force'], { shellLimit: 'ulimit -f 4' });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 4,
      stdout: '',
      stderr: 'error: cannot write model.json: the file-size limit is reached\n',
    });
    expect(readFileSync(join(cwd, 'model.json'), 'utf8')).toBe('mine');
    expect(readdirSync(cwd).sort()).toEqual(['model.json', 'names.txt', 'run']);
  });

  it('a run that is missing (4)', async () => {
    expectRefusal(await runCli(tempDirectory(), ['export', '--to', 'model.npz']), 4, 'no run yet');
  });
});

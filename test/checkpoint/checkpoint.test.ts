import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { loadCheckpoint, modelConfig, type RunConfig, restoreModel, saveCheckpoint } from '../../src/checkpoint/checkpoint.js';
import { readSafetensors, type Safetensors, type StoredTensor, storeFloats, writeSafetensors } from '../../src/checkpoint/safetensors.js';
import { createDataset, createExamples, type Examples } from '../../src/dataset.js';
import { SystemError } from '../../src/errors.js';
import { Evaluator } from '../../src/evaluate.js';
import { createModel, type Model, PARAMETER_NAMES } from '../../src/model.js';
import { Training } from '../../src/train.js';
import { NAMES } from '../cli/fakeIO.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../cli/tempDirectory.js';
import { headerLength, isRead, rawFile, refusal } from './files.js';

const CONFIG: RunConfig = {
  context: 2,
  embedding: 2,
  hidden: 3,
  batchSize: 4,
  steps: 20,
  learningRate: 0.1,
  seed: 7,
  splitSeed: 42,
  unique: false,
};
const SHA256 = '0123456789abcdef'.repeat(4);

let directory: string;
let path: string;
let model: Model;
let vocabulary: readonly string[];
let validation: Examples;

beforeAll(() => {
  directory = makeDirectory();
  path = join(directory, 'checkpoint.safetensors');
  const dataset = createDataset(NAMES, CONFIG);
  vocabulary = dataset.vocabulary;
  model = createModel(createReferenceBackend('float32'), modelConfig(CONFIG, vocabulary));
  const training = createExamples(dataset.parts.train, vocabulary, CONFIG.context);
  validation = createExamples(dataset.parts.val, vocabulary, CONFIG.context);
  const run = new Training(model, training, CONFIG);
  while (!run.done) run.advance();
  new Evaluator(model).calibrate(training);
  save(path);
  return () => removeDirectory(directory);
});

function save(file: string): void {
  saveCheckpoint(file, model, { config: CONFIG, vocabulary, step: 20, dataSha256: SHA256 });
}

/** The checkpoint with something changed, in a file of its own. */
function changed(change: (file: { metadata: Record<string, string>; tensors: Map<string, StoredTensor> }) => void): string {
  const { metadata, tensors } = readSafetensors(readFileSync(path));
  const file = { metadata: { ...metadata }, tensors: new Map(tensors) } satisfies Safetensors;
  change(file);
  return put(tempDirectory(), 'changed.safetensors', writeSafetensors(file));
}

describe('save and load', () => {
  it('gives back everything that was saved', () => {
    const { config, vocabulary: letters, step, dataSha256, tensors } = loadCheckpoint(path);
    expect({ config, letters, step, dataSha256 }).toEqual({ config: CONFIG, letters: vocabulary, step: 20, dataSha256: SHA256 });
    expect([...tensors.keys()]).toEqual([...PARAMETER_NAMES, 'bnmean', 'bnvar']);
    for (const name of PARAMETER_NAMES) expect(tensors.get(name), name).toEqual(model.parameters[name]);
    expect(tensors.get('bnmean')).toEqual(model.bnmean);
    expect(tensors.get('bnvar')).toEqual(model.bnvar);
  });

  it('the same model gives the same bytes, wherever it is saved', () => {
    const other = join(tempDirectory(), 'under another name');
    save(other);
    expect(readFileSync(other)).toEqual(readFileSync(path));
  });

  it('holds no path, time or host', () => {
    expect(Object.keys(readSafetensors(readFileSync(path)).metadata).sort()).toEqual([
      'config',
      'dataSha256',
      'format',
      'formatVersion',
      'step',
      'vocabulary',
    ]);
  });

  it("stores every tensor in the lesson's shape", () => {
    const shapes = Object.fromEntries(
      [...readSafetensors(readFileSync(path)).tensors].map(([name, { dtype, shape }]) => [name, [dtype, ...shape]]),
    );
    const V = vocabulary.length;
    expect(shapes).toEqual({
      C: ['F32', V, 2],
      W1: ['F32', 4, 3],
      b1: ['F32', 3],
      bngain: ['F32', 1, 3],
      bnbias: ['F32', 1, 3],
      W2: ['F32', 3, V],
      b2: ['F32', V],
      bnmean: ['F32', 1, 3],
      bnvar: ['F32', 1, 3],
    });
  });

  it('a restored model has exactly the loss of the one that was saved', () => {
    const restored = restoreModel(loadCheckpoint(path), () => createReferenceBackend('float32'), []);
    const loss = new Evaluator(model).loss(validation);
    expect(loss).toBeGreaterThan(0);
    expect(new Evaluator(restored).loss(validation)).toBe(loss);
  });

  it('an older checkpoint is replaced', () => {
    const file = put(tempDirectory(), 'checkpoint.safetensors', 'x'.repeat(100_000));
    save(file);
    expect(readFileSync(file)).toEqual(readFileSync(path));
  });
});

describe('what the system refuses', () => {
  it('a missing file', () => {
    const missing = join(tempDirectory(), 'none');
    expect(() => loadCheckpoint(missing)).toThrow(SystemError);
    expect(() => loadCheckpoint(missing)).toThrow(`cannot read ${missing}: no such file or directory`);
  });

  it('saving where a directory stands: path and reason, and nothing is left behind', () => {
    const folder = tempDirectory();
    const target = join(folder, 'target');
    mkdirSync(join(target, 'inside'), { recursive: true });
    const before = snapshot(folder);
    expect(() => save(target)).toThrow(SystemError);
    expect(() => save(target)).toThrow(`cannot write ${target}: `);
    expect(snapshot(folder)).toEqual(before);
  });
});

describe('what is wrong with the file is named', () => {
  it('the path stands before it', () => {
    const file = put(tempDirectory(), 'my run.safetensors', 'short');
    expect(refusal(() => loadCheckpoint(file))).toBe(`'${file}': no safetensors file: 5 bytes, expected at least 8`);
  });

  it.each(['C', 'b2', 'bnmean', 'bnvar'])('the tensor %s is missing', (name) => {
    const file = changed(({ tensors }) => tensors.delete(name));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "${name}" is missing`);
  });

  it('a tensor is there that does not belong', () => {
    const file = changed(({ tensors }) => tensors.set('W3', storeFloats(Float32Array.of(1), [1])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: unexpected tensor "W3"`);
  });

  it.each([
    ['of another size', storeFloats(new Float32Array(12), [6, 2]), 'F32 [6, 2]'],
    ['of another rank', storeFloats(new Float32Array(12), [12]), 'F32 [12]'],
    ['in another precision', storeFloats(new Float64Array(12), [4, 3]), 'F64 [4, 3]'],
  ])('a tensor is %s', (_, tensor, found) => {
    const file = changed(({ tensors }) => tensors.set('W1', tensor));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "W1" is ${found}, expected F32 [4, 3]`);
  });

  it.each([Number.NaN, Infinity, -Infinity])('a tensor holds %d', (value) => {
    const file = changed(({ tensors }) => tensors.set('b1', storeFloats(Float32Array.of(0, value, 0), [3])));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: tensor "b1" holds NaN or Inf`);
  });

  it('all of it is listed, not the first only', () => {
    const file = changed(({ tensors }) => {
      tensors.delete('C');
      tensors.set('extra', storeFloats(Float32Array.of(1), [1]));
      tensors.set('b1', storeFloats(Float32Array.of(Number.NaN, 0, 0), [3]));
      tensors.set('bnvar', storeFloats(Float32Array.of(1, 1, 1), [3]));
    });
    const message = refusal(() => loadCheckpoint(file));
    for (const part of ['"C" is missing', 'unexpected tensor "extra"', '"b1" holds NaN', '"bnvar" is F32 [3], expected F32 [1, 3]']) {
      expect(message).toContain(part);
    }
  });

  it("somebody else's safetensors", () => {
    const file = put(tempDirectory(), 'theirs', writeSafetensors({ metadata: { format: 'pt' }, tensors: new Map() }));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: safetensors, but not a checkpoint of backprop-ninja`);
    writeFileSync(file, rawFile({}));
    expect(refusal(() => loadCheckpoint(file))).toBe(`${file}: safetensors, but not a checkpoint of backprop-ninja`);
  });

  it.each([
    ['an HTML page', '<!DOCTYPE html><html><body>404 Not Found</body></html>'],
    ["PyTorch's zip", 'PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0'],
    ['an empty file', ''],
    ['zeros', '\0'.repeat(64)],
  ])('%s is no safetensors file', (_, content) => {
    const file = put(tempDirectory(), 'file', Buffer.from(content, 'latin1'));
    expect(refusal(() => loadCheckpoint(file))).toMatch(/no safetensors file/);
  });

  it('a newer version of the format: the version expected and found', () => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = '2';
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(/formatVersion: .*"1".*"2"/);
  });

  const json = JSON.stringify;
  it.each([
    ['config', '{'],
    ['config', json({ ...CONFIG, hidden: -3 })],
    ['config', json({ ...CONFIG, hidden: 3.5 })],
    ['config', json({ ...CONFIG, hidden: '3' })],
    ['config', json({ ...CONFIG, learningRate: null })],
    ['config', json({ ...CONFIG, seed: undefined })],
    ['config', json({ ...CONFIG, more: 1 })],
    ['vocabulary', 'abc'],
    ['vocabulary', '[]'],
    ['vocabulary', '["."]'],
    ['vocabulary', '[".",1]'],
    ['step', '-1'],
    ['step', '1.5'],
    ['step', ''],
    ['dataSha256', 'abc'],
    ['dataSha256', SHA256.toUpperCase()],
  ])('metadata %s of %s', (key, value) => {
    const file = changed(({ metadata }) => {
      metadata[key] = value;
    });
    expect(refusal(() => loadCheckpoint(file))).toMatch(new RegExp(`: metadata: ${key}`));
  });

  it('metadata that is missing is listed, all of it', () => {
    const file = changed(({ metadata }) => {
      for (const key of ['config', 'step', 'dataSha256']) delete metadata[key];
    });
    const message = refusal(() => loadCheckpoint(file));
    for (const key of ['config', 'step', 'dataSha256']) expect(message).toContain(key);
    expect(message).not.toContain('vocabulary');
  });

  it('text of the file is shown escaped', () => {
    const file = changed(({ metadata }) => {
      metadata.formatVersion = '\x1b[31m2\n\u202e';
    });
    expect(refusal(() => loadCheckpoint(file))).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it.each([
    ['twice the same character', ['.', 'a', 'a']],
    ['no boundary in the first place', ['a', '.', 'b']],
    ['more than a character in an entry', ['.', 'ab', 'c']],
    ['an empty entry', ['.', '', 'c']],
    ['a control character', ['.', '\x1b', 'c']],
  ])('a vocabulary with %s', (_, letters) => {
    const file = changed(({ metadata, tensors }) => {
      metadata.vocabulary = json(letters);
      tensors.set('C', storeFloats(new Float32Array(6), [3, 2]));
      tensors.set('W2', storeFloats(new Float32Array(9), [3, 3]));
      tensors.set('b2', storeFloats(new Float32Array(3), [3]));
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('vocabulary');
  });

  it('sizes that no file can hold are refused without allocating them', () => {
    const file = changed(({ metadata }) => {
      metadata.config = json({ ...CONFIG, hidden: 2 ** 50, embedding: 2 ** 50 });
    });
    expect(refusal(() => loadCheckpoint(file))).toContain('tensor "C" is F32');
  });
});

describe('damage', () => {
  it('every shorter beginning of a checkpoint is refused', () => {
    const bytes = readFileSync(path);
    const file = join(tempDirectory(), 'damaged');
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(file, bytes.subarray(0, length));
      refusal(() => loadCheckpoint(file));
    }
  });

  it('a checkpoint with any one bit flipped is restored or refused, and nothing else happens', () => {
    const bytes = readFileSync(path);
    const file = join(tempDirectory(), 'damaged');
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      writeFileSync(file, damaged);
      isRead(() => restoreModel(loadCheckpoint(file), () => createReferenceBackend('float32'), []));
    }
  });

  it('a header length of 2^63 and one past the end are refused', () => {
    const file = join(tempDirectory(), 'damaged');
    for (const length of [2n ** 63n, 99_999_999n]) {
      writeFileSync(file, Buffer.concat([headerLength(length), Buffer.from('{}')]));
      refusal(() => loadCheckpoint(file));
    }
    rmSync(file);
  });
});

// Exported networks in onnxruntime, beside the program itself, whose losses give log-probabilities, and beside the arrays of the .json, which give
// logits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EVALUATION_BATCH, Evaluator, restoreModel } from 'backprop-ninja';
import { createWasmBackend, loadCheckpoint } from 'backprop-ninja/node';
import * as ort from 'onnxruntime-web';

const PROGRAM = fileURLToPath(new URL('node_modules/backprop-ninja/bin/backprop-ninja.js', import.meta.url));
const LIMIT = 1e-5;

/** The lesson's network, and a deep one with other sizes and characters. */
const NETWORKS = {
  lesson: ['--steps', '1500'],
  deep: ['--steps', '600', '--hidden', '40,30,20', '--context', '6', '--embedding', '5', '--optimizer', 'adam', '--lr', '0.01'],
};

// One thread: Node has no shared memory with which the others would start at once.
ort.env.wasm.numThreads = 1;

/** The forward pass of evaluation in plain JavaScript, from an exported .json: the logits after one context. */
function logitsOf({ parameters: p, statistics: s, hidden, epsilon }, context) {
  const linear = (x, W, b) => b.map((bias, j) => x.reduce((sum, value, i) => sum + value * W[i][j], bias));
  let h = context.flatMap((index) => p.C[index]);
  for (const k of hidden.keys()) {
    const of = (tensor) => (k === 0 ? tensor : `blocks.${k + 1}.${tensor}`);
    const [W, b] = k === 0 ? [p.W1, p.b1] : [p[of('W')], p[of('b')]];
    const [[gain], [bias], [mean], [variance]] = [p[of('bngain')], p[of('bnbias')], s[of('bnmean')], s[of('bnvar')]];
    h = linear(h, W, b).map((x, j) => Math.tanh((gain[j] * (x - mean[j])) / Math.sqrt(variance[j] + epsilon) + bias[j]));
  }
  return linear(h, p.W2, p.b2);
}

for (const [name, options] of Object.entries(NETWORKS)) {
  describe(`the exported ${name} network`, () => {
    let cwd;
    let session;
    let evaluator;
    let document;
    let vocabulary;
    let T;

    /** Runs the program. */
    const program = (...argv) =>
      execFileSync(process.execPath, [PROGRAM, ...argv], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

    before(async () => {
      cwd = mkdtempSync(join(tmpdir(), 'onnx-'));
      program('train', ...options, '--out', 'run');
      program('export', 'run', '--to', 'model.onnx');
      program('export', 'run', '--to', 'model.json');
      program('export', 'run', '--split', 'lists');
      session = await ort.InferenceSession.create(readFileSync(join(cwd, 'model.onnx')));
      document = JSON.parse(readFileSync(join(cwd, 'model.json'), 'utf8'));
      ({ vocabulary, context: T } = document);
      const checkpoint = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
      evaluator = new Evaluator(restoreModel(checkpoint, createWasmBackend, { inference: [EVALUATION_BATCH] }));
    });
    after(async () => {
      await session?.release();
      rmSync(cwd, { recursive: true, force: true });
    });

    /** Log-probabilities of the next character after each context, by onnxruntime: a list of V numbers per context. */
    async function logprobs(contexts) {
      const input = new ort.Tensor('int64', BigInt64Array.from(contexts.flat(), BigInt), [contexts.length, T]);
      const { logits, probs } = await session.run({ context: input });
      const V = vocabulary.length;
      assert.deepEqual(logits.dims, [contexts.length, V]);
      assert.deepEqual(probs.dims, [contexts.length, V]);
      return contexts.map((_, i) => {
        const row = Array.from(logits.data.subarray(i * V, (i + 1) * V));
        const most = Math.max(...row);
        const norm = Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most;
        for (const [c, x] of row.entries()) assert.ok(Math.abs(Math.exp(x - norm) - probs.data[i * V + c]) < LIMIT);
        return row.map((x) => x - norm);
      });
    }

    it('names its input and outputs with their shapes', () => {
      const heads = (list) => list.map(({ name, type, shape }) => [name, type, ...shape]);
      assert.deepEqual(heads(session.inputMetadata), [['context', 'int64', 'n', T]]);
      assert.deepEqual(heads(session.outputMetadata), [
        ['logits', 'float32', 'n', vocabulary.length],
        ['probs', 'float32', 'n', vocabulary.length],
      ]);
    });

    for (const n of [1, 2, 33, 300]) {
      it(`gives the program's numbers for ${n} contexts`, async () => {
        const V = vocabulary.length;
        const contexts = Array.from({ length: n }, (_, i) => Array.from({ length: T }, (_, t) => 1 + ((i * 31 + t * t * 7) % (V - 1))));
        const found = await logprobs(contexts);
        // The losses of all characters of a beginning of a name, together
        const losses = (...name) => name.length * evaluator.loss({ count: name.length, context: T, text: Int32Array.of(0, ...name) });
        for (let i = 0; i < n; i += Math.ceil(n / 20)) {
          const before = losses(...contexts[i]);
          for (let c = 0; c < V; c++) {
            const loss = losses(...contexts[i], c) - before;
            assert.ok(Math.abs(loss + found[i][c]) < LIMIT, `context ${contexts[i]}, character ${c}: ${loss} and ${-found[i][c]}`);
          }
        }
      });
    }

    it('gives the logits that the arrays of the .json give in float64', async () => {
      const V = vocabulary.length;
      const contexts = Array.from({ length: 50 }, (_, i) => Array.from({ length: T }, (_, t) => (i * 17 + t * 5) % V));
      const { logits } = await session.run({ context: new ort.Tensor('int64', BigInt64Array.from(contexts.flat(), BigInt), [50, T]) });
      for (const [i, context] of contexts.entries()) {
        for (const [c, x] of logitsOf(document, context).entries()) assert.ok(Math.abs(x - logits.data[i * V + c]) < LIMIT);
      }
    });

    it('has the validation loss of eval', async () => {
      const indexOf = new Map(vocabulary.map((character, index) => [character, index]));
      const contexts = [];
      const targets = [];
      for (const name of readFileSync(join(cwd, 'lists', 'val.txt'), 'utf8')
        .trimEnd()
        .split('\n')) {
        let context = Array(T).fill(0);
        for (const character of [...name, vocabulary[0]]) {
          contexts.push(context);
          targets.push(indexOf.get(character));
          context = [...context.slice(1), indexOf.get(character)];
        }
      }
      const rows = await logprobs(contexts);
      const loss = -rows.reduce((sum, row, i) => sum + row[targets[i]], 0) / rows.length;
      const own = JSON.parse(program('eval', 'run', '--json'));
      assert.equal(own.examples, rows.length);
      assert.ok(Math.abs(loss - own.loss) < LIMIT, `${loss} and ${own.loss}`);
    });

    it('spells the names of the program, if the likeliest character is taken', async () => {
      for (const start of ['', 'a', 'mar', 'zo', 'xi']) {
        const own = JSON.parse(program('sample', 'run', '--temperature', '0', '--count', '1', '--prefix', start, '--json')).samples[0];
        let name = start;
        for (;;) {
          const context = [...Array(T).fill(0), ...[...name].map((character) => vocabulary.indexOf(character))].slice(-T);
          const [row] = await logprobs([context]);
          const next = row.indexOf(Math.max(...row));
          if (next === 0 || name.length >= own.length) break;
          name += vocabulary[next];
        }
        assert.equal(name, own);
      }
    });
  });
}

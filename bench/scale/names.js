/** What a list of names costs: a process of its own, so that its memory is its own. Usage: node names.js FILE. Prints JSON. */
import { statSync } from 'node:fs';
import { createDataset, createExamples, drawBatch, Epochs, randomStream } from '../../dist/index.js';
import { readNamesFile } from '../../dist/node.js';

const [path] = process.argv.slice(2);
const T = 3;

function timed(work) {
  const start = performance.now();
  const result = work();
  return [result, (performance.now() - start) / 1000];
}

/** Nanoseconds per example of a batch: the median over rounds. */
function drawTime(examples, n) {
  const batch = { n, Xb: new Int32Array(n * T), Yb: new Int32Array(n) };
  const random = randomStream('batches', 1);
  const batches = Math.ceil(100_000 / n);
  const rounds = Array.from({ length: 15 }, () => {
    const [, seconds] = timed(() => {
      for (let k = 0; k < batches; k++) drawBatch(batch, examples, random);
    });
    return (1e9 * seconds) / (batches * n);
  });
  return rounds.sort((a, b) => a - b)[rounds.length >> 1];
}

const before = process.memoryUsage().rss;
let [{ names }, readSeconds] = timed(() => readNamesFile(path));
const count = names.length;
const [{ vocabulary, parts }, splitSeconds] = timed(() => createDataset(names, { splitSeed: 42, unique: false }));
names = undefined;
const examples = createExamples(parts.train, vocabulary, T);
const peakBytes = 1024 * process.resourceUsage().maxRSS - before;
globalThis.gc();
const bytes = process.memoryUsage().arrayBuffers;
const draws = [32, 512].map((n) => drawTime(examples, n));
const batch = { n: 32, Xb: new Int32Array(32 * T), Yb: new Int32Array(32) };
const [, epochSeconds] = timed(() => new Epochs(examples.count, randomStream('batches', 1)).drawBatch(batch, examples));
process.stdout.write(
  `${JSON.stringify({
    count,
    fileBytes: statSync(path).size,
    examples: examples.count,
    readSeconds,
    splitSeconds,
    bytes,
    peakBytes,
    draws,
    epochSeconds,
  })}\n`,
);

/** What a step of a network costs: a process of its own, so that its memory is its own. Usage: node network.js JSON. Prints JSON. */
import { allocateModel, createDataset, createExamples, Training } from '../../dist/index.js';
import { BUNDLED_NAMES, createThreadedBackend, createWasmBackend, readNamesFile } from '../../dist/node.js';

const { hidden, batchSize: n, data = BUNDLED_NAMES, threads = 1, seconds } = JSON.parse(process.argv[2]);
const { names } = readNamesFile(data);
const { vocabulary, parts } = createDataset(names, { splitSeed: 42, unique: false });
const { createBackend } = threads === 1 ? { createBackend: createWasmBackend } : createThreadedBackend({ threads });
const config = { context: 3, embedding: 10, hidden, vocabulary: vocabulary.length };
const model = allocateModel(createBackend, config, { training: n });
const options = { steps: Number.MAX_SAFE_INTEGER, batchSize: n, learningRate: 0.01, seed: 1 };
const training = new Training(model, createExamples(parts.train, vocabulary, config.context), options);
training.advance();
// Helpers start meanwhile.
if (threads > 1) await new Promise((resolve) => setTimeout(resolve, 500));

/** Milliseconds per step, in blocks of at least a fifth of the time. */
const blocks = [];
for (const end = performance.now() + 1000 * seconds; performance.now() < end || blocks.length === 0; ) {
  const start = performance.now();
  let steps = 0;
  do {
    training.advance();
    steps++;
  } while (performance.now() - start < 200 * seconds);
  blocks.push((performance.now() - start) / steps);
}
const ms = blocks.sort((a, b) => a - b)[blocks.length >> 1];
process.stdout.write(
  `${JSON.stringify({ parameters: model.flatParameters.length, ms, peakBytes: 1024 * process.resourceUsage().maxRSS })}\n`,
);

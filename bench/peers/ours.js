/** A training step of this program, from its build in dist/. Usage: node ours.js PROBLEM THREADS */
import { setTimeout } from 'node:timers/promises';
import { allocateModel, backward, createDataset, createExamples, forward, Training } from '../../dist/index.js';
import * as node from '../../dist/node.js';
import { answerCheck, answerTimes, fillBatch, normOf, readProblem } from './protocol.js';

const RATE = 0.1;
/** Until helpers have started, the kernels run on one thread. Steps before that do not count. */
const START_MS = 500;

const [path, threads] = process.argv.slice(2);
const problem = readProblem(path);
const { H, n, V, E, T } = problem;
const { createBackend } =
  threads === '1' ? { createBackend: node.createWasmBackend } : node.createThreadedBackend({ threads: Number(threads) });
const model = allocateModel(createBackend, { context: T, embedding: E, hidden: [H], vocabulary: V }, { training: n });
for (const [name, { data }] of Object.entries(problem.parameters)) model.parameters[name].set(data);

const { names } = node.readNamesFile(node.BUNDLED_NAMES);
const { vocabulary, parts } = createDataset(names, { splitSeed: 42, unique: false });
const options = { steps: Number.MAX_SAFE_INTEGER, batchSize: n, learningRate: () => RATE, seed: 1 };
const training = new Training(model, createExamples(parts.train, vocabulary, T), options, {}, 'parameters');
await setTimeout(START_MS);

/** One step with the first batch, in the arrays of the training; the loss before the update. */
function firstStep() {
  const { activations } = training;
  fillBatch(problem, activations, false);
  const loss = forward(model, activations);
  backward(model, activations);
  model.backend.sgdUpdate(model.flatParameters, model.flatGradients, RATE, model.flatParameters.length);
  return loss;
}
const loss = firstStep();
const norm = normOf([model.flatGradients]);
answerCheck(loss, norm, firstStep());

await answerTimes((steps) => {
  for (let s = 0; s < steps; s++) training.advance();
});

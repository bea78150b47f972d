/** A training step of this program, from its build in dist/. Usage: node ours.js PROBLEM THREADS */
import { setTimeout } from 'node:timers/promises';
import { allocateModel, backward, createDataset, createExamples, forward, Training } from '../../dist/index.js';
import { BUNDLED_NAMES, createThreadedBackend, readNamesFile } from '../../dist/node.js';
import { answerCheck, answerTimes, fillBatch, normOf, readProblem } from './protocol.js';

const RATE = 0.1;
/** Milliseconds within which all threads must have started. */
const PATIENCE = 60_000;

const [path, threads] = process.argv.slice(2);
const problem = readProblem(path);
const { H, n, V, E, T } = problem;
const { createBackend } = createThreadedBackend({ threads: Number(threads) });
const model = allocateModel(createBackend, { context: T, embedding: E, hidden: [H], vocabulary: V }, { training: n });
for (const [name, { data }] of Object.entries(problem.parameters)) model.parameters[name].set(data);

const { names } = readNamesFile(BUNDLED_NAMES);
const { vocabulary, parts } = createDataset(names, { splitSeed: 42, unique: false });
const options = { steps: Number.MAX_SAFE_INTEGER, batchSize: n, learningRate: () => RATE, seed: 1 };
const training = new Training(model, createExamples(parts.train, vocabulary, T), options, {}, 'parameters');

/** Computes until all threads take part: until they have started, the others compute alone. */
async function start(wanted) {
  const { activations } = training;
  fillBatch(problem, activations, false);
  for (const end = performance.now() + PATIENCE; ; await setTimeout(10)) {
    forward(model, activations);
    const working = model.backend.threads?.working ?? 1;
    if (working === wanted) return;
    if (performance.now() > end) throw new Error(`${working} of ${wanted} threads have started`);
  }
}

/** One step with the first batch, in the arrays of the training; the loss before the update. */
function firstStep() {
  const { activations } = training;
  fillBatch(problem, activations, false);
  const loss = forward(model, activations);
  backward(model, activations);
  model.backend.sgdUpdate(model.flatParameters, model.flatGradients, RATE, model.flatParameters.length);
  return loss;
}

await start(Number(threads));
const loss = firstStep();
const norm = normOf([model.flatGradients]);
answerCheck(loss, norm, firstStep());

await answerTimes((steps) => {
  for (let s = 0; s < steps; s++) training.advance();
});

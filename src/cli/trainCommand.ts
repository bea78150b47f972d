import { closeSync, openSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ArenaSize } from '../backend/backend.js';
import { createWasmBackend } from '../backend/wasm.js';
import { modelConfig, type RunConfig, saveCheckpoint } from '../checkpoint/checkpoint.js';
import { CHECKPOINT_FILE, createNamedRun, createNumberedRun, linkLatest, METRICS_FILE, writeRunFile } from '../checkpoint/runDirectory.js';
import { createExamples, type Examples } from '../dataset.js';
import { FileContentError, showPath, UsageError, withSystemErrors } from '../errors.js';
import { CHUNK } from '../evaluate.js';
import { arenaBytes, arenaSize, createModel, type Model, type ModelConfig, parameterCount } from '../model.js';
import { Training } from '../train.js';
import { type LoadedData, loadData } from './data.js';
import { formatBytes, formatCount } from './format.js';
import { type IO, shortPath, TURN_MS } from './io.js';
import { Progress } from './progress.js';
import { createReport, printReport } from './report.js';
import { programVersion } from './version.js';

export interface TrainCommandOptions {
  data?: string;
  out?: string;
  force?: boolean;
  context: number;
  embedding: number;
  hidden: number;
  batchSize: number;
  steps: number;
  lr: number;
  seed: number;
  splitSeed: number;
  unique: boolean;
  json?: boolean;
  color: boolean;
}

/** What one WebAssembly memory can hold, and so the largest network. */
const MEMORY_LIMIT = 2 ** 32 - 2 ** 20;

export async function trainCommand(options: TrainCommandOptions, io: IO): Promise<void> {
  const data = loadData(options.data, options, io);
  const config = runConfig(options);
  const shape = modelConfig(config, data.dataset.vocabulary);
  checkMemory(shape, config.batchSize, data);
  const run =
    options.out === undefined ? createNumberedRun(io.cwd) : createNamedRun(resolve(io.cwd, options.out), options.force ?? false, data.path);
  const about = {
    program: `backprop-ninja ${programVersion()}`,
    node: process.version,
    startedAt: io.date().toISOString(),
    data: { path: data.path, sha256: data.sha256, names: data.names },
    config,
  };
  writeRunFile(run, about);
  linkLatest(io.cwd, run);

  const model = createModel(createWasmBackend(arenaOf(shape, config.batchSize)), shape);
  const examples = createExamples(data.dataset.parts.train, data.dataset.vocabulary, config.context);
  announce(io, run, model, data, examples);
  const seconds = await trainModel(model, examples, config, join(run, METRICS_FILE), io);

  const report = createReport(model, data.dataset, examples, config);
  const checkpoint = join(run, CHECKPOINT_FILE);
  saveCheckpoint(checkpoint, model, {
    config,
    vocabulary: data.dataset.vocabulary,
    step: config.steps,
    dataSha256: data.sha256,
  });
  const { steps } = config;
  const result = {
    run,
    checkpoint,
    parameters: parameterCount(shape),
    steps,
    seconds,
    stepsPerSecond: steps / seconds,
    ...report,
  };
  writeRunFile(run, { ...about, finishedAt: io.date().toISOString(), result });
  if (options.json) io.stdout.write(`${JSON.stringify(result)}\n`);
  else await printReport(report, data.dataset, run, io, options.color);
}

function runConfig({ context, embedding, hidden, batchSize, steps, lr, seed, splitSeed, unique }: TrainCommandOptions): RunConfig {
  return { context, embedding, hidden, batchSize, steps, learningRate: lr, seed, splitSeed, unique };
}

/** Training, then evaluation, then sampling. */
function arenaOf(config: ModelConfig, batchSize: number): ArenaSize {
  return arenaSize(config, { training: batchSize, inference: [CHUNK, 1] });
}

/** Refuses a network that cannot be held, before any of it is allocated, and says whose doing it is. */
function checkMemory(config: ModelConfig, batchSize: number, { path }: LoadedData): void {
  const needed = arenaBytes(arenaOf(config, batchSize));
  if (needed <= MEMORY_LIMIT) return;
  const sizes = `the network needs ${formatBytes(needed)} of memory, at most ${formatBytes(MEMORY_LIMIT)} can be had`;
  if (arenaBytes(arenaOf({ ...config, vocabulary: 27 }, batchSize)) <= MEMORY_LIMIT) {
    throw new FileContentError(`${showPath(path)}: its vocabulary has ${formatCount(config.vocabulary)} characters, with which ${sizes}`);
  }
  throw new UsageError(`${sizes}; lower --hidden, --embedding, --context or --batch-size`);
}

function announce(io: IO, run: string, model: Model, { path, names, dataset }: LoadedData, examples: Examples): void {
  const { context: T, embedding: E, hidden: H, vocabulary: V } = model.config;
  io.stderr.write(
    `${shortPath(path, io)}: ${formatCount(names)} names, ${formatCount(dataset.parts.train.length)} of them to train on ` +
      `(${formatCount(examples.count)} examples), ${V} characters\n` +
      `T ${T}, E ${E}, H ${H}: ${formatCount(parameterCount(model.config))} parameters; writing ${shortPath(run, io)}\n`,
  );
}

/** Trains to the end, with metrics in the file and progress on stderr. Returns the seconds that the steps took. */
async function trainModel(model: Model, examples: Examples, config: RunConfig, metricsPath: string, io: IO): Promise<number> {
  const metrics = withSystemErrors('write', metricsPath, () => openSync(metricsPath, 'w'));
  try {
    const training = new Training(model, examples, config, (record) => {
      withSystemErrors('write', metricsPath, () => writeSync(metrics, `${JSON.stringify(record)}\n`));
    });
    const progress = new Progress(io, config.steps);
    try {
      while (!training.done) {
        const turnEnds = io.now() + TURN_MS;
        do training.advance();
        while (!training.done && io.now() < turnEnds);
        if (!training.done) progress.update(training.step, training.smoothedLoss);
        await nextTurn();
      }
    } catch (error) {
      progress.clear();
      throw error;
    }
    return progress.finish(training.step, training.smoothedLoss);
  } finally {
    closeSync(metrics);
  }
}

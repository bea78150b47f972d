import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Job } from '../../core/job.js';
import { choice, flag, text } from '../../core/kinds.js';
import { withDefaults } from '../../core/optionRow.js';
import { createExamples, type Examples } from '../../data/dataset.js';
import type { NameList } from '../../data/nameList.js';
import { Evaluator } from '../../evaluation/evaluator.js';
import { allocateModel, type Model } from '../../network/arrays.js';
import { hasBatchNorm, parameterCount } from '../../network/parameters.js';
import { checkDiskSpace } from '../../node/diskSpace.js';
import { createWasmBackend } from '../../node/kernels.js';
import {
  BEST_FILE,
  CHECKPOINT_FILE,
  createNamedRun,
  createNumberedRun,
  INIT_FILE,
  METRICS_FILE,
  removeEmptyDirectory,
  replaceRunFile,
} from '../../node/runDirectory.js';
import { RunFiles } from '../../node/runFiles.js';
import { sha256 } from '../../node/sha256.js';
import { checkpointBytes, type RunSnapshot } from '../../run/checkpoint.js';
import { INFERENCE } from '../../run/limitedBackend.js';
import { runBytes } from '../../run/size.js';
import { LAYOUTS, type Weights } from '../../run/weights.js';
import { DATA_OPTIONS } from '../../training/options.js';
import { createRunConfig, sizesOf } from '../../training/recipe.js';
import { type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import { Training } from '../../training/training.js';
import { defineCommand } from '../command.js';
import { type LoadedData, loadData } from '../data.js';
import { DATA_OPTION } from '../options.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatCountOf, formatLoss } from '../terminal/format.js';
import { type IO, type StopSignal, shortPath } from '../terminal/io.js';
import { Status } from '../terminal/status.js';
import { inTurns } from '../terminal/turns.js';
import { openWeights, settingsOf, sourceEntry, type WeightsSource, weightsOf } from '../weights.js';
import { dataEntry, kernelsFor, lockDirectory, programName, tryLinkLatest } from './startRun.js';

export const importWeights = defineCommand({
  description: "Makes a run of weights that were trained elsewhere, such as in PyTorch: for 'eval', 'sample', 'export' and 'diff'.",
  arguments: [{ name: '<file>', description: "a .safetensors or .npz file with the lesson's parameters, or a run" }],
  options: [
    { ...DATA_OPTION, description: 'text file with the names that the weights were trained on, one per line' },
    { key: 'out', flag: '--out <dir>', description: 'run directory', defaultText: 'a new runs/NNNN', kind: text },
    { key: 'force', flag: '--force', description: 'replace the run in an existing directory', kind: flag },
    {
      key: 'layout',
      flag: '--layout <name>',
      description: "layout of square matrices, whose shape does not show it; lesson: [in, out]; linear: nn.Linear's [out, in]",
      defaultText: 'lesson',
      kind: choice(LAYOUTS),
    },
    ...DATA_OPTIONS,
  ],
  examples: [
    ['backprop-ninja import weights.safetensors', 'weights trained on the bundled names'],
    ['backprop-ninja import weights.npz --data words.txt --out torch', 'weights trained on other words, in the directory torch'],
  ],
  async run({ io, json, given, options: { layout, out, force = false, data: names }, printJson }, file: string) {
    const source = openWeights(file, io);
    const data = loadData(names, withDefaults(DATA_OPTIONS, given), io);
    const weights = weightsOf(source, data, { layout, uses: 'all' }, io);
    const { context } = weights.shape;
    const isNormed = hasBatchNorm(weights.shape);
    const settings = { ...settingsOf(weights.shape), steps: 0, imported: true };
    const config = createRunConfig({ ...given, ...settings }, sizesOf(data.dataset));
    const model = allocateModel(kernelsFor(config, data, createWasmBackend), weights.shape, trainingCapacity(config, INFERENCE));
    const examplesOf = (part: NameList) => createExamples(part, data.dataset.vocabulary, context);
    const examples = examplesOf(data.dataset.parts.train);
    const snapshot = snapshotOf(config, data, model, examples);
    const status = new Status(io);
    const { valLoss, signal } = await inTurns(io, async (turns) => ({
      valLoss: await turns.run(fill(model, weights, examples, examplesOf(data.dataset.parts.val)), () =>
        status.update(() => `computing ${isNormed ? 'the statistics of batch norm and ' : ''}the validation loss`),
      ),
      signal: turns.signal,
    }));
    status.clear();
    if (signal || valLoss === undefined) {
      io.stderr.write(`${signal}: nothing is imported\n`);
      return EXIT_SIGNAL[signal as StopSignal];
    }
    const place = { out, force, source, data, config, shape: weights.shape };
    const directory = await writeRun(place, checkpointBytes(model, snapshot, sha256), valLoss, io);
    const { reading } = weights;
    const result = {
      run: directory,
      checkpoint: join(directory, CHECKPOINT_FILE),
      source: sourceEntry(source),
      ...weights.shape,
      parameters: parameterCount(weights.shape),
      layout: reading.layout,
      statistics: statisticsFrom(weights),
      rounded: reading.rounded,
      unused: reading.unused,
      valLoss,
    };
    if (json) printJson(result);
    else io.stdout.write(`${linesOf(result, examples, directory, io).join('\n')}\n`);
    return 0;
  },
});

/** Where the statistics of batch norm come from. */
function statisticsFrom({ shape, statistics }: Weights): 'none' | 'read' | 'computed' {
  if (!hasBatchNorm(shape)) return 'none';
  return statistics ? 'read' : 'computed';
}

/** The state of a run before its first step. */
function snapshotOf(config: RunConfig, { dataset, sha256: dataSha256 }: LoadedData, model: Model, examples: Examples): RunSnapshot {
  const { state } = new Training(model, examples, config, {}, 'parameters');
  return { program: programName(), config, vocabulary: dataset.vocabulary, state, best: null, dataSha256 };
}

/** Gives the model its weights, with statistics from the training examples if the file has none. @returns the validation loss */
function* fill(model: Model, { parameters, statistics }: Weights, training: Examples, validation: Examples): Job<number> {
  for (const [name, values] of parameters) model.parameters[name].set(values);
  const evaluator = new Evaluator(model);
  if (statistics) for (const [name, values] of statistics) model.statistics[name].set(values);
  else yield* evaluator.calibrateInParts(training);
  return yield* evaluator.lossInParts(validation);
}

interface Place {
  out: string | undefined;
  force: boolean;
  source: WeightsSource;
  data: LoadedData;
  config: RunConfig;
  shape: Weights['shape'];
}

/** Writes the run's directory. A directory that it made for nothing is removed again. @returns its path */
async function writeRun(
  { out, force, source, data, config, shape }: Place,
  checkpoint: Uint8Array,
  valLoss: number,
  io: IO,
): Promise<string> {
  const isNew = out === undefined || !existsSync(resolve(io.cwd, out));
  const input = data.bytes ? undefined : data.path;
  const directory = out === undefined ? createNumberedRun(io.cwd) : createNamedRun(resolve(io.cwd, out), force, input, source.path);
  const startedAt = io.date().toISOString();
  try {
    const lock = await lockDirectory(directory, startedAt, io);
    const files = new RunFiles(directory, lock);
    try {
      checkDiskSpace(directory, runBytes(shape, config));
      const runFile = {
        program: programName(),
        node: process.version,
        startedAt,
        data: dataEntry(data, directory),
        config,
        source: sourceEntry(source),
        result: { valLoss },
      };
      // As in a training: an older run's files are replaced once the checkpoint is.
      files.replace(CHECKPOINT_FILE, checkpoint);
      for (const name of [BEST_FILE, METRICS_FILE, INIT_FILE]) files.remove(name);
      replaceRunFile(files, runFile);
    } finally {
      files.close();
      lock.release();
    }
  } catch (error) {
    if (isNew) removeEmptyDirectory(directory);
    throw error;
  }
  tryLinkLatest(directory, io);
  return directory;
}

function linesOf(
  {
    context: T,
    embedding: E,
    hidden,
    vocabulary: V,
    parameters,
    statistics,
    valLoss,
  }: Weights['shape'] & {
    parameters: number;
    statistics: 'none' | 'read' | 'computed';
    valLoss: number;
  },
  examples: Examples,
  directory: string,
  io: IO,
): string[] {
  const sources = { none: [], read: ['from the file'], computed: [`computed from ${formatCountOf(examples.count, 'training example')}`] };
  return [
    `imported as ${shortPath(directory, io)}: T ${T}, E ${E}, H ${hidden.join(',')}, ${V} characters: ${formatCount(parameters)} parameters`,
    ...sources[statistics].map((from) => `statistics of batch norm ${from}`),
    `validation loss ${formatLoss(valLoss)} nats per character`,
  ];
}

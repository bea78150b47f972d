import { UsageError } from '../../core/errors.js';
import { flag, text, wholeNumber } from '../../core/kinds.js';
import { indexAt, indexOfLargest } from '../../core/numbers.js';
import { flagName, type OptionRow } from '../../core/optionRow.js';
import { Tensor } from '../../core/tensor.js';
import { shellWord } from '../../core/text.js';
import { type Dataset, DEFAULT_SPLIT } from '../../data/dataset.js';
import type { LessonConfig } from '../../lesson/case.js';
import { readEntry } from '../../lesson/entry.js';
import { backward } from '../../lesson/exercise1.js';
import { createNamesCase, type NamesCaseOptions, PASS_LIMITS } from '../../lesson/namesCase.js';
import { why as explain } from '../../lesson/why.js';
import { byName, hasBatchNorm, LESSON_PARAMETER_NAMES, parameterShapes } from '../../network/parameters.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { STANDARD_INPUT } from '../../node/namesFile.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { NAMES_OPTIONS } from '../../training/options.js';
import { modelConfig } from '../../training/runConfig.js';
import { type CommandContext, defineCommand } from '../command.js';
import { loadData, loadRunData } from '../data.js';
import { DATA_OPTION } from '../options.js';
import { widthOf } from '../terminal/format.js';
import { commandName, type IO, shortPath } from '../terminal/io.js';
import { loadWidths } from '../terminal/width.js';
import { whyLines } from './whyReport.js';

const OPTIONS = [
  {
    key: 'run',
    flag: '--run <run>',
    description: 'run directory or checkpoint, for a trained network',
    defaultText: 'an untrained one',
    kind: text,
  },
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of parameters and batches',
    kind: wholeNumber(...PASS_LIMITS.seed),
    default: 1,
  },
  { key: 'batch', flag: '--batch <k>', description: 'number of the batch, from 0', kind: wholeNumber(...PASS_LIMITS.batch), default: 0 },
  { key: 'n', flag: '--n <n>', description: 'batch size', kind: wholeNumber(...PASS_LIMITS.n), default: 32 },
  DATA_OPTION,
  ...NAMES_OPTIONS,
  { key: 'all', flag: '--all', description: 'list all terms, not only the largest', kind: flag },
] as const satisfies readonly OptionRow[];

type WhyContext = CommandContext<(typeof OPTIONS)[number]>;

export const why = defineCommand({
  description:
    "Shows what an entry of a tensor is made of, on a batch of names: the formula, its numbers, and the terms, the largest first. It explains every tensor of the lesson's forward and backward pass, so you can follow a gradient from a parameter up to the loss.",
  arguments: [
    { name: '[tensor]', description: 'a gradient, such as dW1, or another tensor', defaultText: 'loss' },
    { name: '[index...]', description: 'the entry, such as 3,17', defaultText: 'the one with the largest magnitude' },
  ],
  options: OPTIONS,
  examples: [
    ['backprop-ninja why dW1 3,17', 'an entry of a gradient'],
    ['backprop-ninja why dlogits', 'its largest entry'],
    ['backprop-ninja why dC 1,0 --run runs/latest', 'of a trained network'],
    ['backprop-ninja why bnvar_inv 0,17 --all', 'all terms'],
  ],
  async run(context: WhyContext, tensor: unknown, index: unknown) {
    const { io, options, given, json, printJson, paint } = context;
    const { seed, batch, n, all = false } = options;
    const { dataset, trained, path } = options.run === undefined ? untrainedData(context) : runData(options.run, context);
    const { values } = createNamesCase(dataset, { seed, batch, n, ...(trained && { trained }) });
    const pass = { ...values, ...backward(values) };
    const { name, at } = readEntry([tensor ?? 'loss', ...((index ?? []) as string[])].join(' '), pass);
    const { data, shape } = pass[name];
    const explanation = explain(pass, name, at ?? indexAt(indexOfLargest(data), shape));
    if (json) {
      printJson({ ...explanation, seed, batch, n, ...(path === undefined ? {} : { checkpoint: path }) });
      return;
    }
    const { vocabulary } = dataset;
    await loadWidths(...vocabulary);
    const lines = whyLines(explanation, {
      batch: { Xb: values.Xb, Yb: values.Yb, vocabulary },
      largestOf: at === undefined ? data.length : undefined,
      pass: `${path === undefined ? '' : `${shortPath(path, io)}, `}seed ${seed}, batch ${batch}, n ${n}`,
      all,
      width: widthOf(io.stdout),
      paint: await paint(),
      command: (...words) => [commandName(io), 'why', ...words, ...repeated(given)].join(' '),
    });
    io.stdout.write(`${lines.join('\n')}\n`);
  },
});

/** The network and its data. */
interface Source {
  dataset: Dataset;
  trained?: NamesCaseOptions['trained'];
  /** The path of the checkpoint. */
  path?: string;
}

function untrainedData({ io, options }: WhyContext): Source {
  return { dataset: loadData(options.data, { ...options, ...DEFAULT_SPLIT }, io).dataset };
}

function runData(run: string, { io, options, given }: WhyContext): Source {
  const other = NAMES_OPTIONS.find(({ key }) => given[key] !== undefined);
  if (other) throw new UsageError(`${flagName(other)} cannot be used with --run: a run's names are read as the run read them`);
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const trained = oneBlock(path, checkpoint, io);
  return { dataset: loadRunData(path, checkpoint, options.data, 'may be another', io).dataset, trained, path };
}

/** @throws UsageError for a network of several blocks, or without batch norm */
function oneBlock(path: string, { config, vocabulary, tensors }: Checkpoint, io: IO): NamesCaseOptions['trained'] {
  const { hidden } = config;
  if (hidden.length > 1) {
    throw new UsageError(
      `${shortPath(path, io)} has ${hidden.length} blocks (--hidden ${hidden.join(',')}): the lesson's pass is that of one block`,
      {
        hint: 'name a run of one block, or leave out --run',
      },
    );
  }
  if (!hasBatchNorm(config)) {
    throw new UsageError(`${shortPath(path, io)} has no batch norm (--norm none): the lesson's pass has it`, {
      hint: 'name a run with batch norm, or leave out --run',
    });
  }
  const sizes = modelConfig(config, vocabulary);
  const shapes = parameterShapes(sizes);
  const parameters = LESSON_PARAMETER_NAMES.map((name) => new Tensor(tensors.get(name) as Float32Array, shapes[name]));
  return { config: sizes as LessonConfig, parameters: byName(LESSON_PARAMETER_NAMES, parameters) };
}

/** The options that the same pass needs again. */
function repeated(given: WhyContext['given']): string[] {
  return OPTIONS.flatMap((row) => {
    const value = given[row.key];
    return value === undefined || row.key === 'all'
      ? []
      : [flagName(row), shellWord(String(value), value === STANDARD_INPUT ? 'text' : 'file')];
  });
}

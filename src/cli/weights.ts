/** Weights that a user names: for import, train --init and lr-find --init. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FileContentError, namingFile, UsageError } from '../core/errors.js';
import { flagName, type GivenValues } from '../core/optionRow.js';
import { quoteText, showPath } from '../core/text.js';
import type { Model } from '../network/arrays.js';
import { hasBatchNorm, type ModelConfig, type Norm } from '../network/parameters.js';
import { findCheckpoint, INIT_FILE } from '../node/runDirectory.js';
import { sha256 } from '../node/sha256.js';
import { withSystemErrors } from '../node/systemErrors.js';
import { readTensorsFile, type TensorsFile } from '../node/tensorsFile.js';
import type { Checkpoint } from '../run/checkpoint.js';
import { type ReadWeightsOptions, readWeights, type Weights, weightsBytes } from '../run/weights.js';
import { RECIPE_OPTIONS, type TrainingRow } from '../training/options.js';
import { modelConfig } from '../training/runConfig.js';
import type { LoadedData } from './data.js';
import { formatCount, formatCountOf } from './terminal/format.js';
import { type IO, shortPath } from './terminal/io.js';

/** A file of tensors, or the checkpoint of a run, as the user named it. */
export interface WeightsSource extends TensorsFile {
  /** Absolute. */
  path: string;
  shownAs: string;
}

/** @param file a file, or a run's directory @throws SystemError, FileContentError as readTensorsFile does */
export function openWeights(file: string, io: IO): WeightsSource {
  const named = resolve(io.cwd, file);
  const isDirectory = withSystemErrors('read', file, () => statSync(named, { throwIfNoEntry: false })?.isDirectory() ?? false);
  const path = isDirectory ? findCheckpoint(io.cwd, file) : named;
  const shownAs = isDirectory ? shortPath(path, io) : file;
  return { path, shownAs: showPath(shownAs), ...readTensorsFile(path, shownAs) };
}

/** Its entry in run.json. */
export function sourceEntry({ path, sha256 }: WeightsSource): { path: string; sha256: string } {
  return { path, sha256 };
}

/**
 * The weights in a file; notes on stderr say how they were read.
 * @param uses what for: training begins with the parameters alone
 */
export function weightsOf(
  source: WeightsSource,
  { dataset }: LoadedData,
  { layout, uses }: Pick<ReadWeightsOptions, 'layout'> & { uses: 'all' | 'parameters' },
  io: IO,
): Weights {
  const weights = namingFile(source.shownAs, () => readWeights(source, { vocabulary: dataset.vocabulary, layout }));
  for (const text of notesOn(weights, layout === undefined, uses)) io.stderr.write(`note: ${source.shownAs}: ${text}\n`);
  return weights;
}

/** At most this many unused tensors are listed. */
const MOST_UNUSED = 12;

function notesOn({ shape, reading }: Weights, byDefault: boolean, uses: 'all' | 'parameters'): string[] {
  const { prefix, layout, ambiguous, wide, rounded, missingStatistics, unused } = reading;
  const matrices = [...shape.hidden.map((_, k) => (k === 0 ? 'W1' : `blocks.${k + 1}.W`)), 'W2'].join(', ');
  const other = uses === 'all' ? '--layout linear' : 'import with --layout linear';
  const changed = rounded === 0 ? 'no number' : `${formatCount(rounded)} of ${formatCountOf(wide, 'number')}`;
  const more = unused.length > MOST_UNUSED ? ` and ${formatCount(unused.length - MOST_UNUSED)} more` : '';
  return [
    ...(prefix === '' ? [] : [`read ${quoteText(prefix)}C as C, and the others likewise`]),
    ...(ambiguous && byDefault
      ? [
          `${matrices} are square, so their shapes do not show their layout; read as the lesson's, [in, out]; ${other} reads nn.Linear's, [out, in]`,
        ]
      : []),
    ...(hasBatchNorm(shape) ? [] : ['no bngain and no bnbias: a network without batch norm']),
    ...(layout === 'linear' ? [`${matrices} are in the layout of nn.Linear, [out, in]: transposed`] : []),
    ...(wide > 0 ? [`float64 is rounded to float32, which changes ${changed}`] : []),
    ...(missingStatistics.length > 0 && uses === 'all'
      ? [`missing ${missingStatistics.join(', ')}: the statistics of batch norm are computed`]
      : []),
    ...(unused.length > 0 ? [`not used: ${unused.slice(0, MOST_UNUSED).map(quoteText).join(', ')}${more}`] : []),
  ];
}

/** The options that the file decides. */
const DECIDED = ['context', 'embedding', 'hidden', 'norm'] as const;
/** The options that have no effect on parameters from a file. */
const DRAWN = ['initGain', 'initOutput'] as const;

const rowOf = (key: string) => RECIPE_OPTIONS.find((row) => row.key === key) as (typeof RECIPE_OPTIONS)[number];

/** Whether --init leaves nothing for an option to set. @param option its name without dashes */
export function isOfInit(option: string): boolean {
  return [...DECIDED, ...DRAWN].some((key) => flagName(rowOf(key)) === `--${option}`);
}

/** The parameters that a training begins with. */
export interface InitialWeights {
  /** What the file decides of the configuration. */
  settings: Omit<ModelConfig, 'vocabulary' | 'norm'> & { norm?: Norm; init: string };
  /** The content of init.safetensors. */
  bytes: Uint8Array;
  copyTo(model: Model): void;
}

/**
 * The parameters in a file, for a training.
 * @throws UsageError if a given option contradicts the network in the file
 */
export function initialWeights(source: WeightsSource, data: LoadedData, given: GivenValues<TrainingRow>, io: IO): InitialWeights {
  const drawn = DRAWN.find((key) => given[key] !== undefined);
  if (drawn) throw new UsageError(`${flagName(rowOf(drawn))} cannot be used with --init, whose parameters are not drawn`);
  const { shape, parameters } = weightsOf(source, data, { uses: 'parameters' }, io);
  const found = settingsOf(shape);
  for (const key of DECIDED) {
    const [asked, own] = [given[key], found[key] ?? 'batch'].map(String);
    if (given[key] === undefined || asked === own) continue;
    throw new UsageError(`${flagName(rowOf(key))} is ${asked}, but ${own} in ${source.shownAs}`, {
      hint: 'leave it out: --init decides it',
    });
  }
  const bytes = weightsBytes(shape, parameters);
  return { settings: { ...found, init: sha256(bytes) }, bytes, copyTo: (model) => copyTo(model, parameters) };
}

/** What a network decides of the configuration of its run. */
export function settingsOf({ context, embedding, hidden, norm }: ModelConfig): Omit<InitialWeights['settings'], 'init'> {
  return { context, embedding, hidden, ...(norm && { norm }) };
}

function copyTo(model: Model, parameters: Weights['parameters']): void {
  for (const [name, values] of parameters) model.parameters[name].set(values);
}

/**
 * The parameters that a run began with, from the init.safetensors beside its checkpoint.
 * @throws FileContentError if it is not the file that the run began with
 * @throws SystemError if it is missing
 */
export function readInitFile(checkpoint: string, { config, vocabulary }: Checkpoint, io: IO): Weights['parameters'] {
  const path = join(dirname(checkpoint), INIT_FILE);
  const shownAs = shortPath(path, io);
  const file = readTensorsFile(path, shownAs);
  if (file.sha256 !== config.init) {
    throw new FileContentError(`${shownAs} is not what the run began with: SHA-256 ${file.sha256}, expected ${config.init}`, {
      hint: 'restore it',
    });
  }
  const { shape, parameters } = namingFile(shownAs, () => readWeights(file, { vocabulary, layout: 'lesson' }));
  const expected = modelConfig(config, vocabulary);
  if (JSON.stringify(shape) === JSON.stringify(expected)) return parameters;
  throw new FileContentError(`${shownAs} holds another network than the run's`);
}

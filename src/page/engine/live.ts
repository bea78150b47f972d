/** A run that trains in the page as `train` does, to the same bytes. An engine has one; the page starts another engine for another run. */

import version from 'bundled:version';
import { sha256 as sha256Of } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { FileContentError, namingFile, UsageError } from '../../core/errors.js';
import { choice } from '../../core/kinds.js';
import { type OptionRow, readOption, withDefaults } from '../../core/optionRow.js';
import { parseNames } from '../../data/parseNames.js';
import { NGram } from '../../evaluation/ngram.js';
import { allocateModel } from '../../network/arrays.js';
import { type Checkpoint, parseCheckpoint, restoreModel } from '../../run/checkpoint.js';
import { INFERENCE, limitedBackend } from '../../run/limitedBackend.js';
import { dataDifferences, resumedConfig } from '../../run/resume.js';
import { TRAINING_OPTIONS, type TrainingOptionValues } from '../../training/options.js';
import { PRESET_NAMES, type PresetName } from '../../training/presets.js';
import { createRunConfig, type DataSizes, sizesOf, withPreset } from '../../training/recipe.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import { kernelsBackend } from './kernels.js';
import { type LiveData, type LiveIntervals, type LiveProgress, LiveRun, type LiveSample, type LiveSamples } from './liveRun.js';
import { createSplit, type NamesId, namesFileOf } from './names.js';
import type { TensorData } from './pass.js';

export type { LiveProgress, LiveSample, LiveSamples };

/** What a run is, when it is opened. */
export interface LiveInfo {
  config: RunConfig;
  vocabulary: readonly string[];
  /** Names in the list, with repeats. */
  names: number;
  /** Examples of the training and the validation split. */
  sizes: DataSizes;
  /** The number of all parameters. */
  parameters: number;
  /** Steps done. */
  step: number;
  /** The names of the tensors that `liveTensor` knows. */
  tensors: readonly string[];
  /** Losses on the validation names, in nats per character: of equal probabilities, and of n-grams of the training names. */
  baselines: { uniform: number; bigram: number; fourGram: number };
}

let live: LiveRun | undefined;

export const liveMethods = {
  /**
   * Opens a run: a new one, or one that is resumed after the step of its checkpoint. Without one, the engine keeps the run that it had.
   * @param options by key, as values or as the reader typed them; `preset`, too. To resume, only those that the checkpoint has, or more steps
   * @param checkpoint the bytes of a checkpoint.safetensors, of the page or of the terminal
   * @throws UsageError, FileContentError as `train` and `train --resume` do
   */
  liveOpen(options: Readonly<Record<string, unknown>>, names: NamesId, checkpoint?: Uint8Array): LiveInfo {
    const { preset, given } = readOptions(options);
    const run = checkpoint ? resumed(checkpoint, given, names) : created(preset, given, names);
    live = run;
    return infoOf(run);
  },

  /**
   * The run before its first step, with its names and options: the same seed draws the same initialisation.
   * @throws UsageError if the run began with the weights of a file
   */
  liveRestart(): LiveInfo {
    const { config, data, intervals } = opened();
    if (config.init !== undefined) {
      throw new UsageError('the run began with the weights of a file, which the page does not have', {
        hint: 'begin it again in a terminal',
        command: 'train --init FILE',
      });
    }
    live = begun(config, data, intervals);
    return infoOf(live);
  },

  /**
   * Trains until `livePause`, for this many steps, or to the end; it reports about 20 times a second.
   * @param most null for all
   * @throws NumericalError if a number is not finite; the run cannot train on then
   */
  liveTrain(most: number | null): Generator<LiveProgress, LiveProgress> {
    return opened().train(most);
  },

  /** Ends a training after a whole step, with everything that is due after it. Its result comes then. */
  livePause(): void {
    opened().pause();
  },

  /** The first names of those that `train` would print after this step. */
  liveSamples(count: number): Generator<undefined, LiveSamples> {
    return opened().samples(count);
  },

  /** A copy of a tensor after this step; null for what a step computes, as long as none is trained. */
  liveTensor(name: string): TensorData | null {
    return opened().tensor(name);
  },

  /** The bytes of the checkpoint.safetensors that `train` with these options would save after this step. */
  liveCheckpoint(): Generator<undefined, Uint8Array> {
    return opened().checkpoint();
  },
};

function opened(): LiveRun {
  if (!live) throw new RangeError('no run is open');
  return live;
}

const preset = choice(PRESET_NAMES);
const PRESET_ROW: OptionRow = { key: 'preset', flag: '--preset <name>', description: '', kind: preset };

/** @throws UsageError in the words of the command line if a value is not one of its option, or there is no such option */
function readOptions(options: Readonly<Record<string, unknown>>): { preset: PresetName; given: TrainingOptionValues } {
  const read = Object.entries(options).flatMap(([key, value]): [string, unknown][] => {
    if (value === undefined) return [];
    const row = [PRESET_ROW, ...(TRAINING_OPTIONS as readonly OptionRow[])].find((one) => one.key === key && one.flag !== undefined);
    if (!row) throw new UsageError(`unknown option '${key}'`);
    if (key === 'init') throw new UsageError('--init names a file, which a page cannot read', { hint: 'open a checkpoint' });
    return [[key, readOption(row, typeof value === 'string' ? value : row.kind.show(value))]];
  });
  const { preset: name = 'lesson', ...given } = Object.fromEntries(read);
  return { preset: name as PresetName, given };
}

/** Reads a list for a run: its own options decide how, unless others are given. */
function readData(id: NamesId, given: TrainingOptionValues): LiveData & { options: TrainingOptionValues } {
  const { bytes, shownAs, options: own } = namesFileOf(id);
  const ownReading = readOptions({ column: own.column, normalize: own.normalize }).given;
  const asked: TrainingOptionValues = { ...ownReading, ...given };
  const { splitSeed, unique, column, normalize } = withDefaults(TRAINING_OPTIONS, asked);
  const { names } = parseNames(bytes, shownAs, { column, normalize });
  return { shownAs, names, sha256: bytesToHex(sha256Of(bytes)), dataset: createSplit(names, { splitSeed, unique }), options: asked };
}

function created(preset: PresetName, given: TrainingOptionValues, names: NamesId): LiveRun {
  const { options, ...data } = readData(names, withPreset(TRAINING_OPTIONS, preset, given));
  return begun(createRunConfig(options, sizesOf(data.dataset)), data, intervalsOf(given));
}

function begun(config: RunConfig, data: LiveData, intervals: LiveIntervals): LiveRun {
  const shape = modelConfig(config, data.dataset.vocabulary);
  const model = allocateModel(backendFor(config, data), shape, trainingCapacity(config, INFERENCE));
  return new LiveRun({ config, data, model, program, sha256, intervals });
}

const intervalsOf = ({ checkEvery, diagnoseEvery }: TrainingOptionValues): LiveIntervals => ({ checkEvery, diagnoseEvery });

/** What errors call the file that the reader opened. */
const FILE = 'your checkpoint';

/** @throws UsageError, FileContentError as `train --resume` does */
function resumed(bytes: Uint8Array, given: TrainingOptionValues, names: NamesId): LiveRun {
  const from = namingFile(FILE, () => parseCheckpoint(bytes, sha256));
  if (from.config.imported) {
    throw new UsageError(`${FILE} was imported: there is no training to resume`, {
      hint: 'train from its weights, in a terminal',
      command: 'train --init FILE',
    });
  }
  const config = resumedConfig(from, given, FILE);
  const data = dataOf(from, names);
  const model = restoreModel(from, backendFor(config, data), trainingCapacity(config, INFERENCE));
  return new LiveRun({ config, data, model, program, sha256, intervals: intervalsOf(given), from });
}

/** @throws FileContentError if the list is not the data set of the run */
function dataOf(from: Checkpoint, id: NamesId): LiveData {
  const { splitSeed, unique, column, normalize } = from.config;
  const { bytes, shownAs } = namesFileOf(id);
  const digest = bytesToHex(sha256Of(bytes));
  // Another list may not have the column that the run reads.
  const isSame = digest === from.dataSha256;
  const { names } = parseNames(bytes, shownAs, isSame ? { column, normalize } : namesFileOf(id).options);
  const differences = dataDifferences(from, { sha256: digest, names });
  if (differences.length > 0) {
    throw new FileContentError(`${shownAs} is not the data set of the run: ${differences.join('; ')}`, {
      hint: 'use the names that it was trained on',
    });
  }
  return { shownAs, names, sha256: digest, dataset: createSplit(names, { splitSeed, unique }) };
}

const program = `backprop-ninja ${version}`;
const sha256 = (bytes: Uint8Array): string => bytesToHex(sha256Of(bytes));

function backendFor(config: RunConfig, { shownAs, dataset }: LiveData) {
  return limitedBackend(kernelsBackend(), config, { shownAs, vocabulary: dataset.vocabulary });
}

function infoOf(run: LiveRun): LiveInfo {
  const { config, data, model, step, tensorNames } = run;
  const { vocabulary, parts } = data.dataset;
  const lossOf = (order: number) => new NGram(parts.train, vocabulary, order).loss(parts.val);
  return {
    config,
    vocabulary,
    names: data.names.length,
    sizes: sizesOf(data.dataset),
    parameters: model.flatParameters.length,
    step,
    tensors: tensorNames,
    baselines: { uniform: Math.log(vocabulary.length), bigram: lossOf(2), fourGram: lossOf(4) },
  };
}

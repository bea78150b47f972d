/** The plan of a sweep: its runs, checked before any starts, and the configuration that each must have. */
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { UsageError } from '../../core/errors.js';
import { flagName, type OptionRow, withDefaults, wordsOf } from '../../core/optionRow.js';
import { randomStream } from '../../core/random.js';
import { shellWord } from '../../core/text.js';
import { MAIN } from '../../node/paths.js';
import type { Sweep } from '../../node/sweepDirectory.js';
import { combinationsOf, drawFrom, gridOf, type OptionValues, parseVariation, type SweepResult, type Variation } from '../../run/sweep.js';
import { DATA_OPTIONS, RECIPE_OPTIONS, TRAINING_OPTIONS } from '../../training/options.js';
import { createRunConfig, recipe, sizesOf, withPreset } from '../../training/recipe.js';
import type { RunConfig } from '../../training/runConfig.js';
import { type LoadedData, loadData } from '../data.js';
import { THREADS_OPTION } from '../kernels.js';
import { COMMON_OPTIONS, commanderMessage, parseWords } from '../options.js';
import { formatCount } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';
import { initialWeights, isOfInit, openWeights } from '../weights.js';
import { type GivenTrainOptions, TRAIN_OPTIONS } from './trainOptions.js';

/** Each run takes a second or more, and has a directory of its own. */
export const MAX_RUNS = 10_000;

export interface SweepPlan {
  sweep: Sweep;
  /** The options that all runs share, with absolute paths of files. */
  shared: GivenTrainOptions;
  /** The number of runs that were asked for. There are fewer if the lists have fewer combinations. */
  asked: number;
  /** The names, if they came from a pipe, which the runs cannot read again. */
  names?: Uint8Array;
  /** The configuration of a run with these values. The default of --eval-every may differ, because it depends on the split. */
  expectedConfig(options: OptionValues): RunConfig;
}

/** Checks every run before any starts. @throws UsageError or CommanderError if train would refuse its options */
export function planSweep(
  trainWords: readonly string[],
  { vary, random, seed }: { vary: readonly string[]; random?: number; seed: number },
  io: IO,
): SweepPlan {
  const variations = vary.map(parseVariation);
  const options = variations.map(({ option }) => option);
  const twice = options.find((option, i) => options.indexOf(option) !== i);
  if (twice) throw new UsageError(`--vary ${twice} is given twice; give its values in one, such as ${twice}=1/2/3`);
  if (options.includes('data')) throw new UsageError('--vary data: losses on different data sets cannot be ranked');
  if (options.includes('init'))
    throw new UsageError('--vary init: all runs begin with the same parameters', { hint: 'give --init after --' });
  const shared = parseTrain(trainWords);
  for (const variation of variations) checkValues(variation);
  const asked = random ?? combinationsOf(variations);
  if (asked > MAX_RUNS) {
    throw new UsageError(`--vary gives ${formatCount(asked)} combinations, but a sweep has at most ${formatCount(MAX_RUNS)} runs`, {
      hint: 'give fewer values, or draw some of the combinations with --random',
    });
  }
  const runs = random === undefined ? gridOf(variations) : drawFrom(variations, random, randomStream('sweep', seed));
  const source = shared.init === undefined ? undefined : openWeights(shared.init, io);
  const ofInit = source && options.find((option) => isOfInit(option));
  if (ofInit) throw new UsageError(`--vary ${ofInit} cannot be combined with --init, which decides the network and its first parameters`);
  const readTo = (assignment: OptionValues) => ({ ...shared, ...valuesOf(assignment) });
  if (!source) for (const assignment of runs) checkTogether(readTo(assignment));
  const data = loadData(shared.data, withDefaults(DATA_OPTIONS, shared), io);
  const init = source && initialWeights(source, data, shared, io).settings;
  const givenTo = (assignment: OptionValues) => ({ ...readTo(assignment), ...init });
  if (init) for (const assignment of runs) checkTogether(givenTo(assignment));
  const sweep = { vary: [...vary], random: random ?? null, seed, train: [...trainWords], dataSha256: data.sha256, runs };
  const expectedConfig = (assignment: OptionValues) => configOf(givenTo(assignment), data);
  const files = { ...(shared.data !== undefined && { data: data.path }), ...(source && { init: source.path }) };
  return { sweep, shared: { ...shared, ...files }, asked, expectedConfig, ...(data.bytes ? { names: data.bytes } : {}) };
}

function configOf(given: GivenTrainOptions, { dataset }: LoadedData): RunConfig {
  return createRunConfig(withPreset(TRAINING_OPTIONS, given.preset ?? 'lesson', given), sizesOf(dataset));
}

/** @throws UsageError if two values of a list mean the same, such as 0.1 and 1e-1 */
function checkValues(variation: Variation): void {
  if ('range' in variation) return;
  const { option, values } = variation;
  const row = rowOf(option);
  const shown = values.map((value) => JSON.stringify(valuesOf({ [option]: value })));
  const again = shown.findIndex((one, i) => shown.indexOf(one) !== i);
  if (again === -1 || !row) return;
  throw new UsageError(`--vary ${option}: ${values[shown.indexOf(shown[again])]} and ${values[again]} are the same value`);
}

function rowOf(option: string): OptionRow | undefined {
  return TRAIN_OPTIONS.find((row: OptionRow) => row.flag !== undefined && flagName(row) === `--${option}`);
}

/** The values of an assignment. Commander reports what cannot be read; for what can, it would be slow. */
function valuesOf(assignment: OptionValues): GivenTrainOptions {
  const parts = Object.entries(assignment).map(([option, value]) => {
    const row = rowOf(option);
    const read = row?.commands?.includes('sweep') && row.kind.stored.type !== 'flag' ? row.kind.read(value) : undefined;
    return row && read !== undefined ? { [row.key]: read } : parseTrain([`--${option}`, value]);
  });
  return Object.assign({}, ...parts) as GivenTrainOptions;
}

/** @throws UsageError if options do not go together */
function checkTogether(given: GivenTrainOptions): void {
  recipe(given.preset, Object.fromEntries(RECIPE_OPTIONS.filter(({ key }) => key in given).map(({ key }) => [key, given[key]])));
}

/** Parses options that all runs share. @throws UsageError if the runs of a sweep cannot have one of them */
function parseTrain(words: readonly string[]): GivenTrainOptions {
  const given: GivenTrainOptions = parseTrainWords(words);
  const decided = [...TRAIN_OPTIONS, ...COMMON_OPTIONS].find((row: OptionRow) => row.key in given && !row.commands?.includes('sweep'));
  if (decided && decided.key !== 'color') {
    const details = decided.key === THREADS_OPTION.key ? { hint: 'give it to the sweep, before --' } : {};
    throw new UsageError(`${flagName(decided)} cannot be set for the runs of a sweep`, details);
  }
  return given;
}

function parseTrainWords(words: readonly string[]): GivenTrainOptions {
  try {
    return parseWords('train', [...TRAIN_OPTIONS, ...COMMON_OPTIONS], words);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new UsageError('--help cannot be set for the runs of a sweep', { cause: error });
    if (error.code === 'commander.excessArguments') {
      const word = words.find((one) => !one.startsWith('-')) ?? words[0];
      throw new UsageError(`too many arguments: '${word}' is no option of train`, {
        hint: 'the options of train follow --, such as -- --steps 5000; the values of one --vary are separated by /',
        cause: error,
      });
    }
    if (error.code !== 'commander.invalidArgument' || !error.message.includes(',')) throw error;
    throw new UsageError(commanderMessage(error).replace(/\.$/, ''), {
      hint: '--vary separates values by /, such as lr=0.05/0.1',
      cause: error,
    });
  }
}

/** The words of a sweep's command that make it the one that it is. */
export function commandOf({ vary, random, seed, train }: Sweep): string {
  const sampling = random === null ? [] : [`--random ${random} --seed ${seed}`];
  const rest = train.length > 0 ? ['--', ...train.map((word) => shellWord(word))] : [];
  return [...vary.map((one) => `--vary ${shellWord(one)}`), ...sampling, ...rest].join(' ');
}

/** Whether two sweeps are the same, wherever their data set and the file of --init are. */
export function isSameSweep(a: Sweep, b: Sweep): boolean {
  const shared = ({ train }: Sweep) => {
    const { data, init, ...others } = parseTrain(train);
    return JSON.stringify(wordsOf(TRAIN_OPTIONS, others));
  };
  const [own, other] = [a, b].map((sweep) => commandOf({ ...sweep, train: [] }));
  if (own !== other || commandOf(a) === commandOf(b)) return own === other;
  try {
    return shared(a) === shared(b);
  } catch (error) {
    // Options of another version of the program.
    if (error instanceof UsageError || error instanceof CommanderError) return false;
    throw error;
  }
}

/** For an option of train before the `--`: where it belongs. */
export function misplacedOption(flag: string): string | undefined {
  const row = rowOf(flag.replace(/^--/, ''));
  return row?.commands?.includes('sweep') ? `${flag} is an option of train: put it after --, such as -- ${row.flag}` : undefined;
}

/** The words that run the program with a run of a sweep, from any directory. */
export function runWords(directory: string, { run, options }: Pick<SweepResult, 'run' | 'options'>, shared: GivenTrainOptions): string[] {
  const out = ['--out', join(directory, run)];
  return [process.execPath, MAIN, 'train', '--continue', ...out, ...wordsOf(TRAIN_OPTIONS, shared), ...asArguments(options)];
}

export function asArguments(assignment: OptionValues): string[] {
  return Object.entries(assignment).flatMap(([option, value]) => [`--${option}`, value]);
}

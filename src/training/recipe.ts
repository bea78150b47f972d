/** Turns options into a recipe, and into the configuration of a run. */
import { UsageError } from '../core/errors.js';
import { type GivenValues, type OptionRow, withDefaults } from '../core/optionRow.js';
import { showText } from '../core/text.js';
import { countExamples, type Dataset } from '../data/dataset.js';
import { parameterNames } from '../network/parameters.js';
import { RECIPE_OPTIONS, type RecipeOptions, TRAINING_OPTIONS, type TrainingOptionValues } from './options.js';
import { PRESETS, type PresetName } from './presets.js';
import { buildConfig, type RunConfig } from './runConfig.js';
import { decayedNames, type WeightDecay } from './updater.js';

/** The network and its training: the sizes of a model, and the options of a Training. */
export type Recipe = Omit<RunConfig, 'evalEvery' | 'seed' | 'splitSeed' | 'unique' | 'init' | 'imported'>;

/**
 * A complete recipe: the given options, then the preset's, then the defaults.
 * @throws UsageError if options contradict each other
 */
export function recipe(preset: PresetName = 'lesson', given: RecipeOptions = {}): Recipe {
  return storedOf(RECIPE_OPTIONS, withPreset(RECIPE_OPTIONS, preset, given)) as Recipe;
}

/**
 * The given values, then the preset's. If another optimizer is given, the preset's settings of its own optimizer are left out.
 */
export function withPreset<Row extends OptionRow>(rows: readonly Row[], preset: PresetName, given: GivenValues<Row>): GivenValues<Row> {
  const values: RecipeOptions = PRESETS[preset];
  const { optimizer } = given as RecipeOptions;
  const otherOptimizer = optimizer !== undefined && optimizer !== values.optimizer;
  const kept = rows.filter((row) => row.key in values && !(otherOptimizer && dependsOnOptimizer(row)));
  return { ...Object.fromEntries(kept.map(({ key }) => [key, (values as Record<string, unknown>)[key]])), ...given };
}

function dependsOnOptimizer({ goesWith, defaultFrom }: OptionRow): boolean {
  return goesWith?.key === 'optimizer' || (defaultFrom?.keys.includes('optimizer') ?? false);
}

/**
 * The part of a configuration that a table's options decide.
 * @param facts other values that defaults depend on
 * @throws UsageError if options contradict each other
 */
export function storedOf<Row extends OptionRow>(rows: readonly Row[], given: GivenValues<Row>, facts: object = {}): object {
  const values = withDefaults(rows, given, facts);
  checkTogether(values);
  return buildConfig(rows, values);
}

/** Numbers of examples. The default interval between evaluations depends on them. */
export interface DataSizes {
  trainExamples: number;
  valExamples: number;
}

export function sizesOf({ parts }: Dataset): DataSizes {
  return { trainExamples: countExamples(parts.train), valExamples: countExamples(parts.val) };
}

/** The configuration of a new run. @throws UsageError if options contradict each other */
export function createRunConfig(given: TrainingOptionValues, sizes: DataSizes): RunConfig {
  return storedOf(TRAINING_OPTIONS, given, sizes) as RunConfig;
}

/** Checks that involve several options. */
function checkTogether(values: object): void {
  const { steps, warmup, weightDecay, hidden, norm } = values as RecipeOptions;
  if (steps !== undefined && warmup !== undefined && warmup > steps) {
    throw new UsageError(`--warmup is ${warmup} but --steps is ${steps}, so the learning rate never reaches its full value`);
  }
  if (weightDecay !== undefined && hidden !== undefined) checkDecayed(weightDecay, parameterNames({ hidden, norm }));
}

function checkDecayed(decay: WeightDecay, parameters: readonly string[]): void {
  const unknown = decayedNames(decay).find((name) => !parameters.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--weight-decay names ${showText(unknown)}; this network has ${parameters.join(', ')}`);
  }
}

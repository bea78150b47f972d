import { UsageError } from '../../core/errors.js';
import { flagName, rowsOf, withDefaults } from '../../core/optionRow.js';
import { findMutant } from '../../dojo/mutants.js';
import { type CourseResult, describeEffect, effectOf, MutantTraining } from '../../dojo/mutantTraining.js';
import { parameterCount } from '../../network/parameters.js';
import { createWasmBackend } from '../../node/kernels.js';
import { TRAINING_OPTIONS } from '../../training/options.js';
import { storedOf } from '../../training/recipe.js';
import { modelConfig, type RunConfig } from '../../training/runConfig.js';
import type { CommandContext } from '../command.js';
import { loadData } from '../data.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatLoss, formatTable } from '../terminal/format.js';
import type { IO, StopSignal } from '../terminal/io.js';
import { BOTH, plotCurves } from '../terminal/plot.js';
import { Progress } from '../terminal/progress.js';
import { inTurns, type Turns } from '../terminal/turns.js';
import { type GivenTrainOptions, TRAIN_OPTIONS } from './trainOptions.js';

/** The lesson's exercise network: atomic steps on tensors take 1 ms a step, the kernels 0.02. */
const DEFAULTS = { hidden: [64], steps: 5000 };

/** Points of each curve. */
const POINTS = 60;

/** The options that --mutant can be combined with. */
const MUTANT_OPTIONS = rowsOf(TRAINING_OPTIONS, 'train --mutant');
/** The lesson's lines are trained by plain gradient descent. */
const LESSON = { optimizer: 'sgd' };
type MutantConfig = Pick<RunConfig, 'context' | 'embedding' | 'hidden' | 'batchSize' | 'steps' | 'learningRate' | 'seed'>;

/** Trains with a planted mistake and with the right gradients, and shows both. @returns the exit code */
export async function trainMutant(name: string, given: GivenTrainOptions, { io, json, printJson, paint }: CommandContext): Promise<number> {
  const mutant = findMutant(name);
  checkOptions(given);
  const asked = { ...DEFAULTS, ...given };
  const config = storedOf(MUTANT_OPTIONS, asked, LESSON) as MutantConfig;
  const { hidden, steps } = config;
  if (hidden.length > 1) {
    throw new UsageError(`--hidden ${hidden.join(',')} cannot be used with --mutant: the lesson's lines are those of one block`);
  }
  const { dataset } = loadData(given.data, withDefaults(MUTANT_OPTIONS, asked), io);
  const shape = modelConfig(config, dataset.vocabulary);
  const every = Math.max(1, Math.floor(steps / POINTS));
  const training = new MutantTraining(mutant, dataset, shape, { ...config, every }, createWasmBackend);
  io.stderr.write(
    `${mutant.name}: in the line of ${mutant.line}, ${mutant.mistake}\n` +
      `T ${shape.context}, E ${shape.embedding}, H ${hidden}: ${formatCount(parameterCount(shape))} parameters, ` +
      `trained twice on the same batches, with the lesson's atomic lines\n`,
  );
  const { seconds, results, signal } = await inTurns(io, (turns) => runTraining(training, steps, turns, io));
  if (!results) {
    io.stderr.write(`${signal}: stopped after step ${formatCount(training.step)}; --mutant saves nothing\n`);
    return EXIT_SIGNAL[signal as StopSignal];
  }
  if (json) {
    const { name, line, mistake } = mutant;
    const [right, wrong] = results;
    printJson({ mutant: { name, line, mistake }, config: shape, steps, seconds, right: jsonOf(right), wrong: jsonOf(wrong) });
  } else print(results, io, await paint());
  return 0;
}

/** @throws UsageError for an option that has no effect here */
function checkOptions(given: GivenTrainOptions): void {
  const row = TRAIN_OPTIONS.find(({ key, commands }) => key in given && !(commands as readonly string[]).includes('train --mutant'));
  if (row === undefined) return;
  throw new UsageError(
    `${flagName(row)} cannot be used with --mutant, which trains two networks side by side with the lesson's recipe, and saves no run`,
  );
}

/** Trains and evaluates both networks. A signal ends it without results. */
async function runTraining(training: MutantTraining, steps: number, turns: Turns, io: IO) {
  const progress = new Progress(io, 0, steps);
  const lastLoss = () => training.courses[0].points.at(-1)?.mean ?? Number.NaN;
  await turns.run(training.train(), () => progress.update(training.step, lastLoss()));
  const { seconds } = progress;
  if (turns.signal) progress.clear();
  else progress.finish(training.step, lastLoss());
  return { seconds, results: await turns.run(training.results()), signal: turns.signal };
}

function curveOf({ points }: CourseResult): [step: number, loss: number][] {
  return points.map(({ step, mean }) => [step, mean]);
}

function jsonOf(result: CourseResult) {
  const { title, points: _, ...figures } = result;
  return { title, curve: curveOf(result), ...figures };
}

const MARKS = ['·', 'x'] as const;

function print(results: readonly [right: CourseResult, wrong: CourseResult], io: IO, paint: Paint): void {
  const width = Math.min(80, io.stdout.columns);
  const curves = results.map((result, i) => ({ mark: MARKS[i], points: curveOf(result) }));
  const plot = plotCurves(curves, { width, height: 16, showX: (step) => `step ${formatCount(step)}`, showY: (loss) => loss.toFixed(2) });
  const cells = results.map(({ title, problem, trainLoss, valLoss }, i) => [
    MARKS[i],
    title,
    ...(problem === undefined ? [formatLoss(trainLoss as number), formatLoss(valLoss as number)] : ['-', '-', problem]),
  ]);
  const [head, ...rows] = formatTable(
    [['', 'loss in nats per character', 'train', 'validation'], ...cells],
    ['left', 'left', 'right', 'right', 'left'],
  );
  io.stdout.write(`\n${[...plot, '', paint.dim(head), ...rows, paint.dim(`${BOTH}  both curves`), '', verdict(results)].join('\n')}\n`);
}

/** Says whether the losses show the mistake. */
function verdict([right, wrong]: readonly [right: CourseResult, wrong: CourseResult]): string {
  const effect = effectOf(right, wrong);
  return effect.kind === 'right-fails' ? `${describeEffect(effect)}; try a lower --lr` : describeEffect(effect);
}

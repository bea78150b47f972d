import { setImmediate as nextTurn } from 'node:timers/promises';
import { NumericalError, UsageError } from '../../core/errors.js';
import { ShapeError } from '../../core/tensor.js';
import { createExamples, type Dataset } from '../../data/dataset.js';
import { LessonTraining } from '../../dojo/lessonTraining.js';
import { findMutant, type Mutant, plant } from '../../dojo/mutants.js';
import { Evaluator } from '../../evaluation/evaluator.js';
import { exercise1, type GradientLines } from '../../lesson/exercise1.js';
import { arenaSize } from '../../network/arrays.js';
import { type ModelConfig, parameterCount } from '../../network/parameters.js';
import { createWasmBackend } from '../../node/kernels.js';
import { loadData } from '../data.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatLoss, formatTable } from '../terminal/format.js';
import { type IO, type StopSignal, TURN_MS } from '../terminal/io.js';
import { BOTH, plotCurves } from '../terminal/plot.js';
import { Progress } from '../terminal/progress.js';
import { recipeOf } from './recipe.js';
import { INFERENCE, type TrainCommandOptions } from './startRun.js';

/** The lesson's exercise network: atomic steps in tensors take 1 ms a step, where the kernels take 0.02. */
const DEFAULTS = { hidden: [64], steps: 5000 };

/** Points of each curve. */
const POINTS = 60;

/** What has no meaning where no run is written, and both networks are trained by the lesson's recipe. */
const OTHER_OPTIONS: readonly (keyof TrainCommandOptions)[] = [
  ...(['resume', 'out', 'force', 'evalEvery', 'saveEvery', 'checkEvery'] as const),
  ...(['optimizer', 'momentum', 'beta1', 'beta2', 'weightDecay', 'clip', 'schedule', 'warmup', 'sampling', 'preset'] as const),
];

/** A network's training by the same batches with the right gradients, or with a mistake in them. */
interface Course {
  title: string;
  training: LessonTraining;
  evaluator: Evaluator;
  /** Steps done, and the mean loss of the batches since the point before. */
  curve: [step: number, loss: number][];
  sum: number;
  /** Why it could not go on. */
  problem?: string;
}

/** Trains a mistake of the bank beside the right gradients, and shows both. @returns the exit code */
export async function trainMutantCommand(options: TrainCommandOptions, given: (option: string) => boolean, io: IO): Promise<number> {
  const mutant = findMutant(options.mutant as string);
  const useless = OTHER_OPTIONS.find(given);
  if (useless) {
    const flag = useless.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(
      `--${flag} has no meaning with --mutant: it trains two networks side by side, by the lesson's recipe, and writes no run`,
    );
  }
  const steps = given('steps') ? options.steps : DEFAULTS.steps;
  const hidden = given('hidden') ? options.hidden : DEFAULTS.hidden;
  if (hidden.length > 1)
    throw new UsageError(`--hidden ${hidden.join(',')} has no meaning with --mutant: the lesson's lines are those of one block`);
  const { dataset } = loadData(options.data, options, io);
  const config = {
    context: options.context,
    embedding: options.embedding,
    hidden,
    vocabulary: dataset.vocabulary.length,
  };
  const courses = createCourses(mutant, config, dataset, { ...options, steps });
  io.stderr.write(
    `${mutant.name}: in the line of ${mutant.line}, ${mutant.mistake}\n` +
      `T ${config.context}, E ${config.embedding}, H ${hidden}: ${formatCount(parameterCount(config))} parameters, ` +
      `trained twice on the same batches, by the lesson's atomic lines\n`,
  );
  const { seconds, signal } = await trainBoth(courses, steps, io);
  if (signal) {
    io.stderr.write(`${signal}: stopped after step ${formatCount(courses[0].training.step)}; nothing was to be saved\n`);
    return EXIT_SIGNAL[signal];
  }
  const results = courses.map((course) => resultOf(course, dataset, config.context));
  if (options.json) {
    const { name, line, mistake } = mutant;
    const [right, wrong] = results;
    io.stdout.write(`${JSON.stringify({ mutant: { name, line, mistake }, config, steps, seconds, right, wrong })}\n`);
  } else print(courses, results, io, await paintFor(io.stdout, io.env, options.color));
  return 0;
}

function createCourses(
  mutant: Mutant,
  config: ModelConfig,
  dataset: Dataset,
  options: TrainCommandOptions,
): [right: Course, wrong: Course] {
  const examples = createExamples(dataset.parts.train, dataset.vocabulary, config.context);
  const { steps, batchSize, seed } = options;
  const { learningRate } = recipeOf(options);
  const course = (title: string, lines: GradientLines): Course => {
    const backend = createWasmBackend(arenaSize(config, { inference: INFERENCE }));
    const training = new LessonTraining(backend, config, examples, lines, { steps, batchSize, learningRate, seed });
    return { title, training, evaluator: new Evaluator(training.model), curve: [], sum: 0 };
  };
  return [course('right gradients', exercise1), course(mutant.name, plant(mutant))];
}

async function trainBoth(courses: readonly Course[], steps: number, io: IO): Promise<{ seconds: number; signal: StopSignal | undefined }> {
  let signal: StopSignal | undefined;
  const stopListening = io.onStop((name) => {
    signal = name;
  });
  const progress = new Progress(io, 0, steps);
  const [right] = courses;
  const every = Math.max(1, Math.floor(steps / POINTS));
  try {
    while (right.training.step < steps && right.problem === undefined && !signal) {
      const turnEnds = io.now() + TURN_MS;
      do for (const course of courses) advance(course, every);
      while (right.training.step < steps && right.problem === undefined && io.now() < turnEnds);
      progress.update(right.training.step, right.curve.at(-1)?.[1] ?? Number.NaN);
      await nextTurn();
    }
  } finally {
    stopListening();
  }
  if (signal) progress.clear();
  return { signal, seconds: signal ? 0 : progress.finish(right.training.step, right.curve.at(-1)?.[1] ?? Number.NaN) };
}

function advance(course: Course, every: number): void {
  if (course.problem !== undefined) return;
  const { training, curve } = course;
  try {
    const loss = training.advance();
    if (!Number.isFinite(loss)) throw new NumericalError(`the loss is ${loss}`);
    course.sum += loss;
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof NumericalError)) throw error;
    course.problem = `stopped in step ${training.step}: ${error.message}`;
    return;
  }
  if (training.step % every !== 0) return;
  curve.push([training.step, course.sum / every]);
  course.sum = 0;
}

interface CourseResult {
  title: string;
  curve: Course['curve'];
  problem?: string;
  trainLoss: number | null;
  valLoss: number | null;
}

function resultOf({ title, curve, problem, evaluator }: Course, { parts, vocabulary }: Dataset, context: number): CourseResult {
  if (problem !== undefined) return { title, curve, problem, trainLoss: null, valLoss: null };
  const train = createExamples(parts.train, vocabulary, context);
  evaluator.calibrate(train);
  return { title, curve, trainLoss: evaluator.loss(train), valLoss: evaluator.loss(createExamples(parts.val, vocabulary, context)) };
}

const MARKS = ['·', 'x'] as const;

function print(courses: readonly Course[], results: readonly CourseResult[], io: IO, paint: Paint): void {
  const width = Math.min(80, io.stdout.columns);
  const curves = courses.map(({ curve }, i) => ({ mark: MARKS[i], points: curve }));
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
  io.stdout.write(
    `\n${[...plot, '', paint.dim(head), ...rows, paint.dim(`${BOTH}  where both curves are`), '', verdict(results)].join('\n')}\n`,
  );
}

/** What the figures say: a mistake that a loss curve does not show is one that a check must. */
function verdict([right, wrong]: readonly CourseResult[]): string {
  if (right.valLoss === null) return 'the right gradients do not train either; a lower --lr may help';
  if (wrong.valLoss === null) return 'the mistake shows by itself: no check is needed';
  const behind = wrong.valLoss - right.valLoss;
  const size = Math.abs(behind).toFixed(4);
  if (Math.abs(behind) < 0.02)
    return `it trains all the same, and ends ${size} ${behind < 0 ? 'lower' : 'higher'}: no loss curve would show the mistake`;
  return behind < 0 ? `it even ends ${size} lower` : `it ends ${size} higher`;
}

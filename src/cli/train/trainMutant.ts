import { NumericalError, UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { flagName, rowsOf, withDefaults } from '../../core/optionRow.js';
import { ShapeError } from '../../core/tensor.js';
import { createExamples, type Dataset } from '../../data/dataset.js';
import { LessonTraining } from '../../dojo/lessonTraining.js';
import { findMutant, type Mutant, plant } from '../../dojo/mutants.js';
import { Evaluator } from '../../evaluation/evaluator.js';
import { exercise1, type GradientLines } from '../../lesson/exercise1.js';
import { arenaSize } from '../../network/arrays.js';
import { type ModelConfig, parameterCount } from '../../network/parameters.js';
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
import { INFERENCE } from './startRun.js';
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

/** One of two training runs on the same batches: with the right gradients, or with a mistake in them. */
interface Course {
  title: string;
  training: LessonTraining;
  evaluator: Evaluator;
  /** Steps done, and the mean loss of the batches since the point before. */
  curve: [step: number, loss: number][];
  /** Sum of the losses since the last point. */
  sum: number;
  /** The reason why it stopped early. */
  problem?: string;
}

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
  const courses = createCourses(mutant, config, shape, dataset);
  io.stderr.write(
    `${mutant.name}: in the line of ${mutant.line}, ${mutant.mistake}\n` +
      `T ${shape.context}, E ${shape.embedding}, H ${hidden}: ${formatCount(parameterCount(shape))} parameters, ` +
      `trained twice on the same batches, with the lesson's atomic lines\n`,
  );
  const { seconds, results, signal } = await inTurns(io, (turns) => runCourses(courses, steps, dataset, turns, io));
  if (!results) {
    io.stderr.write(`${signal}: stopped after step ${formatCount(courses[0].training.step)}; --mutant saves nothing\n`);
    return EXIT_SIGNAL[signal as StopSignal];
  }
  if (json) {
    const { name, line, mistake } = mutant;
    const [right, wrong] = results;
    printJson({ mutant: { name, line, mistake }, config: shape, steps, seconds, right, wrong });
  } else print(courses, results, io, await paint());
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

function createCourses(mutant: Mutant, config: MutantConfig, shape: ModelConfig, dataset: Dataset): [right: Course, wrong: Course] {
  const examples = createExamples(dataset.parts.train, dataset.vocabulary, shape.context);
  const course = (title: string, lines: GradientLines): Course => {
    const backend = createWasmBackend(arenaSize(shape, { inference: INFERENCE }));
    const training = new LessonTraining(backend, shape, examples, lines, config);
    return { title, training, evaluator: new Evaluator(training.model), curve: [], sum: 0 };
  };
  return [course('right gradients', exercise1), course(mutant.name, plant(mutant))];
}

/** Trains to the end or until the right gradients fail, and evaluates. A signal ends it without results. */
async function runCourses(courses: readonly Course[], steps: number, dataset: Dataset, turns: Turns, io: IO) {
  const progress = new Progress(io, 0, steps);
  const [right] = courses;
  const every = Math.max(1, Math.floor(steps / POINTS));
  const lastLoss = () => right.curve.at(-1)?.[1] ?? Number.NaN;
  const train = function* (): Job<void> {
    while (right.training.step < steps && right.problem === undefined) {
      for (const course of courses) advance(course, every);
      yield;
    }
  };
  await turns.run(train(), () => progress.update(right.training.step, lastLoss()));
  if (turns.signal) progress.clear();
  const seconds = turns.signal ? 0 : progress.finish(right.training.step, lastLoss());
  return { seconds, results: await turns.run(resultsOf(courses, dataset)), signal: turns.signal };
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

/** A network whose numbers are not finite has a problem instead of losses. */
function* resultsOf(courses: readonly Course[], dataset: Dataset): Job<CourseResult[]> {
  const results: CourseResult[] = [];
  for (const course of courses) {
    const { title, curve } = course;
    let problem = course.problem;
    try {
      if (problem === undefined) results.push({ title, curve, ...(yield* lossesOf(course, dataset)) });
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      problem = error.message;
    }
    if (problem !== undefined) results.push({ title, curve, problem, trainLoss: null, valLoss: null });
  }
  return results;
}

function* lossesOf({ evaluator, training }: Course, { parts, vocabulary }: Dataset): Job<{ trainLoss: number; valLoss: number }> {
  const [train, val] = [parts.train, parts.val].map((names) => createExamples(names, vocabulary, training.model.config.context));
  yield* evaluator.calibrateInParts(train);
  return { trainLoss: yield* evaluator.lossInParts(train), valLoss: yield* evaluator.lossInParts(val) };
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
  io.stdout.write(`\n${[...plot, '', paint.dim(head), ...rows, paint.dim(`${BOTH}  both curves`), '', verdict(results)].join('\n')}\n`);
}

/** Says whether the loss shows the mistake. */
function verdict([right, wrong]: readonly CourseResult[]): string {
  if (right.valLoss === null) return 'the right gradients diverge too; try a lower --lr';
  if (wrong.valLoss === null) return 'training fails: this mistake shows without a gradient check';
  const behind = wrong.valLoss - right.valLoss;
  const size = Math.abs(behind).toFixed(4);
  if (Math.abs(behind) < SMALL) {
    return `it trains, and ends ${size} ${behind < 0 ? 'lower' : 'higher'}: the loss curve does not show the mistake`;
  }
  return behind < 0 ? `it even ends ${size} lower` : `it ends ${size} higher`;
}

/** A difference in validation loss that nobody notices, in nats per character. */
const SMALL = 0.02;

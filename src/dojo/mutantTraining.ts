/** Trains the lesson's network twice on the same batches: with the right gradients, and with a planted mistake in them. */
import type { CreateBackend } from '../backend/backend.js';
import { NumericalError } from '../core/errors.js';
import type { Job } from '../core/job.js';
import { ShapeError } from '../core/tensor.js';
import { createExamples, type Dataset, type Examples } from '../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../evaluation/evaluator.js';
import { exercise1, type GradientLines } from '../lesson/exercise1.js';
import { arenaSize } from '../network/arrays.js';
import type { ModelConfig } from '../network/parameters.js';
import { LessonTraining, type LessonTrainingOptions } from './lessonTraining.js';
import { type Mutant, plant } from './mutants.js';

export interface MutantTrainingOptions extends LessonTrainingOptions {
  /** Steps between two points of a curve. */
  every: number;
}

/** A point of a loss curve, in nats per character. */
export interface LossPoint {
  /** Steps done. */
  step: number;
  /** The mean loss of the batches since the point before. */
  mean: number;
  /** The loss of the last of them. */
  last: number;
}

/** What a network has learned. */
export interface CourseResult {
  /** 'right gradients', or the name of the mutant. */
  title: string;
  points: readonly LossPoint[];
  /** The reason why it stopped early. */
  problem?: string;
  /** The losses over all names of each part, in nats per character; null where it stopped. */
  trainLoss: number | null;
  valLoss: number | null;
}

/** What the losses show of a mistake. */
export type Effect =
  /** The right gradients diverge too, so they show nothing. */
  | { kind: 'right-fails' }
  /** Training with the mistake stops. */
  | { kind: 'fails' }
  /** It trains. `behind`: its validation loss minus that with the right gradients; hidden if nobody would notice. */
  | { kind: 'hidden' | 'lower' | 'higher'; behind: number };

/** A difference in validation loss that nobody notices, in nats per character. */
const SMALL = 0.02;

/** One of the two networks. */
class Course {
  readonly title: string;
  readonly training: LessonTraining;
  readonly points: LossPoint[] = [];
  problem: string | undefined;
  readonly #evaluator: Evaluator;
  readonly #every: number;
  /** Sum of the losses since the last point. */
  #sum = 0;

  constructor(title: string, training: LessonTraining, every: number) {
    this.title = title;
    this.training = training;
    this.#evaluator = new Evaluator(training.model);
    this.#every = every;
  }

  /** Makes one step, unless it has stopped. */
  advance(): void {
    if (this.problem !== undefined) return;
    const { training } = this;
    let loss: number;
    try {
      loss = training.advance();
      if (!Number.isFinite(loss)) throw new NumericalError(`the loss is ${loss}`);
    } catch (error) {
      if (!(error instanceof ShapeError || error instanceof NumericalError)) throw error;
      this.problem = `stopped in step ${training.step}: ${error.message}`;
      return;
    }
    this.#sum += loss;
    if (training.step % this.#every !== 0) return;
    this.points.push({ step: training.step, mean: this.#sum / this.#every, last: loss });
    this.#sum = 0;
  }

  /** A network whose numbers are not finite has a problem instead of losses. */
  *result(train: Examples, val: Examples): Job<CourseResult> {
    const { title, points } = this;
    let { problem } = this;
    try {
      if (problem === undefined) {
        yield* this.#evaluator.calibrateInParts(train);
        return { title, points, trainLoss: yield* this.#evaluator.lossInParts(train), valLoss: yield* this.#evaluator.lossInParts(val) };
      }
    } catch (error) {
      if (!(error instanceof NumericalError)) throw error;
      problem = error.message;
    }
    return { title, points, problem, trainLoss: null, valLoss: null };
  }
}

/**
 * The two trainings, in parts: call `train`, read the points that {@link courses} have between two parts, then call `results`. The lesson's atomic
 * steps on tensors take about 1 ms a step and network (n 32, H 64), so a part takes 2.
 */
export class MutantTraining {
  readonly courses: readonly [right: Course, wrong: Course];
  readonly #options: MutantTrainingOptions;
  readonly #train: Examples;
  readonly #val: Examples;

  /**
   * @param shape a network of one block
   * @param createBackend makes a float32 backend for each network
   */
  constructor(
    mutant: Mutant,
    { parts, vocabulary }: Dataset,
    shape: ModelConfig,
    options: MutantTrainingOptions,
    createBackend: CreateBackend,
  ) {
    this.#options = options;
    this.#train = createExamples(parts.train, vocabulary, shape.context);
    this.#val = createExamples(parts.val, vocabulary, shape.context);
    const course = (title: string, lines: GradientLines) => {
      const backend = createBackend(arenaSize(shape, { inference: [EVALUATION_BATCH] }));
      return new Course(title, new LessonTraining(backend, shape, this.#train, lines, options), options.every);
    };
    this.courses = [course('right gradients', exercise1), course(mutant.name, plant(mutant))];
  }

  /** Steps done with the right gradients. */
  get step(): number {
    return this.courses[0].training.step;
  }

  /** Trains to the end or until the right gradients fail, one step of both networks per part. */
  *train(): Job<void> {
    const [right] = this.courses;
    while (this.step < this.#options.steps && right.problem === undefined) {
      for (const course of this.courses) course.advance();
      yield;
    }
  }

  /** The losses of both networks as they are now, over all names. */
  *results(): Job<[right: CourseResult, wrong: CourseResult]> {
    const [right, wrong] = this.courses;
    return [yield* right.result(this.#train, this.#val), yield* wrong.result(this.#train, this.#val)];
  }
}

/** Whether the losses show the mistake. */
export function effectOf(right: CourseResult, wrong: CourseResult): Effect {
  if (right.valLoss === null) return { kind: 'right-fails' };
  if (wrong.valLoss === null) return { kind: 'fails' };
  const behind = wrong.valLoss - right.valLoss;
  if (Math.abs(behind) < SMALL) return { kind: 'hidden', behind };
  return { kind: behind < 0 ? 'lower' : 'higher', behind };
}

/** The same as a sentence. */
export function describeEffect(effect: Effect): string {
  if (effect.kind === 'right-fails') return 'the right gradients diverge too';
  if (effect.kind === 'fails') return 'training fails: this mistake shows without a gradient check';
  const size = Math.abs(effect.behind).toFixed(4);
  if (effect.kind === 'lower') return `it even ends ${size} lower`;
  if (effect.kind === 'higher') return `it ends ${size} higher`;
  return `it trains, and ends ${size} ${effect.behind < 0 ? 'lower' : 'higher'}: the loss curve does not show the mistake`;
}

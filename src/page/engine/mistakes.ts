/** A planted mistake: how it spreads through a pass, what the checks say of it, and how a network learns with it. */
import { KillMatrix, type KillRow } from '../../dojo/killMatrix.js';
import { findMutant } from '../../dojo/mutants.js';
import { type CourseResult, describeEffect, type Effect, effectOf, type LossPoint, MutantTraining } from '../../dojo/mutantTraining.js';
import { type SpreadRow, spreadOf } from '../../dojo/spread.js';
import type { GradientName } from '../../lesson/values.js';
import { kernelsBackend } from './kernels.js';
import { datasetFor, type PassSource, passAt, type TensorData, tensorData } from './pass.js';

/** A gradient of the pass with the mistake in it. */
export interface SpreadData extends Omit<SpreadRow, 'right' | 'found' | 'difference'> {
  right: TensorData;
  found: TensorData | undefined;
  difference: TensorData | undefined;
}

export interface MistakeData {
  /** The name of the mistake. */
  name: string;
  source: PassSource;
  gradients: SpreadData[];
  first: GradientName | undefined;
}

export interface MistakeTraining {
  /** The name of the mistake. */
  name: string;
  source: PassSource;
  steps: number;
}

/** New points of the two curves: with the right gradients, and with the mistake. */
export interface TrainingProgress {
  step: number;
  points: readonly [right: readonly LossPoint[], wrong: readonly LossPoint[]];
}

export interface TrainingEnd {
  courses: readonly [right: CourseResult, wrong: CourseResult];
  effect: Effect;
  /** The effect as a sentence. */
  said: string;
}

let matrix: KillMatrix | undefined;

/** Points of a curve. */
const POINTS = 200;
const LEARNING_RATE = 0.1;
/** Steps between two reports: about 20 ms, so that a click is answered at once. */
const REPORT_EVERY = 10;

export const mistakeMethods = {
  /** @throws UsageError if the bank has no such mistake */
  mistake(source: PassSource, name: string): MistakeData {
    const { gradients, first } = spreadOf(findMutant(name), passAt(source).pass);
    return {
      name,
      source,
      gradients: gradients.map(({ right, found, difference, ...row }) => ({
        ...row,
        right: tensorData(right),
        found: found && tensorData(found),
        difference: difference && tensorData(difference),
      })),
      first,
    };
  },

  /** What each check says. It takes up to a second: the pause before leaves room for its end, if the reader has chosen another mistake. */
  *verdicts(name: string): Generator<undefined, Omit<KillRow, 'mutant'>> {
    yield;
    matrix ??= new KillMatrix();
    const { mutant: _, ...row } = matrix.judge(findMutant(name));
    return row;
  },

  /** Trains as `train --mutant` does: twice on the same batches, with plain gradient descent. */
  *trainMistake({ name, source, steps }: MistakeTraining): Generator<TrainingProgress, TrainingEnd> {
    const { config } = passAt(source);
    const options = { steps, batchSize: source.n, learningRate: LEARNING_RATE, seed: source.seed, every: Math.ceil(steps / POINTS) };
    const training = new MutantTraining(findMutant(name), datasetFor(source), config, options, kernelsBackend());
    const sent: [number, number] = [0, 0];
    const news = (): TrainingProgress => {
      const [right, wrong] = training.courses.map(({ points }, i) => points.slice(sent[i]));
      for (const [i, { points }] of training.courses.entries()) sent[i] = points.length;
      return { step: training.step, points: [right ?? [], wrong ?? []] };
    };
    let parts = 0;
    for (const _ of training.train()) if (++parts % REPORT_EVERY === 0) yield news();
    const results = training.results();
    for (let part = results.next(); ; part = results.next()) {
      if (part.done) return endOf(part.value);
      yield news();
    }
  },
};

function endOf(courses: [right: CourseResult, wrong: CourseResult]): TrainingEnd {
  const effect = effectOf(...courses);
  return { courses, effect, said: describeEffect(effect) };
}

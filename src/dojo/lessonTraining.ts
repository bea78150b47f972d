/** Trains with the lesson's atomic lines, right or wrong, to show the effect of a mistake on a network. */
import type { Backend } from '../backend/backend.js';
import { type RandomStream, randomStream } from '../core/random.js';
import { ShapeError, sameShape, showShape, Tensor } from '../core/tensor.js';
import { drawBatch } from '../data/batch.js';
import type { Examples } from '../data/dataset.js';
import { backward, type GradientLines } from '../lesson/exercise1.js';
import { forward } from '../lesson/forward.js';
import { gradientNamed, type LessonBatch, type LessonGradients, type LessonParameters, type LessonValues } from '../lesson/values.js';
import { createModel, type Model } from '../network/arrays.js';
import { initialise } from '../network/initialise.js';
import { LESSON_PARAMETER_NAMES, type LessonParameterName, type ModelConfig, parameterShapes } from '../network/parameters.js';
import { defaultSwitchStep, stepRate } from '../training/schedule.js';

export interface LessonTrainingOptions {
  steps: number;
  batchSize: number;
  learningRate: number;
  seed: number | string;
}

/** The gradients of the parameters alone. */
export type ParameterGradients = Pick<LessonGradients, `d${LessonParameterName}`>;

/** Their names, in the parameters' order. */
export const PARAMETER_GRADIENT_NAMES: readonly `d${LessonParameterName}`[] = LESSON_PARAMETER_NAMES.map(gradientNamed);

/** Gradient descent with the lesson's forward pass and the given gradient lines. The same seed gives the same weights and batches. */
export class LessonTraining {
  /** Holds the current parameters. */
  readonly model: Model;
  readonly #examples: Examples;
  readonly #lines: GradientLines;
  readonly #options: LessonTrainingOptions;
  readonly #parameters: LessonParameters;
  readonly #batch: LessonBatch;
  readonly #batches: RandomStream;
  #step = 0;

  /**
   * @param backend a float32 backend with room for the model
   * @param config a network of one block, which the lesson's lines need
   */
  constructor(backend: Backend, config: ModelConfig, examples: Examples, lines: GradientLines, options: LessonTrainingOptions) {
    const { batchSize: n, seed } = options;
    this.model = createModel(backend, config);
    initialise(this.model, seed);
    const shapes = parameterShapes(config);
    this.#parameters = Object.fromEntries(
      LESSON_PARAMETER_NAMES.map((name) => [name, new Tensor(this.model.parameters[name], shapes[name])]),
    ) as LessonParameters;
    this.#examples = examples;
    this.#lines = lines;
    this.#options = options;
    this.#batch = {
      Xb: { data: new Int32Array(n * config.context), shape: [n, config.context] },
      Yb: { data: new Int32Array(n), shape: [n] },
    };
    this.#batches = randomStream('batches', seed);
  }

  /** Completed steps. */
  get step(): number {
    return this.#step;
  }

  /**
   * Makes one step. Returns the mean loss of its batch before the update, in nats.
   * @throws ShapeError if a line's shapes do not fit, or a gradient is larger than its parameter
   */
  advance(): number {
    const values = this.forward();
    this.update(backward(values, this.#lines));
    return values.loss.item();
  }

  /** The forward pass on the next batch. */
  forward(): LessonValues {
    const { batchSize: n } = this.#options;
    const { Xb, Yb } = this.#batch;
    drawBatch({ n, Xb: Xb.data, Yb: Yb.data }, this.#examples, this.#batches);
    return forward(this.#parameters, this.#batch);
  }

  /**
   * Completes the step with the gradients of the parameters.
   * @throws ShapeError if a gradient is larger than its parameter
   */
  update(gradients: ParameterGradients): void {
    const { steps, learningRate } = this.#options;
    const rate = stepRate(this.#step, defaultSwitchStep(steps), learningRate);
    for (const name of LESSON_PARAMETER_NAMES) {
      const parameter = this.#parameters[name];
      const moved = parameter.sub(gradients[`d${name}`].mul(rate));
      if (!sameShape(moved.shape, parameter.shape)) {
        throw new ShapeError(`d${name} ${showShape(gradients[`d${name}`].shape)} does not fit ${name} ${showShape(parameter.shape)}`);
      }
      parameter.data.set(moved.data);
    }
    this.#step++;
  }
}

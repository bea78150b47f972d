import { normal, randomStream } from '../core/random.js';
import type { Model } from './arrays.js';
import { initialScales, type LessonParameterName, parameterNames } from './parameters.js';

/** The order in which the lesson draws its parameters. */
const LESSON_ORDER: readonly LessonParameterName[] = ['C', 'W1', 'b1', 'W2', 'b2', 'bngain', 'bnbias'];

/**
 * Draws the parameters as the lesson does: C ~ N(0,1); the weights of blocks ~ N(0,1)·(5/3)/sqrt(I), the Kaiming gain for tanh;
 * W2 and the biases ~ N(0,1)·0.1, the gains of batch norm ~ 1 + N(0,1)·0.1: not 0 and 1, because these values hide mistakes in a backward pass.
 *
 * The lesson's parameters are drawn first, so they do not depend on the blocks above the first one (except for the size of W2).
 * @param seed the same seed gives the same parameters on every machine
 */
export function initialise({ config, parameters }: Model, seed: number | string): void {
  const random = randomStream('initialisation', seed);
  const scales = initialScales(config);
  const above = parameterNames(config).filter((name) => name.startsWith('blocks.'));
  for (const name of [...LESSON_ORDER, ...above]) {
    const out = parameters[name];
    const mean = name.endsWith('bngain') ? 1 : 0;
    for (let i = 0; i < out.length; i++) out[i] = normal(random) * scales[name] + mean;
  }
}

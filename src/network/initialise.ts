import { normal, randomStream } from '../core/random.js';
import type { Model } from './arrays.js';
import { type InitialScales, initialScales, type LessonParameterName, parameterNames } from './parameters.js';

/** The order in which the lesson draws its parameters. */
const LESSON_ORDER: readonly LessonParameterName[] = ['C', 'W1', 'b1', 'W2', 'b2', 'bngain', 'bnbias'];

/**
 * Draws the parameters as the lesson does: C ~ N(0,1); the weights of blocks ~ N(0,1)·(5/3)/sqrt(I), the Kaiming gain for tanh;
 * W2 and the biases ~ N(0,1)·0.1, the gains of batch norm ~ 1 + N(0,1)·0.1: not 0 and 1, because these values hide mistakes in a backward pass.
 *
 * The lesson's parameters are drawn first, so they do not depend on the blocks above the first one (except for the size of W2). Other
 * scales multiply the same draws, and C, W1, b1, W2 and b2 are drawn alike with and without batch norm.
 * @param seed the same seed gives the same parameters on every machine
 * @param scales other factors than 5/3 and W2's 0.1
 */
export function initialise({ config, parameters }: Model, seed: number | string, scales: InitialScales = {}): void {
  const random = randomStream('initialisation', seed);
  const deviations = initialScales(config, scales);
  const names = parameterNames(config);
  const ofLesson = LESSON_ORDER.filter((name) => names.includes(name));
  const above = names.filter((name) => name.startsWith('blocks.'));
  for (const name of [...ofLesson, ...above]) {
    const out = parameters[name];
    const mean = name.endsWith('bngain') ? 1 : 0;
    for (let i = 0; i < out.length; i++) out[i] = normal(random) * deviations[name] + mean;
  }
}

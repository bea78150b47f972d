/** Results that are not computed from the input of a line, or not from the gradient above it. */
import type { Tensor } from '../../core/tensor.js';
import type { GradientName } from '../../lesson/values.js';
import { isGradient, namesIn } from '../edits/trees.js';
import type { ValueMistake } from '../findings.js';
import type { LineKnowledge } from '../knowledge.js';
import { residual, squares } from '../leastSquares.js';
import type { Observation } from './observations.js';

/** The first gradient above that a line is given. */
export function aboveOf({ expression }: LineKnowledge): GradientName | undefined {
  return namesIn(expression).find(isGradient);
}

/** Whether the results are the same with the true and with random gradients above. */
export function ignoresGradients(trials: readonly Observation[]): boolean {
  return trials.every(({ found: real }, i) => {
    if (i % 2 === 1) return true;
    const { found: random } = trials[i + 1];
    return real.size === random.size && residual(real.data, random.data) <= 1e-16 * squares(real.data);
  });
}

/** Below this, two results on nearly the same input have nothing to do with each other. */
const RELATED = 0.9;

/**
 * Recognises a result that no expression explains, but that is not computed from the input, or not from the gradient above.
 * @param trials pairs of the same batch, with the true and with random gradients above
 * @param shown the result on the batch of the last pair, in float32, with the true gradients
 */
export function unrelatedToInput(line: LineKnowledge, trials: readonly Observation[], shown: Tensor): ValueMistake | undefined {
  const [{ found: again }, { found: random }] = trials.slice(-2);
  // Some sums are 0 up to rounding, which differs in float32: of the true gradients, or of values such as bndiff. Values are of order 1.
  const isRounding = squares(again.data) < Math.max(1e-6 * squares(random.data), 1e-20 * again.size);
  if (!isRounding && again.size === shown.size && correlation(again, shown) < RELATED) return { id: 'random' };
  const above = aboveOf(line);
  return above !== undefined && ignoresGradients(trials) ? { id: 'independent', of: above } : undefined;
}

function correlation(a: Tensor, b: Tensor): number {
  let product = 0;
  for (let i = 0; i < a.size; i++) product += a.data[i] * b.data[i];
  const scale = Math.sqrt(squares(a.data) * squares(b.data));
  return scale === 0 ? 1 : product / scale;
}

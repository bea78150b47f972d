/** The ways in which a result can be read in the shape of its line. */
import { type Shape, sameShape, Tensor } from '../../core/tensor.js';
import { broadcastTo, stripped } from '../expression.js';
import type { Dimension, ShapeMistake } from '../findings.js';
import { residual, squares } from '../leastSquares.js';
import type { Observation, Reading } from './observations.js';

/** The ways in which a result can be read in the line's shape. */
export function readingsOf(observations: readonly Observation[], sums: boolean, indexed: boolean): Reading[] {
  // The last one is on the lesson's batch: its shapes are those that the learner sees.
  const shapes = observations[observations.length - 1];
  const [found, expected] = [shapes.found.shape, shapes.expected.shape];
  const read = (undo: (observation: Observation) => Tensor | undefined, mistake?: ShapeMistake): Reading[] => {
    const undone = observations.map(undo);
    return undone.every((tensor) => tensor !== undefined) ? [{ found: undone, ...(mistake && { mistake }) }] : [];
  };
  if (sameShape(found, expected)) {
    const viewed = expected.length === 2 && expected.every((length) => length > 1);
    return [
      ...read((one) => one.found),
      ...(viewed
        ? read(({ found: { shape }, found: one }) => one.view([shape[1], shape[0]]).T, {
            id: 'result-viewed',
            found,
            expected,
            ...(indexed && { indexed }),
          })
        : []),
    ];
  }
  const whole = { found, expected };
  return [
    ...read(
      (one) => (sameShape(stripped(one.found.shape), stripped(one.expected.shape)) ? one.found.view(one.expected.shape) : undefined),
      { id: 'reshaped', ...whole, ...(sums && keepdimOf(found, expected)) },
    ),
    ...read((one) => transposedBack(one), { id: 'transposed', ...whole }),
    ...read((one) => (one.found.size === one.expected.size && !isTurned(one) ? one.found.view(one.expected.shape) : undefined), {
      id: 'reshaped',
      ...whole,
    }),
    // A column [n,1] repeats along the row, a row [1,H] over the batch.
    ...read((one) => (one.found.size > 1 && one.found.size < one.expected.size ? broadcastTo(one.found, one.expected.shape) : undefined), {
      id: 'not-broadcast',
      over: found.at(-1) === 1 ? 'row' : 'batch',
      ...whole,
    }),
    ...(['batch', 'row'] as const).flatMap((over) => read((one) => unrepeated(one, over), { id: 'repeated', over, ...whole })),
  ];
}

function isTurned({ found, expected }: Observation): boolean {
  return sameShape(stripped(found.shape), stripped(expected.shape));
}

function transposedBack({ found, expected }: Observation): Tensor | undefined {
  const turned = found.shape.length === 2 && found.shape[0] !== found.shape[1] && found.shape.every((length) => length > 1);
  return turned && sameShape([found.shape[1], found.shape[0]], stripped(expected.shape)) ? found.T : undefined;
}

/** One row or column of a result whose rows or columns are all the same, where only one belongs. */
function unrepeated({ found, expected }: Observation, over: Dimension): Tensor | undefined {
  if (found.shape.length !== 2) return undefined;
  const mean = found.mean(over === 'batch' ? 0 : 1, { keepdim: true });
  if (!sameShape(stripped(mean.shape), stripped(expected.shape)) || found.size === expected.size) return undefined;
  const same = residual(Tensor.zeros(found.shape, 'float64').add(mean).data, found.data) <= 1e-14 * squares(found.data);
  return same ? mean.view(expected.shape) : undefined;
}

/** A dimension of size 1 too few or too many. */
function keepdimOf(found: Shape, expected: Shape): { keepdim?: 'missing' | 'extra' } {
  const ones = (shape: Shape) => shape.filter((length) => length === 1).length;
  if (ones(expected) === ones(found)) return {};
  return { keepdim: ones(expected) > ones(found) ? 'missing' : 'extra' };
}

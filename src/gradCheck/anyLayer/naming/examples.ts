/** One example only, where the outputs are sums over all of them: a loss. */

import type { Candidate, Evidence, Point, Prediction } from './evidence.js';

/** The contribution of the first or the last example to a gradient that is a sum over examples. */
export function* oneExampleOnly(evidence: Evidence): Iterable<Candidate> {
  const { axes, points, input } = evidence;
  const batch = axes.known.find(({ isBatch }) => isBatch);
  if (!batch) return;
  const { inputs, outputs } = points[0].witness;
  if ([input, ...outputs.map(({ name }) => name)].some((name) => hasRows(evidence, name, batch.sizes))) return;
  const rows = inputs.map(({ name }) => name).filter((name) => hasRows(evidence, name, batch.sizes));
  if (rows.length === 0) return;
  const name = batch.letter ?? '';
  for (const end of ['first', 'last'] as const) {
    const text = `only the ${end} example counts: yours is its contribution to the sum over ${name}`;
    const id = end === 'first' ? 'first-example-only' : 'sum-missing';
    for (const share of [true, false]) {
      yield {
        mistake: { id, text: share ? text : `${text}, not divided by ${name}`, axis: name },
        predict: (point, at) => contribution(point, rows, { size: batch.sizes[at], end, share }),
      };
    }
  }
}

/** Whether the first axis of an input is that of examples. */
function hasRows({ axes }: Evidence, name: string, sizes: readonly number[]): boolean {
  return axes.views(name).some(({ axes: [first] }) => first !== undefined && first.sizes === sizes);
}

/** With all examples equal to one, the right gradient is that of this one: n times its contribution. */
async function contribution(
  point: Point,
  rows: readonly string[],
  { size, end, share }: { size: number; end: 'first' | 'last'; share: boolean },
): Promise<Prediction> {
  const inputs = Object.fromEntries(
    rows.map((name) => {
      const data = point.value(name)?.data ?? new Float64Array();
      const width = data.length / size;
      return [name, data.map((_, i) => data[(end === 'first' ? 0 : data.length - width) + (i % width)])];
    }),
  );
  const gradient = await point.rightWith(`all examples are the ${end}`, { inputs });
  return share ? gradient?.map((value) => value / size) : gradient;
}

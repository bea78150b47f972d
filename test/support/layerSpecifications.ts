/** The program's own layers as specifications for checkLayer, on any backend. */

import type { Backend } from '../../src/backend/backend.js';
import { Tensor } from '../../src/core/tensor.js';
import { defineLayer, type Float64Tensor, type Layer as LayerToCheck, type SizeChoices } from '../../src/gradcheck.js';
import { dot } from './compare.js';
import { type Layer, LayerRun, type Sizes, showSizes } from './layers.js';

type Inputs = Record<string, Float64Tensor | Int32Array>;

/** In a network, arrays are zeros before they are first written. */
const STALE = 0;

/**
 * A layer on a backend. All its arrays are allocated first: checkLayer puts Float64Array in the place of Float32Array while it calls the layer,
 * and a view of the kernels' memory would be of the wrong type. Where the backward pass starts at the mean loss, that is the output.
 */
export function specificationOf(layer: Layer, backend: Backend): LayerToCheck {
  const runs = new Map(
    combinations(layer.checked).map((sizes) => [showSizes(sizes), new LayerRun(layer, backend, sizes, STALE).forward().backward()]),
  );
  const runAt = (sizes: Sizes, inputs: Inputs) => {
    const run = runs.get(showSizes(sizes)) as LayerRun;
    for (const name of run.inputNames) run.set(name, (inputs[name] as Float64Tensor).data);
    if (layer.indices) run.indices.set(inputs.indices as Int32Array);
    return run.forward();
  };
  const fixed = layer.upstream !== undefined;
  return defineLayer({
    sizes: layer.checked,
    ...(layer.batch && { batch: layer.batch }),
    inputs: (sizes, draw): Inputs => {
      const real = Object.entries(layer.inputs(sizes)).map(
        ([name, shape]) => [name, name === layer.gain ? draw.near(1, ...shape) : draw.normal(...shape)] as const,
      );
      const indices = layer.indices?.(sizes);
      return { ...Object.fromEntries(real), ...(indices && { indices: draw.index(indices.count, indices.limit) }) };
    },
    forward: (inputs, { sizes }): number | Float64Tensor => {
      const run = runAt(sizes, inputs);
      if (fixed) return dot(run.get(run.output), run.get(run.upstream));
      return new Tensor(Float64Array.from(run.get(run.output)), layer.writes(sizes)[layer.output]) as Float64Tensor;
    },
    backward: (dout, inputs, { sizes }) => {
      const run = runAt(sizes, inputs);
      if (typeof dout !== 'number') run.set(run.upstream, dout.data);
      run.backward();
      const factor = typeof dout === 'number' ? dout : 1;
      return Object.fromEntries(run.inputNames.map((name) => [name, Float64Array.from(run.get(`d${name}`), (x) => factor * x)]));
    },
  });
}

/** Every combination of sizes. */
function combinations(choices: SizeChoices): Sizes[] {
  return Object.entries(choices).reduce<Sizes[]>(
    (rows, [letter, values]) => rows.flatMap((sizes) => values.map((value) => ({ ...sizes, [letter]: value }))),
    [{}],
  );
}

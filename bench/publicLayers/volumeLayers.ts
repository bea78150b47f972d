/**
 * Specifications for packages in the way of convnetjs: a volume of w · h · depth lies in memory as [h, w, depth]; a layer takes one example,
 * keeps its input and output volumes with their gradients beside them, and adds to the gradients of its parameters, so that a batch is one
 * backward per example.
 */
import { defineLayer, type Float64Tensor, fromLoss, type LayerContext, type Sizes } from 'backprop-ninja/gradcheck';
import { withRandom } from './withRandom.js';

export interface Volume {
  w: Float64Array;
  dw: Float64Array;
}

export interface VolumeLayer {
  forward(input: Volume, train: boolean): Volume;
  backward(): void;
  filters: Volume[];
  biases: Volume;
}

export interface VolumeLoss<T> {
  forward(input: Volume, train: boolean): Volume;
  backward(target: T): number;
}

/** How a package makes a volume and names its width, height and depth. */
export interface Dialect<V extends Volume> {
  volume(w: number, h: number, depth: number, values: Float64Array): V;
  shape(volume: V): number[];
}

interface Parameters {
  x: Float64Tensor;
  filters: Float64Tensor;
  biases: Float64Tensor;
}

/** Part `i` of `n` equal parts. */
const part = (values: Float64Array, i: number, n: number) => values.slice((i * values.length) / n, ((i + 1) * values.length) / n);

/** A layer with the parameters of the inputs. */
function withParameters(layer: VolumeLayer, { filters, biases }: Parameters): VolumeLayer {
  layer.filters.forEach(({ w }, i) => {
    w.set(part(filters.data, i, layer.filters.length));
  });
  layer.biases.w.set(biases.data);
  return layer;
}

export const PLAIN_SIZES = { h: [1, 2], w: [1, 3], depth: [4, 5] };

export function volumeLayers<V extends Volume>({ volume, shape }: Dialect<V>) {
  /** Example `i` of x [n, h, w, depth]. */
  const example = (x: Float64Tensor, i: number) => {
    const [n = 1, h = 1, w = 1, depth = 1] = x.shape;
    return volume(w, h, depth, part(x.data, i, n));
  };
  const forward = (layer: VolumeLayer, input: V, train: boolean) => layer.forward(input, train) as V;

  /** A layer without parameters: x [n, h, w, depth] with n = 1. */
  const plain = (create: (sizes: Sizes) => VolumeLayer, sizes: Record<string, number[]> = PLAIN_SIZES, train = true) =>
    defineLayer({
      sizes,
      train,
      inputs: ({ h, w, depth }, draw) => ({ x: draw.normal(1, h, w, depth) }),
      forward: ({ x }: { x: Float64Tensor }, context: LayerContext) => {
        const layer = create(context.sizes);
        const input = example(x, 0);
        const output = withRandom(context.random, () => forward(layer, input, context.train));
        Object.assign(context.saved, { layer, input, output });
        return { data: output.w.slice(), shape: shape(output) };
      },
      backward: (dout: { data: Float64Array }, _inputs: { x: Float64Tensor }, { saved }: LayerContext) => {
        const { layer, input, output } = saved as { layer: VolumeLayer; input: V; output: V };
        output.dw.set(dout.data);
        layer.backward();
        return { x: input.dw };
      },
    });

  /** A layer of `units` filters: x [n, h, w, depth], filters [units, ...filter], biases [units]. */
  const filtered = (create: (sizes: Sizes) => VolumeLayer, filter: (sizes: Sizes) => number[], sizes: Record<string, number[]>) =>
    defineLayer({
      sizes,
      inputs: (sizes, draw) => ({
        x: draw.normal(sizes.n, sizes.h, sizes.w, sizes.depth),
        filters: draw.normal(sizes.units, ...filter(sizes)),
        biases: draw.normal(sizes.units),
      }),
      forward: (inputs: Parameters, { sizes }: LayerContext) => {
        const layer = withParameters(create(sizes), inputs);
        const outputs = Array.from({ length: sizes.n }, (_, i) => forward(layer, example(inputs.x, i), true));
        return { data: Float64Array.from(outputs.flatMap(({ w }) => [...w])), shape: [sizes.n, ...outputs.slice(0, 1).flatMap(shape)] };
      },
      backward: (dout: { data: Float64Array }, inputs: Parameters, { sizes }: LayerContext) => {
        const layer = withParameters(create(sizes), inputs);
        const dx = Array.from({ length: sizes.n }, (_, i) => {
          const input = example(inputs.x, i);
          forward(layer, input, true).dw.set(part(dout.data, i, sizes.n));
          layer.backward();
          return [...input.dw];
        });
        return { x: dx.flat(), filters: layer.filters.flatMap(({ dw }) => [...dw]), biases: layer.biases.dw };
      },
      batch: { letter: 'n', inputs: ['x'] },
    });

  /** A loss at the end of a network; its backward takes the target and returns the loss. */
  const loss = <T>(create: (sizes: Sizes) => VolumeLoss<T>, target: (sizes: Sizes) => T) =>
    fromLoss(
      ({ x }: { x: Float64Tensor }, { sizes }: LayerContext) => {
        const layer = create({ ...sizes, h: 1, w: 1 });
        const input = volume(1, 1, sizes.depth, x.data);
        layer.forward(input, true);
        const loss = layer.backward(target(sizes));
        return { loss, gradients: { x: input.dw } };
      },
      { sizes: { depth: [2, 3, 5] }, inputs: ({ depth }, draw) => ({ x: draw.normal(depth) }) },
    );

  return { plain, filtered, loss };
}

export const CONVOLUTION_SIZES = { n: [1, 2], h: [4], w: [3, 5], depth: [1, 2], units: [1, 3] };
export const DENSE_SIZES = { n: [1, 3], h: [1, 2], w: [1, 2], depth: [2, 3], units: [1, 4] };
export const POOL_SIZES = { h: [2, 4], w: [3, 5], depth: [1, 2] };

/** The last class, and a target per entry. */
export const lastClass = ({ depth }: Sizes) => depth - 1;
export const someTargets = ({ depth }: Sizes) => Array.from({ length: depth }, (_, i) => 0.3 * i - 0.4);

import { oneAtATime } from './float64.js';
import { judge } from './judge.js';
import { isLayer, type Layer } from './layer.js';
import { precisionOf } from './precision.js';
import type { LayerReport } from './report.js';

/** How to check a layer. */
export interface LayerCheckOptions {
  /** The layer's name in the report; default 'layer'. */
  name?: string;
  /** Seed of all draws; default 0. */
  seed?: number | string;
  /** Whether to judge in float32, as the code runs: the limits are wider. By default, code that can be judged in float64 is. */
  float32?: boolean;
}

/**
 * Checks the gradients of a layer against finite differences, at several draws and all sizes, and further properties of its backward pass.
 *
 * While it calls the layer, Float64Array takes the place of the global Float32Array. Checks run one after another.
 * @returns the verdict on every input; a layer that throws or is random is refused, with the reason in the report
 * @throws TypeError if the first argument is not a layer
 */
export function checkLayer(layer: Layer, { name = 'layer', seed = 0, float32 = false }: LayerCheckOptions = {}): Promise<LayerReport> {
  if (!isLayer(layer)) throw new TypeError('checkLayer needs a layer: an object with functions inputs, forward and backward');
  return oneAtATime(async () => {
    const precision = float32 ? 'float32' : await precisionOf(layer, seed);
    return judge(layer, { name, seed, precision, arrays: precision === 'float64' ? 'swapped' : 'plain' });
  });
}

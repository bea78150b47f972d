/** Files of gradients with planted mistakes. */

import type { DType, Tensor } from '../../src/core/tensor.js';
import { type Mutant, plant } from '../../src/dojo/mutants.js';
import { createNetworkCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward, exercise1, GRADIENT_NAMES, type GradientLines } from '../../src/lesson/exercise1.js';
import { forward } from '../../src/lesson/forward.js';
import { INTERMEDIATE_NAMES, type LessonParameters, type LessonValues } from '../../src/lesson/values.js';
import { byName, LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { type Safetensors, type StoredTensor, storeFloats } from '../../src/run/safetensors.js';

/** A forward pass of the lesson's network, in one precision. */
export interface AgainstCase {
  dtype: DType;
  values: LessonValues;
}

/** @param change parameters to take instead of the drawn ones */
export function againstCase(dtype: DType, n = 32, change: Partial<LessonParameters> = {}): AgainstCase {
  const { parameters, batch } = createNetworkCase(LESSON_CONFIG, n, 'against');
  const rounded = LESSON_PARAMETER_NAMES.map((name) => (change[name] ?? parameters[name]).to(dtype));
  return { dtype, values: forward(byName(LESSON_PARAMETER_NAMES, rounded), batch) };
}

/** Exercise 1's lines with several mistakes. */
export function planted(mutants: readonly Mutant[]): GradientLines {
  return { ...exercise1, ...Object.fromEntries(mutants.map((mutant) => [mutant.line, plant(mutant)[mutant.line]])) };
}

/** The gradients of these lines, each fed with those above it. */
export function gradientsOf({ values }: AgainstCase, lines?: GradientLines): Record<string, Tensor> {
  return backward(values, lines);
}

/** A file with the parameters, the batch and these gradients. */
export function fileOf(
  { values }: AgainstCase,
  gradients: Readonly<Record<string, Tensor>>,
  options: { forward?: boolean } = {},
): Safetensors {
  const tensors = new Map<string, StoredTensor>();
  const held = [...LESSON_PARAMETER_NAMES, ...(options.forward ? INTERMEDIATE_NAMES : [])];
  for (const name of held) tensors.set(name, storeFloats(values[name].data, values[name].shape));
  for (const name of ['Xb', 'Yb'] as const) {
    const { data, shape } = values[name];
    tensors.set(name, { dtype: 'I32', shape, bytes: new Uint8Array(data.slice().buffer) });
  }
  for (const name of GRADIENT_NAMES) if (name in gradients) tensors.set(name, storeFloats(gradients[name].data, gradients[name].shape));
  return { metadata: {}, tensors };
}

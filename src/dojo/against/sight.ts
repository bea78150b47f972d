import type { Tensor } from '../../core/tensor.js';
import type { StepName } from '../../lesson/values.js';
import type { Pass } from './pass.js';

/** Something that a file holds and a pass gives, too. */
export interface Sight {
  /** The last step that it depends on. */
  step: StepName;
  found: Tensor;
  valueIn: (pass: Pass) => Tensor;
}

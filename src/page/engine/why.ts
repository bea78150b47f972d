/** Why an entry of the pass has its value. */
import type { TensorName } from '../../lesson/entry.js';
import { type Explanation, why } from '../../lesson/why.js';
import { type PassSource, passAt } from './pass.js';

export const whyMethods = {
  why(source: PassSource, name: TensorName, at: readonly number[]): Explanation {
    return why(passAt(source).pass, name, at);
  },
};

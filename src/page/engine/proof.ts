/** One entry of the pass moved by ±ε, in both precisions: float64, in which the page computes, and float32, in which networks train. */
import { type ErrorCurve, errorCurve, inPrecision, type Nudge, nudge } from '../../gradCheck/entryProof.js';
import type { ValueName } from '../../lesson/values.js';
import { type PassSource, passAt } from './pass.js';

export interface Nudged {
  float64: Nudge;
  float32: Nudge;
}

export interface Curves {
  float64: ErrorCurve;
  float32: ErrorCurve;
}

export const proofMethods = {
  /** @param entry the row-major position in the tensor */
  nudge(source: PassSource, name: ValueName, entry: number, eps: number): Nudged {
    const { pass } = passAt(source);
    return { float64: nudge(pass, pass, name, entry, eps), float32: nudge(inPrecision(pass, 'float32'), pass, name, entry, eps) };
  },
  /** @param entry the row-major position in the tensor */
  errorCurves(source: PassSource, name: ValueName, entry: number): Curves {
    const { pass } = passAt(source);
    return {
      float64: errorCurve(pass, pass, name, entry, { dtype: 'float64' }),
      float32: errorCurve(pass, pass, name, entry, { dtype: 'float32' }),
    };
  },
};

/** Compares the gradients in a file, for example PyTorch's, with ours in float64. */
import { FileContentError } from '../../core/errors.js';
import { backward, GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { lessonName } from '../../lesson/tensorNames.js';
import type { Safetensors } from '../../run/safetensors.js';
import { endToEnd } from './endToEnd.js';
import { expectFinite, judgeForward } from './forward.js';
import { readInputs } from './inputs.js';
import { tensorsNamed, unclearNames } from './names.js';
import type { AgainstReport } from './report.js';

/**
 * Compares every tensor in the file, apart from the parameters and the batch, with ours, computed in float64 from the file's parameters and
 * batch.
 * @param file holds C [V,E], W1 [T·E,H], b1 [H], bngain [1,H] or [H], bnbias [1,H] or [H], W2 [H,V], b2 [V], Xb [n,T], Yb [n] with
 * n at least 2, and at least one gradient as d + name. It may hold the loss and any intermediate. Floats are F32 or F64, indices I32 or I64.
 * @throws FileContentError if a needed tensor is missing, has a wrong shape or data type, or is not finite
 * @throws NumericalError if one of our tensors is not finite with these parameters
 */
export function checkAgainst(file: Safetensors): AgainstReport {
  const inputs = readInputs(file);
  const { unknown, duplicate } = unclearNames(file);
  const held = new Set([...file.tensors.keys()].map(lessonName));
  const compared = GRADIENT_NAMES.filter((name) => held.has(name));
  if (compared.length === 0 && !unknown.some(({ suggestion }) => suggestion?.startsWith('d'))) {
    throw new FileContentError(`no gradient found; expected at least one of ${GRADIENT_NAMES.join(', ')}`);
  }
  const { report: forward, rows, values } = judgeForward(file, inputs);
  const truth = backward(values);
  for (const name of GRADIENT_NAMES) expectFinite(name, truth[name]);
  const gradients = compared.flatMap((own) => tensorsNamed(file, own).map(({ name, stored }) => endToEnd(name, stored, truth[own])));
  const tensors = [...rows, ...gradients];
  return {
    ok: unknown.length === 0 && duplicate.length === 0 && tensors.every(({ ok }) => ok),
    compared: compared.length,
    of: GRADIENT_NAMES.length,
    culprits: gradients.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name),
    unknown,
    duplicate,
    absent: GRADIENT_NAMES.filter((name) => !held.has(name)),
    notShown: [],
    forward,
    tensors,
  };
}

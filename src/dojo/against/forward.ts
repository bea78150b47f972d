/** Compares the forward pass in a file with ours. */
import { NumericalError } from '../../core/errors.js';
import { indexAt } from '../../core/numbers.js';
import { showShape, type Tensor } from '../../core/tensor.js';
import { forward } from '../../lesson/forward.js';
import { INTERMEDIATE_NAMES, type LessonValues, STEP_NAMES } from '../../lesson/values.js';
import type { Safetensors } from '../../run/safetensors.js';
import { endToEnd } from './endToEnd.js';
import type { FileInputs } from './inputs.js';
import { tensorsNamed } from './names.js';
import type { AgainstRow, ForwardReport } from './report.js';

/** The verdict on the forward pass, a row per tensor, and the forward values that the gradients are judged on, in float64. */
export interface JudgedForward {
  report: ForwardReport;
  rows: AgainstRow[];
  values: LessonValues;
}

/** @throws NumericalError if one of our tensors is not finite with these parameters */
export function judgeForward(file: Safetensors, { parameters, batch }: FileInputs): JudgedForward {
  const values = forward(parameters, batch);
  for (const step of STEP_NAMES) expectFinite(step, values[step]);
  const rows = (['loss', ...INTERMEDIATE_NAMES] as const).flatMap((step) =>
    tensorsNamed(file, step).map(({ name, stored }) => endToEnd(name, stored, values[step])),
  );
  const first = rows.find(({ ok }) => !ok);
  return {
    report: {
      compared: rows.length,
      judgedOn: 'ours',
      first: first === undefined ? null : { name: first.name, at: first.at, found: first.found, expected: first.expected, cause: null },
    },
    rows,
    values,
  };
}

/** @throws NumericalError if one of our tensors is not finite */
export function expectFinite(name: string, { data, shape }: Tensor): void {
  const at = data.findIndex((x) => !Number.isFinite(x));
  if (at === -1) return;
  throw new NumericalError(
    `with these parameters, our ${name} is ${data[at]} at ${showShape(indexAt(at, shape))}, so nothing can be compared`,
    { hint: 'the parameters are too large for the network' },
  );
}

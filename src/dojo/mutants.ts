/** The bank of planted mistakes: common mistakes in each line. A gradient check is only as good as the mistakes that it catches. */
import { UsageError } from '../core/errors.js';
import { showText } from '../core/text.js';
import type { ClosedForm } from '../gradCheck/closedForms.js';
import type { ClosedFormName } from '../lesson/closedTerms.js';
import { exercise1, type GradientLine, type GradientLines } from '../lesson/exercise1.js';
import type { GradientName } from '../lesson/values.js';
import { ATOMIC_MISTAKES } from './atomicMutants.js';
import { BATCH_NORM_MISTAKES, CROSS_ENTROPY_MISTAKES } from './closedMutants.js';
import type { PlantedMistake } from './mutant.js';

/** A mistake in one gradient line. */
export interface Mutant extends PlantedMistake<GradientLine> {
  /** Its name on the command line. */
  name: string;
  /** The exercise that asks for the line: 1 the atomic line, 2 and 3 the closed form. */
  exercise: 1 | 2 | 3;
  line: GradientName;
}

export interface ClosedFormMutant extends Mutant {
  exercise: 2 | 3;
  line: ClosedFormName;
  planted: ClosedForm;
}

export const LINE_MUTANTS: readonly Mutant[] = (Object.keys(ATOMIC_MISTAKES) as GradientName[]).flatMap((line) =>
  Object.entries(ATOMIC_MISTAKES[line]).map(([id, planted]): Mutant => ({ name: `${line}-${id}`, exercise: 1, line, ...planted })),
);

export const CLOSED_FORM_MUTANTS: readonly ClosedFormMutant[] = [
  ...Object.entries(CROSS_ENTROPY_MISTAKES).map(
    ([id, planted]): ClosedFormMutant => ({ name: `cross-entropy-${id}`, exercise: 2, line: 'dlogits', ...planted }),
  ),
  ...Object.entries(BATCH_NORM_MISTAKES).map(
    ([id, planted]): ClosedFormMutant => ({ name: `batch-norm-${id}`, exercise: 3, line: 'dhprebn', ...planted }),
  ),
];

export const MUTANTS: readonly Mutant[] = [...LINE_MUTANTS, ...CLOSED_FORM_MUTANTS];

/** @throws UsageError that lists the mutants of the same line */
export function findMutant(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant) return mutant;
  const [where] = name.split('-');
  const alike = MUTANTS.filter((one) => one.name.startsWith(`${where}-`)).map((one) => one.name);
  const way = alike.length > 0 ? { hint: `there are ${alike.join(', ')}` } : { hint: 'list them', command: 'mutants' };
  throw new UsageError(`no mutant '${showText(name)}'`, way);
}

/** Exercise 1's lines with the mistake in one of them; a closed form replaces its atomic line. */
export function plant({ line, planted }: Mutant): GradientLines {
  return { ...exercise1, [line]: planted };
}

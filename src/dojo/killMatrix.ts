/** The kill matrix of mutation testing: which gradient checks notice which planted mistakes. */

import { sameShape, Tensor } from '../core/tensor.js';
import { checkLocally, localDerivative } from '../gradCheck/atomic.js';
import { checkClosedForms, closedDerivative, SOLVED } from '../gradCheck/closedForms.js';
import { remembering } from '../gradCheck/differences.js';
import { BATCH_SIZES } from '../gradCheck/gradCheck.js';
import { CHECK_DEFAULTS } from '../gradCheck/options.js';
import { createLessonCase, float32Values, LESSON_CONFIG } from '../lesson/case.js';
import { backward, exercise1, GRADIENT_NAMES, type GradientLines } from '../lesson/exercise1.js';
import type { GradientName, LessonValues } from '../lesson/values.js';
import { LineChecker, type LineReport } from './check.js';
import { EXERCISES } from './exercises.js';
import { type Finding, sameFindings } from './findings.js';
import type { ValuesAndGradients } from './learnerFile.js';
import { PARAMETER_GRADIENT_NAMES } from './lessonTraining.js';
import { type ClosedFormMutant, type Mutant, plant } from './mutants.js';
import { NO_NAME } from './sentences.js';

/** Checks of other projects, then ours. */
export const CHECKS = ['cmp', 'llm.c', 'minitorch', 'gradcheck', 'grad-check', 'dojo'] as const;
export type Check = (typeof CHECKS)[number];

/** Each check as it is applied here: to every entry, although some of the originals sample a few. */
export const CHECK_TEXT: Record<Check, string> = {
  cmp: "the lesson's cmp: all 26 gradients, float32, torch.allclose (1e-8, 1e-5)",
  'llm.c': "llm.c's test: the parameters' gradients, float32, difference <= 2e-2",
  minitorch: "minitorch's: the parameters' gradients, float64, 1e-2 + 1e-2 relative",
  gradcheck: "PyTorch's: the same and their shapes, 1e-5 + 1e-3 relative",
  'grad-check': 'ours: the line alone, random gradients above it, n 2, 3 and 32',
  dojo: 'ours: the same against the solution; names the mistake',
};

export interface KillRow {
  mutant: Mutant;
  noticedBy: Record<Check, boolean>;
  /** The dojo's findings, as data and as a sentence. */
  findings: readonly Finding[];
  said: string;
  /** Whether the dojo gives the mistake its own name, another mistake's name, or none. */
  naming: 'right' | 'wrong' | 'none';
}

function namingOf({ named, findings = [] }: LineReport, { expected }: Mutant): KillRow['naming'] {
  if (!named) return 'none';
  return sameFindings(findings, expected) ? 'right' : 'wrong';
}

/** Whether both of our checks notice the mistake and the dojo does not misname it. */
export function isCaught({ noticedBy, naming }: KillRow): boolean {
  return noticedBy['grad-check'] && noticedBy.dojo && naming !== 'wrong';
}

/** Plants mistakes one by one, and applies every check to each. */
export class KillMatrix {
  readonly #checker = new LineChecker();
  readonly #cases = BATCH_SIZES.map((n) => createLessonCase(LESSON_CONFIG, n, SEED));
  /** The derivatives of each case, which all mistakes in a line share. */
  readonly #derivatives = this.#cases.map(() => ({ line: remembering(localDerivative), closedForm: remembering(closedDerivative) }));
  /** The lesson's batch of 32 in both precisions, with the true gradients. */
  readonly #float64 = runLines(this.#cases[BATCH_SIZES.indexOf(32)].values, exercise1);
  readonly #float32 = runLines(float32Values(this.#cases[BATCH_SIZES.indexOf(32)]), exercise1);

  judge(mutant: Mutant): KillRow {
    const { exercise, line, planted } = mutant;
    const solution = EXERCISES[exercise].lines.find(({ name }) => name === line);
    if (!solution) throw new Error(`Exercise ${exercise} has no ${line}`);
    const report = this.#checker.check(solution, planted);
    return {
      mutant,
      noticedBy: { ...this.#othersNotice(mutant), 'grad-check': this.#gradCheckNotices(mutant), dojo: report.verdict !== 'right' },
      findings: report.findings ?? [],
      said: report.problem ?? NO_NAME,
      naming: namingOf(report, mutant),
    };
  }

  #othersNotice(mutant: Mutant): Omit<Record<Check, boolean>, 'grad-check' | 'dojo'> {
    const lines = plant(mutant);
    const narrow = differing(this.#float32, lines);
    const wide = differing(this.#float64, lines);
    return {
      cmp: narrow(GRADIENT_NAMES, (found, truth) => allClose(found, truth, 1e-8, 1e-5)),
      'llm.c': narrow(PARAMETER_GRADIENT_NAMES, (found, truth) => allClose(found, truth, 2e-2, 0)),
      minitorch: wide(PARAMETER_GRADIENT_NAMES, (found, truth) => allClose(found, truth, 1e-2, 1e-2)),
      gradcheck: wide(
        PARAMETER_GRADIENT_NAMES,
        (found, truth) => sameShape(found.shape, truth.shape) && allClose(found, truth, 1e-5, 1e-3),
      ),
    };
  }

  #gradCheckNotices(mutant: Mutant): boolean {
    const options = { ...CHECK_DEFAULTS, seed: SEED };
    const rows = this.#cases.flatMap((given, i) =>
      isClosedForm(mutant)
        ? checkClosedForms(given, options, { ...SOLVED, [mutant.line]: mutant.planted }, [mutant.line], this.#derivatives[i].closedForm)
        : checkLocally(given, options, plant(mutant), [mutant.line], this.#derivatives[i].line),
    );
    return rows.some(({ ok }) => !ok);
  }
}

/** What one check says of a mistake. */
export interface CheckVerdict {
  check: Check;
  /** What the check compares, and within which limits. */
  text: string;
  notices: boolean;
}

/** What the checks say of a mistake, and the dojo's sentence for it. */
export interface Verdicts {
  checks: CheckVerdict[];
  said: string;
  naming: KillRow['naming'];
}

let shared: KillMatrix | undefined;

/** What every check says of a mistake. The first call takes about 0.3 s for the cases, which later calls share; a mistake takes 0.03 to 0.3 s. */
export function verdictsOn(mutant: Mutant): Verdicts {
  shared ??= new KillMatrix();
  const { noticedBy, said, naming } = shared.judge(mutant);
  return { checks: CHECKS.map((check) => ({ check, text: CHECK_TEXT[check], notices: noticedBy[check] })), said, naming };
}

const SEED = 'mutants';

function isClosedForm(mutant: Mutant): mutant is ClosedFormMutant {
  return mutant.exercise !== 1;
}

/** The values with all gradients; each line reads the results of those above it. */
function runLines(values: LessonValues, lines: GradientLines): ValuesAndGradients {
  return { ...values, ...backward(values, lines) };
}

/** Tells whether any gradient of these lines is not close to the right one. Every check notices a line that throws. */
function differing(truth: ValuesAndGradients, lines: GradientLines) {
  let found: ValuesAndGradients | undefined;
  try {
    found = runLines(truth, lines);
  } catch {
    found = undefined;
  }
  return (names: readonly GradientName[], isClose: (found: Tensor, truth: Tensor) => boolean): boolean => {
    const at = found;
    return at === undefined || names.some((name) => !isClose(at[name], truth[name]));
  };
}

/** |a - b| <= atol + rtol·|b| in every entry, as in torch.allclose. The shapes may broadcast; if they do not, the result is false. */
function allClose(a: Tensor, b: Tensor, atol: number, rtol: number): boolean {
  let excess: Tensor;
  try {
    excess = a.sub(b);
  } catch {
    return false;
  }
  const limits = Tensor.zerosLike(excess).add(b);
  return excess.data.every((x, i) => Math.abs(x) <= atol + rtol * Math.abs(limits.data[i]));
}

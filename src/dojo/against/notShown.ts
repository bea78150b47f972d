/** What the values of a file cannot show: mistakes that change nothing with these gradients above, these parameters and this batch. */
import { largestMagnitude } from '../../core/numbers.js';
import type { GradientName, LessonGradients, LessonValues } from '../../lesson/values.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import { scaleOf } from '../knowledge.js';
import type { JudgedGradient } from './judgeGradients.js';
import { linesOf } from './lines.js';
import type { AgainstReport } from './report.js';

/** For each gradient that is not wrong, what does not show. */
export function notShownIn(judged: readonly JudgedGradient[], values: LessonValues, truth: LessonGradients): AgainstReport['notShown'] {
  return judged.flatMap((one) => {
    const { gradient, verdict } = one;
    const reason = verdict === 'wrong' ? undefined : (zeroReason(one, truth) ?? REASONS[gradient.own]?.(values, one));
    return reason === undefined ? [] : [{ name: gradient.name, text: reason }];
  });
}

/** The reason why a line whose right values are all 0 shows nothing. */
function zeroReason({ gradient: { own }, fed: [first] }: JudgedGradient, truth: LessonGradients): string | undefined {
  if (first === undefined || linesOf(own)[0].reads.length === 0 || own === 'dlogits') return undefined;
  const { way, at, expected, limit } = first;
  if (largestMagnitude(expected.data) > limit * scaleOf(way.knowledge, at)) return undefined;
  if (ATOMIC_LINES[own].zeroEndToEnd) {
    return 'its values are 0 whatever the sign and the factor, so a mistake in this line need not show';
  }
  return largestMagnitude(truth[own].data) > 0
    ? undefined
    : 'its right values are 0 with these parameters, so a mistake in this line need not show';
}

const REASONS: Partial<Record<GradientName, (values: LessonValues, judged: JudgedGradient) => string | undefined>> = {
  dlogits: (_, { fed: [first] }) => {
    if (first === undefined) return undefined;
    const { dlogit_maxes, dnorm_logits } = first.at;
    const isZero = largestMagnitude(dlogit_maxes.data) <= 1e-5 * largestMagnitude(dnorm_logits.data);
    return isZero ? 'dlogit_maxes is 0, so the branch through the row maximum does not show' : undefined;
  },
  dbnraw: ({ bngain }) => (bngain.data.every((x) => x === 1) ? 'bngain is 1 everywhere, so leaving it out does not show' : undefined),
  dbndiff2: ({ n }) => (n === 2 ? 'n - 1 is 1 in a batch of 2, so leaving it out does not show' : undefined),
  dC: ({ Xb }) =>
    new Set(Xb.data).size === Xb.data.length ? 'no character occurs twice in this batch, so = where += belongs does not show' : undefined,
};

import type { ReportRun } from '../../run/reportData.js';
import type { Level } from '../parts/curves.js';

/** What simple models lose on the validation names. */
export function levelsOf(result: ReportRun['result']): Level[] {
  if (!result) return [];
  const { fourGram, bigram, uniform } = result.baselines;
  const level = (name: string, value: number): Level => ({ name: `${name} ${value.toFixed(2)}`, value });
  return [level('4-grams', fourGram.val), level('bigrams', bigram.val), level('uniform', uniform.val)];
}

export const lossText = (loss: number) => (loss < 1000 ? loss.toFixed(4) : loss.toExponential(2));

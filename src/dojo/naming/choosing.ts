/** Chooses between explanations. */
import type { Mistake } from '../findings.js';
import type { Explanation } from './observations.js';

export function cheapest(explanations: readonly Explanation[]): number {
  return Math.min(...explanations.map(({ cost }) => cost));
}

/** The simplest explanation; two if they are equally simple. An explanation that leaves a thousand times less open is better. */
export function chosen(explanations: readonly Explanation[], nothing: number): Mistake[] | undefined {
  if (explanations.length === 0) return undefined;
  const closest = Math.max(nothing, Math.min(...explanations.map(({ rest }) => rest)));
  const good = explanations.filter(({ rest }) => rest <= 100 * closest);
  const least = cheapest(good);
  const seen = new Set<string>();
  const equal = good.filter(({ cost, mistakes }) => {
    const key = JSON.stringify(mistakes);
    return cost <= least + 1e-6 && !seen.has(key) && seen.add(key);
  });
  return equal.length === 1 ? [...equal[0].mistakes] : [{ id: 'either', of: equal.slice(0, 2).map(({ mistakes }) => mistakes) }];
}

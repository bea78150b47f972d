/** The verdict on a gradient: the difference of each entry as a share of its limit. */
export interface Verdict {
  ok: boolean;
  /** The number of wrong entries. */
  wrong: number;
  /** Position of the entry to show: the first that is at least half as wrong as the worst; if none is wrong, the one closest to its limit. */
  shown: number;
}

/** Judges entries. NaN and infinity are wrong, also in a right value or a limit. */
export function verdictOn(found: ArrayLike<number>, right: ArrayLike<number>, limit: ArrayLike<number>): Verdict {
  const ratios = Array.from(found, (x, k) => shareOfLimit(x, right[k], limit[k]));
  const worst = ratios.reduce((most, x, k) => (x > ratios[most] ? k : most), 0);
  const wrong = ratios.filter((x) => x > 1).length;
  return { ok: wrong === 0, wrong, shown: wrong > 0 ? ratios.findIndex((x) => x > 1 && x >= 0.5 * ratios[worst]) : worst };
}

/** |found - right| / limit: above 1, the entry is wrong. */
function shareOfLimit(found: number, right: number, limit: number): number {
  const error = Math.abs(found - right);
  if (error === 0) return 0;
  return Number.isFinite(error) && !Number.isNaN(limit) ? error / limit : Number.POSITIVE_INFINITY;
}

/** Whether an entry is within its limit. */
export function isRight(found: number, right: number, limit: number): boolean {
  return shareOfLimit(found, right, limit) <= 1;
}

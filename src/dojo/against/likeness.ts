/** The lesson's comparison, where it means something. */
import { maxUlps } from '../../core/numbers.js';
import type { Tensor } from '../../core/tensor.js';
import type { AgainstRow, AgainstVerdict } from './report.js';

/** Further apart, two right results are differences of larger terms, and their last digits mean nothing. */
const MEANINGFUL_ULPS = 100;

/**
 * Whether a result equals the right one bit by bit, and how far it is from it. Two right results that differ only by rounding are neither
 * exact nor wrong: then exact is null. The distance of a wrong one is null.
 * @param found a tensor of the right shape
 * @param dtype the precision to compare in
 */
export function likenessOf(
  found: Tensor,
  right: Tensor,
  dtype: 'float32' | 'float64',
  verdict: AgainstVerdict,
): Pick<AgainstRow, 'exact' | 'maxUlps'> {
  const ulps = maxUlps(found.to(dtype).data, right.to(dtype).data);
  if (verdict !== 'right') return { exact: ulps === 0, maxUlps: null };
  return { exact: ulps === 0 ? true : null, maxUlps: ulps <= MEANINGFUL_ULPS ? ulps : null };
}

/** Compares a tensor of a file with the right one. */
import { difference, indexAt, largestMagnitude, maxUlps } from '../../core/numbers.js';
import { sameShape, type Tensor } from '../../core/tensor.js';
import { loadFloats, type StoredTensor } from '../../run/safetensors.js';
import type { AgainstRow } from './report.js';

/** A tensor is right if |a-b| <= absolute + relative·max|ours| in every entry. */
const CLOSE = { F32: { absolute: 1e-7, relative: 1e-4 }, F64: { absolute: 1e-12, relative: 1e-9 } } as const;

/** The row of a tensor that is only compared with the right one. */
export function endToEnd(name: string, stored: StoredTensor, ours: Tensor): AgainstRow {
  const theirs = loadFloats(name, stored);
  const common = {
    name,
    shape: stored.shape,
    expectedShape: ours.shape,
    dtype: stored.dtype,
    asFed: null,
    structuralZero: false,
    mistake: null,
    remark: null,
  };
  if (!sameShape(stored.shape, ours.shape)) {
    const none = { error: null, limit: null, at: null, found: null, expected: null, exact: null, maxUlps: null };
    return { ...common, ok: false, verdict: 'wrong', ...none };
  }
  const rounded = theirs instanceof Float64Array ? Float64Array.from(ours.data) : Float32Array.from(ours.data);
  const { maxAbs, at } = difference(theirs, ours.data);
  const { absolute, relative } = CLOSE[stored.dtype as keyof typeof CLOSE];
  const limit = absolute + relative * largestMagnitude(ours.data);
  const ok = maxAbs <= limit;
  return {
    ...common,
    ok,
    verdict: ok ? 'right' : 'wrong',
    error: maxAbs,
    limit,
    at: indexAt(at, ours.shape),
    found: theirs[at],
    expected: ours.data[at],
    exact: theirs.every((x, i) => x === rounded[i]),
    maxUlps: maxUlps(theirs, rounded),
  };
}

/** The proof of an entry in words: ε, the digits that agree, and what the error curves say. */
import type { ErrorCurve } from '../../../gradCheck/entryProof.js';
import { showNumber, withMinus } from '../../parts/numbers.js';

/** The ε that can be chosen, ascending: 1, 2 and 5 times each power of ten from 1e-12 to 1. */
export const EPSILONS: readonly number[] = Array.from({ length: 37 }, (_, k) => Number(`${[1, 2, 5][k % 3]}e${Math.floor(k / 3) - 12}`));

/** The place of the choosable ε that is nearest. */
export function placeOfEps(eps: number): number {
  const distance = (one: number) => Math.abs(Math.log(one / eps));
  return EPSILONS.reduce((best, one, k) => (distance(one) < distance(EPSILONS[best] as number) ? k : best), 0);
}

/** 1e-5; 0.001 is written as 1e-3, and what is not a round number with two digits: 1.5e-3. */
export function showEps(eps: number): string {
  return eps.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
}

/** Significant digits of a gradient and a quotient beside each other. */
const DIGITS = 10;

/** Two numbers with ten digits each, in the same notation, and how many characters at their beginning are the same. */
export function besideEachOther(a: number, b: number): { texts: readonly [string, string]; same: number; digits: number } {
  const [first, second] = [a, b].map((value) => longNumber(value, a)) as [string, string];
  const exponent = (text: string) => text.split('e')[1];
  let same = 0;
  const areAlike = Number.isFinite(a) && Number.isFinite(b) && exponent(first) === exponent(second);
  if (areAlike) while (same < first.length && first[same] === second[same]) same++;
  const digits = first
    .slice(0, same)
    .replace(/e.*/, '')
    .replace(/^[−0.]+/, '')
    .replace('.', '').length;
  return { texts: [first, second], same, digits };
}

/** The value in the notation that fits `like`. */
function longNumber(value: number, like: number): string {
  if (!Number.isFinite(value)) return showNumber(value);
  const size = Math.abs(like);
  const decimals = DIGITS - 1 - Math.floor(Math.log10(size));
  const text = size >= 1e-4 && size < 1e6 ? value.toFixed(decimals) : value.toExponential(DIGITS - 1);
  return withMinus(text);
}

/** What the curve of a precision says, as a sentence. */
export function curveText({ dtype, best, bestError, noiseBelow, curvatureAbove, notFiniteFrom, relativeTo }: ErrorCurve): string {
  if (best === undefined || bestError === undefined) return `In ${dtype}, no ε gives a finite loss on both sides.`;
  const parts = [
    ...(noiseBelow === undefined ? [] : [`below ${showEps(noiseBelow)} rounding makes it more than ten times larger`]),
    ...(curvatureAbove === undefined ? [] : [`above ${showEps(curvatureAbove)} curvature does`]),
  ];
  const share = relativeTo === 'gradient' ? ' of the gradient' : '';
  const least = `In ${dtype} the error is least at ε = ${showEps(best)}: ${showEps(bestError)}${share}`;
  const end = notFiniteFrom === undefined ? '' : ` From ${showEps(notFiniteFrom)} on, a loss is not a finite number.`;
  return `${least}${parts.length > 0 ? `; ${parts.join(', ')}` : ''}.${end}`;
}

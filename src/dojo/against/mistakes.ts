/** Names the mistake of a gradient that is wrong by itself. */
import { indexAt, largestMagnitude } from '../../core/numbers.js';
import { sameShape, showShape } from '../../core/tensor.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import type { Finding, Mistake } from '../findings.js';
import { nameMistakes } from '../naming/naming.js';
import { sentenceOf } from '../sentences.js';
import { differenceFrom, type Expectation, type JudgedGradient, passes } from './judgeGradients.js';
import type { NamedMistake } from './report.js';

/** Beyond this magnitude squares of differences overflow. No mistake in a formula comes near it. */
const MAX_NAMEABLE = 1e100;

/** Pairs of mistakes that are tried: for an answer within a second or two. */
const MOST_PAIRS = 3000;

/** The mistake of a wrong gradient; null if nothing explains it. */
export function mistakeOf(judged: JudgedGradient, rounding: number | undefined): NamedMistake | null {
  const { gradient, fed } = judged;
  const { found, fitted, stored } = gradient;
  const broken = found.data.findIndex((x) => !Number.isFinite(x));
  if (broken !== -1) {
    const [entry, index] = [`${found.data[broken]}`, indexAt(broken, stored.shape)];
    return { id: 'not-finite', text: `entry ${showShape(index)} is ${entry}`, entry, index };
  }
  const reshaped = rightInAnotherShape(judged);
  if (reshaped !== null) return reshaped;
  const nameable = found.size > 0 && found.data.every((x) => Math.abs(x) <= MAX_NAMEABLE);
  const simple = nameable ? simplest(judged, 0, rounding) : undefined;
  // What cancels is explained by anything that cancels, too.
  if (isZeroByRounding(judged, rounding) && (simple === undefined || simple.some(({ id }) => id === 'term-extra'))) {
    return { id: 'zero', text: 'it is 0 up to rounding' };
  }
  const named = nameable ? (simple ?? simplest(judged, MOST_PAIRS, rounding)) : undefined;
  if (named !== undefined) return mistake(named);
  const expectedShape = fed[0]?.expected.shape;
  if (fitted !== undefined || expectedShape === undefined || sameShape(stored.shape, expectedShape)) return null;
  return mistake([{ id: 'wrong-shape', found: stored.shape, expected: expectedShape }]);
}

/** A sum that is always 0 is all rounding. Anything that is 0, too, would explain it, so another shape is recognised first. */
function rightInAnotherShape({ gradient: { own, found, fitted, stored }, fed }: JudgedGradient): NamedMistake | null {
  if (fitted !== undefined || !ATOMIC_LINES[own].zeroEndToEnd) return null;
  const isRight = fed.some(({ expected, ...rest }) => {
    const sameSize = found.size === expected.size;
    return sameSize && passes(differenceFrom(found.view(expected.shape), { expected, ...rest }));
  });
  const expected = fed[0]?.expected.shape;
  if (!isRight || expected === undefined) return null;
  const keepdim = stored.shape.length < expected.length ? 'missing' : 'extra';
  return mistake([{ id: 'reshaped', found: stored.shape, expected, keepdim }]);
}

/** Whether every entry is what rounding leaves of values of order 1, such as bndiff: tiny, and with few digits. */
function isZeroByRounding({ gradient: { fitted }, fed }: JudgedGradient, rounding: number | undefined): boolean {
  if (fitted === undefined) return false;
  const [most, grid] = rounding === undefined ? [1e-13, 2 ** -59] : [1e-5, 2 ** -30];
  const isSmall = fed.some(({ expected }) => largestMagnitude(fitted.data) <= 0.01 * largestMagnitude(expected.data));
  return isSmall && fitted.data.every((x) => Math.abs(x) <= most && (x / grid) % 1 === 0);
}

/** The simplest explanation as a mistake in one of the ways to compute the gradient. */
function simplest(judged: JudgedGradient, pairs: number, rounding: number | undefined): readonly Mistake[] | undefined {
  const { own, fitted, found } = judged.gradient;
  const source = { pairs, ...(rounding !== undefined && { rounding }) };
  let best: readonly Mistake[] | undefined;
  for (const { way, at, expected } of waysToName(judged)) {
    const one = nameMistakes(own, way.knowledge, [{ at, expected, found: fitted ?? found }], source);
    if (one !== undefined && isPlausible(one) && (!best || complexity(one) < complexity(best) || isOwnFactor(one))) best = one;
    if (best && complexity(best) === 1 && !isForeignFactor(best)) return best;
  }
  return best;
}

/** A factor that the way has not itself: dlogits has 1/n in its closed form alone. */
function isForeignFactor([one, ...more]: readonly Mistake[]): boolean {
  return more.length === 0 && one.id === 'scaled' && one.expected === undefined && one.by.includes('n');
}

function isOwnFactor([one, ...more]: readonly Mistake[]): boolean {
  return more.length === 0 && one.id === 'scaled' && one.branch === undefined && one.expected !== undefined;
}

/** On a single batch, two mistakes and a constant that nobody writes explain anything. */
function isPlausible(mistakes: readonly Mistake[]): boolean {
  return mistakes.every((one) => {
    if (one.id === 'either') return one.of.every(isPlausible);
    return mistakes.length < 2 || one.id !== 'scaled' || !/\d{3}|\./.test(one.by);
  });
}

/** Each way to compute the gradient once, the atomic line first. A line none of whose gradients above is in the file was hardly written. */
function waysToName({ fed, replaced }: JudgedGradient): Expectation[] {
  const ways = fed.filter(({ way }, i) => fed.findIndex((one) => one.way.knowledge === way.knowledge) === i);
  const written = ways.filter(({ way }) => way.reads.length === 0 || way.reads.some((name) => !replaced.some((one) => one.name === name)));
  return written.length > 0 && ways.length > 1 ? written : ways;
}

function complexity(findings: readonly Finding[]): number {
  const vague = findings.some(({ id }) => id === 'either' || id === 'other-expression');
  return findings.length + (vague ? 1 : 0);
}

function mistake(findings: readonly Finding[]): NamedMistake {
  return { ...findings[0], text: sentenceOf(findings, 'python') };
}

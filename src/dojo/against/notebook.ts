/** Mistakes that are made in a notebook rather than in a formula: gradients that add up over two backward calls, two names for one tensor. */
import { difference, largestMagnitude } from '../../core/numbers.js';
import type { LessonGradients } from '../../lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../network/parameters.js';
import { ATOMIC_LINES } from '../atomicLines.js';
import { differenceFrom, type JudgedGradient, passes } from './judgeGradients.js';
import { linesOf } from './lines.js';
import type { NamedMistake } from './report.js';

/** The mistakes of a notebook, by the name of the row. */
export function notebookMistakes(judged: readonly JudgedGradient[], truth: LessonGradients): Map<string, NamedMistake> {
  const wrong = judged.filter(({ verdict }) => verdict === 'wrong');
  const times = wrong.length === 0 ? undefined : accumulated(judged, truth);
  return new Map(
    wrong.flatMap((one) => {
      const mistake = times !== undefined && isLeaf(one) ? accumulatedText(times) : aliased(one, judged);
      return mistake === undefined ? [] : [[one.gradient.name, mistake] as const];
    }),
  );
}

const LEAVES: ReadonlySet<string> = new Set(LESSON_PARAMETER_NAMES.map((name) => `d${name}`));

/** Whether it is the gradient of a parameter. That of b1 is 0, however often it is added up. */
function isLeaf({ gradient: { own } }: JudgedGradient): boolean {
  return LEAVES.has(own) && !ATOMIC_LINES[own].zeroEndToEnd;
}

/** How many times the right ones all gradients of parameters are, where nothing else is wrong. At least two of them must be in the file. */
function accumulated(judged: readonly JudgedGradient[], truth: LessonGradients): number | undefined {
  const leaves = judged.filter(isLeaf);
  if (leaves.length < 2 || judged.some((one) => one.verdict !== 'right' && !isLeaf(one))) return undefined;
  const times = timesRight(leaves[0], truth);
  return times !== undefined && leaves.every((one) => timesRight(one, truth) === times) ? times : undefined;
}

/** A gradient that is this whole number of times the right one, at least 2. */
function timesRight({ gradient: { fitted, own, float32 } }: JudgedGradient, truth: LessonGradients): number | undefined {
  if (fitted === undefined) return undefined;
  const { data } = truth[own];
  const largest = largestMagnitude(data);
  const at = data.findIndex((x) => Math.abs(x) === largest);
  const times = Math.round(fitted.data[at] / data[at]);
  if (!(times >= 2 && times <= MOST_CALLS)) return undefined;
  const { maxAbs } = difference(
    fitted.data,
    data.map((x) => times * x),
  );
  return maxAbs <= (float32 ? 1e-4 : 1e-8) * times * largest ? times : undefined;
}

const MOST_CALLS = 1000;

function accumulatedText(times: number): NamedMistake {
  const text = `every parameter's gradient is ${times} times the right one: the gradients of ${times} backward calls add up; set each .grad to None before backward()`;
  return { id: 'accumulated', text, times };
}

/** A gradient that was right until a line below changed it in place: it has the values of that line. */
function aliased({ gradient }: JudgedGradient, judged: readonly JudgedGradient[]): NamedMistake | undefined {
  const { own, found } = gradient;
  // demb is a view of dembact by design. A change in place keeps the shape.
  if (gradient.fitted === undefined || own === 'dembact') return undefined;
  const below = judged.slice(judged.findIndex((one) => one.gradient === gradient) + 1);
  const same = below.filter(
    (one) =>
      one.verdict !== 'wrong' &&
      found.size > 1 &&
      one.gradient.found.size === found.size &&
      one.gradient.found.data.every((x, i) => x === found.data[i]) &&
      // A view has the same values too, and is right given them.
      !isRightAtomic(one),
  );
  const by = same.find((one) => linesOf(one.gradient.own)[0].reads.includes(own)) ?? same[0];
  if (by === undefined) return undefined;
  const changed = by.gradient.name;
  const text = `it has the values of ${changed}: after \`${changed} = ${own}\` both are the same tensor, and changing ${changed} in place changes ${own}; write \`${changed} = ${own}.clone()\``;
  return { id: 'aliased', text, by: changed };
}

/** Whether it is what its atomic line gives with what it was fed. */
function isRightAtomic({ gradient: { own, fitted }, fed }: JudgedGradient): boolean {
  const { knowledge } = linesOf(own)[0];
  return fitted !== undefined && fed.some((one) => one.way.knowledge === knowledge && passes(differenceFrom(fitted, one)));
}

/** The constant factors of the branches of a line, and the mistakes that wrong ones mean. */
import { type Expression, splitNumber } from '../expression.js';
import type { BranchName, Dimension, ValueMistake } from '../findings.js';
import { inverse, isOne, ONE, recognise, type Scale, scaleValue, textOf, times } from '../scale.js';

/** What is known about a branch: its name, its own constant factor, and the sum that a mean would divide. */
interface Term {
  branch?: BranchName | undefined;
  scale: Scale;
  sums: Dimension | undefined;
}

export function describeTerms(node: Expression, around: Term = { scale: ONE, sums: undefined }): Term[] {
  switch (node.op) {
    case 'total':
      return node.terms.flatMap((term, k) => describeTerms(term, { ...around, branch: node.branches[k] ?? around.branch }));
    case 'sum':
      return describeTerms(node.of, { ...around, sums: node.over === 'row' ? 'row' : 'batch' });
    case 'product': {
      const { scale, rest } = splitNumber(node);
      const inner = rest.find(({ op }) => op === 'total');
      const sums = rest.some((factor) => factor.op === 'sum' && factor.over === 'batch') ? 'batch' : around.sums;
      return inner ? describeTerms(inner, { ...around, sums }) : [{ ...around, scale, sums }];
    }
    default:
      return [{ ...around, scale: node.op === 'number' ? node.scale : ONE }];
  }
}

/** The mistakes that the coefficients of the branches mean, and their cost; undefined if they mean none. */
export function coefficientMistakes(
  node: Expression,
  coefficients: readonly Scale[],
): { mistakes: ValueMistake[]; cost: number } | undefined {
  const terms = describeTerms(node);
  const known = coefficients.filter(({ number }) => number !== 0);
  if (known.length === 0) return undefined;
  const options = [ONE, ...known].map((base) => {
    const parts = coefficients.map((scale) => (scale.number === 0 ? scale : times(scale, inverse(base))));
    const cost = costOf(base) + parts.reduce((sum, part) => sum + (part.number === 0 ? 1 : costOf(part)), 0);
    return { base, parts, cost };
  });
  const { base, parts, cost } = options.reduce((best, one) => (one.cost < best.cost - 1e-9 ? one : best));
  const several = coefficients.length > 1;
  const whole: Term = several ? { scale: commonScale(node), sums: undefined } : { ...terms[0], branch: undefined };
  const mistakes: ValueMistake[] = isOne(base) ? [] : [scaled(base, { ...whole, branch: undefined })];
  for (const [k, part] of parts.entries()) {
    if (isOne(part)) continue;
    const term = several ? terms[k] : whole;
    if (part.number !== 0) mistakes.push(scaled(part, term, commonScale(node)));
    else if (term.branch) mistakes.push({ id: 'branch-missing', branch: term.branch });
    else return undefined;
  }
  return { mistakes, cost };
}

/** The constant factor in front of all branches. */
function commonScale(node: Expression): Scale {
  return node.op === 'product' ? splitNumber(node).scale : ONE;
}

function costOf(scale: Scale): number {
  if (isOne(scale)) return 0;
  const sizes = { n: 5, T: 7, E: 11, H: 13, V: 17 };
  return recognise([scaleValue(scale, sizes)], [sizes])?.cost ?? 3;
}

/** The cost of a factor in front of an extra term that nobody writes, such as 1.001. */
export function oddness({ number, powers }: Scale): number {
  const isShort = Math.abs(number - Number(number.toPrecision(2))) < 1e-5 * Math.abs(number);
  return isShort || costOf({ number, powers }) < 1.5 ? 0 : ODD;
}

const ODD = 0.8;

function scaled(by: Scale, { branch, scale, sums }: Term, common: Scale = ONE): ValueMistake {
  const magnitude = (one: Scale) => textOf({ ...one, number: Math.abs(one.number) });
  // The common factor does not reach a branch.
  const isCommon = branch !== undefined && magnitude(common) !== '1' && magnitude(times(common, by)) === '1';
  const own = isCommon ? common : scale;
  const expected = textOf(by) === '-1' || magnitude(own) === '1' ? undefined : textOf(own);
  const size = magnitude(by);
  const mean = (sums === 'batch' && size === '1/n') || (sums === 'row' && (size === '1/V' || size === '1/H')) ? sums : undefined;
  return {
    id: 'scaled',
    by: textOf(by),
    ...(expected !== undefined && { expected }),
    ...(mean && { mean }),
    ...(branch !== undefined && { branch }),
  };
}

/** Whether one mistake speaks of a branch that another one misses. */
export function contradict(mistakes: readonly ValueMistake[]): boolean {
  const missing = mistakes.flatMap((one) => (one.id === 'branch-missing' ? [one.branch] : []));
  return mistakes.some((one) => {
    if (one.id === 'branch-missing') return false;
    const named = one.id === 'common-factor' ? one.on : one.id === 'branches-multiplied' ? (one.these ?? []) : [];
    const all = one.branch === undefined ? named : [...named, one.branch];
    return all.some((branch) => missing.includes(branch));
  });
}

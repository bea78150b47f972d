/** What is said of a finding beside its text. */
import { formatCount } from '../../core/text.js';
import type { Finding } from './finding.js';

/** `block 2, step 500`; empty for the network as a whole, at no one step. */
export function placeText({ where, step }: Pick<Finding, 'where' | 'step'>): string {
  const when = step === null ? null : step === 0 ? 'before the first step' : `step ${formatCount(step)}`;
  return [where, when].filter(Boolean).join(', ');
}

/** `0.71, where 0.2 is the limit` */
export function limitText({ value, limit }: Pick<Finding, 'value' | 'limit'>): string {
  return `${short(value)}, where ${short(limit)} is the limit`;
}

function short(x: number): number {
  return Number(x.toPrecision(3));
}

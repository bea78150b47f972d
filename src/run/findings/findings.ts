/** What is wrong with a network, by the table of rules. */
import type { Finding, FindingFacts } from './finding.js';
import type { Rule } from './rule.js';
import { START_RULES } from './startRules.js';
import { TRAINING_RULES } from './trainingRules.js';
import { View } from './view.js';

const RULES: readonly Rule[] = [...START_RULES, ...TRAINING_RULES];

/** A finding, and how far it is beyond its limit: 3 is three times the limit, or a third of it. */
interface Weighed {
  finding: Finding;
  excess: number;
}

/**
 * Everything that the rules find, worst first: a training that ended early, then by how many times a value is beyond its limit. Each id occurs
 * once. What another finding brings about is left out.
 */
export function findingsOf(facts: FindingFacts): Finding[] {
  const view = new View(facts);
  const found: Weighed[] = [];
  for (const rule of RULES) {
    if (found.some(({ finding }) => finding.id === rule.id)) continue;
    const one = apply(rule, view);
    if (one) found.push(one);
  }
  const ids = found.map(({ finding }) => finding.id);
  const isExplained = ({ id }: Finding) =>
    RULES.some((rule) => rule.id === id && rule.explainedBy.some((other) => other !== id && ids.includes(other)));
  return found
    .filter(({ finding }) => !isExplained(finding))
    .sort((a, b) => b.excess - a.excess)
    .map(({ finding }) => finding);
}

function apply(rule: Rule, view: View): Weighed | undefined {
  const found = rule.find(view, rule.limit);
  if (!found) return undefined;
  const { where, step, value, limit = rule.limit, option, text } = found;
  const finding = { id: rule.id, where, step, value, limit, option, text, source: rule.source };
  return { finding, excess: rule.id === 'diverged' ? Number.POSITIVE_INFINITY : excessOf(value, limit, rule.worse) };
}

function excessOf(value: number, limit: number, worse: Rule['worse']): number {
  return worse === 'above' ? value / Math.max(limit, 1e-3) : limit / value;
}

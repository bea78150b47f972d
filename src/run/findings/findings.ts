/** What is wrong with a network, by the table of rules. */
import type { Finding, FindingFacts } from './finding.js';
import type { Rule } from './rule.js';
import { START_RULES } from './startRules.js';
import { TRAINING_RULES } from './trainingRules.js';
import { View } from './view.js';

const RULES: readonly Rule[] = [...START_RULES, ...TRAINING_RULES];

/** What a rule found, and how bad it is: 3 is three times the limit, or a third of it. */
interface Weighed {
  rule: Rule;
  finding: Finding;
  excess: number;
}

/**
 * Everything that the rules find, worst first: a training that ended early, then by how many times a value is beyond its limit. Each id occurs
 * once. What another finding brings about is left out.
 */
export function findingsOf(facts: FindingFacts): Finding[] {
  const view = new View(facts);
  const found = RULES.flatMap((rule) => apply(rule, view) ?? []);
  const ids = new Set(found.map(({ rule }) => rule.id));
  const named = new Map<string, Weighed>();
  for (const one of found) {
    const { id, explainedBy } = one.rule;
    if (!named.has(id) && !explainedBy.some((other) => ids.has(other))) named.set(id, one);
  }
  return [...named.values()].sort(worstFirst).map(({ finding }) => finding);
}

function worstFirst(a: Weighed, b: Weighed): number {
  return a.excess === b.excess ? 0 : a.excess > b.excess ? -1 : 1;
}

function apply(rule: Rule, view: View): Weighed | undefined {
  const found = rule.find(view, rule.limit);
  if (!found) return undefined;
  const { where, step, value, limit = rule.limit, option, text } = found;
  const { excess = rule.worse === 'above' ? value / limit : limit / value } = found;
  return { rule, finding: { id: rule.id, where, step, value, limit, option, text, source: rule.source }, excess };
}

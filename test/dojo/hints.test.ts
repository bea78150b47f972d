import { describe, expect, it } from 'vitest';
import { EXERCISE_NUMBERS, EXERCISES } from '../../src/dojo/exercises.js';
import { HINT_STEPS, hintsFor } from '../../src/dojo/hints.js';
import { STEP_NAMES, VALUE_NAMES, valueNamed } from '../../src/lesson/values.js';

const ALL = EXERCISE_NUMBERS.flatMap((number) => EXERCISES[number].lines.map((line) => ({ exercise: number, name: line.name, line })));
const words = (text: string): string[] => text.match(/\w+/g) ?? [];

describe.each(ALL)('the hints for $name of Exercise $exercise', ({ name, line }) => {
  const hints = hintsFor(line);

  it('are three different steps', () => {
    expect(Object.keys(hints)).toEqual(HINT_STEPS);
    expect(new Set(Object.values(hints)).size).toBe(3);
    for (const text of [hints.kind, hints.rule]) expect(text).toMatch(/^[\w[(].*\.$/);
  });

  it('begin with the kind of rule, which names no tensor', () => {
    const names: string[] = [...VALUE_NAMES, ...STEP_NAMES].filter((one) => !['loss', 'logits', 'probs'].includes(one));
    expect(words(hints.kind).filter((word) => names.includes(word))).toEqual([]);
  });

  it('continue with the rule on the tensors of the line, which is not the formula yet', () => {
    const inputs: string[] = [...VALUE_NAMES, 'Yb', 'Xb', 'logits', 'n'];
    expect(words(hints.rule).some((word) => inputs.includes(word) || inputs.includes(word.replace(/^d/, '')))).toBe(true);
    expect(hints.rule).not.toContain(hints.formula);
  });

  it('never say the name of the line, which the learner knows', () => {
    for (const text of [hints.kind, hints.rule]) expect(words(text)).not.toContain(name);
    // The formula of dC is a statement, dC[…] += ….
    if (name !== 'dC') expect(words(hints.formula)).not.toContain(name);
    expect(hints.rule).not.toMatch(new RegExp(`has the shape of ${valueNamed(name)}`));
  });
});

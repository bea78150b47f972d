/** Runs lines on cases as they are handed out, as another program does: it reads the files, and knows nothing else. */
import { expect } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import type { Answers, ExerciseCases } from '../../src/dojo/cases.js';
import type { RunFault } from '../../src/dojo/findings.js';
import type { GivenValues, ValuesAndGradients } from '../../src/dojo/learnerFile.js';
import { MUTANTS, type Mutant } from '../../src/dojo/mutants.js';
import { runLine, textOf } from '../../src/dojo/outcome.js';
import type { GradientName } from '../../src/lesson/values.js';
import { loadFloats, loadIndices, type Safetensors, type StoredTensor, storeFloats } from '../../src/run/safetensors.js';

/** A line, and the type in which it returns its numbers. */
export type Lines = Partial<Record<GradientName, (at: ValuesAndGradients) => Tensor>>;

/** The values of a case, without the gradients that a line is not given. */
function valuesIn({ tensors }: Safetensors, given: readonly string[], dtype: 'float32' | 'float64' = 'float64'): GivenValues {
  const entries = [...tensors].flatMap(([name, stored]) => {
    if (name.startsWith('d') && !given.includes(name)) return [];
    const { shape } = stored;
    const isIndex = name === 'Xb' || name === 'Yb';
    return [[name, isIndex ? { data: loadIndices(name, stored, 1_000), shape } : new Tensor(loadFloats(name, stored), shape).to(dtype)]];
  });
  const values = Object.fromEntries(entries);
  return { ...values, n: values.Xb.shape[0] } as GivenValues;
}

/** What the lines return, computed in the given type. */
export function answersOf(cases: ExerciseCases, lines: Lines, dtype: 'float32' | 'float64' = 'float64'): Answers {
  const { lines: known } = cases.describe();
  const said = new Map<string, { text: string; fault?: RunFault }>();
  const tensors = [...cases.files().values()].map((content) => {
    const answers = new Map<string, StoredTensor>();
    for (const [name, line] of Object.entries(lines) as [GradientName, Lines[GradientName]][]) {
      const given = known.find((one) => one.name === name)?.given ?? [];
      const text = textOf(line);
      said.set(name, said.get(name) ?? { text });
      const outcome = runLine(name, line, valuesIn(content, given, dtype));
      if ('tensor' in outcome) answers.set(name, storeFloats(outcome.tensor.data, outcome.tensor.shape));
      else if ('fault' in outcome) said.set(name, { text, fault: said.get(name)?.fault ?? outcome.fault });
    }
    return answers;
  });
  return { tensors, lines: said, strays: [] };
}

/** The mistakes that answers show: not those of a vector for a row, which is accepted. */
export const CASE_MUTANTS: readonly Mutant[] = MUTANTS.filter(({ name }) => !name.endsWith('shape-h-for-1-h'));

/** Expects that answers with this mistake are wrong, with the name that the dojo gives it. */
export function expectNamed(cases: ExerciseCases, { line, planted, expected }: Mutant): void {
  const { ok, lines } = cases.judge(answersOf(cases, { [line]: planted }));
  const [{ name, verdict, named, findings = [], problem, worst }] = lines;
  expect({ ok, name, count: lines.length }).toEqual({ ok: false, name: line, count: 1 });
  expect(['wrong', 'failed']).toContain(verdict);
  expect(named ? findings : []).toEqual(expected.filter(({ id }) => id !== 'hidden-by-true-gradients'));
  expect(problem !== undefined || worst !== undefined).toBe(true);
}

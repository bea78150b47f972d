/** Runs lines on cases as they are handed out, as another program does: it reads the files, and knows nothing else. */
import { Tensor } from '../../src/core/tensor.js';
import type { Answers, ExerciseCases } from '../../src/dojo/cases.js';
import type { RunFault } from '../../src/dojo/findings.js';
import type { GivenValues, ValuesAndGradients } from '../../src/dojo/learnerFile.js';
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

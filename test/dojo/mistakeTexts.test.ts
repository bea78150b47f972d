import { expect, it } from 'vitest';
import { mistakeTexts } from '../../scripts/mistakeTexts.js';
import { Tensor } from '../../src/core/tensor.js';
import { MUTANTS } from '../../src/dojo/mutants.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward } from '../../src/lesson/exercise1.js';
import { softmax } from '../../src/lesson/softmax.js';

const texts = mistakeTexts();
const { values } = createLessonCase(LESSON_CONFIG, 4, 'mistake texts');
const at = { ...values, ...backward(values) };

/** What a line returns, or that it throws. */
function outcome(line: (given: typeof at) => Tensor): object {
  try {
    const { data, shape } = line(at);
    return { data: [...data], shape };
  } catch (error) {
    return { message: (error as Error).message };
  }
}

it('the text of each mistake computes what the mistake does', () => {
  for (const mutant of MUTANTS) {
    const text = texts[mutant.name];
    if (text === undefined) continue;
    const line = new Function('Tensor', 'softmax', `return ${text}`)(Tensor, softmax);
    expect(outcome(line), mutant.name).toEqual(outcome(mutant.planted));
  }
});

it('all mistakes have a text but those of batch norm that a function makes, and reversed contexts', () => {
  const without = MUTANTS.filter(({ name }) => !(name in texts)).map(({ name }) => name);
  expect(without.filter((name) => !name.startsWith('batch-norm-'))).toEqual(expect.arrayContaining([expect.stringMatching(/^(demb|dC)-/)]));
  expect(without).toHaveLength(12);
  expect(Object.keys(texts)).toHaveLength(MUTANTS.length - 12);
});

/** What the words after an exercise command name: an exercise, the file of one, a gradient. */
import { dirname } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { closest } from '../../core/spelling.js';
import { quoteText } from '../../core/text.js';
import { EXERCISE_NUMBERS, EXERCISES, type ExerciseLine, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';

export interface Place {
  number?: ExerciseNumber;
  /** The gradient's name. */
  gradient?: string;
  /** The folder of a named file. It wins over --dir. */
  dir?: string;
  /** A file in Python, as it is typed. */
  python?: string;
}

/** What a word can be, for a message that it is there twice. */
const KINDS = { number: 'exercise', gradient: 'gradient', python: 'file' } as const;

/**
 * Reads the words in any order.
 * @param python whether a file in Python may be named
 * @throws UsageError that proposes the nearest word
 */
export function placeOf(words: readonly (string | undefined)[], python = false): Place {
  let place: Place = {};
  for (const word of words) {
    if (word === undefined) continue;
    const read = readWord(word);
    const twice = (['number', 'gradient', 'python'] as const).find((key) => key in read && key in place);
    if (twice) throw new UsageError(`'${quoteText(word)}' is a second ${KINDS[twice]}`, { hint: 'name one' });
    if (read.python !== undefined && !python) {
      throw new UsageError(`'${quoteText(word)}' is a file in Python, which only check and watch take`, {
        hint: 'name the exercise and the gradient, such as 1 dprobs',
      });
    }
    place = { ...place, ...read };
  }
  const { number, gradient } = place;
  if (number !== undefined && gradient !== undefined) lineIn(number, gradient);
  return place;
}

/** @throws UsageError if the word names no exercise */
export function exerciseNamed(word: string): Place & { number: ExerciseNumber } {
  const { number, gradient, dir } = placeOf([word]);
  if (number !== undefined) return dir === undefined ? { number } : { number, dir };
  throw new UsageError(`${gradient} is a gradient`, { hint: 'name an exercise from 1 to 4, or its file' });
}

function readWord(word: string): Place {
  const [, number, file] = /^(?:([1-4])|(?:.*[\\/])?exercise([1-4])\.ts)$/.exec(word) ?? [];
  if (number !== undefined) return { number: Number(number) as ExerciseNumber };
  if (file !== undefined) return { number: Number(file) as ExerciseNumber, dir: dirname(word) };
  if (word.endsWith('.py')) return { python: word };
  if (word.endsWith('.ipynb')) {
    throw new UsageError(`'${quoteText(word)}' is a notebook`, {
      hint: "call ninja.lines in it, or save it as a .py file, with 'jupyter nbconvert --to script'",
    });
  }
  if (exercisesWith(word).length > 0) return { gradient: word };
  const similar = similarTo(word);
  throw new UsageError(`there is no exercise or gradient '${quoteText(word)}'`, {
    hint:
      similar === undefined
        ? `name an exercise from 1 to 4, its file, such as dojo/${exerciseFile(1)}, or a gradient, such as dprobs`
        : `did you mean ${similar}`,
  });
}

/** The gradient that is meant: dprobs for dprob and for probs. */
export function similarGradient(word: string): string | undefined {
  const names = EXERCISES[1].lines.map(({ name }) => name);
  return names.find((name) => name === `d${word}`) ?? closest(word, names);
}

/** The gradient that is meant, or the exercise: 2 for exercise2. */
function similarTo(word: string): string | undefined {
  const [number] = /(?<=^ex\D*)[1-4]$/i.exec(word) ?? [];
  return similarGradient(word) ?? number;
}

/** The exercises that have a gradient, in order. */
export function exercisesWith(gradient: string): ExerciseNumber[] {
  return EXERCISE_NUMBERS.filter((number) => EXERCISES[number].lines.some(({ name }) => name === gradient));
}

/** @throws UsageError that says which exercise has the gradient */
export function lineIn(number: ExerciseNumber, gradient: string): ExerciseLine {
  const line = EXERCISES[number].lines.find(({ name }) => name === gradient);
  if (line) return line;
  throw new UsageError(`Exercise ${number} has no gradient ${gradient}`, { hint: `Exercise ${exercisesWith(gradient)[0]} has it` });
}

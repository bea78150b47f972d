/** Finds the exercise and the line that a command is about. */
import { EXERCISE_NUMBERS, type ExerciseLine, type ExerciseNumber } from '../../dojo/exercises.js';
import { checkFile } from '../../node/learner/run.js';
import type { CommandContext } from '../command.js';
import { whileShowing } from '../terminal/whileShowing.js';
import { firstOpenLine } from './hint.js';
import { learnerFile } from './learnerFolder.js';
import { exercisesWith, lineIn, type Place } from './place.js';

interface FoundLine {
  number: ExerciseNumber;
  /** Undefined if all lines are right, and none is named. */
  line: ExerciseLine | undefined;
}

/**
 * The line that is named, or the first that is not right. A gradient of several exercises is that of the first exercise in which it is not
 * right.
 * @param need what the caller uses of the result: a named exercise needs no check
 */
export async function findLine(
  { number, gradient }: Place,
  { dir }: { dir?: string | undefined },
  { io }: Pick<CommandContext, 'io'>,
  need: 'exercise' | 'line' = 'exercise',
): Promise<FoundLine> {
  const having = gradient === undefined ? EXERCISE_NUMBERS : exercisesWith(gradient);
  const numbers = number === undefined ? having : [number];
  const named = { number: numbers[0], line: gradient === undefined ? undefined : lineIn(numbers[0], gradient) };
  if (numbers.length === 1 && (named.line || need === 'exercise')) return named;
  const open = await whileShowing('checking…', io.stderr, io, async () => {
    for (const one of numbers) {
      const line = firstOpenLine(await checkFile(learnerFile(one, dir, io), one, { gradient }));
      if (line) return { number: one, line: gradient === undefined ? line : lineIn(one, gradient) };
    }
    return undefined;
  });
  if (open) return open;
  return gradient === undefined ? { number: numbers[numbers.length - 1], line: undefined } : named;
}

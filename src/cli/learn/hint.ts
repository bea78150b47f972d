/** Prints the hints for a line. */
import type { ExerciseReport } from '../../dojo/exerciseReport.js';
import { EXERCISES, type ExerciseLine, type ExerciseNumber, shapeText } from '../../dojo/exercises.js';
import { HINT_STEPS, hintsFor } from '../../dojo/hints.js';
import { valueNamed } from '../../lesson/values.js';
import type { CommandContext } from '../command.js';
import { widthOf, wrapCommand, wrapText } from '../terminal/format.js';

/** The steps of a hint to show, counted from 1. */
export interface HintRange {
  from: number;
  to: number;
  /** How to get the next step of a line's hint: a command or a key. */
  more(line: ExerciseLine): string;
}

/** @param line undefined if the exercise is done */
export function showHint(
  number: ExerciseNumber,
  line: ExerciseLine | undefined,
  { from, to, more }: HintRange,
  { io, json, printJson }: Pick<CommandContext, 'io' | 'json' | 'printJson'>,
): void {
  if (!line) {
    if (json) printJson({ exercise: number, gradient: null });
    else io.stdout.write(`all lines of Exercise ${number} are right: no hint needed\n`);
    return;
  }
  const { name, forward } = line;
  const shape = shapeText(valueNamed(name));
  const hints = hintsFor(line);
  const steps = HINT_STEPS.slice(from - 1, to);
  if (json) {
    printJson({ exercise: number, gradient: name, shape, forward, ...Object.fromEntries(steps.map((step) => [step, hints[step]])) });
    return;
  }
  const width = widthOf(io.stdout);
  const texts = [...(from === 1 ? forward : []), ...steps.map((step) => hints[step])];
  const lines = [
    `${name} ${shape}`,
    ...texts.flatMap((text) => wrapText(text, width - 2).map((part) => `  ${part}`)),
    ...(to < HINT_STEPS.length ? wrapCommand('more:', more(line), width) : []),
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

/** The first line that is not right; undefined if all are. */
export function firstOpenLine({ exercise, broken, lines }: ExerciseReport): ExerciseLine | undefined {
  const { lines: known } = EXERCISES[exercise];
  if (broken !== undefined) return known[0];
  const open = lines.find(({ verdict }) => verdict !== 'right');
  return known.find(({ name }) => name === open?.name);
}

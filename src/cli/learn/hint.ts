/** Hints for a line, in steps: the rule, the shape, the formula. */
import { EXERCISES, type ExerciseLine, type ExerciseNumber, shapeText } from '../../dojo/exercises.js';
import { valueNamed } from '../../lesson/values.js';
import type { ExerciseReport } from '../../node/learner/run.js';
import type { CommandContext } from '../command.js';
import { widthOf, wrapText } from '../terminal/format.js';

export const HINT_STEPS = ['rule', 'shape', 'formula'] as const;

/** The steps of a hint to show, counted from 1, and how to get the next one. */
export interface HintRange {
  from: number;
  to: number;
  more: string;
}

/** @param line undefined if the exercise is done */
export function showHint(
  number: ExerciseNumber,
  line: ExerciseLine | undefined,
  range: HintRange,
  { io, json, printJson }: Pick<CommandContext, 'io' | 'json' | 'printJson'>,
): void {
  const steps = line ? hintSteps(line).slice(range.from - 1, range.to) : [];
  if (json) {
    const hint = { exercise: number, gradient: line?.name ?? null, ...(line && { forward: line.forward }), ...Object.fromEntries(steps) };
    printJson(hint);
    return;
  }
  if (!line) {
    io.stdout.write(`Exercise ${number} is done: no hint needed\n`);
    return;
  }
  const texts = [...(range.from === 1 ? line.forward : []), ...steps.map(([_, text]) => text)];
  const more = range.to < HINT_STEPS.length ? `more: ${range.more} (its ${HINT_STEPS[range.to]})\n` : '';
  const body = texts.flatMap((text) => wrapText(text, widthOf(io.stdout) - 2).map((part) => `  ${part}\n`));
  io.stdout.write(`${line.name}\n${body.join('')}${more}`);
}

/** In the order of {@link HINT_STEPS}. */
function hintSteps({ name, knowledge: { rule, formula } }: ExerciseLine): [(typeof HINT_STEPS)[number], string][] {
  return [
    ['rule', rule],
    ['shape', `${name} has the shape of ${valueNamed(name)}, ${shapeText(valueNamed(name))}.`],
    ['formula', formula],
  ];
}

/** The first line that is not right; undefined if all are. */
export function firstOpenLine({ exercise, broken, lines }: ExerciseReport): ExerciseLine | undefined {
  const { lines: known } = EXERCISES[exercise];
  if (broken !== undefined) return known[0];
  const open = lines.find(({ verdict }) => verdict !== 'right');
  return known.find(({ name }) => name === open?.name);
}

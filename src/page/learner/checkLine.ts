/** Checks a learner's line: a worker runs it, and the engine judges what it gave. */
import type { LineReport } from '../../dojo/check.js';
import type { ExerciseNumber } from '../../dojo/exercises.js';
import type { GradientName } from '../../lesson/values.js';
import { ask } from '../engine/client.js';
import type { ArrayOutcome, JudgedLine, LineEntry } from '../engine/exercises.js';
import { type Answer, Guest, type GuestCode, GuestEnded, GuestSyntaxError } from './guest.js';
import { codeOf, isBlank } from './lineCode.js';
import { type SyntaxFault, stripTypes } from './stripTypes.js';

/** Seconds for all runs of a line together. */
const CHECK_LIMIT = 5;

/** A line to check, and the code above the lines of its file. */
export interface WrittenLine {
  exercise: ExerciseNumber;
  line: LineEntry;
  text: string;
  top: string;
}

export interface CheckedLine extends JudgedLine {
  /** Where the line cannot be read. */
  syntax?: SyntaxFault;
  /** What it printed. */
  printed: readonly string[];
}

/**
 * The lines of an exercise as the code of their worker. An error is traced to a line of the text where there is one text of several lines.
 * @throws GuestSyntaxError for text that does not end where its place in that code ends
 */
export function guestCode(top: string, lines: readonly (readonly [name: GradientName, text: string])[]): GuestCode {
  const above = top.trim() === '' ? '' : `${enclosed(top)}\n`;
  const entries = lines.map(([name, text]) => `\n${name}: (\n${enclosed(codeOf(name, text))}\n),`);
  const traced = lines.length === 1 && lines[0]?.[1].trim().includes('\n');
  return { source: `${above}return {${entries.join('')}\n};`, ...(traced && { textLine: lineCount(above) + LINES_BEFORE }) };
}

function enclosed(text: string): string {
  const { code, fault, isOpen } = stripTypes(text);
  if (isOpen) throw new GuestSyntaxError(fault?.message ?? '', 1, 1);
  return code;
}

/** Before the text of a line are `return {` and its name. */
const LINES_BEFORE = 2;

function lineCount(text: string): number {
  return text.split('\n').length - 1;
}

/** @param signal ends the check early */
export async function checkLine({ exercise, line, text, top }: WrittenLine, signal: AbortSignal): Promise<CheckedLine> {
  if (isBlank(codeOf(line.name, text))) return { report: { name: line.name, shape: line.sizes, verdict: 'todo' }, printed: [] };
  const printed: string[] = [];
  let guest: Guest | undefined;
  const stop = () => guest?.stop();
  signal.addEventListener('abort', stop);
  try {
    guest = new Guest(guestCode(top, [[line.name, text]]), (one) => printed.push(one));
    const { outcomes, text: javaScript } = await run(guest, exercise, line.name);
    signal.throwIfAborted();
    const judged = await ask('judge', exercise, line.name, outcomes, javaScript);
    return { ...judged, printed };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof GuestSyntaxError)) throw error;
    return { ...unreadable(line, syntaxFault(error, line.name, text, top)), printed };
  } finally {
    signal.removeEventListener('abort', stop);
    guest?.stop();
  }
}

/** Runs a line on its inputs, until one has no result. */
async function run(guest: Guest, exercise: ExerciseNumber, name: GradientName): Promise<{ outcomes: ArrayOutcome[]; text: string }> {
  const inputs = await ask('inputs', exercise, name);
  const outcomes: ArrayOutcome[] = [];
  let text = '';
  let timer = 0;
  const limit = () => {
    timer = setTimeout(() => guest.stop({ id: 'timeout', seconds: CHECK_LIMIT }), 1_000 * CHECK_LIMIT);
  };
  // A worker that does not start has its own limit, and its reason comes with the first request.
  guest.ready.then(limit, () => {});
  for (const [i, at] of inputs.entries()) {
    try {
      const answer = await guest.request({ kind: 'run', name, at, prints: i === 0 });
      if ('text' in answer) text = answer.text;
      outcomes.push(outcomeOf(answer));
    } catch (error) {
      if (!(error instanceof GuestEnded)) throw error;
      outcomes.push({ fault: error.fault });
    }
    if ('fault' in (outcomes[i] as ArrayOutcome)) break;
  }
  clearTimeout(timer);
  return { outcomes, text };
}

function outcomeOf(answer: Answer): ArrayOutcome {
  if (answer.kind === 'returned') return { array: answer.array };
  if (answer.kind === 'too-large') return { tooLarge: answer.shape };
  return { fault: answer.kind === 'failed' ? answer.fault : { id: 'breaks-channel' } };
}

/** What belongs to a file, and not into a line. */
const IN_LINE: readonly (readonly [message: RegExp, advice: string])[] = [
  [/\bexport\b/, 'export belongs into a file: write the function alone'],
  [/\bimport (?:statement|declaration)/, 'import belongs into a file: Tensor, softmax and todo are there without it'],
];

/** The parser of the editor says it in the same words in every browser; it does not know all that is forbidden. */
function syntaxFault({ message, line, column }: GuestSyntaxError, name: string, text: string, top: string): SyntaxFault {
  const code = codeOf(name, text);
  const moved = code.length - text.length;
  const { fault } = stripTypes(code);
  if (fault) return { ...fault, from: Math.max(0, fault.from - moved), to: Math.max(0, fault.to - moved) };
  if (stripTypes(top).fault) return { from: 0, to: 0, message: `in the code above the lines: ${stripTypes(top).fault?.message}` };
  const before = (top.trim() === '' ? 0 : lineCount(top) + 1) + LINES_BEFORE;
  const lines = text.split('\n');
  const row = Math.min(lines.length, Math.max(1, line - before));
  const start = lines.slice(0, row - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const from = Math.min(text.length, start + (line - before === row ? Math.max(0, column - 1) : 0));
  const [, advice] = IN_LINE.find(([form]) => form.test(message)) ?? [];
  return { from, to: Math.min(text.length, from + 1), message: advice ?? message };
}

function unreadable({ name, sizes }: LineEntry, syntax: SyntaxFault): { report: LineReport; syntax: SyntaxFault } {
  return { report: { name, shape: sizes, verdict: 'failed', problem: `it cannot be read: ${syntax.message}` }, syntax };
}

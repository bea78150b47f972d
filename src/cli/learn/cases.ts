/** The exchange of cases, for lines that run elsewhere: handing out what they are given, and judging what came back. */
import { join, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { ExerciseCases } from '../../dojo/cases.js';
import type { ExerciseReport } from '../../dojo/exerciseReport.js';
import type { ExerciseNumber } from '../../dojo/exercises.js';
import { readCases, writeCases } from '../../node/python/casesDirectory.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { widthOf, wrapCommand, wrapText } from '../terminal/format.js';
import { commandName, type IO, shellPath, shortPath } from '../terminal/io.js';
import { ENDLESS, type Proposals, reportHtml, reportLines } from './exerciseReport.js';
import type { Page } from './foldRows.js';

type Context = Pick<CommandContext, 'io' | 'json' | 'paint' | 'printJson'>;

interface CasesOptions {
  out: string;
  seed: number;
  force?: boolean;
}

/** Writes the cases of an exercise into a directory. */
export function handOut(number: ExerciseNumber, { out, seed, force }: CasesOptions, { io, json, printJson }: Context): void {
  const folder = resolve(io.cwd, out);
  const cases = new ExerciseCases(number, seed);
  const files = writeCases(folder, cases, force);
  if (json) {
    printJson({ exercise: number, seed, folder, files });
    return;
  }
  const answers = cases.describe().cases.map((one) => one.answers);
  const [first, ...others] = [...answers].reverse();
  const text = `${shortPath(folder, io)} holds ${answers.length} cases of Exercise ${number}. Write what your lines return into ${others.reverse().join(', ')} and ${first} there, and run`;
  const width = widthOf(io.stdout);
  io.stdout.write(
    `${[...wrapText(text, width), ...wrapCommand(' ', `${commandName(io)} exercise judge ${shellPath(folder, io)}`, width)].join('\n')}\n`,
  );
}

/** @returns the exit code: 1 unless every line that came back is right */
export async function judgeAnswers(directory: string, { html = false }: { html?: boolean }, context: Context): Promise<number> {
  if (html && context.json) throw new UsageError('--html and --json cannot be used together', { hint: 'choose one' });
  const folder = resolve(context.io.cwd, directory);
  const { cases, answers } = readCases(folder, shellPath(folder, context.io));
  const report = cases.judge(answers);
  await printReport(report, { html, file: shortPath(join(folder, 'answers.json'), context.io) }, context);
  return report.ok ? 0 : EXIT_NO;
}

interface Shown {
  html?: boolean;
  /** The name of the learner's file. */
  file: string;
}

/** Prints the report on lines that are in no folder of exercises. */
async function printReport(report: ExerciseReport, { html, file }: Shown, { io, json, paint, printJson }: Context): Promise<void> {
  const proposals = looseProposals(io);
  if (json) printJson({ ok: report.ok, exercises: [report] });
  else if (html) io.stdout.write(`${reportHtml(report, proposals, file)}\n`);
  else {
    io.stdout.write(`${reportLines(report, await paint(), pageFor(report, io), proposals, file).join('\n')}\n`);
  }
}

/** The room for a report on several lines: a terminal without its last line, which is for the prompt. */
export function pageFor({ lines }: ExerciseReport, { stdout }: IO): Page {
  return { width: widthOf(stdout), height: stdout.isTTY && lines.length > 1 ? stdout.rows - 1 : ENDLESS.height };
}

/** What to propose for lines that are in no folder. */
export function looseProposals(io: IO): Proposals {
  const program = commandName(io);
  return { exercise: (...words) => [program, 'exercise', ...words].join(' '), program, loose: true };
}

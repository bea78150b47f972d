/** The runs of a sweep as command lines, for programs that run commands: GNU parallel, xargs, Slurm. */
import { UsageError } from '../../core/errors.js';
import { shellWord, showPath } from '../../core/text.js';
import { findResults, runName } from '../../node/sweepDirectory.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { formatCount, formatCountOf } from '../terminal/format.js';
import { shortPath } from '../terminal/io.js';
import type { PlannedRun, SweepCheck } from './sweepCheck.js';
import { asArguments, runWords, type SweepPlan } from './sweepPlan.js';

/** @throws UsageError if a file has a name that not every shell can read from a line */
export function checkPrintable({ data, init }: SweepPlan['shared']): void {
  for (const [option, path] of Object.entries({ data, init })) {
    if (!path?.endsWith('\n')) continue;
    throw new UsageError(`--${option} ${showPath(path)} ends with a newline, which no line for a POSIX shell can hold`, {
      hint: 'rename it',
    });
  }
}

/**
 * Prints a line for each run that is still to be trained, in the order of the plan: one command, quoted for POSIX shells, that names the program
 * and every file by its absolute path.
 * @returns the exit code
 */
export async function printRuns(
  directory: string,
  { sweep, shared }: Pick<SweepPlan, 'sweep' | 'shared'>,
  check: SweepCheck,
  { io, json, printJson }: CommandContext,
): Promise<number> {
  const { results } = findResults(directory, sweep);
  const { differing } = await check.sort(results);
  const done = new Set(results.map(({ run }) => run));
  const waiting: PlannedRun[] = [];
  for (const [i, options] of sweep.runs.entries()) {
    const planned = { run: runName(i), options };
    if (done.has(planned.run)) continue;
    const problems = check.beforeStart(planned);
    if (problems.length === 0) waiting.push(planned);
    else differing.push({ ...planned, problems });
  }
  const commands = waiting.map((planned) => {
    const words = runWords(directory, planned, shared);
    return { ...planned, command: words.map((word) => shellWord(word)).join(' '), words };
  });
  if (json) printJson({ sweep: directory, runs: sweep.runs.length, commands, differing });
  else io.stdout.write(commands.map(({ command }) => `${command}\n`).join(''));
  for (const { run, options, problems } of differing) {
    io.stderr.write(`note: not printed: ${run} (${asArguments(options).join(' ')}): ${problems.join('; ')}\n`);
  }
  const count = `${formatCountOf(sweep.runs.length, 'run')} in the directory ${shortPath(directory, io)}`;
  const before = done.size > 0 ? `, ${formatCount(done.size)} of them done` : '';
  io.stderr.write(`${count}${before}; ${formatCountOf(commands.length, 'command')}. The same command without --print ranks the runs\n`);
  return differing.length > 0 ? EXIT_NO : 0;
}

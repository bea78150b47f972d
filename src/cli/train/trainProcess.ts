import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { FileContentError, SystemError, UsageError } from '../../core/errors.js';
import { showText } from '../../core/text.js';
import { CHECKPOINT_FILE } from '../../node/runDirectory.js';
import { systemError } from '../../node/systemErrors.js';
import { EXIT_FILE, EXIT_NUMBERS, EXIT_USAGE } from '../terminal/exitCodes.js';
import { type IO, STOP_MESSAGE, shortPath } from '../terminal/io.js';

/** The result of a run; without losses, it diverged. */
export interface TrainOutcome {
  /** Duration of the training; null if the run was resumed. */
  seconds: number | null;
  trainLoss: number | null;
  valLoss: number | null;
}

/** A run that another process trains, which is named in words. */
export interface InUse {
  inUse: string;
}

export interface TrainProcess {
  /** Rejects with the error that ended the process. */
  outcome: Promise<TrainOutcome | InUse | 'stopped'>;
  /** Lets it save and end. */
  stop(): void;
}

/** What a run tells the sweep that started it. Its stdout is no place for that: hooks in NODE_OPTIONS print there, too. */
const ReportSchema = v.union([
  v.object({ result: v.object({ seconds: v.number(), trainLoss: v.number(), valLoss: v.number() }) }),
  v.object({ inUse: v.string() }),
  v.object({ error: v.object({ message: v.string(), hint: v.exactOptional(v.string()), command: v.exactOptional(v.string()) }) }),
]);
type RunReport = v.InferOutput<typeof ReportSchema>;

/** At the end of a long stderr is the reason why a process ended. */
const STDERR_LENGTH = 4096;

/**
 * Runs `train --continue` in its own process.
 * @param directory of the run
 * @param words as runWords gives them
 */
export function trainProcess(directory: string, [program, ...words]: readonly string[], io: IO): TrainProcess {
  const resumes = existsSync(join(directory, CHECKPOINT_FILE));
  const child = spawn(program, [...words, '--no-color'], {
    cwd: io.cwd,
    env: { ...io.env },
    // The channel carries the result, and closes if this process is killed; then the run saves and ends: see followSweep. The processes share
    // a group, so that Ctrl-C and Ctrl-Z in the terminal reach all of them.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    stderr = (stderr + part).slice(-STDERR_LENGTH);
  });
  let report: RunReport | undefined;
  child.on('message', (message) => {
    const parsed = v.safeParse(ReportSchema, message);
    if (parsed.success) report = parsed.output;
  });
  let stopped = false;
  const outcome = (async () => {
    // The channel may end after the process, with the result in it.
    const [[code, signal]] = await Promise.all([ended(child), once(child, 'disconnect')]);
    if (code === 0 && report && 'inUse' in report) return report;
    if (code === 0 && report && 'result' in report) return { ...report.result, ...(resumes && { seconds: null }) };
    if (stopped) return 'stopped';
    if (code === EXIT_NUMBERS) return { seconds: null, trainLoss: null, valLoss: null };
    const what = `the training in ${shortPath(directory, io)} ended ${signal ? `by ${signal}` : `with exit code ${code}`}`;
    throw errorOf(code, report && 'error' in report ? report.error : { message: [what, lastLine(stderr)].filter(Boolean).join(': ') });
  })();
  return {
    outcome,
    stop: () => {
      stopped = true;
      if (child.connected) child.send(STOP_MESSAGE, () => {});
    },
  };
}

/** Exit code and signal. @throws SystemError if the process cannot be started */
function ended(child: ChildProcess): Promise<[code: number | null, signal: string | null]> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(systemError('cannot start a process', error)));
    child.on('close', (code, signal) => resolve([code, signal]));
  });
}

function lastLine(text: string): string {
  return showText(text.trimEnd().split('\n').at(-1) ?? '');
}

/** The error of a run, with the exit code of its process. */
function errorOf(code: number | null, { message, ...details }: { message: string; hint?: string; command?: string }): Error {
  if (code === EXIT_USAGE) return new UsageError(message, details);
  return code === EXIT_FILE ? new FileContentError(message, details) : new SystemError(message, details);
}

/** Checks a learner's file: every line gets a report, whatever the others do. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LineReport } from '../../dojo/check.js';
import { EXERCISES, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import type { TrainingReport } from '../../dojo/training.js';
import { createLessonCase, LESSON_CONFIG } from '../../lesson/case.js';
import { valueNamed } from '../../lesson/values.js';
import type { Assignment, Message } from './worker.js';

export interface ExerciseReport {
  exercise: ExerciseNumber;
  ok: boolean;
  /** Why the file could not be loaded at all. */
  broken?: string;
  /** In backward order. */
  lines: LineReport[];
  /** Of Exercise 4, once all lines are right: what the network learns with them, or why it could not be trained. */
  training?: TrainingReport | { problem: string };
}

export interface CheckOptions {
  /** Ends the check early. */
  signal?: AbortSignal | undefined;
  /** Called with each line that the file prints, without its end. */
  onPrint?: (line: string) => void;
  /** Whether to train with Exercise 4. */
  train?: boolean;
}

/** Milliseconds that a file may take to load, and a line to be checked. */
const LINE_LIMIT_MS = 5_000;
/** For 1,000 steps, which the solution takes in under 2 s. */
const TRAINING_LIMIT_MS = 20_000;
/** Bytes that the process may take: the check itself takes a tenth. */
const MEMORY_LIMIT = 1e9;

/** @throws the signal's reason, when it ends the check early */
export async function checkFile(path: string, exercise: ExerciseNumber, options: CheckOptions = {}): Promise<ExerciseReport> {
  const { lines } = EXERCISES[exercise];
  const reports: LineReport[] = [];
  while (reports.length < lines.length) {
    const from = reports.length;
    const end = await runWorker(
      { path, exercise, work: 'check', from, memory: MEMORY_LIMIT, parent: process.pid },
      LINE_LIMIT_MS,
      options,
      (message) => {
        if (message.kind === 'report') reports.push(message.report);
      },
    );
    if (!end) break;
    if (end.line !== undefined) reports.push(failed(lines[end.line].name, end.problem));
    // Between two lines: something that one of them left behind. The next ones are run without it.
    else if (reports.length > from) options.onPrint?.(`${exerciseFile(exercise)}: later, outside of its lines, ${end.problem}`);
    else return { exercise, ok: false, broken: end.problem, lines: reports };
  }
  const ok = reports.length === lines.length && reports.every(({ verdict }) => verdict === 'right');
  if (!ok || !options.train || exercise !== 4) return { exercise, ok, lines: reports };
  return { exercise, ok, lines: reports, training: await trainWithFile(path, options) };
}

async function trainWithFile(path: string, options: CheckOptions): Promise<TrainingReport | { problem: string }> {
  let training: TrainingReport | undefined;
  const assignment: Assignment = {
    path,
    exercise: 4,
    work: 'train',
    from: EXERCISES[4].lines.length,
    memory: MEMORY_LIMIT,
    parent: process.pid,
  };
  const end = await runWorker(assignment, TRAINING_LIMIT_MS, options, (message) => {
    if (message.kind === 'trained') training = message.training;
  });
  return training ?? { problem: end?.problem ?? 'it ended early' };
}

function failed(name: LineReport['name'], problem: string): LineReport {
  const { values } = createLessonCase(LESSON_CONFIG, 32, 'dojo');
  return { name, shape: values[valueNamed(name)].shape, verdict: 'failed', problem };
}

/** Why a process did not come to the end of its work: what a line did, or, without a line, the file. */
interface End {
  line?: number;
  problem: string;
}

/**
 * One process, to the end of its work, or until something stops it.
 * @param limit milliseconds to its next message
 * @param onMessage called with what it has found out
 * @throws the signal's reason
 */
async function runWorker(
  assignment: Assignment,
  limit: number,
  { signal, onPrint }: CheckOptions,
  onMessage: (message: Message) => void,
): Promise<End | undefined> {
  const worker = startWorker(assignment);
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  try {
    return await new Promise<End | undefined>((resolve, reject) => {
      /** The line that has begun and has not ended. */
      let line: number | undefined;
      const finish = (problem: string) => resolve({ problem, ...(line === undefined ? {} : { line }) });
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(() => finish(`it did not end within ${limit / 1000} s`), limit);
      };
      wait();
      worker.on('message', (message: Message) => {
        if (message.kind === 'printed') return onPrint?.(message.text);
        wait();
        onMessage(message);
        if (message.kind === 'begun') line = message.line;
        else if (message.kind === 'report') line = undefined;
        else if (message.kind === 'left') finish(`it calls ${message.by}, which would end the program`);
        else if (message.kind === 'broken') finish(message.problem);
        else if (message.kind === 'done') resolve(undefined);
      });
      onEnd(worker, finish);
      abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    worker.removeAllListeners().on('error', () => {});
    worker.kill('SIGKILL');
  }
}

function startWorker(assignment: Assignment): ChildProcess {
  return fork(fileURLToPath(new URL('./worker.js', import.meta.url)), [JSON.stringify(assignment)], {
    execArgv: [],
    // As they are: JSON has no infinity.
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** Of itself. What it has said before may arrive after its end; the channel closes last. */
function onEnd(worker: ChildProcess, finish: (problem: string) => void): void {
  let problem: string | undefined;
  const both = () => {
    if (problem !== undefined && !worker.connected) finish(problem);
  };
  worker.on('disconnect', both);
  worker.on('exit', (code, signal) => {
    problem = endText(code, signal);
    both();
  });
  worker.on('error', (error) => finish(`it cannot be started: ${error.message}`));
}

/** Node's own: what is awaited at the top of a file can no longer come. */
const EXIT_UNSETTLED = 13;

function endText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return `it takes more than ${MEMORY_LIMIT / 1e9} GB of memory`;
  if (code === EXIT_UNSETTLED) return 'it waits for what never comes';
  return `it ended the program (${signal ?? `exit code ${code}`})`;
}

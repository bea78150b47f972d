/** Checks a learner's file: every line gets a report, whatever the others do. */
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createLessonCase, LESSON_CONFIG } from '../gradCheck/case.js';
import type { LineReport } from './check.js';
import { EXERCISES, type ExerciseNumber, valueNamed } from './exercises.js';
import type { Assignment, Message } from './worker.js';

export interface ExerciseReport {
  exercise: ExerciseNumber;
  ok: boolean;
  /** Why the file could not be loaded at all. */
  broken?: string;
  /** In backward order. */
  lines: LineReport[];
}

/** Milliseconds that a file may take to load, and a line to be checked. */
const LINE_LIMIT_MS = 5_000;

/** @throws the signal's reason, when it ends the check early */
export async function checkFile(path: string, exercise: ExerciseNumber, signal?: AbortSignal): Promise<ExerciseReport> {
  const { lines } = EXERCISES[exercise];
  const reports: LineReport[] = [];
  while (reports.length < lines.length) {
    const outcome = await runWorker({ path, exercise, from: reports.length }, (report) => reports.push(report), signal);
    signal?.throwIfAborted();
    if (!outcome) break;
    const { line, problem } = outcome;
    if (line === undefined) return { exercise, ok: false, broken: problem, lines: reports };
    reports.push(failed(lines[line].name, problem));
  }
  return { exercise, ok: reports.length === lines.length && reports.every(({ verdict }) => verdict === 'right'), lines: reports };
}

function failed(name: LineReport['name'], problem: string): LineReport {
  const { values } = createLessonCase(LESSON_CONFIG, 32, 'dojo');
  return { name, shape: values[valueNamed(name)].shape, verdict: 'failed', problem };
}

/** Why a thread did not come to its end: what a line did, or, without a line, the file. */
interface Outcome {
  line?: number;
  problem: string;
}

/** One thread, to the last line, or until something stops it. */
function runWorker(assignment: Assignment, onReport: (report: LineReport) => void, signal?: AbortSignal): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: assignment });
    /** The line that has begun and has not ended. */
    let running: number | undefined;
    let done = false;
    const finish = (problem?: string) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      void worker.terminate();
      resolve(problem === undefined ? undefined : { problem, ...(running === undefined ? {} : { line: running }) });
    };
    const stuck = () => finish(`it did not end within ${LINE_LIMIT_MS / 1000} s`);
    let timer = setTimeout(stuck, LINE_LIMIT_MS);
    worker.on('message', (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(stuck, LINE_LIMIT_MS);
      if (message.kind === 'broken') finish(message.problem);
      else if (message.kind === 'begun') running = message.line;
      else if (message.kind === 'report') {
        running = undefined;
        onReport(message.report);
      } else finish();
    });
    signal?.addEventListener('abort', () => finish());
    worker.on('error', (error: unknown) => finish(error instanceof Error ? error.message : `it threw ${inspect(error)}`));
    worker.on('exit', () => finish('it ended the program'));
  });
}

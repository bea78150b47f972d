/** Checks a learner's file in its own processes: every line gets a report, even if another one ends the process. */
import { type ChildProcess, fork } from 'node:child_process';
import type { LineReport } from '../../dojo/check.js';
import { EXERCISES, type ExerciseNumber, exerciseFile, lessonShape } from '../../dojo/exercises.js';
import type { Fault, FileFault } from '../../dojo/findings.js';
import { sentenceOf } from '../../dojo/sentences.js';
import type { TrainingReport } from '../../dojo/training.js';
import { valueNamed } from '../../lesson/values.js';
import { LEARNER_PROCESS } from '../paths.js';
import { type Limits, REASON_FD } from './limits.js';
import type { Assignment, Message } from './worker.js';

export interface ExerciseReport {
  exercise: ExerciseNumber;
  ok: boolean;
  /** The reason why the file cannot be loaded at all. */
  broken?: string;
  /** In backward order. */
  lines: LineReport[];
  /** Exercise 4, once all lines are right: the result of training with them, or the reason why training failed. */
  training?: TrainingReport | { problem: string };
}

/** An AbortSignal, by what a check uses of it: so the package's types need no platform's types. */
export interface CheckSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface CheckFileOptions {
  /** Ends the check early. */
  signal?: CheckSignal | undefined;
  /** Called with each line that the file prints, without its line break. */
  onPrint?: (line: string) => void;
  /** Whether to train with the lines of Exercise 4. */
  train?: boolean;
}

/** Seconds of computing time for loading the file, and for checking each line. */
const LINE_LIMIT = 5;
/** Seconds of computing time for 1,000 training steps; the solution needs less than 2. */
const TRAINING_LIMIT = 20;
/** Elapsed seconds per second of computing time: a line may sleep, and a busy machine needs longer. */
const PATIENCE = 12;
/** Gigabytes that the process may use; the check itself needs a tenth. */
const MEMORY_LIMIT = 1;

/** @throws the signal's reason, when it ends the check early */
export async function checkFile(path: string, exercise: ExerciseNumber, options: CheckFileOptions = {}): Promise<ExerciseReport> {
  const { lines } = EXERCISES[exercise];
  const reports: LineReport[] = [];
  while (reports.length < lines.length) {
    const from = reports.length;
    const end = await runWorker({ ...assignmentFor(path, exercise, LINE_LIMIT), from }, options, (message) => {
      if (message.kind === 'report') reports.push(message.report);
    });
    if (!end) break;
    if (end.line !== undefined) reports.push(failed(lines[end.line].name, end.fault as Fault));
    // It ended between two lines, because of something that an earlier line left behind. The next process runs without that line.
    else if (reports.length > from) options.onPrint?.(`${exerciseFile(exercise)}: after its line had returned, ${sentenceOf([end.fault])}`);
    else return { exercise, ok: false, broken: sentenceOf([end.fault]), lines: reports };
  }
  const ok = reports.length === lines.length && reports.every(({ verdict }) => verdict === 'right');
  if (!ok || !options.train || exercise !== 4) return { exercise, ok, lines: reports };
  return { exercise, ok, lines: reports, training: await trainWithFile(path, options) };
}

async function trainWithFile(path: string, options: CheckFileOptions): Promise<TrainingReport | { problem: string }> {
  let training: TrainingReport | undefined;
  const assignment: Assignment = { ...assignmentFor(path, 4, TRAINING_LIMIT), work: 'train', from: EXERCISES[4].lines.length };
  const end = await runWorker(assignment, options, (message) => {
    if (message.kind === 'trained') training = message.training;
  });
  return training ?? { problem: end ? sentenceOf([end.fault]) : 'its process ended early' };
}

function assignmentFor(path: string, exercise: ExerciseNumber, seconds: number): Assignment {
  return { path, exercise, work: 'check', from: 0, limits: { memory: MEMORY_LIMIT * 1e9, seconds, parent: process.pid } };
}

function failed(name: LineReport['name'], fault: Fault): LineReport {
  return { name, shape: lessonShape(valueNamed(name)), verdict: 'failed', findings: [fault], problem: sentenceOf([fault]) };
}

/** The reason why a process did not finish: a line's fault or, without a line, the file's. */
interface End {
  line?: number;
  fault: FileFault;
}

/**
 * Runs one process until its work is done or something stops it.
 * @param onMessage called with each of its results
 * @throws the signal's reason
 */
async function runWorker(
  assignment: Assignment,
  { signal, onPrint }: CheckFileOptions,
  onMessage: (message: Message) => void,
): Promise<End | undefined> {
  const worker = startWorker(assignment);
  const limit = assignment.limits.seconds * PATIENCE;
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  try {
    return await new Promise<End | undefined>((resolve, reject) => {
      /** The line that is running. */
      let line: number | undefined;
      const finish = (fault: FileFault) => resolve({ fault, ...(line === undefined ? {} : { line }) });
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(() => finish({ id: 'timeout', seconds: limit }), limit * 1_000);
      };
      wait();
      worker.on('message', (message: Message) => {
        if (message.kind === 'printed') return onPrint?.(message.text);
        wait();
        onMessage(message);
        if (message.kind === 'begun') line = message.line;
        else if (message.kind === 'report') line = undefined;
        else if (message.kind === 'stopped') finish(message.fault);
        else if (message.kind === 'done') resolve(undefined);
      });
      onEnd(worker, assignment.limits, finish);
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
  return fork(LEARNER_PROCESS, [JSON.stringify(assignment)], {
    execArgv: [],
    // JSON has no infinity.
    serialization: 'advanced',
    // The last one is REASON_FD.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
  });
}

/** Calls `finish` when the process has ended, by itself or by its watchdog. Its last messages may arrive later; the channel closes last. */
function onEnd(worker: ChildProcess, limits: Limits, finish: (fault: Fault) => void): void {
  let fault: Fault | undefined;
  let reason = '';
  worker.stdio[REASON_FD]?.on('data', (chunk) => {
    reason += chunk;
  });
  const finishOnceClosed = () => {
    if (fault !== undefined && !worker.connected) finish(fault);
  };
  worker.on('disconnect', finishOnceClosed);
  worker.on('close', (code, signal) => {
    fault = reason === 'timeout' ? { id: 'timeout', seconds: limits.seconds } : faultOf(code, signal);
    finishOnceClosed();
  });
  worker.on('error', (error) => finish({ id: 'process-cannot-start', reason: error.message }));
}

/** Node's exit code for a top-level await that can never settle. */
const EXIT_UNSETTLED = 13;

/** The reason why a process ended, unless its watchdog reported a timeout. SIGKILL means memory: from the watchdog or the system. */
function faultOf(code: number | null, signal: NodeJS.Signals | null): Fault {
  if (signal === 'SIGKILL') return { id: 'memory', gigabytes: MEMORY_LIMIT };
  if (code === EXIT_UNSETTLED) return { id: 'never-settles' };
  return { id: 'process-ended', by: signal ?? `exit code ${code}` };
}

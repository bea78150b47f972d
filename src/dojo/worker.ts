/** Runs in a thread of its own, so that a line that never returns can be stopped: loads a learner's file and checks its lines one by one. */
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { createJiti } from 'jiti';
import { LineChecker, type LineReport } from './check.js';
import { EXERCISES, type ExerciseNumber } from './exercises.js';

export interface Assignment {
  /** The learner's file. */
  path: string;
  exercise: ExerciseNumber;
  /** The first line to check; those before it are known. */
  from: number;
}

export type Message =
  /** The file cannot be loaded. */
  | { kind: 'broken'; problem: string }
  /** A line is about to run; a report follows, if it returns. */
  | { kind: 'begun'; line: number }
  | { kind: 'report'; line: number; report: LineReport }
  /** All lines have been checked. */
  | { kind: 'done' };

const { path, exercise, from } = workerData as Assignment;
const post = (message: Message) => parentPort?.postMessage(message);

/** The library as this program has it, so that a learner's folder needs no node_modules. */
const library = fileURLToPath(new URL('../index.js', import.meta.url));

async function load(): Promise<Record<string, unknown>> {
  const jiti = createJiti(import.meta.url, { fsCache: false, moduleCache: false, alias: { 'backprop-ninja': library } });
  const lines = await jiti.import(path, { default: true });
  if (typeof lines !== 'object' || lines === null) throw new Error('it exports no lines: the file ends with export default');
  return lines as Record<string, unknown>;
}

async function check(): Promise<void> {
  let lines: Record<string, unknown>;
  try {
    lines = await load();
  } catch (error) {
    post({ kind: 'broken', problem: error instanceof Error ? error.message : String(error) });
    return;
  }
  const checker = new LineChecker();
  for (const [line, known] of EXERCISES[exercise].lines.entries()) {
    if (line < from) continue;
    post({ kind: 'begun', line });
    post({ kind: 'report', line, report: checker.check(known, lines[known.name]) });
  }
  post({ kind: 'done' });
}

await check();

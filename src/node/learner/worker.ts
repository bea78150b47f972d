/**
 * A process in which a learner's file may do anything. It loads the file and checks its lines one by one, or trains with them. It sends the
 * results to its parent as messages, along with everything that the file prints or throws later.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createJiti } from 'jiti';
import { LineChecker, type LineReport } from '../../dojo/check.js';
import { EXERCISES, type ExerciseNumber } from '../../dojo/exercises.js';
import type { FileFault, Thrown } from '../../dojo/findings.js';
import { describeThrown, kindOf, type LineContext } from '../../dojo/outcome.js';
import { thrownText } from '../../dojo/sentences.js';
import { type TrainingReport, trainWith } from '../../dojo/training.js';
import { readNamesFile } from '../namesFile.js';
import { BUNDLED_NAMES, LEARNER_LIBRARY, LEARNER_WATCHDOG } from '../paths.js';
import { CapturedOutput } from './capturedOutput.js';
import type { Limits } from './limits.js';

export interface Assignment {
  /** The learner's file. */
  path: string;
  exercise: ExerciseNumber;
  /** Check the lines, or train with them once all are right. */
  work: 'check' | 'train';
  /** The first line to check; reports on earlier lines exist already. */
  from: number;
  limits: Limits;
}

export type Message =
  /** A line of the file's output. */
  | { kind: 'printed'; text: string }
  /** A line starts to run; its report follows, if it returns. */
  | { kind: 'begun'; line: number }
  | { kind: 'report'; report: LineReport }
  | { kind: 'trained'; training: TrainingReport }
  /** The file cannot be loaded or trained with, or it is about to end the process. */
  | { kind: 'stopped'; fault: FileFault }
  /** The work is done. */
  | { kind: 'done' };

const { path, exercise, work, from, limits } = JSON.parse(process.argv[2]) as Assignment;
const context: LineContext = { file: path, inspect: (value) => inspect(value, { breakLength: Number.POSITIVE_INFINITY }) };
const watchdog = new Worker(LEARNER_WATCHDOG, { workerData: limits });
const send = process.send?.bind(process);
const post = (message: Message) => {
  // The watchdog measures each line on its own.
  if (message.kind !== 'printed') watchdog.postMessage(message.kind);
  if (process.connected) send?.(message);
};
const output = new CapturedOutput(basename(path), (text) => post({ kind: 'printed', text }));

/** Starts to report errors and exits of this process. Call it before the file is loaded. */
function guard(): void {
  watchdog.unref();
  process.on('uncaughtException', reportUncaught);
  process.on('unhandledRejection', reportUncaught);
  const { exit, abort } = process;
  process.exit = (code) => leave('process.exit', () => exit.call(process, code));
  process.abort = () => leave('process.abort', () => abort.call(process));
  process.on('disconnect', () => exit.call(process, 1));
  // A file that awaits a promise that never settles must end.
  process.channel?.unref();
}

const reported = new Set<string>();

/** Reports an error once: a line runs seven times. */
function reportUncaught(thrown: unknown): void {
  const text = `${basename(path)}: uncaught ${thrownText(describeThrown(thrown, context))}`;
  if (!reported.has(text)) output.remark(text);
  reported.add(text);
}

function leave(call: string, end: () => never): never {
  output.flush();
  post({ kind: 'stopped', fault: { id: 'calls-exit', call } });
  return end();
}

/** The file's default export, or the reason why there is none. */
async function load(): Promise<{ lines: object } | { fault: FileFault }> {
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    // The program's own copy, without the solutions: the learner's folder needs no node_modules.
    alias: { 'backprop-ninja': LEARNER_LIBRARY, 'backprop-ninja/dojo': LEARNER_LIBRARY },
    // Keeps the line numbers of the file; a comment at its head would shift them.
    transformOptions: { babel: { comments: false } },
  });
  try {
    const { default: lines } = (await jiti.import(path)) as { default?: unknown };
    if (lines === undefined) return { fault: { id: 'no-default-export', exercise } };
    if (typeof lines === 'object' && lines !== null) return { lines };
    return { fault: { id: 'wrong-default-export', found: kindOf(lines), exercise } };
  } catch (thrown) {
    return { fault: { id: 'file-threw', thrown: describeLoadError(thrown) } };
  }
}

/** If the file cannot be parsed, the description includes the text of the line where the parser stopped. */
function describeLoadError(thrown: unknown): Thrown {
  const described = describeThrown(thrown, context);
  if (!/^(Parse|Syntax)Error/.test(described.text) || described.line === undefined) return described;
  const source = readFileSync(path, 'utf8').split('\n')[described.line - 1]?.trim() ?? '';
  return source === '' ? described : { ...described, source: source.slice(0, MAX_SOURCE) };
}

/** Characters of a line that are shown. */
const MAX_SOURCE = 100;

/** A line of the file. If it cannot be read, a function that throws the reason. */
function lineNamed(lines: object, name: string): unknown {
  try {
    return (lines as Record<string, unknown>)[name];
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

/** Waits for rejections and timers of 0 ms that a line left behind. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setImmediate(resolve));
}

async function run(): Promise<void> {
  // A file that is loaded again has printed everything already.
  output.quiet = from > 0;
  const loaded = await load();
  if ('fault' in loaded) return post({ kind: 'stopped', fault: loaded.fault });
  await settle();
  if (work === 'train') trainWithAll(loaded.lines);
  else await check(loaded.lines);
  post({ kind: 'done' });
}

async function check(lines: object): Promise<void> {
  output.quiet = false;
  const text = readFileSync(path, 'utf8');
  const names: string[] = EXERCISES[exercise].lines.map(({ name }) => name);
  const strays = Object.keys(lines).filter((key) => !names.includes(key));
  const checker = new LineChecker({ ...context, quietly: (run) => output.quietly(run), strays });
  for (const [line, known] of EXERCISES[exercise].lines.entries()) {
    if (line < from) continue;
    output.startSource(known.name);
    post({ kind: 'begun', line });
    const report = checker.check(known, lineNamed(lines, known.name));
    output.flush();
    post({ kind: 'report', report: { ...report, ...repeatedEntry(known.name, text) } });
    await settle();
  }
}

/** JavaScript silently takes the last of two entries with the same name. */
function repeatedEntry(name: string, text: string): { note?: string } {
  const entry = new RegExp(`^\\s*${name}\\s*:`);
  const places = text.split('\n').flatMap((line, i) => (entry.test(line) ? [i + 1] : []));
  return places.length < 2 ? {} : { note: `the file has ${name} more than once, in lines ${places.join(' and ')}: the last one counts` };
}

function trainWithAll(lines: object): void {
  try {
    const all = EXERCISES[exercise].lines.map(({ name }) => [name, lineNamed(lines, name)]);
    const { names } = readNamesFile(BUNDLED_NAMES);
    post({ kind: 'trained', training: trainWith(Object.fromEntries(all), names) });
  } catch (thrown) {
    post({ kind: 'stopped', fault: { id: 'file-threw', thrown: describeThrown(thrown, context) } });
  }
}

guard();
await run();

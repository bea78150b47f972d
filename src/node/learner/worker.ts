/**
 * A process of its own, in which a learner's file may do anything: loads it and checks its lines one by one, or trains with them. Whatever it
 * prints, throws later or ends goes to the parent as a message.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createJiti } from 'jiti';
import { LineChecker, type LineReport } from '../../dojo/check.js';
import { EXERCISES, type ExerciseNumber } from '../../dojo/exercises.js';
import { kindOf, lineOf, thrownText } from '../../dojo/outcome.js';
import { type TrainingReport, trainWith } from '../../dojo/training.js';
import { Prints } from './prints.js';

export interface Assignment {
  /** The learner's file. */
  path: string;
  exercise: ExerciseNumber;
  /** What to do with it: to check its lines, or to train with them, which all are right. */
  work: 'check' | 'train';
  /** The first line to check; those before it are known. */
  from: number;
  /** Bytes that the process may take. */
  memory: number;
  /** The process that waits for it. */
  parent: number;
}

export type Message =
  /** A line of what the file prints. */
  | { kind: 'printed'; text: string }
  /** The file cannot be loaded. */
  | { kind: 'broken'; problem: string }
  /** A line is about to run; a report follows, if it returns. */
  | { kind: 'begun'; line: number }
  | { kind: 'report'; report: LineReport }
  | { kind: 'trained'; training: TrainingReport }
  /** The process is about to be ended by what the file calls. */
  | { kind: 'left'; by: string }
  /** All lines have been checked, or trained with. */
  | { kind: 'done' };

const { path, exercise, work, from, memory, parent } = JSON.parse(process.argv[2]) as Assignment;
const send = process.send?.bind(process);
const post = (message: Message) => {
  if (process.connected) send?.(message);
};
const prints = new Prints(basename(path), (text) => post({ kind: 'printed', text }));

/** The import of a learner's file: this program's own copy, so that the folder needs no node_modules, and without the solutions. */
const library = fileURLToPath(new URL('../../dojo.js', import.meta.url));

/** Before the file is loaded: what it can do to this process is told. */
function guard(): void {
  new Worker(new URL('./watchdog.js', import.meta.url), { workerData: { memory, parent } }).unref();
  process.on('uncaughtException', tellLater);
  process.on('unhandledRejection', tellLater);
  const { exit, abort } = process;
  process.exit = (code) => leave('process.exit', () => exit.call(process, code));
  process.abort = () => leave('process.abort', () => abort.call(process));
  process.on('disconnect', () => exit.call(process, 1));
  // A file that waits for what never comes is to end.
  process.channel?.unref();
}

const told = new Set<string>();

/** Of the same, once: a line runs seven times. */
function tellLater(thrown: unknown): void {
  const text = `${basename(path)}: nothing caught ${thrownText(thrown, path)}`;
  if (!told.has(text)) prints.remark(text);
  told.add(text);
}

function leave(by: string, end: () => never): never {
  prints.flush();
  post({ kind: 'left', by });
  return end();
}

async function load(): Promise<{ lines: object }> {
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    alias: { 'backprop-ninja': library, 'backprop-ninja/dojo': library },
    // Lines stay where they are in the file, but for what a comment at its head would shift.
    transformOptions: { babel: { comments: false } },
  });
  const module = (await jiti.import(path)) as { default?: unknown };
  const wayOut = `the file ends with 'export default exercise${exercise};'`;
  if (module.default === undefined) throw new Unusable(`it has no default export: ${wayOut}`);
  if (typeof module.default === 'object' && module.default !== null) return { lines: module.default };
  throw new Unusable(`its default export is ${kindOf(module.default)}, expected an object with a function per gradient: ${wayOut}`);
}

/** A file that does not hold what it must. */
class Unusable extends Error {}

/** A line as the file has it. What cannot even be read throws when it is run. */
function lineNamed(lines: object, name: string): unknown {
  try {
    return (lines as Record<string, unknown>)[name];
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}

/** Why the file cannot be loaded; where it cannot even be read, with the line at which that is noticed. */
function brokenText(thrown: unknown): string {
  const text = thrownText(thrown, path);
  if (!/^(Parse|Syntax)Error/.test(text) || !(thrown instanceof Error)) return text;
  const source = readFileSync(path, 'utf8').split('\n')[(lineOf(thrown, path) ?? 0) - 1]?.trim() ?? '';
  return source === '' ? text : `${text}: ${source.slice(0, MOST_OF_A_LINE)}`;
}

const MOST_OF_A_LINE = 100;

/** Lets what was left behind come up: rejections, and timers of 0 ms. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setImmediate(resolve));
}

async function run(): Promise<void> {
  // Of a file that is loaded once more, everything is known.
  prints.quiet = from > 0;
  let lines: object;
  try {
    ({ lines } = await load());
  } catch (thrown) {
    post({ kind: 'broken', problem: thrown instanceof Unusable ? thrown.message : brokenText(thrown) });
    return;
  }
  await settle();
  if (work === 'train') trainWithAll(lines);
  else await check(lines);
  post({ kind: 'done' });
}

async function check(lines: object): Promise<void> {
  prints.quiet = false;
  const text = readFileSync(path, 'utf8');
  const names: string[] = EXERCISES[exercise].lines.map(({ name }) => name);
  const strays = Object.keys(lines).filter((key) => !names.includes(key));
  const checker = new LineChecker({ file: path, quietly: (run) => prints.quietly(run), strays });
  for (const [line, known] of EXERCISES[exercise].lines.entries()) {
    if (line < from) continue;
    prints.speaks(known.name);
    post({ kind: 'begun', line });
    const report = checker.check(known, lineNamed(lines, known.name));
    prints.flush();
    post({ kind: 'report', report: { ...report, ...twice(known.name, text) } });
    await settle();
  }
}

/** JavaScript takes the last of two entries of one name, and says nothing. */
function twice(name: string, text: string): { note?: string } {
  const entry = new RegExp(`^\\s*${name}\\s*:`);
  const places = text.split('\n').flatMap((line, i) => (entry.test(line) ? [i + 1] : []));
  return places.length < 2
    ? {}
    : { note: `${name} stands in the file more than once, in lines ${places.join(' and ')}: the last one counts` };
}

function trainWithAll(lines: object): void {
  try {
    const all = EXERCISES[exercise].lines.map(({ name }) => [name, lineNamed(lines, name)]);
    post({ kind: 'trained', training: trainWith(Object.fromEntries(all)) });
  } catch (thrown) {
    post({ kind: 'broken', problem: thrownText(thrown, path) });
  }
}

guard();
await run();

/**
 * A process in which a learner's file may do anything. It loads the file and runs its lines on the arrays that its parent sends. It knows no
 * solution, and its replies are arrays and faults: the parent judges them.
 */
// First: other modules open Node's own streams.
import './streams.js';

import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createJiti } from 'jiti';
import { type Indices, Tensor } from '../../core/tensor.js';
import type { LoadFault, Thrown } from '../../dojo/findings.js';
import type { GivenValues } from '../../dojo/learnerFile.js';
import { describeThrown, kindOf, type LineContext, runLine, runPass, textOf } from '../../dojo/outcome.js';
import type { GradientName } from '../../lesson/values.js';
import { LEARNER_LIBRARY, LEARNER_WATCHDOG } from '../paths.js';
import {
  type ArrayHead,
  arraysIn,
  encodeFrame,
  type Frame,
  type NamedArray,
  REPLY_FD,
  REQUEST_FD,
  readFrame,
  writeBytes,
} from './frames.js';
import { type Assignment, MAX_KEY, MAX_KEYS, MAX_LINE_TEXT, type Notice, type Reply, type Request } from './protocol.js';

const { path, exercise, limits } = JSON.parse(process.argv[2]) as Assignment;
const context: LineContext = { file: path, inspect: (value) => inspect(value, { breakLength: Number.POSITIVE_INFINITY }) };
const watchdog = new Worker(LEARNER_WATCHDOG, { workerData: limits });

const reply = (message: Reply, arrays: readonly NamedArray[] = []) => writeBytes(REPLY_FD, encodeFrame(message, arrays));
const notify = (notice: Notice) => writeBytes(REPLY_FD, encodeFrame(notice));

/** Starts to report errors and exits of this process. Call it before the file is loaded. */
function guard(): void {
  watchdog.unref();
  process.on('uncaughtException', reportUncaught);
  process.on('unhandledRejection', reportUncaught);
  const { exit } = process;
  process.exit = (code) => leave('process.exit', () => exit.call(process, code));
  process.abort = () => leave('process.abort', () => exit.call(process, 1));
}

function reportUncaught(thrown: unknown): void {
  notify({ kind: 'uncaught', thrown: describeThrown(thrown, context) });
}

function leave(call: string, end: () => never): never {
  notify({ kind: 'stopped', fault: { id: 'calls-exit', call } });
  return end();
}

/** The file's default export, or the reason why there is none. */
async function load(): Promise<{ lines: object } | { fault: LoadFault }> {
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

function keysOf(lines: object): string[] {
  try {
    return Object.keys(lines)
      .slice(0, MAX_KEYS)
      .map((key) => key.slice(0, MAX_KEY));
  } catch {
    return [];
  }
}

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
  const loaded = await load();
  if ('fault' in loaded) return notify({ kind: 'stopped', fault: loaded.fault });
  const { lines } = loaded;
  await settle();
  reply({ id: 0, kind: 'loaded', keys: keysOf(lines) });
  const named = new Map<string, unknown>();
  const line = (name: string) => {
    if (!named.has(name)) named.set(name, lineNamed(lines, name));
    return named.get(name);
  };
  for (let id = 1; ; id++) {
    const frame = readFrame(REQUEST_FD);
    if (!frame) return;
    const request = frame.header as Request;
    // Each request has its own computing time, except the steps of a training.
    if (request.kind !== 'pass') watchdog.postMessage(request.kind);
    if (request.kind === 'run') runOnce(id, request.name, line(request.name), valuesOf(frame, request.n));
    else if (request.kind === 'pass') passOnce(id, request, line, valuesOf(frame, request.n));
    else {
      await settle();
      reply({ id, kind: 'settled' });
    }
  }
}

function valuesOf({ header, body }: Frame, n: number): GivenValues {
  const { arrays } = header as { arrays: ArrayHead[] };
  const entries = arraysIn(arrays, body).map(({ name, data, shape }): [string, Tensor | Indices] => [
    name,
    data instanceof Int32Array ? { data, shape } : new Tensor(data, shape),
  ]);
  return { ...Object.fromEntries(entries), n } as unknown as GivenValues;
}

function runOnce(id: number, name: GradientName, line: unknown, at: GivenValues): void {
  const outcome = runLine(name, line, at, context);
  const text = textOf(line).slice(0, MAX_LINE_TEXT);
  if ('fault' in outcome) reply({ id, kind: 'failed', text, fault: outcome.fault });
  else if ('tooLarge' in outcome) reply({ id, kind: 'too-large', text, shape: outcome.tooLarge });
  else reply({ id, kind: 'returned', text }, [{ name, ...outcome.tensor }]);
}

function passOnce(id: number, { names, wanted }: Request & { kind: 'pass' }, line: (name: string) => unknown, at: GivenValues): void {
  const result = runPass(
    names.map((name) => [name, line(name)] as const),
    at,
    context,
  );
  if ('fault' in result) reply({ id, kind: 'pass-failed', ...result });
  else {
    const { gradients } = result;
    reply(
      { id, kind: 'passed' },
      wanted.map((name): NamedArray => ({ name, ...(gradients.get(name) as Tensor) })),
    );
  }
}

guard();
await run();

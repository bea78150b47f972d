/**
 * The worker of a learner's lines, which may do anything. The page puts this script before them, and both into one Blob. It knows no solution,
 * and its replies are arrays and faults: the engine judges them.
 */
import { type Indices, Tensor } from '../../core/tensor.js';
import { type GivenValues, todo } from '../../dojo/learnerFile.js';
import { type LineContext, runLine, runPass, textOf } from '../../dojo/outcome.js';
import { softmax } from '../../lesson/softmax.js';
import type { GradientName } from '../../lesson/values.js';
import type { GivenArrays } from '../engine/exercises.js';
import { type GuestReply, type GuestRequest, MAX_LINE_TEXT, MAX_PRINTED, MAX_PRINTED_LINE } from './protocol.js';

/** The learner's code as the page splices it in: the lines by name. */
type Lines = (...library: [typeof Tensor, typeof softmax, typeof todo]) => Record<string, unknown>;

/** The part of a worker's scope that is used here. The types of a page have the window in its place. */
declare function postMessage(message: GuestReply, transfer?: Transferable[]): void;

const post = postMessage.bind(globalThis);
/** The policy of the page refuses network and eval. These are what it does not cover: storage of the origin, other workers, the channel. */
const REMOVED = [
  'postMessage',
  'close',
  'indexedDB',
  'caches',
  'BroadcastChannel',
  'Worker',
  'SharedWorker',
  'MessageChannel',
  'navigator',
  'cookieStore',
  'webkitRequestFileSystem',
  'webkitRequestFileSystemSync',
  'webkitResolveLocalFileSystemURL',
  'webkitResolveLocalFileSystemSyncURL',
];

function removeGlobals(): void {
  for (const name of REMOVED) {
    for (let holder: object | null = globalThis; holder; holder = Object.getPrototypeOf(holder)) {
      if (Object.hasOwn(holder, name)) Reflect.deleteProperty(holder, name);
    }
  }
}

/** A value as the console shows it, in one line. */
function show(value: unknown): string {
  try {
    return shownAs(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

function shownAs(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  const custom: unknown = Reflect.get(value, Symbol.for('nodejs.util.inspect.custom'));
  if (typeof custom === 'function') return String(custom.call(value));
  if (value instanceof Error) return String(value);
  return ArrayBuffer.isView(value) || Array.isArray(value)
    ? `[ ${Array.from(value as unknown as ArrayLike<unknown>, String).join(', ')} ]`
    : JSON.stringify(value);
}

let prints = false;
let printed = 0;

function print(...values: unknown[]): void {
  if (!prints || printed > MAX_PRINTED) return;
  for (const line of values.map(show).join(' ').split('\n')) {
    if (++printed > MAX_PRINTED + 1) return;
    post({ kind: 'printed', line: printed > MAX_PRINTED ? '…' : line.slice(0, MAX_PRINTED_LINE) });
  }
}

const CONSOLE_METHODS = ['log', 'info', 'debug', 'warn', 'error', 'table', 'dir', 'trace'] as const;

function replaceConsole(): void {
  for (const method of CONSOLE_METHODS) Object.defineProperty(console, method, { value: print });
}

function valuesOf(at: GivenArrays): GivenValues {
  const entries = Object.entries(at).map(([name, value]): [string, unknown] => {
    if (typeof value === 'number') return [name, value];
    const { data, shape } = value;
    return [name, data instanceof Int32Array ? ({ data, shape } satisfies Indices) : new Tensor(data, shape)];
  });
  return Object.fromEntries(entries) as unknown as GivenValues;
}

/** Waits for requests, and makes the lines when the first one comes: the code around them may never end. */
function start(lines: Lines, context: LineContext): void {
  let made: { lines: Record<string, unknown> } | { thrown: unknown } | undefined;
  const line = (name: string): unknown => {
    if (!made) {
      try {
        made = { lines: lines(Tensor, softmax, todo) };
      } catch (thrown) {
        made = { thrown };
      }
    }
    if ('lines' in made) return made.lines[name];
    const { thrown } = made;
    return () => {
      throw thrown;
    };
  };
  addEventListener('message', ({ data }: MessageEvent<GuestRequest>) => {
    try {
      if (data.kind === 'run') runOnce(data, line, context);
      else passOnce(data, line, context);
    } catch {
      // A line has broken what the reply needs.
      post({ id: data.id, kind: 'no-reply' });
    }
  });
  post({ kind: 'ready' });
}

function runOnce(
  { id, name, at, prints: shown }: GuestRequest & { kind: 'run' },
  line: (name: GradientName) => unknown,
  context: LineContext,
): void {
  prints = shown;
  const code = line(name);
  const outcome = runLine(name, code, valuesOf(at), context);
  prints = false;
  const text = textOf(code).slice(0, MAX_LINE_TEXT);
  if ('fault' in outcome) post({ id, kind: 'failed', text, fault: outcome.fault });
  else if ('tooLarge' in outcome) post({ id, kind: 'too-large', text, shape: outcome.tooLarge });
  else {
    const { data, shape } = outcome.tensor;
    post({ id, kind: 'returned', text, array: { data, shape } });
  }
}

function passOnce(
  { id, names, wanted, at }: GuestRequest & { kind: 'pass' },
  line: (name: GradientName) => unknown,
  context: LineContext,
): void {
  const result = runPass(
    names.map((name) => [name, line(name)] as const),
    valuesOf(at),
    context,
  );
  if ('fault' in result) {
    post({ id, kind: 'pass-failed', ...result });
    return;
  }
  const { gradients } = result;
  const arrays = wanted.map((name) => {
    const { data, shape } = gradients.get(name) as Tensor;
    return { data, shape };
  });
  post({ id, kind: 'passed', arrays });
}

removeGlobals();
replaceConsole();
// The one name that the learner's part of the script uses. It is gone before a line runs.
Object.assign(globalThis, {
  startLines(lines: Lines, firstLine: number): void {
    Reflect.deleteProperty(globalThis, 'startLines');
    const context: LineContext = { file: location.href, firstLine, inspect: show };
    start(lines, context);
  },
});

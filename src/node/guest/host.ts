/** What runs in every guest's process, beside the guest's file: replies, reports of errors that nothing caught, and loading. */
// First: other modules open Node's own streams.
import './streams.js';

import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createJiti, type JitiOptions } from 'jiti';
import type { LoadFault, Thrown } from '../../dojo/findings.js';
import { describeThrown, type LineContext } from '../../dojo/outcome.js';
import { GUEST_WATCHDOG } from '../paths.js';
import { encodeFrame, type Frame, type NamedArray, REPLY_FD, REQUEST_FD, readFrame, writeBytes } from './frames.js';
import type { GuestAssignment, Notice } from './protocol.js';

/** The guest's side of its process. */
export interface Host<Assignment, Reply> {
  readonly assignment: Assignment;
  /** The surroundings of the guest's code, for the report on an error. */
  readonly context: LineContext;
  reply(message: Reply, arrays?: readonly NamedArray[]): void;
  /** Says why the file cannot run. */
  stop(fault: LoadFault): void;
  /** The requests, with their numbers, until the parent ends. */
  requests(): Generator<{ id: number; frame: Frame }>;
  /** Starts to count computing time anew. */
  restartTime(): void;
  /** Imports the guest's file: its exports, or the error that it threw. */
  load(options: JitiOptions): Promise<{ exports: Readonly<Record<string, unknown>> } | { fault: LoadFault }>;
}

/** Starts the watchdog, and to report errors and exits of this process. Call it before the file is loaded. */
export function startHost<Assignment extends GuestAssignment, Reply extends object>(): Host<Assignment, Reply> {
  const assignment = JSON.parse(process.argv[2]) as Assignment;
  const context: LineContext = {
    file: assignment.path,
    inspect: (value) => inspect(value, { breakLength: Number.POSITIVE_INFINITY }),
  };
  const watchdog = new Worker(GUEST_WATCHDOG, { workerData: assignment.limits });
  watchdog.unref();
  guard(context);
  return {
    assignment,
    context,
    reply: (message, arrays = []) => writeBytes(REPLY_FD, encodeFrame(message, arrays)),
    stop: (fault) => notify({ kind: 'stopped', fault }),
    requests,
    restartTime: () => watchdog.postMessage('restart'),
    load: (options) => load(context, options),
  };
}

const notify = (notice: Notice) => writeBytes(REPLY_FD, encodeFrame(notice));

function guard(context: LineContext): void {
  const reportUncaught = (thrown: unknown) => notify({ kind: 'uncaught', thrown: describeThrown(thrown, context) });
  process.on('uncaughtException', reportUncaught);
  process.on('unhandledRejection', reportUncaught);
  const { exit } = process;
  process.exit = (code) => leave('process.exit', () => exit.call(process, code));
  process.abort = () => leave('process.abort', () => exit.call(process, 1));
}

function leave(call: string, end: () => never): never {
  notify({ kind: 'stopped', fault: { id: 'calls-exit', call } });
  return end();
}

function* requests(): Generator<{ id: number; frame: Frame }> {
  for (let id = 1; ; id++) {
    const frame = readFrame(REQUEST_FD);
    if (!frame) return;
    yield { id, frame };
  }
}

async function load(context: LineContext, options: JitiOptions): Promise<{ exports: Record<string, unknown> } | { fault: LoadFault }> {
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    // Keeps the line numbers of the file; a comment at its head would shift them.
    transformOptions: { babel: { comments: false } },
    ...options,
  });
  try {
    return { exports: (await jiti.import(context.file as string)) as Record<string, unknown> };
  } catch (thrown) {
    return { fault: { id: 'file-threw', thrown: describeLoadError(thrown, context) } };
  }
}

/** If the file cannot be parsed, the description includes the text of the line where the parser stopped. */
function describeLoadError(thrown: unknown, context: LineContext): Thrown {
  const described = describeThrown(thrown, context);
  if (!/^(Parse|Syntax)Error/.test(described.text) || described.line === undefined) return described;
  const source =
    readFileSync(context.file as string, 'utf8')
      .split('\n')
      [described.line - 1]?.trim() ?? '';
  return source === '' ? described : { ...described, source: source.slice(0, MAX_SOURCE) };
}

/** Characters of a line that are shown. */
const MAX_SOURCE = 100;

/** Waits for rejections and timers of 0 ms that the guest left behind. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  await new Promise((resolve) => setImmediate(resolve));
}

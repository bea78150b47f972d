/**
 * A guest is someone else's file in a process of its own: a learner's exercise, a layer to check. This is the process as its parent sees it:
 * requests and replies, one at a time. Nothing that the file does harms the parent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextPoll } from 'node:timers/promises';
import { SystemError } from '../../core/errors.js';
import { showPath, showText } from '../../core/text.js';
import type { FileFault } from '../../dojo/findings.js';
import { thrownText } from '../../dojo/sentences.js';
import { systemError } from '../systemErrors.js';
import { type ArrayHead, arraysIn, encodeFrame, type Frame, FrameReader, type NamedArray, REPLY_FD, REQUEST_FD } from './frames.js';
import { type Limits, REASON_FD } from './limits.js';
import { Printed } from './printed.js';
import type { Notice } from './protocol.js';

/** Milliseconds until an ended process counts as ended, although others hold its streams. */
const LINGER_MS = 500;
/** Different errors that nothing caught, and that are shown. */
const MAX_UNCAUGHT = 100;

/** Thrown where the process ended before it replied. */
export class ProcessEnded extends Error {
  readonly fault: FileFault;

  constructor(fault: FileFault) {
    super(fault.id);
    this.fault = fault;
  }
}

/** Seconds that are left for a whole check. It counts ticks, not the clock: a machine that was suspended loses nothing. */
export interface Budget {
  seconds: number;
  readonly total: number;
}

export interface GuestOptions<Reply> {
  /** The guest's file. */
  path: string;
  /** The module that runs in the process, and what it gets besides the path and the limits. */
  module: string;
  assignment?: object;
  /** Gigabytes that the process may use. */
  gigabytes: number;
  /** Seconds of computing time for each request. */
  seconds: number;
  /** Elapsed seconds per second of computing time: a guest may sleep, and a busy machine needs longer. */
  patience: number;
  budget?: Budget;
  /** Reads a frame. It throws if the frame is no message, or its arrays do not fit its body. */
  read(frame: Frame): { message: Reply | Notice; heads: ArrayHead[] };
  /** Called with each line of output, which is safe to print. */
  onPrint: (line: string) => void;
  /** Lines of output that are kept per source; 1,000 by default. */
  lines?: number;
  /** Errors that are shown already; it grows. */
  uncaught: Set<string>;
  /** Whether to drop what the file prints while it is loaded: it is loaded again. */
  quiet?: boolean;
}

/** A reply and its arrays. */
interface Answer<Reply> {
  reply: Reply;
  arrays: NamedArray[];
}

/** @typeParam Reply replies, each with the number of its request; the first, 0, says that the file is loaded */
export class GuestProcess<Request extends object, Reply extends { kind: string; id: number }> {
  readonly #options: GuestOptions<Reply>;
  readonly #child: ChildProcess;
  readonly #printed: Printed;
  readonly #ticks: NodeJS.Timeout;
  /** Seconds since the last request that has a limit of its own. */
  #waited = 0;
  #ended: ProcessEnded | SystemError | undefined;
  #reason = '';
  #id = 0;
  #waiting: { resolve: (answer: Answer<Reply>) => void; reject: (reason: ProcessEnded | SystemError) => void } | undefined;
  readonly #loaded: Promise<Answer<Reply>>;

  constructor(options: GuestOptions<Reply>) {
    this.#options = options;
    this.#printed = new Printed(options.onPrint, options.lines);
    this.#printed.startSource(options.quiet ? undefined : showText(basename(options.path)));
    this.#child = startProcess(options);
    this.#loaded = this.#reply();
    // It is awaited later.
    this.#loaded.catch(() => {});
    this.#ticks = setInterval(() => this.#tick(), 1_000);
    this.#listen();
  }

  /**
   * The first reply.
   * @throws ProcessEnded with the reason why the file cannot run
   * @throws SystemError if the process cannot be started
   */
  async loaded(): Promise<Reply> {
    const { reply } = await this.#loaded;
    await this.#drained();
    return reply;
  }

  /** Sets the name before what is printed from now on; undefined drops it. */
  async startSource(name: string | undefined): Promise<void> {
    await this.#drained();
    this.#printed.startSource(name);
  }

  /**
   * @param continues whether the request shares the time of the one before it
   * @throws ProcessEnded if there is no reply
   */
  async request(request: Request, arrays: readonly NamedArray[] = [], continues = false): Promise<Answer<Reply>> {
    if (this.#ended) throw this.#ended;
    this.#id++;
    if (!continues) this.#waited = 0;
    const reply = this.#reply();
    (this.#child.stdio[REQUEST_FD] as Writable).write(encodeFrame(request, arrays));
    return reply;
  }

  /** Ends the process and its children. A reply that is awaited never comes. */
  stop(): void {
    clearInterval(this.#ticks);
    this.#ended ??= new ProcessEnded({ id: 'process-ended', by: 'SIGKILL' });
    this.#kill();
    this.#printed.startSource(undefined);
    // A child in a session of its own may hold them for ever.
    for (const stream of streamsOf(this.#child)) stream?.destroy();
    this.#child.unref();
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }

  #reply(): Promise<Answer<Reply>> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #listen(): void {
    this.#child.on('error', (error) => this.#end(systemError(`cannot start a process for ${showPath(this.#options.path)}`, error)));
    const stdio = streamsOf(this.#child);
    for (const stream of stdio) stream?.on('error', () => {});
    stdio[1]?.on('data', (chunk: Buffer) => this.#printed.take(0, chunk));
    stdio[2]?.on('data', (chunk: Buffer) => this.#printed.take(1, chunk));
    const reader = new FrameReader();
    stdio[REPLY_FD]?.on('data', (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) {
          if (this.#ended) return;
          const { message, heads } = this.#options.read(frame);
          this.#take(message, () => arraysIn(heads, frame.body));
        }
      } catch {
        this.#end({ id: 'breaks-channel' });
      }
    });
    stdio[REASON_FD]?.on('data', (chunk: Buffer) => {
      this.#reason = `${this.#reason}${chunk}`.slice(0, 100);
    });
    this.#child.on('exit', (code, signal) => {
      this.#kill();
      const finish = () => this.#end(this.#watchdogSays() ?? faultOf(code, signal));
      const timer = setTimeout(finish, LINGER_MS);
      // Its last messages arrive before its streams end.
      this.#child.on('close', () => {
        clearTimeout(timer);
        finish();
      });
    });
  }

  #take(message: Reply | Notice, arrays: () => NamedArray[]): void {
    const waiting = this.#waiting;
    if (isNotice(message)) {
      if (message.kind === 'uncaught') this.#remark(`uncaught ${thrownText(message.thrown)}`);
      else this.#end(message.fault);
    } else if (!waiting || message.id !== this.#id) this.#end({ id: 'breaks-channel' });
    else {
      this.#waiting = undefined;
      waiting.resolve({ reply: message, arrays: arrays() });
    }
  }

  /** Shows an error once: a line runs seven times, and a file may be loaded again. */
  #remark(text: string): void {
    const { uncaught, path, onPrint } = this.#options;
    if (uncaught.has(text) || uncaught.size >= MAX_UNCAUGHT) return;
    uncaught.add(text);
    onPrint(`${showText(basename(path))}: ${text}`);
  }

  #end(reason: FileFault | SystemError): ProcessEnded | SystemError {
    this.#ended ??= reason instanceof SystemError ? reason : new ProcessEnded(reason);
    const ended = this.#ended;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    // What it printed before it ended may still be on its way.
    void this.#drained().then(() => {
      this.#printed.startSource(undefined);
      waiting?.reject(ended);
      this.stop();
    });
    return ended;
  }

  #watchdogSays(): FileFault | undefined {
    const { seconds, gigabytes } = this.#options;
    if (this.#reason === 'timeout') return { id: 'timeout', seconds };
    return this.#reason === 'memory' ? { id: 'memory', gigabytes } : undefined;
  }

  #tick(): void {
    const { seconds, patience, gigabytes, budget } = this.#options;
    this.#waited++;
    if (budget) budget.seconds--;
    const limit = seconds * patience;
    if (budget && budget.seconds <= 0) this.#end({ id: 'out-of-time', seconds: budget.total });
    else if (this.#waited > limit) this.#end({ id: 'timeout', seconds: limit });
    else if (residentBytes(this.#child.pid) > gigabytes * 1e9) this.#end({ id: 'memory', gigabytes });
  }

  /** Waits until what the process printed before its reply has arrived: it is in the pipes already, and one poll reads them. */
  async #drained(): Promise<void> {
    await nextPoll();
    await nextPoll();
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Windows has no process groups.
      if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    }
  }
}

function isNotice(message: { kind: string }): message is Notice {
  return message.kind === 'uncaught' || message.kind === 'stopped';
}

/** None if there were not even descriptors for them: an error follows. */
function streamsOf(child: ChildProcess): readonly (Readable | Writable | null | undefined)[] {
  return child.stdio ?? [];
}

/** It leads a process group of its own, which ends with it. */
function startProcess<Reply>({ path, module, assignment, gigabytes, seconds }: GuestOptions<Reply>): ChildProcess {
  const file = resolve(path);
  const limits: Limits = { memory: gigabytes * 1e9, seconds, parent: process.pid };
  // V8's own limit may be lower on a small machine: it would abort with pages of addresses before the watchdog acts.
  const heap = `--max-old-space-size=${2_000 * gigabytes}`;
  return spawn(process.execPath, [heap, module, JSON.stringify({ ...assignment, path: file, limits })], {
    // This process's own directory may be deleted and made anew: by git stash, when it is the learner's folder.
    cwd: dirname(file),
    detached: true,
    windowsHide: true,
    // The last three are REQUEST_FD, REPLY_FD and REASON_FD.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
}

/** The memory of a process, where the system tells it: its own watchdog may be gone. */
export function residentBytes(pid: number | undefined): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Node's exit code for a top-level await that can never settle. */
const EXIT_UNSETTLED = 13;

/** The reason why a process ended, unless its watchdog reported one. */
function faultOf(code: number | null, signal: NodeJS.Signals | null): FileFault {
  if (code === EXIT_UNSETTLED) return { id: 'never-settles' };
  return { id: 'process-ended', by: signal ?? `exit code ${code}` };
}

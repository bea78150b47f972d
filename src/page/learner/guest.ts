/** The worker of a learner's lines as the page sees it: it is made for one check, and ended when it does not answer. */
import learnerSource from 'bundled:learner';
import * as v from 'valibot';
import { count, runFault, text } from '../../dojo/faultSchema.js';
import type { Fault } from '../../dojo/findings.js';
import { MAX_DIMENSIONS, MAX_ENTRIES, MAX_NAME } from '../../dojo/outcome.js';
import type { ArrayData } from '../engine/exercises.js';
import { workerFrom } from '../workerFrom.js';
import { type GuestReply, type GuestRequest, MAX_LINE_TEXT, MAX_PRINTED, MAX_PRINTED_LINE } from './protocol.js';

/** Seconds without an answer, for each run of a line. A right line needs a hundredth. */
const LINE_LIMIT = 2;
/** Seconds in which a worker starts on a busy machine. */
const START_LIMIT = 20;

/** The lines did not finish their work. */
export class GuestEnded extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.id);
    this.fault = fault;
  }
}

/** The browser cannot read the lines. The place is counted from 1 in the learner's code. */
export class GuestSyntaxError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** What a worker runs, as JavaScript. */
export interface GuestCode {
  /** The body of a function that returns the lines by name. */
  source: string;
  /** The line of it, counted from 0, where the text begins to whose lines errors are traced. */
  textLine?: number;
}

const shape = v.pipe(v.array(count), v.maxLength(MAX_DIMENSIONS));
const array = v.pipe(
  v.object({ data: v.union([v.instance(Float32Array), v.instance(Float64Array)]), shape }),
  v.check(({ data, shape: sizes }) => data.length <= MAX_ENTRIES && sizes.reduce((product, size) => product * size, 1) === data.length),
) as v.GenericSchema<unknown, ArrayData>;
const lineText = v.pipe(v.string(), v.maxLength(MAX_LINE_TEXT));
const reply = v.variant('kind', [
  v.object({ kind: v.literal('ready') }),
  v.object({ kind: v.literal('printed'), line: text(MAX_PRINTED_LINE) }),
  v.object({ kind: v.literal('returned'), id: count, text: lineText, array }),
  v.object({ kind: v.literal('too-large'), id: count, text: lineText, shape }),
  v.object({ kind: v.literal('failed'), id: count, text: lineText, fault: runFault }),
  v.object({ kind: v.literal('no-reply'), id: count }),
  v.object({ kind: v.literal('passed'), id: count, arrays: v.pipe(v.array(array), v.maxLength(MAX_NAME)) }),
  v.object({ kind: v.literal('pass-failed'), id: count, name: text(MAX_NAME), fault: runFault }),
]);

type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;
export type Answer = Extract<GuestReply, { id: number }>;

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One worker with a learner's lines. */
export class Guest {
  readonly #worker: Worker;
  readonly #firstLine: number;
  readonly #onPrint: (line: string) => void;
  #printed = 0;
  /** When the worker has started: then its time begins. */
  readonly ready: Promise<void>;
  #lastId = 0;
  #waiting: (Waiting & { id: number; timer: number }) | undefined;
  #ended: Error | undefined;
  #reportStart: ((error?: Error) => void) | undefined;

  constructor({ source, textLine }: GuestCode, onPrint: (line: string) => void = () => {}) {
    const head = `${learnerSource}\nstartLines((Tensor, softmax, todo) => { 'use strict';\n`;
    this.#firstLine = head.split('\n').length;
    this.#onPrint = onPrint;
    const traced = textLine === undefined ? 'Infinity' : this.#firstLine + textLine;
    this.#worker = workerFrom(`${head}${source}\n}, ${traced});\n`);
    this.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(new GuestEnded({ id: 'timeout', seconds: START_LIMIT })), 1_000 * START_LIMIT);
      this.#reportStart = (error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
    });
    this.ready.catch(() => {});
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onmessageerror = () => this.#end(new GuestEnded({ id: 'breaks-channel' }));
    this.#worker.onerror = (event) => {
      event.preventDefault();
      // An error after the start is of something that a line left behind.
      this.#startFailed(event);
    };
  }

  /**
   * Sends a request and waits for its answer.
   * @throws GuestEnded with the reason why there is none, GuestSyntaxError
   */
  async request(request: WithoutId<GuestRequest>): Promise<Answer> {
    await this.ready;
    if (this.#ended) throw this.#ended;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(new GuestEnded({ id: 'timeout', seconds: LINE_LIMIT })), 1_000 * LINE_LIMIT);
      this.#waiting = { id, resolve, reject, timer };
      this.#worker.postMessage({ ...request, id });
    });
  }

  /** Ends the worker. What waits for it gets an error with the reason. */
  stop(fault: Fault = { id: 'no-answer' }): void {
    this.#end(new GuestEnded(fault));
  }

  #receive(data: unknown): void {
    if (this.#ended) return;
    const parsed = v.safeParse(reply, data);
    if (!parsed.success) {
      this.#end(new GuestEnded({ id: 'breaks-channel' }));
      return;
    }
    const message = parsed.output as GuestReply;
    if (message.kind === 'ready') this.#reportStart?.();
    else if (message.kind === 'printed') {
      if (++this.#printed <= MAX_PRINTED + 1) this.#onPrint(message.line);
    } else if (message.id === this.#waiting?.id) {
      const { resolve, timer } = this.#waiting;
      this.#waiting = undefined;
      clearTimeout(timer);
      resolve(message);
    }
  }

  #startFailed({ message, lineno, colno }: ErrorEvent): void {
    this.#reportStart?.(
      new GuestSyntaxError(message.replace(/^(?:Uncaught )?(?:SyntaxError: )?/, ''), lineno - this.#firstLine + 1, colno),
    );
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    this.#reportStart?.(error);
    if (this.#waiting) {
      clearTimeout(this.#waiting.timer);
      this.#waiting.reject(error);
    }
  }
}

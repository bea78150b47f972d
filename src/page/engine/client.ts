/** The engine as the page sees it: promises, and progress by a callback. */

import engineSource from 'bundled:engine';
import { computed, signal } from '@preact/signals';
import { workerFrom } from '../workerFrom.js';
import type { ArgumentsOf, Method, ProgressOf, Refusal, Reply, Request, ResultOf } from './protocol.js';

/** An answer of the engine that is an error with a message for the reader. What no view handles is shown above all views: see ../failures.ts. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly hint: string | undefined;
  readonly command: string | undefined;

  constructor({ message, hint, command }: Refusal) {
    super(message);
    this.hint = hint;
    this.command = command;
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onProgress?: ((progress: never) => void) | undefined;
}

const expected = signal(0);
/** Whether everything that was asked is answered. A computation that reports progress counts not: the page shows how far it is. */
export const isAnswered = computed(() => expected.value === 0);

/** Says that an answer is to come. @returns a function that says that it is there, or never comes */
export function expectAnswer(): () => void {
  let isExpected = true;
  expected.value = expected.peek() + 1;
  return () => {
    if (isExpected) expected.value = expected.peek() - 1;
    isExpected = false;
  };
}

/** A worker, and who waits for its answers. */
class Engine {
  /** Undefined once it has failed. */
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting & { end: () => void }>();

  constructor() {
    try {
      this.#worker = workerFrom(engineSource);
    } catch {
      return;
    }
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#take(data);
    this.#worker.onerror = () => this.#fail();
    this.#worker.onmessageerror = () => this.#fail();
  }

  ask(request: Request, waiting: Waiting): void {
    if (!this.#worker) {
      waiting.reject(stopped());
      return;
    }
    this.#waiting.set(request.id, { ...waiting, end: waiting.onProgress ? () => {} : expectAnswer() });
    this.#worker.postMessage(request);
  }

  cancel(id: number): void {
    this.#forget(id);
    this.#worker?.postMessage({ id, cancel: true } satisfies Request);
  }

  /** Ends it, with its memory. Its answers never come. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const id of this.#waiting.keys()) this.#forget(id);
  }

  #forget(id: number): void {
    this.#waiting.get(id)?.end();
    this.#waiting.delete(id);
  }

  #take(reply: Reply): void {
    const one = this.#waiting.get(reply.id);
    if (!one) return;
    if (reply.kind === 'progress') {
      one.onProgress?.(reply.progress as never);
      return;
    }
    this.#forget(reply.id);
    if (reply.kind === 'result') one.resolve(reply.result);
    else one.reject(new RefusedError(reply.refusal));
  }

  #fail(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const [id, { reject }] of this.#waiting) {
      this.#forget(id);
      reject(stopped());
    }
  }
}

function stopped(): RefusedError {
  return new RefusedError({ message: 'The engine of the page has stopped', hint: 'reload the page' });
}

const engine = new Engine();
/** A second engine, once it is needed. */
let aside: Engine | undefined;
let lastId = 0;

/** Methods that compute for up to a second without a pause, and need nothing that an engine remembers. What the reader waits for passes them. */
const ASIDE: readonly Method[] = ['verdicts'];

/** The engine of the run that trains, once there is one: a step of a large network must not keep the pass waiting. */
let training: Engine | undefined;
/** The one of the run that is being opened. */
let opening: Engine | undefined;
/** The reader's latest list, for engines that do not know it yet. */
let latestNames: ArgumentsOf<'readNames'> | undefined;

function engineFor(method: Method): Engine {
  if (method.startsWith('live')) {
    training ??= new Engine();
    return training;
  }
  if (!ASIDE.includes(method)) return engine;
  aside ??= new Engine();
  return aside;
}

/**
 * Opens a run in an engine of its own. The one before is ended, which frees its memory at once, or it stays, if there is no new one.
 * The answer never comes if another run is asked for first.
 */
async function openLive(parameters: ArgumentsOf<'liveOpen'>): Promise<ResultOf<'liveOpen'>> {
  opening?.end();
  const fresh = new Engine();
  opening = fresh;
  try {
    if (parameters[1] !== null && latestNames) await askOf(fresh, 'readNames', latestNames);
    const info = await askOf(fresh, 'liveOpen', parameters);
    training?.end();
    training = fresh;
    return info;
  } catch (error) {
    fresh.end();
    throw error;
  } finally {
    if (opening === fresh) opening = undefined;
  }
}

function askOf<M extends Method>(one: Engine, method: M, parameters: ArgumentsOf<M>): Promise<ResultOf<M>> {
  const asked = new Promise<unknown>((resolve, reject) => one.ask({ id: ++lastId, method, parameters }, { resolve, reject }));
  return asked as Promise<ResultOf<M>>;
}

/**
 * Asks the engine.
 * @throws RefusedError if it refuses the arguments, or has stopped
 */
export async function ask<M extends Method>(method: M, ...parameters: ArgumentsOf<M>): Promise<ResultOf<M>> {
  if (method === 'liveOpen') return (await openLive(parameters as ArgumentsOf<'liveOpen'>)) as ResultOf<M>;
  const result = await start(method, parameters).result;
  if (method === 'readNames') latestNames = parameters as ArgumentsOf<'readNames'>;
  return result;
}

/** A computation that reports progress and can be ended early. Its result then never comes. */
export function start<M extends Method>(
  method: M,
  parameters: ArgumentsOf<M>,
  onProgress?: (progress: ProgressOf<M>) => void,
): { result: Promise<ResultOf<M>>; cancel(): void } {
  const id = ++lastId;
  const asked = engineFor(method);
  const result = new Promise<unknown>((resolve, reject) => asked.ask({ id, method, parameters }, { resolve, reject, onProgress }));
  return { result: result as Promise<ResultOf<M>>, cancel: () => asked.cancel(id) };
}

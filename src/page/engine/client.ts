/** The engine as the page sees it: promises, and progress by a callback. */
import engineSource from 'bundled:engine';
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

/** A worker, and who waits for its answers. */
class Engine {
  /** Undefined once it has failed. */
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();

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
    this.#waiting.set(request.id, waiting);
    this.#worker.postMessage(request);
  }

  cancel(id: number): void {
    this.#waiting.delete(id);
    this.#worker?.postMessage({ id, cancel: true } satisfies Request);
  }

  #take(reply: Reply): void {
    const one = this.#waiting.get(reply.id);
    if (!one) return;
    if (reply.kind === 'progress') {
      one.onProgress?.(reply.progress as never);
      return;
    }
    this.#waiting.delete(reply.id);
    if (reply.kind === 'result') one.resolve(reply.result);
    else one.reject(new RefusedError(reply.refusal));
  }

  #fail(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(stopped());
    this.#waiting.clear();
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

function engineFor(method: Method): Engine {
  if (!ASIDE.includes(method)) return engine;
  aside ??= new Engine();
  return aside;
}

/**
 * Asks the engine.
 * @throws RefusedError if it refuses the arguments, or has stopped
 */
export function ask<M extends Method>(method: M, ...parameters: ArgumentsOf<M>): Promise<ResultOf<M>> {
  return start(method, parameters).result;
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

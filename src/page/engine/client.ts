/** The engine as the page sees it: promises, and progress by a callback. */
import engineSource from 'bundled:engine';
import type { ArgumentsOf, Method, ProgressOf, Refusal, Reply, Request, ResultOf } from './protocol.js';

/** An answer of the engine that is an error with a message for the reader. */
export class RefusedError extends Error {
  override name = 'RefusedError';
  readonly hint: string | undefined;

  constructor({ message, hint }: Refusal) {
    super(message);
    this.hint = hint;
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onProgress?: ((progress: never) => void) | undefined;
}

/** A classic worker from a Blob: the only kind that starts from file:// in every browser. */
function workerFrom(source: string): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}

const waiting = new Map<number, Waiting>();
let lastId = 0;

function startEngine(): Worker {
  const worker = workerFrom(engineSource);
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    const one = waiting.get(data.id);
    if (!one) return;
    if (data.kind === 'progress') {
      one.onProgress?.(data.progress as never);
      return;
    }
    waiting.delete(data.id);
    if (data.kind === 'result') one.resolve(data.result);
    else one.reject(new RefusedError(data.refusal));
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  return worker;
}

const engine = startEngine();
/** A second engine, once it is needed. */
let aside: Worker | undefined;

/** Methods that compute for up to a second without a pause, and need nothing that an engine remembers. What the reader waits for passes them. */
const ASIDE: readonly Method[] = ['verdicts'];

function engineFor(method: Method): Worker {
  if (!ASIDE.includes(method)) return engine;
  aside ??= startEngine();
  return aside;
}

/**
 * Asks the engine.
 * @throws RefusedError if it refuses the arguments
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
  const worker = engineFor(method);
  const send = (request: Request) => worker.postMessage(request);
  const result = new Promise<unknown>((resolve, reject) => {
    waiting.set(id, { resolve, reject, onProgress });
    send({ id, method, parameters });
  });
  return {
    result: result as Promise<ResultOf<M>>,
    cancel: () => {
      waiting.delete(id);
      send({ id, cancel: true });
    },
  };
}

/** The engine as a worker: answers requests in turn. A computation that yields progress leaves room for others and for its own end. */
import { ENGINE } from './engine.js';
import type { Refusal, Reply, Request } from './protocol.js';

/** The part of a worker's scope that is used here. The types of a page have the window in its place. */
declare function postMessage(message: Reply): void;

const running = new Map<number, Generator>();
/** Wakes a computation after the messages that have arrived. */
const turns = new MessageChannel();
turns.port1.onmessage = ({ data }: MessageEvent<number>) => advance(data);

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Error)) return { message: String(error) };
  const { hint, command } = error as { hint?: unknown; command?: unknown };
  return { message: error.message, ...(typeof hint === 'string' && { hint }), ...(typeof command === 'string' && { command }) };
}

function advance(id: number): void {
  const generator = running.get(id);
  if (!generator) return;
  answer(id, () => {
    const { done, value } = generator.next();
    if (!done) {
      postMessage({ id, kind: 'progress', progress: value });
      turns.port2.postMessage(id);
      return;
    }
    running.delete(id);
    postMessage({ id, kind: 'result', result: value });
  });
}

function answer(id: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    running.delete(id);
    postMessage({ id, kind: 'refused', refusal: refusalOf(error) });
  }
}

function isGenerator(value: unknown): value is Generator {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value;
}

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  if ('cancel' in data) {
    running.delete(id);
    return;
  }
  answer(id, () => {
    const method = ENGINE[data.method] as (...parameters: unknown[]) => unknown;
    const result = method(...data.parameters);
    if (!isGenerator(result)) {
      postMessage({ id, kind: 'result', result });
      return;
    }
    running.set(id, result);
    advance(id);
  });
});

/** What the page and its engine send to each other. The engine is a worker: it computes, and the page draws. */
import type { Engine } from './engine.js';

/** The name of a computation of the engine. */
export type Method = keyof Engine;
export type ArgumentsOf<M extends Method> = Parameters<Engine[M]>;
/** What a method returns; for one that yields progress, its result at the end. */
export type ResultOf<M extends Method> = ReturnType<Engine[M]> extends Generator<unknown, infer R> ? R : ReturnType<Engine[M]>;
/** What a method yields on the way. */
export type ProgressOf<M extends Method> = ReturnType<Engine[M]> extends Generator<infer P> ? P : never;

export type Request =
  | { id: number; method: Method; parameters: unknown[] }
  /** Ends the computation with this id. */
  | { id: number; cancel: true };

/** An error's message and way out, as in the terminal. */
export interface Refusal {
  message: string;
  hint?: string;
  /** The command of `backprop-ninja` that is the way out. */
  command?: string;
}

export type Reply =
  | { id: number; kind: 'result'; result: unknown }
  | { id: number; kind: 'progress'; progress: unknown }
  | { id: number; kind: 'refused'; refusal: Refusal };

/**
 * The shared memory through which a caller posts kernels to its helpers: see backend/threads.ts. It has a mailbox per helper, of two cache lines
 * (kernels/mailbox.ts), then the arguments of each kernel. These are written only where they differ from those of the last call: in a training
 * loop they stay in the caches of all threads, and only the mailboxes move between them.
 */

/** A helper before it waits for jobs. */
export const STARTING = 0;
export const READY = 1;
/** A job has failed, or the caller has given it up. */
export const FAILED = 2;

/** In place of a kernel: take the memories that messages name, and drop those that are not needed any more. */
export const READ_MESSAGES = -1;

/** The functions of the kernels that deal with threads; a box is the address of a mailbox. */
export interface ThreadFunctions {
  arenaStart(threads: number): number;
  setPart(part: number, parts: number): void;
  leaveMeetings(): void;
  stateOf(box: number): number;
  postJob(box: number, kernel: number, memory: number, part: number, parts: number): void;
  /** Numbers not 0 are true. */
  isDone(box: number): number;
  join(box: number, state: number): void;
  nextJob(box: number, last: number): number;
  reportDone(box: number, number: number): void;
  setState(box: number, state: number): void;
}

/** A WebAssembly memory: the instance type of `WebAssembly.Memory`, a name that a public signature cannot use (see WasmModule). */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/** A kernel as both sides call it. */
export type Kernel = (...args: number[]) => number | undefined;

/** The functions that a module exports, in its order: the place of a kernel is its number. */
export function kernelsOf(exports: Record<string, unknown>): [name: string, kernel: Kernel][] {
  return Object.entries(exports).filter((entry): entry is [string, Kernel] => typeof entry[1] === 'function');
}

/** More than V8 lets buffers grow before its collector runs. */
const MOST_COUNTED = 2 ** 27;

/**
 * A buffer of this many bytes, at most 128 MiB, that is never touched, so it takes only address space. V8's collector does not count shared
 * memory, but it counts this. Nothing if the address space is limited: then memory that is not used any more is kept for longer.
 */
export function counted(bytes: number): ArrayBuffer | undefined {
  try {
    return new ArrayBuffer(Math.min(bytes, MOST_COUNTED));
  } catch {
    return undefined;
  }
}

/** The exports of dist/kernelsShared.wasm on a shared memory. */
export function instantiateShared(module: object, memory: WasmMemory): Record<string, unknown> {
  const words = new Int32Array(memory.buffer);
  const sleep = (address: number, value: number, milliseconds: number): void => {
    Atomics.wait(words, address >>> 2, value, milliseconds);
  };
  return new WebAssembly.Instance(module, { env: { memory: memory as WebAssembly.Memory, sleep } }).exports;
}

const MAILBOX_BYTES = 128;
/** More than any kernel has arguments: float64 in whole cache lines. */
const MOST_ARGUMENTS = 24;
const PAGE_BYTES = 65_536;

/** The control block, as the caller or one of the helpers sees it. */
export class ControlBlock {
  readonly functions: ThreadFunctions;
  /** The arguments of each kernel. */
  readonly jobs: readonly Float64Array[];
  readonly #start: number;

  constructor(module: object, memory: WasmMemory, helpers: number) {
    const exports = instantiateShared(module, memory);
    this.functions = exports as unknown as ThreadFunctions;
    this.#start = this.functions.arenaStart(0);
    const jobs = this.mailbox(helpers);
    this.jobs = kernelsOf(exports).map((_, kernel) => new Float64Array(memory.buffer, jobs + 8 * MOST_ARGUMENTS * kernel, MOST_ARGUMENTS));
  }

  /** The address of a helper's mailbox. */
  mailbox(index: number): number {
    return this.#start + index * MAILBOX_BYTES;
  }

  /** A memory with room for it: a page for the constants and arguments of the kernels, and the mailboxes. */
  static reserve(helpers: number): WasmMemory {
    const pages = 1 + Math.ceil((helpers * MAILBOX_BYTES) / PAGE_BYTES);
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  }
}

/** What a helper's thread starts with. */
export interface HelperStart {
  module: object;
  control: WasmMemory;
  /** The helper's number, from 0, and how many there are at most. */
  index: number;
  helpers: number;
}

/** What a helper gets later: a memory under its number, or without `wasm` the number of one that is not needed any more. */
export interface HelperMessage {
  memory: number;
  wasm?: WasmMemory;
}

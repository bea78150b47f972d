/**
 * The kernels on several threads. The caller posts a kernel to helpers, which run on threads of their own, computes its own part, and waits for
 * theirs. Who starts the threads is injected: see node/threads.ts.
 *
 * A layer takes 1 to 100 us, so both sides wait by loading a word again and again, and sleep only after {@link SPINS} loads. Two threads are 1.62
 * and 1.79 times as fast as one on kernels of 13 and 77 us with 20,000 loads (50 us or more), but 0.25 and 0.85 times with 300, because most
 * waits then end in a system call. If another process has the second core, they are 0.38 and 0.77 times as fast: then helpers should rest.
 */
import { SystemError } from '../core/errors.js';
import {
  ASLEEP,
  CALLER_ASLEEP,
  controlBytes,
  DONE,
  FAILED,
  GONE,
  type HelperMessage,
  jobsIn,
  KERNEL,
  type Kernel,
  kernelsOf,
  MEMORY,
  mailbox,
  PART,
  PARTS,
  type PartExports,
  POSTED,
  READY,
  SPINS,
  STARTING,
  STATE,
  TAKE_MEMORY,
} from './controlBlock.js';

/** Milliseconds that a caller sleeps at most before it looks again. */
const NAP = 500;

/** The caller's view of a helper. */
interface Helper {
  readonly send: (message: HelperMessage) => void;
  /** The first word of its mailbox. */
  readonly at: number;
  /** The number of the last job posted to it. */
  posted: number;
  /** The memories that it has been told to take. */
  readonly memories: Set<number>;
}

/** A memory with the kernels on it. */
interface Desk {
  /** Its number. */
  readonly memory: number;
  readonly exports: PartExports;
  /** The helpers of the next kernels. */
  crew: Helper[];
  /** The team's version when the crew was chosen. */
  version: number;
}

/** What {@link Team.share} makes. */
export interface SharedKernels<Kernels> {
  kernels: Kernels;
  /** The threads that computed the last kernel, with the caller's own. */
  working: () => number;
}

function lostHelper(cause?: unknown): SystemError {
  return new SystemError('a thread of the kernels has failed', { cause, hint: "use one thread: 'threads: 1'" });
}

/** The helpers of one caller. Until they are ready, and whenever they are missing, the caller computes alone: the results are the same. */
export class Team {
  /** The most helpers there can be. */
  readonly most: number;
  readonly control: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #jobs: readonly Float64Array[];
  #helpers: Helper[] = [];
  /** Helpers wanted for the next kernels. */
  #wanted: number;
  /** Changes whenever a crew may have to be chosen anew. */
  #version = 0;
  #memories = 0;
  readonly #open = new Map<number, WebAssembly.Memory>();
  readonly #unused = new FinalizationRegistry<number>((memory) => this.#close(memory));

  constructor(most: number) {
    this.most = most;
    this.#wanted = most;
    this.control = new SharedArrayBuffer(controlBytes(most));
    this.#words = new Int32Array(this.control);
    this.#jobs = jobsIn(this.control, most);
  }

  /**
   * Adds the helper that was started with this number.
   * @param send a message to its thread
   */
  add(index: number, send: (message: HelperMessage) => void): void {
    this.#helpers.push({ send, at: mailbox(index), posted: 0, memories: new Set() });
    for (const [memory, wasm] of this.#open) send({ memory, wasm });
    this.#version++;
  }

  /** Removes a helper whose thread did not start or has ended. */
  remove(index: number): void {
    this.#helpers = this.#helpers.filter(({ at }) => at !== mailbox(index));
    this.#version++;
  }

  /** Helpers that can compute now: those that have started and have not ended. */
  get ready(): number {
    return this.#helpers.filter(({ at }) => Atomics.load(this.#words, at + STATE) === READY).length;
  }

  /** How many helpers compute the next kernels; the others sleep. */
  use(helpers: number): void {
    if (helpers === this.#wanted) return;
    this.#wanted = helpers;
    this.#version++;
  }

  /**
   * The kernels of an instance, computed with the helpers, and how many threads compute them.
   * @param names those that are split into parts; the others are the instance's own
   */
  share<Kernels extends object>(instance: Kernels, wasm: WebAssembly.Memory, names: ReadonlySet<string>): SharedKernels<Kernels> {
    const memory = this.#memories++;
    this.#open.set(memory, wasm);
    for (const { send } of this.#helpers) send({ memory, wasm });
    const desk: Desk = { memory, exports: instance as unknown as PartExports, crew: [], version: -1 };
    const kernels = kernelsOf(instance as Record<string, unknown>).map(([name, kernel], number) => [
      name,
      names.has(name) ? (...args: number[]) => this.#run(desk, kernel, number, args) : kernel,
    ]);
    const shared = Object.fromEntries(kernels) as Kernels;
    this.#unused.register(shared, memory);
    return { kernels: shared, working: () => desk.crew.length + 1 };
  }

  #run(desk: Desk, kernel: Kernel, number: number, args: number[]): number | undefined {
    if (desk.version !== this.#version || !this.#allReady(desk.crew)) this.#muster(desk);
    if (desk.crew.length === 0) return kernel(...args);
    const job = this.#jobs[number];
    for (let i = 0; i < args.length; i++) if (job[i] !== args[i]) job[i] = args[i];
    this.#post(desk, number);
    let result: number | undefined;
    try {
      result = kernel(...args);
    } catch (error) {
      desk.exports.leaveMeetings();
      this.#join(desk.crew);
      throw this.#allReady(desk.crew) ? error : lostHelper(error);
    }
    this.#join(desk.crew);
    if (!this.#allReady(desk.crew)) throw lostHelper();
    return result;
  }

  /** Chooses the helpers for a memory: the first that are ready and have it. As long as one is missing, it is called again. */
  #muster(desk: Desk): void {
    const words = this.#words;
    let missing = false;
    desk.crew = [];
    for (const helper of this.#helpers) {
      if (desk.crew.length === this.#wanted) break;
      const state = Atomics.load(words, helper.at + STATE);
      if (state === FAILED || state === GONE) continue;
      if (state === STARTING || Atomics.load(words, helper.at + DONE) !== helper.posted) missing = true;
      else if (helper.memories.has(desk.memory)) desk.crew.push(helper);
      else {
        missing = true;
        helper.memories.add(desk.memory);
        this.#postTo(helper, TAKE_MEMORY, desk.memory, 0, 0);
      }
    }
    desk.version = missing ? -1 : this.#version;
    desk.exports.setPart(0, desk.crew.length + 1);
  }

  #allReady(crew: readonly Helper[]): boolean {
    for (let i = 0; i < crew.length; i++) if (Atomics.load(this.#words, crew[i].at + STATE) !== READY) return false;
    return true;
  }

  #post({ crew, memory }: Desk, kernel: number): void {
    for (let i = 0; i < crew.length; i++) this.#postTo(crew[i], kernel, memory, i + 1, crew.length + 1);
  }

  #postTo(helper: Helper, kernel: number, memory: number, part: number, parts: number): void {
    const words = this.#words;
    const { at } = helper;
    words[at + KERNEL] = kernel;
    words[at + MEMORY] = memory;
    words[at + PART] = part;
    words[at + PARTS] = parts;
    helper.posted = (helper.posted + 1) | 0;
    Atomics.store(words, at + POSTED, helper.posted);
    if (Atomics.load(words, at + ASLEEP)) Atomics.notify(words, at + POSTED);
  }

  #join(crew: readonly Helper[]): void {
    for (let i = 0; i < crew.length; i++) {
      const { at, posted } = crew[i];
      let spin = 0;
      while (spin < SPINS && Atomics.load(this.#words, at + DONE) !== posted) spin++;
      if (spin === SPINS) this.#sleep(at, posted);
    }
  }

  /** Sleeps until the helper has done its job, or has ended. */
  #sleep(at: number, posted: number): void {
    const words = this.#words;
    Atomics.store(words, CALLER_ASLEEP, 1);
    for (;;) {
      const done = Atomics.load(words, at + DONE);
      if (done === posted || Atomics.load(words, at + STATE) !== READY) break;
      Atomics.wait(words, at + DONE, done, NAP);
    }
    Atomics.store(words, CALLER_ASLEEP, 0);
  }

  #close(memory: number): void {
    this.#open.delete(memory);
    for (const { send, memories } of this.#helpers) {
      memories.delete(memory);
      send({ memory });
    }
  }
}

/**
 * The kernels on several threads. The caller posts a kernel to helpers, which run on threads of their own, computes its own part, and waits for
 * theirs. Who starts the threads is injected: see node/threads.ts.
 */
import { SystemError } from '../core/errors.js';
import {
  ControlBlock,
  counted,
  FAILED,
  type HelperMessage,
  type Kernel,
  kernelsOf,
  READ_MESSAGES,
  READY,
  STARTING,
  type ThreadFunctions,
  type WasmMemory,
} from './controlBlock.js';
import type { WasmModule } from './wasm.js';

/** The caller's view of a helper. */
interface Helper {
  readonly send: (message: HelperMessage) => void;
  readonly index: number;
  /** The address of its mailbox. */
  readonly box: number;
  /** The memories that it has been told to take, the oldest first, with their bytes. */
  readonly memories: Map<number, number>;
}

/**
 * The most bytes of a helper's memories: for a new one, it drops the oldest. Which memories are not used any more, the team learns only when the
 * program yields to the event loop, and some programs never do. A memory that was dropped and is used again is taken again, which takes 0.3 ms.
 */
const MOST_BYTES = 2 ** 28;

/** A memory with the kernels on it. */
interface Desk {
  /** Its number. */
  readonly memory: number;
  readonly wasm: WasmMemory;
  /** As large as the memory, as long as it is used: see {@link counted}. */
  readonly counted: ArrayBuffer | undefined;
  readonly exports: Pick<ThreadFunctions, 'setPart' | 'leaveMeetings'>;
  /** The most helpers of the next kernels. */
  wanted: number;
  /** The helpers of the next kernels. */
  crew: Helper[];
  /** The team's version when the crew was chosen. */
  version: number;
  /** A kernel has failed here: threads may have been left at a meeting, so the caller computes alone from then on. */
  hasFailed: boolean;
  /** Lets the caller compute the next kernels alone. */
  readonly rest: () => void;
  /** Whether the next kernel is the first of two: see {@link SharedKernels.inTurn}. */
  isFirst: boolean;
  /** The number of the kernel that has been posted, and that nobody has waited for yet; -1 for none. */
  pending: number;
}

/** The kernels on one memory, and the threads that compute them. */
export interface SharedKernels<Kernels> {
  /** Its functions change with the number of threads. */
  kernels: Kernels;
  /** The threads that computed the last kernel, with the caller's own. */
  working: () => number;
  /** Sets the most helpers that compute the next kernels; the others sleep. */
  use: (helpers: number) => void;
  /**
   * Calls two functions, each of which calls one kernel. The second kernel reads nothing that another thread may still write in the first one, so
   * each thread begins it when it has done the first.
   */
  inTurn: (first: () => void, second: () => void) => void;
}

function lostHelper(cause?: unknown): SystemError {
  return new SystemError('a thread of the kernels has failed', { cause, hint: 'use one thread', shell: '--threads 1' });
}

/** The helpers of one caller. Until they are ready, and whenever they are missing, the caller computes alone: the results are the same. */
export class Team {
  /** The most helpers there can be. */
  readonly most: number;
  readonly module: WasmModule;
  #control: WasmMemory | undefined;
  #opened: ControlBlock | undefined;
  #helpers: Helper[] = [];
  /** Changes whenever a crew may have to be chosen anew. */
  #version = 0;
  #memories = 0;
  readonly #unused = new FinalizationRegistry<number>((memory) => this.#close(memory));

  /** @param module dist/kernelsShared.wasm, compiled */
  constructor(module: WasmModule, most: number) {
    this.module = module;
    this.most = most;
  }

  /**
   * The memory of the control block. It is reserved after that of the first backend: where the address space is limited, the network comes first.
   * @throws RangeError if it cannot be reserved
   */
  get control(): WasmMemory {
    this.#control ??= ControlBlock.reserve(this.most);
    return this.#control;
  }

  get #block(): ControlBlock {
    this.#opened ??= new ControlBlock(this.module, this.control, this.most);
    return this.#opened;
  }

  /**
   * Adds the helper that was started with this number.
   * @param send a message to its thread
   */
  add(index: number, send: (message: HelperMessage) => void): void {
    this.#helpers.push({ send, index, box: this.#block.mailbox(index), memories: new Map() });
    this.#version++;
  }

  /** Removes a helper whose thread did not start or has ended. @returns whether it had started */
  remove(index: number): boolean {
    const hadStarted = this.#helpers.some((helper) => helper.index === index && this.#block.functions.stateOf(helper.box) !== STARTING);
    this.#helpers = this.#helpers.filter((helper) => helper.index !== index);
    this.#version++;
    return hadStarted;
  }

  /** Helpers that can compute now: those that have started and have not ended. */
  get ready(): number {
    return this.#helpers.filter(({ box }) => this.#block.functions.stateOf(box) === READY).length;
  }

  /**
   * The kernels of an instance, computed with the helpers.
   * @param names those that are split into parts; the others are the instance's own
   * @param helpers the most that compute them, until {@link SharedKernels.use} says otherwise
   */
  share<Kernels extends object>(instance: Kernels, wasm: WasmMemory, names: ReadonlySet<string>, helpers: number): SharedKernels<Kernels> {
    const memory = this.#memories++;
    const all = kernelsOf(instance as Record<string, unknown>);
    const alone = Object.fromEntries(all);
    const kernels = { ...alone } as Kernels;
    const desk: Desk = {
      memory,
      wasm,
      counted: counted(wasm.buffer.byteLength),
      exports: instance as unknown as ThreadFunctions,
      wanted: 0,
      crew: [],
      version: -1,
      hasFailed: false,
      isFirst: false,
      pending: -1,
      rest: () => {
        desk.wanted = 0;
        desk.crew = [];
        desk.exports.setPart(0, 1);
        Object.assign(kernels, alone);
      },
    };
    const run = (kernel: Kernel, number: number): Kernel => {
      return (...args) => this.#run(desk, kernel, number, args);
    };
    const split = Object.fromEntries(all.map(([name, kernel], number) => [name, names.has(name) ? run(kernel, number) : kernel]));
    const use = (wanted: number) => {
      if (wanted === desk.wanted || desk.hasFailed) return;
      if (wanted === 0) return desk.rest();
      // Alone, the kernels are the instance's own: a call through #run takes 40 ns longer.
      if (desk.wanted === 0) Object.assign(kernels, split);
      desk.wanted = wanted;
      desk.version = -1;
    };
    use(helpers);
    this.#unused.register(kernels, memory);
    const inTurn = (first: () => void, second: () => void) => {
      desk.isFirst = true;
      try {
        first();
      } finally {
        desk.isFirst = false;
      }
      try {
        second();
      } finally {
        // It has called no kernel.
        if (desk.pending !== -1) this.#finish(desk);
      }
    };
    return { kernels, working: () => desk.crew.length + 1, use, inTurn };
  }

  #run(desk: Desk, kernel: Kernel, number: number, args: number[]): number | undefined {
    // A kernel has one place for its arguments.
    if (desk.pending === number) this.#finish(desk);
    if (desk.pending === -1 && (desk.version !== this.#version || !this.#areReady(desk.crew))) this.#muster(desk);
    if (desk.crew.length === 0) return kernel(...args);
    const job = this.#block.jobs[number];
    for (let i = 0; i < args.length; i++) {
      // Of a boolean, too: a store would move the arguments between the caches of the threads.
      const x = Number(args[i]);
      if (job[i] !== x) job[i] = x;
    }
    this.#post(desk, number);
    let result: number | undefined;
    let error: unknown;
    try {
      result = kernel(...args);
    } catch (thrown) {
      error = thrown;
      desk.exports.leaveMeetings();
    }
    if (desk.isFirst && error === undefined) {
      desk.pending = number;
      desk.isFirst = false;
    } else this.#finish(desk, error);
    return result;
  }

  /** Waits for the crew. @throws the error of the caller's part, or SystemError if a helper has failed */
  #finish(desk: Desk, error?: unknown): void {
    desk.pending = -1;
    const areDone = this.#join(desk);
    if (areDone && error === undefined) return;
    desk.hasFailed = true;
    desk.rest();
    throw areDone ? error : lostHelper(error);
  }

  /** Chooses the helpers for a memory: the first that are ready and have it. As long as one is missing, it is called again. */
  #muster(desk: Desk): void {
    let missing = false;
    desk.crew = [];
    for (const helper of this.#helpers) {
      const { stateOf, isDone } = this.#block.functions;
      if (desk.crew.length === desk.wanted) break;
      const state = stateOf(helper.box);
      if (state !== READY) missing ||= state === STARTING;
      else if (!isDone(helper.box)) missing = true;
      else if (helper.memories.has(desk.memory)) desk.crew.push(helper);
      else {
        missing = true;
        this.#give(helper, desk);
      }
    }
    desk.version = missing ? -1 : this.#version;
    desk.exports.setPart(0, desk.crew.length + 1);
  }

  #areReady(crew: readonly Helper[]): boolean {
    for (let i = 0; i < crew.length; i++) if (this.#block.functions.stateOf(crew[i].box) !== READY) return false;
    return true;
  }

  #post({ crew, memory }: Desk, kernel: number): void {
    const { postJob } = this.#block.functions;
    for (let i = 0; i < crew.length; i++) postJob(crew[i].box, kernel, memory, i + 1, crew.length + 1);
  }

  /** Waits for the crew. @returns whether all have done the job: the others have failed, or are given up */
  #join({ crew, exports }: Desk): boolean {
    const { join, isDone, setState } = this.#block.functions;
    let areDone = true;
    for (let i = 0; i < crew.length; i++) {
      join(crew[i].box, READY);
      if (isDone(crew[i].box)) continue;
      setState(crew[i].box, FAILED);
      // The others may wait for it.
      exports.leaveMeetings();
      areDone = false;
    }
    return areDone;
  }

  /** Lets a helper take a memory. */
  #give(helper: Helper, { memory, wasm }: Desk): void {
    const bytes = wasm.buffer.byteLength;
    let all = bytes;
    for (const held of helper.memories.values()) all += held;
    for (const [oldest, held] of helper.memories) {
      if (all <= MOST_BYTES) break;
      helper.memories.delete(oldest);
      helper.send({ memory: oldest });
      all -= held;
    }
    helper.memories.set(memory, bytes);
    helper.send({ memory, wasm });
    this.#postMessages(helper);
  }

  /** Lets a helper read its messages. Crews that it is in must wait for it: a mailbox holds one job. */
  #postMessages({ box }: Helper): void {
    this.#version++;
    this.#block.functions.postJob(box, READ_MESSAGES, 0, 0, 0);
  }

  /** Lets the helpers drop a memory that is not used any more. */
  #close(memory: number): void {
    for (const helper of this.#helpers) {
      if (!helper.memories.delete(memory)) continue;
      const { stateOf, isDone } = this.#block.functions;
      helper.send({ memory });
      if (stateOf(helper.box) === READY && isDone(helper.box)) this.#postMessages(helper);
    }
  }
}

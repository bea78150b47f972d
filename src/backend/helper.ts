/** A helper's thread: it waits for kernels, and computes its part of each. See backend/threads.ts. */
import {
  ASLEEP,
  CALLER_ASLEEP,
  DONE,
  FAILED,
  type GONE,
  type HelperMessage,
  type HelperStart,
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
  STATE,
  TAKE_MEMORY,
} from './controlBlock.js';

/** The kernels on one memory. */
interface Instance extends PartExports {
  kernels: readonly Kernel[];
}

/** A helper, as long as its thread lives. */
export class HelperLoop {
  readonly #module: object;
  readonly #receive: () => HelperMessage | undefined;
  readonly #words: Int32Array;
  /** The first word of the mailbox. */
  readonly #at: number;
  readonly #jobs: readonly Float64Array[];
  readonly #instances = new Map<number, Instance>();

  /** @param receive the next message, if there is one */
  constructor({ module, control, index, helpers }: HelperStart, receive: () => HelperMessage | undefined) {
    this.#module = module;
    this.#receive = receive;
    this.#words = new Int32Array(control);
    this.#at = mailbox(index);
    this.#jobs = jobsIn(control, helpers);
  }

  /** Computes what is posted, until the thread is ended or a kernel traps. */
  run(): void {
    const at = this.#at;
    const words = this.#words;
    Atomics.store(words, at + STATE, READY);
    for (let number = 0; ; ) {
      number = this.#next(number);
      try {
        this.#compute(words[at + KERNEL], words[at + MEMORY], words[at + PART], words[at + PARTS]);
      } catch {
        this.leave(FAILED);
        return;
      }
      this.#report(number);
    }
  }

  /** Tells the caller that nothing more comes from this helper, so that it does not wait. */
  leave(state: typeof FAILED | typeof GONE): void {
    if (Atomics.load(this.#words, this.#at + STATE) === FAILED) return;
    Atomics.store(this.#words, this.#at + STATE, state);
    for (const { leaveMeetings } of this.#instances.values()) leaveMeetings();
    this.#report(Atomics.load(this.#words, this.#at + POSTED));
  }

  /** Waits for a job after the last one: its number. */
  #next(last: number): number {
    const words = this.#words;
    const posted = this.#at + POSTED;
    for (let spin = 0; spin < SPINS; spin++) {
      const number = Atomics.load(words, posted);
      if (number !== last) return number;
    }
    Atomics.store(words, this.#at + ASLEEP, 1);
    // Returns at once if a job was posted after the last load.
    while (Atomics.load(words, posted) === last) Atomics.wait(words, posted, last);
    Atomics.store(words, this.#at + ASLEEP, 0);
    return Atomics.load(words, posted);
  }

  #compute(kernel: number, memory: number, part: number, parts: number): void {
    if (kernel === TAKE_MEMORY) {
      this.#takeMemories();
      return;
    }
    const instance = this.#instances.get(memory) as Instance;
    instance.setPart(part, parts);
    const x = this.#jobs[kernel];
    const run = instance.kernels[kernel];
    // A kernel takes as many of these as it has parameters.
    run(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15], x[16], x[17]);
  }

  #takeMemories(): void {
    for (let message = this.#receive(); message; message = this.#receive()) {
      const { memory, wasm } = message;
      if (wasm) this.#instances.set(memory, instantiate(this.#module, wasm));
      else this.#instances.delete(memory);
    }
  }

  #report(number: number): void {
    const words = this.#words;
    Atomics.store(words, this.#at + DONE, number);
    if (Atomics.load(words, CALLER_ASLEEP)) Atomics.notify(words, this.#at + DONE);
  }
}

function instantiate(module: object, memory: WebAssembly.Memory): Instance {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const { setPart, leaveMeetings } = exports as unknown as PartExports;
  return { setPart, leaveMeetings, kernels: kernelsOf(exports).map(([, kernel]) => kernel) };
}

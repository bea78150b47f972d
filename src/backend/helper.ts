/** A helper's thread: it waits for kernels, and computes its part of each. See backend/threads.ts. */
import {
  ControlBlock,
  counted,
  FAILED,
  type HelperMessage,
  type HelperStart,
  instantiateShared,
  type Kernel,
  kernelsOf,
  READ_MESSAGES,
  READY,
  type ThreadFunctions,
  type WasmMemory,
} from './controlBlock.js';

/** The words of the caller's line of a mailbox: see kernels/mailbox.ts. */
const [KERNELS, MEMORY, PART, PARTS] = [1, 3, 4, 5];

/** The kernels on one memory. */
interface Instance extends Pick<ThreadFunctions, 'setPart' | 'leaveMeetings'> {
  kernels: readonly Kernel[];
}

/** A helper, as long as its thread lives. */
export class HelperLoop {
  readonly #module: object;
  readonly #receive: () => HelperMessage | undefined;
  readonly #control: ControlBlock;
  readonly #box: number;
  /** The words of its mailbox. */
  readonly #words: Int32Array;
  readonly #instances = new Map<number, Instance>();

  /** @param receive the next message, if there is one */
  constructor({ module, control, index, helpers }: HelperStart, receive: () => HelperMessage | undefined) {
    this.#module = module;
    this.#receive = receive;
    this.#control = new ControlBlock(module, control, helpers);
    this.#box = this.#control.mailbox(index);
    this.#words = new Int32Array(control.buffer, this.#box);
  }

  /** Computes what is posted, until the thread is ended or a job fails. */
  run(): void {
    const { nextJob, reportDone, setState } = this.#control.functions;
    const words = this.#words;
    setState(this.#box, READY);
    for (let number = 0; ; ) {
      number = nextJob(this.#box, number);
      const kernel = words[KERNELS + (number & 1)];
      try {
        this.#compute(kernel, words[MEMORY], words[PART], words[PARTS]);
      } catch {
        // Nobody waits for it at the meetings of another memory.
        if (kernel !== READ_MESSAGES) this.#instances.get(words[MEMORY])?.leaveMeetings();
        setState(this.#box, FAILED);
        return;
      }
      reportDone(this.#box, number);
    }
  }

  #compute(kernel: number, memory: number, part: number, parts: number): void {
    if (kernel === READ_MESSAGES) {
      this.#readMessages();
      return;
    }
    const instance = this.#instances.get(memory) as Instance;
    instance.setPart(part, parts);
    const x = this.#control.jobs[kernel];
    const run = instance.kernels[kernel];
    // A kernel takes as many of these as it has parameters.
    run(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15], x[16], x[17]);
  }

  #readMessages(): void {
    for (let message = this.#receive(); message; message = this.#receive()) {
      const { memory, wasm } = message;
      if (wasm) this.#instances.set(memory, instantiate(this.#module, wasm));
      // Little else is allocated in this thread: without it, V8 would not collect the memory.
      else if (this.#instances.delete(memory)) counted(Number.POSITIVE_INFINITY);
    }
  }
}

function instantiate(module: object, memory: WasmMemory): Instance {
  const exports = instantiateShared(module, memory);
  const { setPart, leaveMeetings } = exports as unknown as ThreadFunctions;
  return { setPart, leaveMeetings, kernels: kernelsOf(exports).map(([, kernel]) => kernel) };
}

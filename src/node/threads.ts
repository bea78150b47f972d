/** The threads of the kernels in Node: one worker per helper. */
import { Worker } from 'node:worker_threads';
import type { CreateBackend, Threads } from '../backend/backend.js';
import type { HelperStart } from '../backend/controlBlock.js';
import { pacesOf, type ThreadControl } from '../backend/pace.js';
import { Team } from '../backend/threads.js';
import { sharedWasmBackend } from '../backend/wasm.js';
import { SystemError } from '../core/errors.js';
import { availableCores } from './cores.js';
import { compileKernels, createWasmBackend } from './kernels.js';
import { KERNELS_HELPER, SHARED_KERNELS } from './paths.js';

/** Options of {@link createThreadedBackend}. */
export interface ThreadsOptions {
  /**
   * How many threads compute a layer, with the caller's own; auto: as many as make training and evaluation faster at the moment, up to the number
   * of cores.
   */
  threads: number | 'auto';
  /** Called for each thread that did not start or has ended. The others continue, and the results stay the same. */
  onMissing?: (error: SystemError) => void;
}

/** As many as `--threads` takes. */
const MOST_THREADS = 1024;

/** Backends that several threads compute. */
export interface ThreadedBackend {
  readonly createBackend: CreateBackend;
  /** The most threads, with the caller's own. */
  readonly threads: number;
  /** Ends the threads; what uses the backends afterwards is computed by the caller alone. The process does not wait for them in any case. */
  close(): void;
}

/**
 * Starts threads for the kernels: a model on one of these backends has the same bytes as on {@link createWasmBackend}, sooner. Nothing waits
 * for the start of the threads: until they are ready, about 50 ms, the caller computes alone. With auto, they start once there is work for
 * more than 12 ms.
 * @throws RangeError if the number of threads is not a whole number from 1 to 1024
 * @throws SystemError if the kernels cannot be read, or WebAssembly SIMD is not supported
 */
export function createThreadedBackend({ threads, onMissing = () => {} }: ThreadsOptions): ThreadedBackend {
  const count = threads === 'auto' ? Math.min(availableCores(), MOST_THREADS) : threads;
  if (!Number.isInteger(count) || count < 1 || count > MOST_THREADS) {
    throw new RangeError(`threads: expected auto or a whole number from 1 to ${MOST_THREADS}, found ${count}`);
  }
  if (count === 1) return { createBackend: createWasmBackend, threads: 1, close: () => {} };
  const team = new Team(compileKernels(SHARED_KERNELS), count - 1);
  const helpers = new Helpers(team, onMissing);
  const close = () => helpers.close();
  const createFixed = sharedWasmBackend(team);
  if (threads !== 'auto') {
    const createStarted: CreateBackend = (size) => {
      const backend = createFixed(size);
      helpers.start();
      return backend;
    };
    return { createBackend: createStarted, threads: count, close };
  }
  const newPaceOf = pacesOf(() => performance.now());
  const createBackend: CreateBackend = (size) => {
    const backend = createFixed(size);
    const { threads } = backend;
    threads?.use(1);
    return { ...backend, ...(threads && { newPace: newPaceOf(helpers.usedBy(threads)) }) };
  };
  return { createBackend, threads: count, close };
}

/** The threads of a team. */
class Helpers {
  readonly #team: Team;
  readonly #startOne: (index: number) => () => void;
  /** End each helper; undefined until they are started. */
  #stops: (() => void)[] | undefined;
  #closed = false;

  constructor(team: Team, onMissing: (error: SystemError) => void) {
    this.#team = team;
    this.#startOne = (index) => startHelper(team, index, onMissing);
  }

  start(): void {
    if (!this.#closed) this.#stops ??= Array.from({ length: this.#team.most }, (_, index) => this.#startOne(index));
  }

  /** The threads as the paces of a backend drive them. */
  usedBy({ most, use }: Threads): ThreadControl {
    const team = this.#team;
    return {
      get ready() {
        return Math.min(team.ready + 1, most);
      },
      start: () => this.start(),
      use,
    };
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops ?? []) stop();
  }
}

/** @returns ends the helper */
function startHelper(team: Team, index: number, onMissing: (error: SystemError) => void): () => void {
  let ended = false;
  const end = () => {
    if (ended) return undefined;
    ended = true;
    return team.remove(index) ? 'a thread has ended' : 'a thread did not start';
  };
  const endMissing = (cause?: unknown) => {
    const what = end();
    if (what) onMissing(new SystemError(cause instanceof Error ? `${what}: ${cause.message}` : what, { cause }));
  };
  try {
    const start: HelperStart = { module: team.module, control: team.control, index, helpers: team.most };
    const worker = new Worker(KERNELS_HELPER, { workerData: start, execArgv: [], stdin: false });
    worker.unref();
    worker.on('error', endMissing);
    worker.on('exit', () => endMissing());
    team.add(index, (message) => worker.postMessage(message));
    return () => {
      end();
      void worker.terminate();
    };
  } catch (error) {
    endMissing(error);
    return () => {};
  }
}

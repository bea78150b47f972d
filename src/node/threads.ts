/** The threads of the kernels in Node: one worker per helper. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CreateBackend } from '../backend/backend.js';
import type { HelperStart } from '../backend/controlBlock.js';
import { Team } from '../backend/threads.js';
import { sharedWasmBackend, type WasmModule } from '../backend/wasm.js';
import { compileKernels, createWasmBackend } from './kernels.js';
import { KERNELS_HELPER, SHARED_KERNELS } from './paths.js';

/** Options of {@link createThreadedBackend}. */
export interface ThreadsOptions {
  /** How many threads compute a layer, with the caller's own; auto: as many as there are cores. */
  threads: number | 'auto';
  /** Called for each thread that did not start or has ended. The others continue, and the results stay the same. */
  onMissing?: (error: Error) => void;
}

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
 * for the start of the threads: until they are ready, about 50 ms, the caller computes alone.
 * @throws SystemError if the kernels cannot be read, or WebAssembly SIMD is not supported
 */
export function createThreadedBackend({ threads, onMissing = () => {} }: ThreadsOptions): ThreadedBackend {
  const count = threads === 'auto' ? availableParallelism() : threads;
  if (count === 1) return { createBackend: createWasmBackend, threads: 1, close: () => {} };
  const module = compileKernels(SHARED_KERNELS);
  const team = new Team(count - 1);
  const workers = Array.from({ length: team.most }, (_, index) => startHelper(team, module, index, onMissing));
  return {
    createBackend: sharedWasmBackend(module, team),
    threads: count,
    close: () => {
      for (const stop of workers) stop();
    },
  };
}

/** @returns ends the helper */
function startHelper(team: Team, module: WasmModule, index: number, onMissing: (error: Error) => void): () => void {
  let ended = false;
  const end = (error?: unknown) => {
    if (ended) return;
    ended = true;
    team.remove(index);
    if (error) onMissing(error instanceof Error ? error : new Error(String(error)));
  };
  try {
    const start: HelperStart = { module, control: team.control, index, helpers: team.most };
    const worker = new Worker(KERNELS_HELPER, { workerData: start, execArgv: [], stdin: false });
    worker.unref();
    worker.on('error', end);
    worker.on('exit', () => end(new Error('the thread has ended')));
    team.add(index, (message) => worker.postMessage(message));
    return () => {
      end();
      void worker.terminate();
    };
  } catch (error) {
    end(error);
    return () => {};
  }
}

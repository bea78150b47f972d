/** Refuses a network that does not fit into the memory of the kernels. */
import type { CreateBackend } from '../backend/backend.js';
import { FileContentError, UsageError } from '../core/errors.js';
import { formatBytes, formatCount } from '../core/text.js';
import { EVALUATION_BATCH } from '../evaluation/evaluator.js';
import { arenaBytes, arenaSize } from '../network/arrays.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../training/runConfig.js';

/** Batch sizes of the evaluation and the sampling of a run. */
export const INFERENCE = [EVALUATION_BATCH, 1];

/** One WebAssembly memory holds at most this much. */
const MEMORY_LIMIT = 2 ** 32 - 2 ** 20;

/**
 * The backend, for networks that fit into one memory.
 * @param shownAs what an error calls the data
 * @throws UsageError, when called, if the network is too large; FileContentError if the vocabulary of the data is the cause
 */
export function limitedBackend(
  createBackend: CreateBackend,
  config: RunConfig,
  { shownAs, vocabulary }: { shownAs: string; vocabulary: readonly string[] },
): CreateBackend {
  return (size) => {
    const needed = arenaBytes(size);
    if (needed <= MEMORY_LIMIT) return createBackend(size);
    const sizes = `the network needs ${formatBytes(needed)} of memory, the limit is ${formatBytes(MEMORY_LIMIT)}`;
    const lesson = { ...modelConfig(config, vocabulary), vocabulary: 27 };
    if (arenaBytes(arenaSize(lesson, trainingCapacity(config, INFERENCE))) <= MEMORY_LIMIT) {
      throw new FileContentError(`${shownAs}: its vocabulary has ${formatCount(vocabulary.length)} characters, with which ${sizes}`);
    }
    throw new UsageError(sizes, { hint: 'lower --hidden, --embedding, --context or --batch-size' });
  };
}

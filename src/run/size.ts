/** Estimates how many bytes a run takes on the disk, before it starts. */
import { type ModelConfig, parameterCount, parameterNames } from '../network/parameters.js';
import { INTERVALS } from '../training/diagnostics.js';
import type { RunConfig } from '../training/runConfig.js';
import { RECORD_EVERY } from '../training/training.js';
import { OPTIMIZER_TENSORS } from '../training/updater.js';
import { HASH_EVERY } from './records.js';

/** Largest size of a line of metrics.jsonl, in bytes. */
const RECORD_BYTES = { loss: 70, hashes: 260, evaluation: 50, diagnostics: 120 };
/** Bytes of a diagnosis for each block and each parameter, and for each Spread in it, without its counts. */
const DIAGNOSIS_BYTES = { block: 100, parameter: 120, spread: 120 };
/** Bytes that each block above the first adds: its hashes in a record; names, shapes and places of its tensors in a checkpoint's header. */
const BLOCK_BYTES = { hashes: 160, header: 700 };

/** Bytes for a checkpoint's header, and for the rounding of the file system. */
const OVERHEAD_BYTES = 16_384;

/**
 * An upper bound, in bytes, of what a run takes on the disk: checkpoint, best checkpoint, a third one while it is being written, the
 * parameters it began with, and the metrics.
 * @param diagnoseEvery steps between two diagnoses; 0: never
 */
export function runBytes(shape: ModelConfig, config: RunConfig, diagnoseEvery = 0): number {
  const { steps, evalEvery, optimizer, init } = config;
  const above = shape.hidden.length - 1;
  const hashes = RECORD_BYTES.hashes + above * BLOCK_BYTES.hashes;
  const metrics =
    (steps / RECORD_EVERY) * RECORD_BYTES.loss + (steps / HASH_EVERY) * hashes + (steps / evalEvery) * RECORD_BYTES.evaluation;
  const diagnoses = diagnoseEvery === 0 ? 0 : (steps / diagnoseEvery + 2) * diagnosisBytes(shape, config);
  const units = shape.hidden.reduce((sum, H) => sum + H, 0);
  const tensors = 1 + OPTIMIZER_TENSORS[optimizer.name].length;
  // Each character takes at most 6 bytes in the header: it is escaped twice.
  const checkpoint = 4 * (tensors * parameterCount(shape) + 2 * units) + 8 * shape.vocabulary + above * BLOCK_BYTES.header + OVERHEAD_BYTES;
  const initial = init === undefined ? 0 : 4 * parameterCount(shape) + OVERHEAD_BYTES;
  return 3 * checkpoint + initial + Math.ceil(metrics + diagnoses) + OVERHEAD_BYTES;
}

/** Blocks have three spreads, parameters two. No count of a histogram is larger than the largest tensor. */
function diagnosisBytes(shape: ModelConfig, { batchSize }: RunConfig): number {
  const largest = Math.max(parameterCount(shape), batchSize * Math.max(...shape.hidden));
  const spread = DIAGNOSIS_BYTES.spread + INTERVALS * (String(largest).length + 1);
  const blocks = shape.hidden.length * (DIAGNOSIS_BYTES.block + 3 * spread);
  return RECORD_BYTES.diagnostics + blocks + parameterNames(shape).length * (DIAGNOSIS_BYTES.parameter + 2 * spread);
}

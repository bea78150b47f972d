import { namingFile } from '../core/errors.js';
import type { Model } from '../network/arrays.js';
import { type Checkpoint, checkpointBytes, parseCheckpoint, type RunSnapshot } from '../run/checkpoint.js';
import { atomicWrite } from './atomicWrite.js';
import { readSafetensorsBytes } from './safetensorsFile.js';
import { sha256 } from './sha256.js';
import { withSystemErrors } from './systemErrors.js';

/**
 * Writes a checkpoint, atomically: at any time the path holds the old file or all of the new one.
 * @throws NumericalError if a tensor holds NaN or Inf
 * @throws SystemError if the file cannot be written; an older one stays
 */
export function saveCheckpoint(path: string, model: Model, snapshot: RunSnapshot): void {
  const bytes = checkpointBytes(model, snapshot, sha256);
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
}

/**
 * Reads a checkpoint.
 * @throws SystemError if the file cannot be read
 * @throws FileContentError if it is not a valid checkpoint; the message names the file and lists every problem
 */
export function loadCheckpoint(path: string): Checkpoint {
  const bytes = readSafetensorsBytes(path);
  return namingFile(path, () => parseCheckpoint(bytes, sha256));
}

import { namingFile } from '../core/errors.js';
import type { Model } from '../network/arrays.js';
import { type Checkpoint, checkpointBytes, parseCheckpoint } from '../run/checkpoint.js';
import { atomicWrite } from './atomicWrite.js';
import { readSafetensorsBytes } from './safetensorsFile.js';
import { sha256 } from './sha256.js';
import { withSystemErrors } from './systemErrors.js';

/**
 * Writes a checkpoint.
 * @throws NumericalError if a tensor holds NaN or Inf
 * @throws SystemError if it cannot be written; an older file stays
 */
export function saveCheckpoint(path: string, model: Model, about: Omit<Checkpoint, 'tensors'>): void {
  const bytes = checkpointBytes(model, about, sha256);
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
}

/**
 * Reads a checkpoint.
 * @throws SystemError if the file cannot be read
 * @throws FileContentError that names the file and lists what is wrong with it
 */
export function loadCheckpoint(path: string): Checkpoint {
  const bytes = readSafetensorsBytes(path);
  return namingFile(path, () => parseCheckpoint(bytes, sha256));
}

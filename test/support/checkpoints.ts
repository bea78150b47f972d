import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { createDataset, createExamples, type Examples } from '../../src/data/dataset.js';
import { Evaluator } from '../../src/evaluation/evaluator.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { saveCheckpoint } from '../../src/node/checkpointFile.js';
import type { RunSnapshot } from '../../src/run/checkpoint.js';
import { readSafetensors, type Safetensors, type StoredTensor, writeSafetensors } from '../../src/run/safetensors.js';
import { TRAINING_OPTIONS } from '../../src/training/options.js';
import { knownFormats, modelConfig } from '../../src/training/runConfig.js';
import { Training } from '../../src/training/training.js';
import { NAMES } from './fakeIO.js';
import { RUN_CONFIG } from './runConfig.js';
import { put, tempDirectory } from './tempDirectory.js';

const { oldest, newest } = knownFormats(TRAINING_OPTIONS);
/** The first checkpoint format that this version cannot read, and the formats that it can read, as in a message. */
export const UNKNOWN_FORMAT = String(newest + 1);
export const READABLE_FORMATS = oldest === newest ? `format ${oldest}` : `formats ${oldest} to ${newest}`;

export const DATA_SHA256 = '0123456789abcdef'.repeat(4);
/** Steps done when the checkpoint is saved: in the middle of the run, and between two records. */
export const SAVED_STEP = 13;

/** A small run after {@link SAVED_STEP} steps, and its checkpoint. */
export interface SavedRun {
  /** Path of the checkpoint. */
  path: string;
  model: Model;
  snapshot: RunSnapshot;
  training: Examples;
  validation: Examples;
}

/** Trains a small run by {@link RUN_CONFIG} and saves its checkpoint in the directory. */
export function saveSmallRun(directory: string): SavedRun {
  const path = join(directory, 'checkpoint.safetensors');
  const { vocabulary, parts } = createDataset(NAMES, RUN_CONFIG);
  const model = createModel(createReferenceBackend('float32'), modelConfig(RUN_CONFIG, vocabulary));
  const training = createExamples(parts.train, vocabulary, RUN_CONFIG.context);
  const validation = createExamples(parts.val, vocabulary, RUN_CONFIG.context);
  const run = new Training(model, training, RUN_CONFIG);
  while (run.step < SAVED_STEP) run.advance();
  new Evaluator(model).calibrate(training);
  const best = { step: 10, valLoss: 2.6180339887498949 };
  const program = 'backprop-ninja 1.2.3';
  const snapshot = { program, config: RUN_CONFIG, vocabulary, state: run.state, best, dataSha256: DATA_SHA256 };
  saveCheckpoint(path, model, snapshot);
  return { path, model, snapshot, training, validation };
}

/** The content of a checkpoint, for a test to change. */
export interface ChangeableFile {
  metadata: Record<string, string>;
  tensors: Map<string, StoredTensor>;
}

export function contentsOf(path: string): ChangeableFile {
  const { metadata, tensors } = readSafetensors(readFileSync(path));
  return { metadata: { ...metadata }, tensors: new Map(tensors) };
}

/** A changed copy of the checkpoint, with the right digest. Returns its path. */
export function changedCopy(path: string, change: (file: ChangeableFile) => void): string {
  const file = contentsOf(path);
  change(file);
  return put(tempDirectory(), 'changed.safetensors', sealed(file));
}

/** The bytes of a checkpoint with this content, with the right digest. */
function sealed({ metadata, tensors }: Safetensors): Uint8Array {
  const withDigest = (sha256: string) => writeSafetensors({ metadata: { ...metadata, sha256 }, tensors });
  return withDigest(sha256Of(withDigest('0'.repeat(64))));
}

/** SHA-256 by Node, 64 hexadecimal digits. */
export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

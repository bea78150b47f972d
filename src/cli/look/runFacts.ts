/** What a stored run says about its network and its training: the facts of its findings. */
import type { CreateBackend } from '../../backend/backend.js';
import { FileContentError, fullMessage, SystemError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { createExamples, type Examples } from '../../data/dataset.js';
import { allocateModel, type Model } from '../../network/arrays.js';
import { initialise } from '../../network/initialise.js';
import { readRunFile } from '../../node/runDirectory.js';
import { type Checkpoint, restoreModel } from '../../run/checkpoint.js';
import type { FindingFacts } from '../../run/findings/finding.js';
import { lookAtMany, lookSize } from '../../run/findings/lookAtMany.js';
import type { MetricsRecord } from '../../run/records.js';
import type { DiagnosticsRecord } from '../../training/diagnostics.js';
import { modelConfig } from '../../training/runConfig.js';
import { loadRunData } from '../data.js';
import { formatCount } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';
import type { StoredRun } from './storedRun.js';

/**
 * Reads a run's records, and looks at its network on many examples: as it began and as it is now. A run that was imported began as it is.
 * @param file the value of --data
 * @throws FileContentError if metrics.jsonl has a line that is no record, apart from a last one that is incomplete
 * @throws SystemError if the data set cannot be read, unless the records hold diagnostics; then a note says so
 */
export function* runFacts(stored: StoredRun, file: string | undefined, createBackend: CreateBackend, io: IO): Job<FindingFacts> {
  const { checkpoint, step } = stored;
  const { config, vocabulary } = checkpoint;
  const diverged = divergenceOf(stored);
  const records: MetricsRecord[] = [];
  for (const record of stored.records()) {
    // Those after the best checkpoint say nothing about it.
    if (record.step <= step || !stored.isBest) records.push(record);
    yield;
  }
  refuseFlaws(stored);
  noteUnjudged(stored, records, io);
  const last = records.at(-1)?.step ?? 0;
  if (last > step) {
    io.stderr.write(`note: the records go to step ${formatCount(last)}, the last checkpoint is of step ${formatCount(step)}\n`);
  }
  const facts: FindingFacts = { config, vocabulary: vocabulary.length, records, diverged, evaluated: evaluatedAt(stored) };
  const examples = examplesOf(stored, file, records, io);
  if (!examples) return facts;
  const fresh = { step, diagnostics: yield* lookAtMany(restored(checkpoint, examples, createBackend), examples) };
  if (stored.isImported || step === 0) return { ...facts, initial: fresh };
  const first = beginning(stored, examples, createBackend, io);
  const initial = first && { step: 0, diagnostics: yield* lookAtMany(first, examples) };
  return { ...facts, fresh, ...(initial && { initial }) };
}

/** Without records of a kind, a trained run is not judged by them; "no finding" would say more than is known. */
function noteUnjudged({ isImported, step }: StoredRun, records: readonly MetricsRecord[], io: IO): void {
  if (isImported || step === 0) return;
  const hasLooks = records.some((record) => 'diagnostics' in record);
  const hasLosses = records.some((record) => 'loss' in record || 'valLoss' in record);
  if (hasLooks && hasLosses) return;
  const [what, missing] = hasLosses
    ? ['the rate and clipping are', 'diagnostics']
    : hasLooks
      ? ['the losses in training are', 'losses']
      : ['losses in training, the rate and clipping are', 'losses and diagnostics'];
  io.stderr.write(`note: ${what} not judged: metrics.jsonl has no records of ${missing}\n`);
}

/** Where training ended because numbers blew up, if it did. */
function divergenceOf({ path }: StoredRun): FindingFacts['diverged'] {
  const found = readRunFile(path)?.diverged;
  if (typeof found !== 'object' || found === null) return undefined;
  const { step, message } = found as Record<string, unknown>;
  return typeof step === 'number' && typeof message === 'string' ? { step, message } : undefined;
}

/** The losses of the finished run, as run.json has them, if they are about this network. */
function evaluatedAt({ path, step, isBest }: StoredRun): FindingFacts['evaluated'] {
  const result = isBest ? undefined : readRunFile(path)?.result;
  if (typeof result !== 'object' || result === null) return undefined;
  const { steps, trainLoss: train, valLoss: val } = result as Record<string, unknown>;
  return steps === step && typeof train === 'number' && typeof val === 'number' ? { step, train, val } : undefined;
}

function refuseFlaws({ flaws: [first, ...others] }: StoredRun): void {
  if (!first) return;
  const more = others.length > 0 ? `; so are ${others.length === 1 ? '1 other line' : `${others.length} other lines`}` : '';
  throw new FileContentError(`${first.file}, line ${first.line} is damaged: ${first.flaw}${more}`, {
    hint: 'restore the file, or remove the damaged lines',
  });
}

/** The run's training examples; undefined, with a note, if they cannot be read and the records are enough. */
function examplesOf(
  { path, checkpoint }: StoredRun,
  file: string | undefined,
  records: readonly (MetricsRecord | DiagnosticsRecord)[],
  io: IO,
): Examples | undefined {
  try {
    const { dataset } = loadRunData(path, checkpoint, file, 'must be the same', io);
    return createExamples(dataset.parts.train, checkpoint.vocabulary, checkpoint.config.context);
  } catch (error) {
    const isUnread = error instanceof SystemError || error instanceof FileContentError;
    if (!isUnread || file !== undefined || !records.some((record) => 'diagnostics' in record)) throw error;
    io.stderr.write(`note: only the records are looked at: ${fullMessage(error)}\n`);
    return undefined;
  }
}

function restored(checkpoint: Checkpoint, examples: Examples, createBackend: CreateBackend): Model {
  return restoreModel(checkpoint, createBackend, { training: lookSize(checkpoint.config, examples) });
}

/** The network before its first step; undefined, with a note, if its init.safetensors cannot be read. */
function beginning(stored: StoredRun, examples: Examples, createBackend: CreateBackend, io: IO): Model | undefined {
  const { config, vocabulary } = stored.checkpoint;
  const model = allocateModel(createBackend, modelConfig(config, vocabulary), { training: lookSize(config, examples) });
  if (config.init === undefined) {
    initialise(model, config.seed, config);
    return model;
  }
  try {
    for (const [name, values] of stored.initialParameters()) model.parameters[name].set(values);
    return model;
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof FileContentError)) throw error;
    io.stderr.write(`note: the network is not looked at as it began: ${fullMessage(error)}\n`);
    return undefined;
  }
}

/** Reads a run's directory for a report. What is missing there is a note in the report, unless the user named it. */
import type { CreateBackend } from '../../backend/backend.js';
import { FileContentError, fullMessage, SystemError, UsageError } from '../../core/errors.js';
import { Tensor } from '../../core/tensor.js';
import { showText } from '../../core/text.js';
import { createExamples } from '../../data/dataset.js';
import { EVALUATION_BATCH, Evaluator } from '../../evaluation/evaluator.js';
import { reportInParts } from '../../evaluation/report.js';
import { checkNetwork } from '../../gradCheck/networkCheck.js';
import { byName, parameterNames, parameterShapes } from '../../network/parameters.js';
import { readRegularFile } from '../../node/readFile.js';
import { type RunFile, readRunFile } from '../../node/runDirectory.js';
import { sha256 } from '../../node/sha256.js';
import { type Checkpoint, restoreModel } from '../../run/checkpoint.js';
import type { FindingFacts } from '../../run/findings/finding.js';
import { findingsOf } from '../../run/findings/findings.js';
import { type ReportRun, storedResult } from '../../run/reportData.js';
import { reportRun } from '../../run/reportRun.js';
import { sizesOf } from '../../training/recipe.js';
import { modelConfig } from '../../training/runConfig.js';
import { isBundled, type LoadedData, loadRunData } from '../data.js';
import type { IO } from '../terminal/io.js';
import { Status } from '../terminal/status.js';
import type { Turns } from '../terminal/turns.js';
import { runFacts } from './runFacts.js';
import { StoredRun } from './storedRun.js';

export interface ReportedRunOptions {
  /** What the report calls it. */
  name: string;
  /** The value of --data. */
  data: string | undefined;
  /** Whether the network itself goes into the report, with its gradient check. */
  withNetwork: boolean;
  createBackend: CreateBackend;
}

/**
 * A run for a report.
 * @param path the checkpoint's path
 * @returns undefined if a signal came first
 */
export async function loadReportedRun(path: string, options: ReportedRunOptions, turns: Turns, io: IO): Promise<ReportRun | undefined> {
  const stored = new StoredRun(path, io);
  const { checkpoint } = stored;
  const notes: string[] = [];
  const runFile = readableRunFile(path, notes);
  const facts = await factsOf(stored, options, turns, io);
  if (!stored.hasMetrics) notes.push('There is no metrics.jsonl beside the checkpoint, so there are no curves');
  if (stored.flaws.length > 0) notes.push('metrics.jsonl has damaged lines, which were left out');
  const data = readableData(path, checkpoint, options.data, io, notes);
  const finished = stored.isBest ? undefined : resultAt(runFile, stored.step);
  const known = finished ?? (data && (await computed(checkpoint, data, options.createBackend, turns, io)));
  if (turns.signal) return undefined;
  const network = known?.checkpoint ?? checkpoint;
  return reportRun(
    {
      name: options.name,
      checkpoint: network,
      checkpointSha256: sha256(readRegularFile(path, Number.POSITIVE_INFINITY)),
      data: { isBundled: isBundled(checkpoint.dataSha256), sizes: data && sizesOf(data.dataset) },
      dataNames: data?.names ?? null,
      seconds: secondsOf(runFile),
      records: facts.records,
      result: known?.result,
      gradCheck: options.withNetwork ? gradCheckOf(checkpoint, notes) : null,
      looked: facts.fresh !== undefined || facts.initial !== undefined,
      findings: findingsOf(facts),
      withNetwork: options.withNetwork,
      notes,
    },
    sha256,
  );
}

/** What doctor reads; where it refuses to, the records alone. */
async function factsOf(stored: StoredRun, { data, createBackend }: ReportedRunOptions, turns: Turns, io: IO): Promise<FindingFacts> {
  const { path, checkpoint, step } = stored;
  const { config, vocabulary } = checkpoint;
  const records = [...stored.records()].filter((record) => record.step <= step);
  const known = { config, vocabulary: vocabulary.length, records };
  const quiet: IO = { ...io, stderr: { write: () => {}, isTTY: false, columns: 80, rows: 24 } };
  const status = new Status(io);
  try {
    const job = runFacts(new StoredRun(path, quiet), data, createBackend, quiet);
    return (await turns.run(job, () => status.update(() => 'looking at the network'))) ?? known;
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof FileContentError || error instanceof UsageError)) throw error;
    return known;
  } finally {
    status.clear();
  }
}

/** The run.json beside a checkpoint. */
function readableRunFile(path: string, notes: string[]): RunFile | undefined {
  try {
    return readRunFile(path);
  } catch (error) {
    if (!(error instanceof FileContentError)) throw error;
    notes.push('Its run.json is damaged and was not used');
    return undefined;
  }
}

/** The run's data set; undefined if it is not where it was. @throws if the user named it */
function readableData(path: string, checkpoint: Checkpoint, file: string | undefined, io: IO, notes: string[]): LoadedData | undefined {
  try {
    return loadRunData(path, checkpoint, file, 'must be the same', io);
  } catch (error) {
    const isMissing = error instanceof SystemError || error instanceof FileContentError || error instanceof UsageError;
    if (!isMissing || file !== undefined) throw error;
    io.stderr.write(`note: the report is made without the data set: ${showText(fullMessage(error))}\n`);
    notes.push('The data set was not there when the report was written: what needs it is left out');
    return undefined;
  }
}

/** What a network gives on its data. */
interface KnownResult {
  result: unknown;
  /** The checkpoint with its statistics, if they had to be computed. */
  checkpoint?: Checkpoint;
}

/** The report that run.json holds, if it is about this step. */
function resultAt(runFile: RunFile | undefined, step: number): KnownResult | undefined {
  const result = runFile?.result as { steps?: unknown } | undefined;
  return result?.steps === step && storedResult(result) ? { result } : undefined;
}

/** The report on a network, computed. @returns undefined if a signal came first */
async function computed(
  checkpoint: Checkpoint,
  { dataset }: LoadedData,
  createBackend: CreateBackend,
  turns: Turns,
  io: IO,
): Promise<KnownResult | undefined> {
  const model = restoreModel(checkpoint, createBackend, { inference: [EVALUATION_BATCH, 1] });
  const evaluator = new Evaluator(model);
  const trainExamples = createExamples(dataset.parts.train, checkpoint.vocabulary, checkpoint.config.context);
  const status = new Status(io);
  const show = () => status.update(() => 'computing the losses');
  if (checkpoint.statistics) await turns.run(evaluator.calibrateInParts(trainExamples), show);
  const result = await turns.run(reportInParts({ model, evaluator, dataset, trainExamples, seed: checkpoint.config.seed }), show);
  status.clear();
  const tensors = new Map([...checkpoint.tensors, ...Object.entries(model.statistics)]);
  // As run.json would hold it: the loss of no name is null.
  return result && { result: JSON.parse(JSON.stringify(result)), checkpoint: { ...checkpoint, statistics: undefined, tensors } };
}

/** The seconds of the last session, as run.json has them. */
function secondsOf(runFile: RunFile | undefined): number | null {
  const trained = runFile?.trained as { seconds?: unknown } | undefined;
  return typeof trained?.seconds === 'number' ? trained.seconds : null;
}

function gradCheckOf({ config, vocabulary, tensors }: Checkpoint, notes: string[]): ReportRun['gradCheck'] {
  const sizes = modelConfig(config, vocabulary);
  const names = parameterNames(sizes);
  const shapes = parameterShapes(sizes);
  const parameters = names.map((name) => Tensor.of(tensors.get(name) ?? [], shapes[name], 'float64'));
  const verdict = checkNetwork(sizes, byName(names, parameters), config.seed);
  if (!verdict)
    notes.push('The network is too large for a gradient check in a few seconds; grad-check checks the same code on smaller ones');
  return verdict ?? null;
}

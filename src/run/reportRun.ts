/** A run as a report shows it, from its checkpoint and its records. */
import { evenly } from '../core/numbers.js';
import type { Sha256 } from '../core/sha256.js';
import { parameterNames, statisticNames } from '../network/parameters.js';
import { toBase64Tensor } from './base64Tensor.js';
import type { Checkpoint } from './checkpoint.js';
import { averaged } from './lossPlot.js';
import { type MetricsRecord, tensorHash } from './records.js';
import { isExtended, type KnownData, repeatCommand } from './repeatCommand.js';
import { type ReportRun, storedResult } from './reportData.js';

/** What a report takes to know a run. */
export interface ReportedRun extends Pick<ReportRun, 'name' | 'dataNames' | 'seconds' | 'gradCheck' | 'looked' | 'findings' | 'notes'> {
  checkpoint: Pick<Checkpoint, 'program' | 'config' | 'vocabulary' | 'best' | 'dataSha256' | 'tensors' | 'statistics'> & {
    state: { step: number };
  };
  /** SHA-256 of the checkpoint's file; undefined for a run whose file is being written. */
  checkpointSha256?: string | undefined;
  data: KnownData;
  records: Iterable<MetricsRecord>;
  /** The report on the network: as computed, or the JSON that run.json holds. */
  result: unknown;
  /** Whether the report gets the network itself. */
  withNetwork: boolean;
}

const MOST_LOSSES = 1000;
const MOST_DIAGNOSTICS = 60;
/** The most bytes of a network, as float32, that are written into a report. */
const MOST_BYTES = 2 ** 24;

export function reportRun(run: ReportedRun, sha256: Sha256): ReportRun {
  const { name, dataNames, seconds, gradCheck, looked, findings, checkpoint, checkpointSha256, data } = run;
  const { config, program, vocabulary, state, best, dataSha256, tensors, statistics } = checkpoint;
  const names = parameterNames(config);
  const bytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const fits = bytes <= MOST_BYTES;
  const stored = (wanted: readonly string[]) =>
    Object.fromEntries(wanted.map((one) => [one, toBase64Tensor(tensors.get(one) ?? new Float32Array())]));
  return {
    name,
    command: repeatCommand(config, data),
    program,
    config,
    vocabulary: [...vocabulary],
    dataNames,
    step: state.step,
    seconds,
    best,
    ...curvesOf(run.records),
    result: storedResult(run.result) ?? null,
    gradCheck,
    looked,
    findings,
    hashes: {
      ...(checkpointSha256 === undefined ? {} : { checkpoint: checkpointSha256 }),
      data: dataSha256,
      ...Object.fromEntries(names.map((one) => [one, tensorHash(tensors.get(one) ?? new Float32Array(), sha256)])),
    },
    parameters: run.withNetwork && fits ? stored(names) : null,
    statistics: run.withNetwork && fits && !statistics ? stored(statisticNames(config)) : null,
    notes: [
      ...run.notes,
      ...(isExtended(config)
        ? [
            'The run was extended by more steps, so one command does not repeat it: its learning rate falls where it would have fallen with fewer',
          ]
        : []),
      ...(run.withNetwork && !fits ? ['The network is too large to be in this report: it draws no map and predicts nothing'] : []),
    ],
  };
}

function curvesOf(records: Iterable<MetricsRecord>): Pick<ReportRun, 'losses' | 'valLosses' | 'diagnostics'> {
  const losses: ReportRun['losses'] = [];
  const valLosses: ReportRun['valLosses'] = [];
  const diagnostics: ReportRun['diagnostics'] = [];
  for (const record of records) {
    if ('loss' in record) losses.push([record.step, record.loss, record.rate]);
    else if ('valLoss' in record) valLosses.push([record.step, record.valLoss]);
    else if ('diagnostics' in record) diagnostics.push(record);
  }
  return {
    losses: averaged(losses, MOST_LOSSES),
    valLosses: evenly(valLosses, MOST_LOSSES),
    diagnostics: evenly(diagnostics, MOST_DIAGNOSTICS),
  };
}

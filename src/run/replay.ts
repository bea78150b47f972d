/** Compares runs by their hash records: where two runs first diverge, and whether a repeated run gives the same parameters. */

import type { ParameterName } from '../network/parameters.js';
import type { Hashes, HashRecord, MetricsRecord } from './records.js';

/** A step after which parameters differ, and the names of those that do. */
export interface Divergence {
  step: number;
  tensors: ParameterName[];
}

/** The hash records among all records of a run. */
export function hashRecords(records: readonly MetricsRecord[]): HashRecord[] {
  return records.filter((record) => 'hashes' in record);
}

/** Names of the parameters that differ, in the order of the deeper network. A block that only one network has counts as different. */
export function differingTensors(a: Hashes, b: Hashes): ParameterName[] {
  const [names, others] = [a, b].map((hashes) => Object.keys(hashes) as ParameterName[]);
  const all = new Set(names.length < others.length ? [...others, ...names] : [...names, ...others]);
  return [...all].filter((name) => a[name] !== b[name]);
}

/** The outcome of comparing two runs. */
export interface RunComparison {
  /** Steps at which both runs recorded hashes. */
  steps: number[];
  /** The first of these steps after which parameters differ; undefined if all are equal. */
  divergence: Divergence | undefined;
}

/** Finds where two runs first diverge, at the resolution of their hash records. */
export function compareRuns(a: readonly HashRecord[], b: readonly HashRecord[]): RunComparison {
  const others = new Map(b.map(({ step, hashes }) => [step, hashes]));
  const common = a.flatMap(({ step, hashes }) => {
    const other = others.get(step);
    return other ? [{ step, tensors: differingTensors(hashes, other) }] : [];
  });
  return { steps: common.map(({ step }) => step), divergence: common.find(({ tensors }) => tensors.length > 0) };
}

/**
 * The hashes that a repeated run must reproduce, by step.
 * @param records the run's hash records; those after `step` are left out
 * @param step the checkpoint's step
 * @param hashes of the checkpoint's parameters
 */
export function expectedHashes(records: readonly HashRecord[], step: number, hashes: Hashes): ReadonlyMap<number, readonly Hashes[]> {
  const expected = new Map<number, Hashes[]>();
  for (const record of [...records, { step, hashes }]) {
    if (record.step <= step) expected.set(record.step, [...(expected.get(record.step) ?? []), record.hashes]);
  }
  return expected;
}

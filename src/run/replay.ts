/** Whether a run can be had again from its configuration, and where two runs part. */

import type { ParameterName } from '../network/parameters.js';
import type { Hashes, HashRecord, MetricsRecord } from './records.js';

/** A step after which parameters differ, and which of them. */
export interface Parting {
  step: number;
  tensors: ParameterName[];
}

export function hashRecords(records: readonly MetricsRecord[]): HashRecord[] {
  return records.filter((record) => 'hashes' in record);
}

/** A block that only one of them has differs, too: in the order of the deeper network. */
export function differingTensors(a: Hashes, b: Hashes): ParameterName[] {
  const [names, others] = [a, b].map((hashes) => Object.keys(hashes) as ParameterName[]);
  const all = new Set(names.length < others.length ? [...others, ...names] : [...names, ...others]);
  return [...all].filter((name) => a[name] !== b[name]);
}

export interface Comparison {
  /** Steps that both runs have recorded. */
  steps: number[];
  /** The first of them after which the parameters differ. */
  parting: Parting | undefined;
}

/** Where two runs part, as far as they are recorded. */
export function compareRuns(a: readonly HashRecord[], b: readonly HashRecord[]): Comparison {
  const others = new Map(b.map(({ step, hashes }) => [step, hashes]));
  const common = a.flatMap(({ step, hashes }) => {
    const other = others.get(step);
    return other ? [{ step, tensors: differingTensors(hashes, other) }] : [];
  });
  return { steps: common.map(({ step }) => step), parting: common.find(({ tensors }) => tensors.length > 0) };
}

/** The hashes to hold a replayed run against, by step: those recorded up to its last step, and there the checkpoint's own, too. */
export function expectedHashes(records: readonly HashRecord[], step: number, hashes: Hashes): ReadonlyMap<number, readonly Hashes[]> {
  const expected = new Map<number, Hashes[]>();
  for (const record of [...records, { step, hashes }]) {
    if (record.step <= step) expected.set(record.step, [...(expected.get(record.step) ?? []), record.hashes]);
  }
  return expected;
}

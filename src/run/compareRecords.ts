/** Compares the records of two runs, one step at a time, in memory that does not grow with the runs. */
import type { ParameterName } from '../network/parameters.js';
import type { Hashes, MetricsRecord } from './records.js';

export const RECORD_KINDS = ['loss', 'valLoss', 'hashes', 'diagnostics'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** A record that two runs do not both hold, or not with the same values. */
export interface RecordDifference {
  kind: RecordKind;
  step: number;
  /** The record of each run; undefined for a run that does not hold it. */
  records: [MetricsRecord | undefined, MetricsRecord | undefined];
}

/** A step after which parameters differ, and the names of those that do. */
export interface Divergence {
  step: number;
  tensors: readonly string[];
}

/** What was found about one kind of record. */
export interface KindComparison {
  /** Records that both runs hold. */
  compared: number;
  /** Records that one run alone holds. */
  alone: number;
  /** Records that differ, or that one run alone holds. */
  differing: number;
  first?: RecordDifference;
}

function kindOf(record: MetricsRecord): RecordKind {
  if ('hashes' in record) return 'hashes';
  if ('diagnostics' in record) return 'diagnostics';
  return 'valLoss' in record ? 'valLoss' : 'loss';
}

/** Names of the parameters that differ, in the order of the deeper network. A block that only one network has counts as different. */
export function differingTensors(a: Hashes, b: Hashes): ParameterName[] {
  const [names, others] = [a, b].map((hashes) => Object.keys(hashes) as ParameterName[]);
  const all = new Set(names.length < others.length ? [...others, ...names] : [...names, ...others]);
  return [...all].filter((name) => a[name] !== b[name]);
}

function differ(a: MetricsRecord, b: MetricsRecord): boolean {
  if ('hashes' in a && 'hashes' in b) return differingTensors(a.hashes, b.hashes).length > 0;
  if ('valLoss' in a && 'valLoss' in b) return a.valLoss !== b.valLoss;
  if ('diagnostics' in a && 'diagnostics' in b) return JSON.stringify(a.diagnostics) !== JSON.stringify(b.diagnostics);
  return !('loss' in a && 'loss' in b && a.loss === b.loss && a.rate === b.rate);
}

/** Collects the differences between the records of two runs. */
export class RecordComparison {
  readonly kinds: Record<RecordKind, KindComparison> = {
    loss: { compared: 0, alone: 0, differing: 0 },
    valLoss: { compared: 0, alone: 0, differing: 0 },
    hashes: { compared: 0, alone: 0, differing: 0 },
    diagnostics: { compared: 0, alone: 0, differing: 0 },
  };
  /** The last step at which a record was compared. */
  upTo: number | undefined;
  /** Records that were not compared, because they are later than the end of the shorter run. */
  later = 0;
  /** The last step at which hashes were compared. */
  lastHashes: number | undefined;
  /** The first difference of hashes, and the last step before it at which the hashes were equal. */
  divergence: Divergence | undefined;
  lastEqual: number | undefined;

  /** The step of the first record that differs. */
  get firstDifference(): number | undefined {
    const steps = RECORD_KINDS.flatMap((kind) => this.kinds[kind].first?.step ?? []);
    return steps.length > 0 ? Math.min(...steps) : undefined;
  }

  /** Whether no record differs. */
  get same(): boolean {
    return RECORD_KINDS.every((kind) => this.kinds[kind].differing === 0);
  }

  /**
   * Compares the records of one step. Steps come in ascending order.
   * @param isLast at the last step of a run, records that only it holds are no difference: a longer run has none there
   */
  add(step: number, a: readonly MetricsRecord[], b: readonly MetricsRecord[], isLast = false): void {
    for (const kind of RECORD_KINDS) {
      const [left, right] = [a, b].map((records) => records.filter((record) => kindOf(record) === kind));
      // Equal runs may be diagnosed at different steps.
      if (kind === 'diagnostics' && (left.length === 0 || right.length === 0)) continue;
      for (let i = 0; i < Math.max(left.length, right.length); i++) this.#compare(kind, step, left[i], right[i], isLast);
    }
  }

  #compare(kind: RecordKind, step: number, a: MetricsRecord | undefined, b: MetricsRecord | undefined, isLast: boolean): void {
    const found = this.kinds[kind];
    const both = a !== undefined && b !== undefined;
    if (!both && isLast) return;
    if (both) {
      found.compared++;
      this.upTo = step;
      if (kind === 'hashes') this.lastHashes = step;
    }
    if (both && !differ(a, b)) {
      if (kind === 'hashes' && !this.divergence) this.lastEqual = step;
      return;
    }
    found.differing++;
    if (!both) found.alone++;
    found.first ??= { kind, step, records: [a, b] };
    if (both && 'hashes' in a && 'hashes' in b) this.divergence ??= { step, tensors: differingTensors(a.hashes, b.hashes) };
  }
}

/** The records of a run, a step at a time. */
export class StepReader {
  readonly #records: Iterator<MetricsRecord>;
  #next: MetricsRecord | undefined;

  constructor(records: Iterable<MetricsRecord>) {
    this.#records = records[Symbol.iterator]();
    this.#advance();
  }

  /** The step of the next records; undefined at the end. */
  get step(): number | undefined {
    return this.#next?.step;
  }

  /** The next records, up to the first of another step. */
  take(): MetricsRecord[] {
    const { step } = this;
    const taken: MetricsRecord[] = [];
    while (this.#next && this.#next.step === step) {
      taken.push(this.#next);
      this.#advance();
    }
    return taken;
  }

  #advance(): void {
    const { done, value } = this.#records.next();
    this.#next = done ? undefined : value;
  }
}

/**
 * Compares the records of two runs up to the end of the shorter one, in parts: it yields each step after comparing its
 * records.
 * @param ends the steps that each run has done; later records, of a run that was killed, are left out
 */
export function* compareRecords(
  a: Iterable<MetricsRecord>,
  b: Iterable<MetricsRecord>,
  ends: readonly [number, number],
): Generator<number, RecordComparison, void> {
  const comparison = new RecordComparison();
  const [left, right] = [new StepReader(a), new StepReader(b)];
  const end = Math.min(...ends);
  for (;;) {
    const step = Math.min(left.step ?? Number.POSITIVE_INFINITY, right.step ?? Number.POSITIVE_INFINITY);
    if (step === Number.POSITIVE_INFINITY) return comparison;
    const [ofLeft, ofRight] = [left, right].map((reader) => (reader.step === step ? reader.take() : []));
    if (step > end) comparison.later += ofLeft.length + ofRight.length;
    else comparison.add(step, ofLeft, ofRight, step === end && ends[0] !== ends[1]);
    yield step;
  }
}

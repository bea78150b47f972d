import type { Job } from '../../core/job.js';
import { type CheckpointComparison, compareCheckpoints } from '../../run/compareCheckpoints.js';
import { RecordComparison, StepReader } from '../../run/compareRecords.js';
import type { Rerun, RerunStep } from '../../run/rerun.js';
import type { Paint } from '../terminal/colors.js';
import { formatCount, formatCountOf } from '../terminal/format.js';
import {
  afterStep,
  checkpointLines,
  flawLines,
  type NotCompared,
  partsLines,
  recordCounts,
  recordLines,
  scopeLines,
  tensorList,
} from './describeComparison.js';
import { hasReport, runFileProblems } from './runFile.js';
import type { StoredRun } from './storedRun.js';

const SIDES = ['metrics.jsonl', 'the repeated run'] as const;

/** Compares a run with its repetition while it is repeated. */
export class Replay {
  readonly #stored: StoredRun;
  readonly #rerun: Rerun;
  readonly #records = new RecordComparison();
  readonly #notCompared: NotCompared[] = [];
  /** Other differences, in words. */
  readonly #problems: string[] = [];
  #checkpoint: CheckpointComparison | undefined;
  #best: CheckpointComparison | undefined;

  constructor(stored: StoredRun, rerun: Rerun) {
    this.#stored = stored;
    this.#rerun = rerun;
  }

  get same(): boolean {
    const isSame = (one: CheckpointComparison | undefined) => !one || one.differences.length === 0;
    return this.#records.same && isSame(this.#checkpoint) && isSame(this.#best) && this.#problems.length === 0;
  }

  /** Repeats the run in parts. Ends early where the parameters differ, because everything later would. */
  *steps(): Job<void> {
    const { hasMetrics } = this.#stored;
    const best = this.#loadBest();
    const reader = new StepReader(this.#stored.records());
    for (const done of this.#rerun.steps()) {
      yield;
      if (!done) continue;
      if (hasMetrics) this.#compareRecords(reader, done);
      if (best && done.improved && done.step === best.state.step) this.#best = compareCheckpoints(best, yield* this.#rerun.checkpoint());
      if (this.#records.divergence && done.step < this.#stored.step) return this.#endEarly(done.step);
    }
    if (hasMetrics) this.#skipLater(reader);
    else this.#notCompared.push({ what: 'records', reason: 'there is no metrics.jsonl' });
    yield* this.#compareCheckpoint();
    if (best && !this.#best) {
      const step = formatCount(best.state.step);
      this.#problems.push(`best.safetensors is of step ${step}, but the validation loss of that step is not the best so far`);
    }
    this.#problems.push(...flawLines(this.#stored.flaws), ...runFileProblems(this.#stored));
    if (hasReport(this.#stored)) this.#notCompared.push({ what: 'report in run.json', reason: 'eval and sample compute its parts again' });
  }

  /** The best checkpoint, if the run is long enough to have it. */
  #loadBest() {
    const { checkpoint, step } = this.#stored;
    const best = this.#stored.loadBest();
    const what = 'best checkpoint';
    if (best && best.state.step <= step) return best;
    if (best) this.#notCompared.push({ what, reason: `it is of step ${formatCount(best.state.step)}, later than the checkpoint` });
    else if (checkpoint.best && !this.#stored.isBest) this.#notCompared.push({ what, reason: 'there is no best.safetensors' });
    return undefined;
  }

  #compareRecords(reader: StepReader, { step, records }: RerunStep): void {
    while (reader.step !== undefined && reader.step < step) this.#records.add(reader.step, reader.take(), []);
    this.#records.add(step, reader.step === step ? reader.take() : [], records);
  }

  /** A run that was killed has records later than its checkpoint. Those out of order are a difference. */
  #skipLater(reader: StepReader): void {
    let later = 0;
    while (reader.step !== undefined) {
      if (reader.step > this.#stored.step) later += reader.take().length;
      else this.#records.add(reader.step, reader.take(), []);
    }
    if (later > 0) this.#notCompared.push({ what: formatCountOf(later, 'record'), reason: 'later than the checkpoint' });
  }

  *#compareCheckpoint(): Job<void> {
    this.#checkpoint = compareCheckpoints(this.#stored.checkpoint, yield* this.#rerun.checkpoint());
    for (const { part, reason } of this.#checkpoint.notCompared) this.#notCompared.push({ what: part, reason });
  }

  #endEarly(step: number): void {
    this.#notCompared.push({ what: `everything after step ${formatCount(step)}`, reason: 'the parameters differ from there on' });
  }

  /** The document of --json. */
  json() {
    const { kinds, divergence } = this.#records;
    return {
      checkpoint: this.#stored.path,
      ok: this.same,
      steps: this.#rerun.step,
      /** Steps at which the parameters were compared. */
      compared: this.#comparedSteps,
      divergence: this.#divergence ?? divergence ?? null,
      records: kinds,
      checkpointParts: this.#checkpoint ?? null,
      best: this.#best ?? null,
      problems: this.#problems,
      notCompared: this.#notCompared,
    };
  }

  /** The lines for people. @param file the checkpoint, as shown */
  lines(file: string, paint: Paint): string[] {
    const compared = [
      ...recordCounts(this.#records),
      ...partsLines([
        ['checkpoint', this.#checkpoint],
        ['best checkpoint', this.#best],
      ]),
    ];
    return [...this.#verdict(file, paint), ...scopeLines(compared, this.#notCompared)];
  }

  #verdict(file: string, paint: Paint): string[] {
    const { step } = this.#rerun;
    if (this.same) {
      const steps = this.#comparedSteps === 1 ? 'the one recorded' : `each of ${formatCount(this.#comparedSteps)} recorded ones`;
      return [`${paint.green('the same')}: ${formatCountOf(step, 'step')} repeated, bit-identical at ${steps}`];
    }
    const divergence = this.#divergence;
    const first = divergence
      ? `${afterStep(divergence.step)}, ${tensorList(divergence.tensors)} from the run of ${file}`
      : `${formatCountOf(step, 'step')} repeated, but not everything in the run of ${file} is what they give`;
    return [
      `${paint.red('not the same')}: ${first}`,
      ...recordLines(this.#records, SIDES),
      ...(this.#checkpoint ? checkpointLines('checkpoint', this.#checkpoint) : []),
      ...(this.#best ? checkpointLines('best checkpoint', this.#best) : []),
      ...this.#problems,
    ];
  }

  /** The first step after which parameters differ, by the hashes or by the checkpoint. */
  get #divergence() {
    const parameters = this.#checkpoint?.differences.find(({ part }) => part === 'parameters');
    return this.#records.divergence ?? (parameters && { step: this.#stored.step, tensors: parameters.names });
  }

  /** The recorded steps and, unless hashes were recorded there, the checkpoint's. */
  get #comparedSteps(): number {
    const { kinds, lastHashes } = this.#records;
    return kinds.hashes.compared + (this.#checkpoint && lastHashes !== this.#stored.step ? 1 : 0);
  }
}

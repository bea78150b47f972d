/** The records of a run in bounded memory. */
import type { MetricsRecord } from './records.js';

/** Records of a kind that are kept at most. */
const MOST_LOSSES = 10_000;
/** A record of diagnostics has about 8 kB. */
const MOST_DIAGNOSTICS = 200;

/** Of too many, every other one is dropped, and later ones are thinned alike. The first and the last one stay. */
class KeptOfKind {
  readonly #most: number;
  #kept: { order: number; record: MetricsRecord }[] = [];
  #share = 1;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(order: number, record: MetricsRecord): void {
    // The one before is no longer the last.
    if (this.#count > 0 && (this.#count - 1) % this.#share !== 0) this.#kept.pop();
    this.#kept.push({ order, record });
    this.#count++;
    if (this.#kept.length <= this.#most) return;
    const last = this.#kept.length - 1;
    this.#share *= 2;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0 || i === last);
  }

  get kept(): readonly { order: number; record: MetricsRecord }[] {
    return this.#kept;
  }
}

/** Losses, validation losses and diagnostics, each kind thinned by itself; hashes are not kept. */
export class RecordsKept {
  readonly #losses: KeptOfKind;
  readonly #valLosses: KeptOfKind;
  readonly #diagnostics: KeptOfKind;
  #count = 0;

  constructor({ losses = MOST_LOSSES, diagnostics = MOST_DIAGNOSTICS } = {}) {
    this.#losses = new KeptOfKind(losses);
    this.#valLosses = new KeptOfKind(losses);
    this.#diagnostics = new KeptOfKind(diagnostics);
  }

  add(record: MetricsRecord): void {
    const order = this.#count++;
    if ('loss' in record) this.#losses.add(order, record);
    else if ('valLoss' in record) this.#valLosses.add(order, record);
    else if ('diagnostics' in record) this.#diagnostics.add(order, record);
  }

  /** In the order in which they were added. */
  get records(): MetricsRecord[] {
    const all = [this.#losses, this.#valLosses, this.#diagnostics].flatMap(({ kept }) => kept);
    return all.sort((a, b) => a.order - b.order).map(({ record }) => record);
  }
}

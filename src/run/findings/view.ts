/** The facts about a network, as the rules ask for them. */
import { blockName, blockSizes } from '../../network/parameters.js';
import type { BlockDiagnostics, Diagnostics, DiagnosticsRecord, Spread } from '../../training/diagnostics.js';
import { LEARNING_RATES } from '../../training/options.js';
import { scheduledRate } from '../../training/schedule.js';
import type { FindingFacts } from './finding.js';

/** A network below this loss, in nats under ln V, has learned something: it was not drawn anew. */
const LEARNED = 0.3;
/** A record counts as trained at the full rate from this share of it. */
const FULL_RATE = 0.5;
/** Adam's first updates move each entry by about the rate, whatever its gradient. */
const SETTLED = 10;
/** The default of --momentum. */
const USUAL_MOMENTUM = 0.9;
/** The last records that say how a network is by now. */
const LAST = 3;

export class View {
  readonly facts: FindingFacts;
  /** ln V: the loss of a network that gives every character the same probability. */
  readonly uniform: number;
  readonly looks: readonly DiagnosticsRecord[];
  /** The network before its first update. */
  readonly start: DiagnosticsRecord | undefined;
  /** I of each block. */
  readonly inputs: readonly number[];

  constructor(facts: FindingFacts) {
    this.facts = facts;
    this.uniform = Math.log(facts.vocabulary);
    this.looks = facts.records.filter((record): record is DiagnosticsRecord => 'diagnostics' in record);
    const [first] = this.looks;
    const recorded = first?.step === 1 ? first : undefined;
    this.start = facts.initial ?? recorded;
    this.inputs = blockSizes({ ...facts.config, vocabulary: facts.vocabulary }).map(({ I }) => I);
  }

  /** Whether the parameters are drawn, or as good as: not those of a trained network. */
  get isDrawn(): boolean {
    return this.start !== undefined && this.start.diagnostics.loss > this.uniform - LEARNED;
  }

  /** The rate, in times the optimizer's default. Momentum adds up to lr / (1 - m). */
  get rateFactor(): number {
    const { learningRate, optimizer } = this.facts.config;
    const usual = LEARNING_RATES[optimizer.name];
    return 'momentum' in optimizer ? (learningRate * (1 - USUAL_MOMENTUM)) / ((1 - optimizer.momentum) * usual) : learningRate / usual;
  }

  /** The looks at about the full rate once the first updates are over; if there is none, the first one. */
  get fullRate(): readonly DiagnosticsRecord[] {
    const full = this.looks.filter(({ step }) => this.#isFullRate(step));
    const later = full.filter(({ step }) => step >= SETTLED);
    return later.length > 0 ? later : full.slice(0, 1);
  }

  /** The first step, if it is at about the full rate. */
  get firstAtFullRate(): readonly DiagnosticsRecord[] {
    return this.looks.filter(({ step }) => step === 1 && this.#isFullRate(step));
  }

  #isFullRate(step: number): boolean {
    const { config } = this.facts;
    return scheduledRate(step - 1, config) >= FULL_RATE * config.learningRate;
  }

  /** The network by now: on many examples, or in its last records. None if it was not trained. */
  get end(): readonly DiagnosticsRecord[] {
    const { fresh } = this.facts;
    if (fresh) return [fresh];
    return this.looks.filter((look) => look.step > 1).slice(-LAST);
  }

  /** The option that decides how the parameters are drawn, or where they come from. */
  initOption(drawn: string): string {
    const { init, imported } = this.facts.config;
    return init === undefined && !imported ? drawn : '--init';
  }
}

export function usesBatchNorm({ parameters }: Diagnostics): boolean {
  return 'bngain' in parameters;
}

/** The names of the weight matrices that multiply activations: W1, those of further blocks, W2. */
export function weightNames({ blocks }: Diagnostics): string[] {
  return [...blocks.map((_, k) => blockName(k + 1, 'W')), 'W2'];
}

/** sqrt(mean² + std²), which is close to the root mean square; 0 where that is unknown. */
export function sizeOf({ mean, std }: Spread): number {
  return Math.sqrt((mean ?? 0) ** 2 + (std ?? 0) ** 2);
}

/** The number of examples that a block was looked at with. */
export function examplesOf({ h, units }: BlockDiagnostics): number {
  return (h.histogram?.counts.reduce((sum, count) => sum + count, 0) ?? 0) / units;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The median of update:data of a parameter, over records; undefined if none has it. */
export function updateToData(looks: readonly DiagnosticsRecord[], name: string): number | undefined {
  const ratios = looks.flatMap(({ diagnostics: { parameters } }) => parameters[name]?.updateToData ?? []);
  return ratios.length > 0 ? median(ratios) : undefined;
}

/** `67 %` */
export function percent(share: number): string {
  const hundredths = 100 * share;
  return `${hundredths < 10 ? Number(hundredths.toPrecision(2)) : Math.round(hundredths)} %`;
}

/** `10^-2.6`; `0` for nothing at all. */
export function powerOfTen(x: number): string {
  return x > 0 ? `10^${Math.log10(x).toFixed(1)}` : '0';
}

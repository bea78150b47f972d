/**
 * What a training step looks like from inside, as in part 3 of the lectures: activations, gradients, and how far an update moves.
 *
 * Everything is computed with + - * / and square roots in a fixed order, and rounded to 5 significant digits, so that a run records the same
 * bytes on every machine. Standard deviations divide by the number of values less one, as PyTorch's `.std()` does.
 */
import { complete, type Job } from '../core/job.js';
import type { FloatArray } from '../core/tensor.js';
import type { Block, Model, TrainingActivations, TrainingBlockActivations } from '../network/arrays.js';
import { batchLoss } from '../network/passes.js';

/**
 * Counts of values in equal intervals between `from` and `to`, each with its lower end: 0 is in the upper one of the two middle intervals. Values
 * beyond the ends are counted in the first and the last one.
 */
export interface Histogram {
  from: number;
  to: number;
  counts: number[];
}

/** The distribution of the values of a tensor. A number is null where a value is not finite, or where it is not defined. */
export interface Spread {
  mean: number | null;
  /** The standard deviation, n - 1; null for a single value. */
  std: number | null;
  /** 30 intervals: for h from -1 to 1, for others up to the largest magnitude on both sides. Null if all values are 0. */
  histogram: Histogram | null;
}

/** The activations of one block over a batch: [n,H] values each. */
export interface BlockDiagnostics {
  /** The share of values with |h| > {@link SATURATED}, 0 to 1. There the slope of tanh, 1 - h², is below 0.06. */
  saturated: number;
  /** Units with |h| > {@link SATURATED} in every example of the batch: hardly any gradient reaches their weights. */
  dead: number;
  /** H */
  units: number;
  /** What tanh is applied to. */
  hpreact: Spread;
  h: Spread;
  /** The gradient of the mean loss of the batch. */
  dh: Spread;
}

/** The values of one parameter, their gradient and their update. */
export interface ParameterDiagnostics {
  value: Spread;
  /** The gradient of the mean loss of the batch, before clipping. */
  gradient: Spread;
  /** std of the gradient / std of the values. */
  gradientToData: number | null;
  /**
   * std of the applied update, whatever the optimizer (values after the step less values before it) / std of the values before it. As a rule
   * of thumb it is about 1e-3. Null if there was no update.
   */
  updateToData: number | null;
}

/** A network on one batch; in training, before the update of this batch. */
export interface Diagnostics {
  /** Mean loss of the batch, in nats. A network that knows nothing yet has about ln V. Finite in training, which stops at any other. */
  loss: number;
  /** The square root of the sum of squares of all gradients, before clipping. */
  gradientNorm: number | null;
  /** Whether the gradients were clipped for the update. */
  clipped: boolean;
  /** From the first block, above the embedding, to the last. */
  blocks: BlockDiagnostics[];
  /** By parameter name, in the order of memory. */
  parameters: Record<string, ParameterDiagnostics>;
}

/** A line of metrics.jsonl. */
export interface DiagnosticsRecord {
  /** Completed steps, with the one that was looked at. */
  step: number;
  diagnostics: Diagnostics;
}

/** |h| above which a unit counts as saturated. */
export const SATURATED = 0.97;
/** Intervals of a histogram. */
export const INTERVALS = 30;

/**
 * Diagnoses a network on the batch in its activations, after `forward` and `backward`. Changes neither. There is no update, so
 * `updateToData` is null.
 */
export function measure(model: Model, activations: TrainingActivations): Diagnostics {
  return complete(new Measurement(model, activations).measureInParts());
}

/** Diagnoses a network again and again, in arrays that are allocated once. */
export class Measurement {
  readonly #model: Model;
  readonly #activations: TrainingActivations;
  readonly #counts = new Uint32Array(2 * (INTERVALS + 1));
  /** hpreact [n,H] of a block; later the parameters [P] before an update, and the update. */
  readonly #scratch: FloatArray;
  /** The std of the values of each parameter, when they were measured. */
  readonly #deviations: Record<string, number> = {};

  constructor(model: Model, activations: TrainingActivations) {
    this.#model = model;
    this.#activations = activations;
    const sizes = model.blocks.map(({ H }) => activations.n * H);
    this.#scratch = likeParameters(model, Math.max(model.flatParameters.length, ...sizes));
  }

  /** {@link measure} in parts, a tensor at a time. */
  *measureInParts(): Job<Diagnostics> {
    const { blocks, parameters, gradients } = this.#model;
    const a = this.#activations;
    const result: Diagnostics = { loss: roundedFinite(batchLoss(a)), gradientNorm: null, clipped: false, blocks: [], parameters: {} };
    for (const [k, block] of blocks.entries()) {
      result.blocks.push(this.#block(block, a.blocks[k]));
      yield;
    }
    let squares = 0;
    for (const [name, values] of Object.entries(parameters)) {
      const value = this.#moments(values);
      const ofValue = this.#spread(value);
      this.#deviations[name] = value.std;
      const gradient = this.#moments(gradients[name as keyof typeof gradients]);
      squares += gradient.squares;
      result.parameters[name] = {
        value: ofValue,
        gradient: this.#spread(gradient),
        gradientToData: rounded(gradient.std / value.std),
        updateToData: null,
      };
      yield;
    }
    result.gradientNorm = rounded(Math.sqrt(squares));
    return result;
  }

  /** Copies the parameters, between {@link measureInParts} and an update. */
  keepParameters(): void {
    this.#scratch.set(this.#model.flatParameters);
  }

  /** Completes the diagnostics after the update that followed {@link keepParameters}. */
  addUpdate(diagnostics: Diagnostics, clipped: boolean): void {
    diagnostics.clipped = clipped;
    let start = 0;
    for (const [name, after] of Object.entries(this.#model.parameters)) {
      const before = this.#scratch.subarray(start, start + after.length);
      diagnostics.parameters[name].updateToData = rounded(deviationOfChange(before, after) / this.#deviations[name]);
      start += after.length;
    }
  }

  #block(block: Block, activations: TrainingBlockActivations): BlockDiagnostics {
    const { H } = block;
    const h = this.#rows(activations.h, H);
    const dh = this.#rows(activations.dh, H);
    const hpreact = this.#hpreact(block, activations);
    const { saturated, dead } = saturation(h, H);
    return {
      saturated: roundedFinite(saturated / h.length),
      dead,
      units: H,
      hpreact: this.#spread(this.#moments(hpreact)),
      h: this.#spread(this.#moments(h, 1)),
      dh: this.#spread(this.#moments(dh)),
    };
  }

  /** hpreact [n,H]: without batch norm, hprebn itself. */
  #hpreact(block: Block, { hprebn, bnraw }: TrainingBlockActivations): FloatArray {
    if (block.norm === 'none' || !bnraw) return this.#rows(hprebn, block.H);
    const { bngain, bnbias } = block.parameters;
    const raw = this.#rows(bnraw, block.H);
    const hpreact = this.#scratch.subarray(0, raw.length);
    for (let i = 0; i < raw.length; i += block.H) {
      for (let j = 0; j < block.H; j++) hpreact[i + j] = bngain[j] * raw[i + j] + bnbias[j];
    }
    return hpreact;
  }

  #rows(matrix: FloatArray, H: number): FloatArray {
    return this.#model.backend.rowsOf(matrix, this.#activations.n, H);
  }

  /** Also counts the values in the intervals between -end and end. */
  #moments(values: FloatArray, end?: number): Moments {
    return momentsOf(values, this.#counts, end);
  }

  #spread({ mean, std, end }: Moments): Spread {
    const histogram =
      end > 0 && Number.isFinite(mean) ? { from: -end, to: end, counts: Array.from(this.#counts.subarray(0, INTERVALS)) } : null;
    return { mean: rounded(mean), std: rounded(std), histogram };
  }
}

interface Moments {
  mean: number;
  std: number;
  /** The sum of the squares. */
  squares: number;
  /** The histogram is from -end to end. */
  end: number;
}

/** One pass for mean, std and squares, of the differences to the first value: near the mean, no digits are lost. Another pass for the counts. */
function momentsOf(values: FloatArray, counts: Uint32Array, fixedEnd?: number): Moments {
  const n = values.length;
  const first = values[0];
  let sum = 0;
  let squares = 0;
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const x = values[i];
    const difference = x - first;
    sum += difference;
    squares += difference * difference;
    largest = Math.max(largest, Math.abs(x));
  }
  const end = fixedEnd ?? roundedFinite(largest);
  if (end > 0) countIntervals(counts, values, end);
  return {
    mean: first + sum / n,
    std: deviation(sum, squares, n),
    squares: squares + first * (2 * sum + n * first),
    end,
  };
}

/** The std of n values with this sum and this sum of squares. */
function deviation(sum: number, squares: number, n: number): number {
  return Math.sqrt(Math.max(0, squares - (sum * sum) / n) / (n - 1));
}

/**
 * Counts in two halves, even and odd positions, and adds them up in the first one: a processor waits to add to a count that it has just
 * written. Each half has one interval more, for x = end.
 */
function countIntervals(counts: Uint32Array, values: FloatArray, end: number): void {
  const half = INTERVALS + 1;
  const middle = INTERVALS / 2;
  const perUnit = middle / end;
  const n = values.length;
  counts.fill(0);
  for (let i = 1; i < n; i += 2) {
    counts[(values[i - 1] * perUnit + middle) | 0]++;
    counts[half + ((values[i] * perUnit + middle) | 0)]++;
  }
  if (n % 2 === 1) counts[(values[n - 1] * perUnit + middle) | 0]++;
  for (let interval = 0; interval < half; interval++) counts[interval] += counts[half + interval];
  counts[INTERVALS - 1] += counts[INTERVALS];
}

/** The std of after - before. */
function deviationOfChange(before: FloatArray, after: FloatArray): number {
  const n = after.length;
  const first = after[0] - before[0];
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const difference = after[i] - before[i] - first;
    sum += difference;
    squares += difference * difference;
  }
  return deviation(sum, squares, n);
}

/** The number of values beyond {@link SATURATED}, and of columns in which every value is. */
function saturation(h: FloatArray, H: number): { saturated: number; dead: number } {
  const ofUnit = new Uint32Array(H);
  for (let i = 0; i < h.length; i += H) {
    for (let j = 0; j < H; j++) if (Math.abs(h[i + j]) > SATURATED) ofUnit[j]++;
  }
  const n = h.length / H;
  return { saturated: ofUnit.reduce((sum, count) => sum + count, 0), dead: ofUnit.filter((count) => count === n).length };
}

/** An array in the precision of the model: V8 slows down loops that have seen both array types. */
function likeParameters({ flatParameters }: Model, size: number): FloatArray {
  return flatParameters instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
}

function rounded(x: number): number | null {
  return Number.isFinite(x) ? roundedFinite(x) : null;
}

function roundedFinite(x: number): number {
  return Number(x.toPrecision(5));
}

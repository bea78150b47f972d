/** Judges a layer in one precision: all sizes, several draws, every real input. */

import { normal, randomStream } from '../../core/random.js';
import { sampleEntries } from '../comparison.js';
import { verdictOn } from '../verdict.js';
import { accumulating, type BackwardResult, Calls, type InputValue, LayerThrew, type Point } from './calls.js';
import { type Comparison, compareEntries, findWrongEntries } from './compare.js';
import { DRAW_MODES, type DrawMode } from './draw.js';
import { effortFor, entriesToName, isLarge } from './effort.js';
import { createExperiment, witnessOf } from './experiment.js';
import { checkFields, checkNames } from './fields.js';
import type { Arrays } from './float64.js';
import { type Gradient, judgedInputs, readGradients, strayNames, unknownName } from './gradients.js';
import type { Layer, Sizes } from './layer.js';
import type { Claim } from './measurement.js';
import { nameMistake } from './naming.js';
import { PropertyTally, recordCall, tryBackward, tryBatch } from './properties.js';
import type { InputRow, KinkSide, LayerReport, Mistake, Precision, Refusal } from './report.js';
import { EPSILON, magnitudeOf } from './rounding.js';
import { InputTally, rowOf, rowWithout, type Visit } from './rows.js';
import { sizesToTry, trainingsToTry } from './sizes.js';
import { sameNumbers } from './values.js';
import type { Witness } from './witness.js';

export interface JudgeOptions {
  name: string;
  seed: number | string;
  precision: Precision;
  arrays: Arrays;
}

/** Generic draws at each combination of sizes. */
const GENERIC_DRAWS = 3;
/** Further draws for one that is not finite. */
const REDRAWS = 4;
/** Entries of the Jacobian in a comparison that is kept until a name is looked for: 160 kB. */
const MOST_REUSED = 20_000;

/** The layer cannot be judged. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(id: Refusal['id'], text: string) {
    super(text);
    this.refusal = { id, text };
  }
}

/** Judges the layer. It does not throw because of the layer: the report says why it was refused. */
export async function judge(layer: Layer, options: JudgeOptions): Promise<LayerReport> {
  const judgement = new Judgement(layer, options);
  try {
    await judgement.run();
  } catch (error) {
    if (error instanceof Refused) return judgement.report(error.refusal);
    if (error instanceof LayerThrew) return judgement.report({ id: 'threw', text: error.message });
    throw error;
  }
  return judgement.report(null);
}

class Judgement {
  readonly #layer: Layer;
  readonly #options: JudgeOptions;
  readonly #calls: Calls;
  readonly #properties = new PropertyTally();
  readonly #inputs = new Map<string, InputTally>();
  readonly #visits: Visit[] = [];
  readonly #tried = { points: 0, dropped: 0, undecided: 0 };
  readonly #kinks: KinkSide[] = [];
  /** Wrong entries of large inputs, by sizes and input: found at one draw, they are compared at the others. */
  readonly #found = new Map<string, Int32Array>();
  /** Comparisons that serve for naming too, by point and input. */
  readonly #compared = new Map<string, { yours: Float64Array; comparison: Comparison }>();
  #noBatch: string | undefined;

  constructor(layer: Layer, options: JudgeOptions) {
    this.#layer = layer;
    this.#options = options;
    this.#calls = new Calls(layer, options.arrays);
  }

  async run(): Promise<void> {
    checkFields(this.#layer);
    for (const sizes of sizesToTry(this.#layer.sizes, this.#options.seed)) {
      for (const one of trainingsToTry(this.#layer.train)) await this.#judgeSizes(sizes, one);
    }
    if (this.#tried.points === 0) throw new Refused('not-finite', 'forward is not finite at any draw; draw inputs for which it is');
    this.#refuseUnmeasured();
    for (const [name, tally] of this.#inputs) if (tally.isWrong) await this.#name(name, tally);
  }

  /** @throws Refused for an input of which no entry was compared at a generic draw: nothing would be known of its gradient */
  #refuseUnmeasured(): void {
    const unmeasured = [...this.#inputs].filter(([, { row, compared }]) => row?.ok && compared === 0).map(([name]) => name);
    if (unmeasured.length === 0) return;
    const hint = 'forward changes abruptly at every draw; draw inputs where it is smooth, or list them as constant';
    throw new Refused('not-measured', `no derivative of ${unmeasured.join(', ')} could be measured: ${hint}`);
  }

  async #judgeSizes(sizes: Sizes, train: boolean): Promise<void> {
    let usesNormal = true;
    for (const mode of DRAW_MODES) {
      if (mode !== 'generic' && !usesNormal) return;
      for (let draw = 0; draw < (mode === 'generic' ? GENERIC_DRAWS : 1); draw++) {
        const visit = await this.#visit(sizes, train, mode, draw);
        if (!visit) continue;
        usesNormal = visit.point.usedNormal;
        if (mode === 'generic' && draw === 0) await this.#tryProperties(visit);
        await this.#judgePoint(visit, mode);
      }
    }
  }

  /** A point where forward is finite. Generic draws are repeated; others are dropped. */
  async #visit(sizes: Sizes, train: boolean, mode: DrawMode, draw: number): Promise<Visit | undefined> {
    for (let attempt = 0; attempt <= (mode === 'generic' ? REDRAWS : 0); attempt++) {
      const seed = `${this.#options.seed} ${JSON.stringify(sizes)} ${mode} ${draw} ${attempt}`;
      const point = await this.#calls.point({ sizes, train, draw, key: { seed, mode, precision: this.#options.precision } });
      checkNames(
        this.#layer,
        point.inputs.map((input) => input.name),
      );
      const bad = point.inputs.find(({ form, data }) => form && data.some((x) => !Number.isFinite(x)));
      if (bad) throw new Refused('not-finite', `the draw of ${bad.name} is not finite`);
      if (judgedInputs(this.#layer, point).length === 0)
        throw new Refused('threw', 'no input has a gradient: expected real numbers, such as draw.normal(3)');
      const outputs = await this.#calls.forward(point);
      if (outputs.data.every(Number.isFinite)) {
        this.#tried.points++;
        const magnitude = await magnitudeOf(this.#calls, point, outputs.data, this.#options.precision);
        return { point, outputs, magnitude, dout: cotangents(outputs.data.length, seed) };
      }
      this.#tried.dropped++;
    }
    return undefined;
  }

  async #tryProperties(visit: Visit): Promise<void> {
    const { point, outputs, dout } = visit;
    const again = await this.#calls.forward(point);
    const same = sameNumbers(again.data, outputs.data);
    this.#properties.record('deterministic', same, 'a second forward gives other numbers');
    if (!same)
      throw new Refused(
        'random',
        'forward gives other numbers each time: draw randomness from context.random(), which starts again for each forward',
      );
    const at = { calls: this.#calls, point };
    await tryBackward(this.#properties, at, dout, this.#options.precision);
    this.#noBatch ??= await tryBatch(this.#properties, at, dout, this.#options.precision);
  }

  async #judgePoint(visit: Visit, mode: DrawMode): Promise<void> {
    const { point, dout } = visit;
    const result = await this.#calls.backward(point, dout);
    recordCall(this.#properties, { calls: this.#calls, point }, result);
    if (mode === 'generic') this.#visits.push(visit);
    for (const [name, gradient] of readGradients(this.#layer, point, result)) {
      const tally = this.#tallyOf(name);
      const input = point.inputs.find((one) => one.name === name) as InputValue;
      if ('mistake' in gradient) tally.add(rowWithout(point, input, gradient.mistake));
      else await this.#compare(visit, mode, input, gradient.data, tally);
    }
    this.#recordUnknown(point, result);
  }

  #tallyOf(name: string): InputTally {
    const tally = this.#inputs.get(name) ?? new InputTally();
    this.#inputs.set(name, tally);
    return tally;
  }

  #recordUnknown(point: Point, result: BackwardResult): void {
    for (const name of strayNames(this.#layer, point, result)) {
      const mistake = unknownName(this.#layer, point, name);
      this.#properties.record('shapes', false, mistake.text);
      this.#tallyOf(name).add(rowWithout(point, undefined, mistake, name));
    }
  }

  async #compare(visit: Visit, mode: DrawMode, input: InputValue, yours: Float64Array, tally: InputTally): Promise<void> {
    const claim = this.#claim(visit, input, yours);
    const comparison = await compareEntries({ ...claim, scale: tally.scale }, await this.#entriesToCompare(claim, mode));
    if (mode === 'generic') {
      tally.scale = Math.max(tally.scale, comparison.summed);
      tally.compared += comparison.entries.length;
    }
    this.#tried.undecided += comparison.undecided;
    this.#kinks.push(...comparison.kinks);
    const notFinite = comparison.entries.some((entry) => !Number.isFinite(yours[entry]));
    this.#properties.record('finite', !notFinite, `the gradient of ${input.name} is not finite, although forward has a derivative`);
    if (isWorthKeeping(claim, comparison)) this.#compared.set(keyOf(visit.point, input.name), { yours, comparison });
    const row = rowOf(visit.point, input, yours, comparison);
    if (!row.ok && mode !== 'generic') tally.visits.push(visit);
    tally.add(row);
  }

  #claim({ point, outputs, magnitude, dout }: Visit, input: InputValue, yours: Float64Array): Claim {
    const { precision } = this.#options;
    // Noise of up to 4, and a gradient added to it, round once each.
    const rounding = accumulating(this.#layer, point).includes(input) ? 8 * EPSILON[precision] : 0;
    return { calls: this.#calls, point, input, yours, dout, outputs: outputs.data, magnitude, rounding, precision };
  }

  async #entriesToCompare(claim: Claim, mode: DrawMode): Promise<Int32Array> {
    const { yours, point, input } = claim;
    const isFirst = mode === 'generic' && point.draw === 0;
    const { entries, directions } = effortFor(yours.length, isLargeClaim(claim), mode, isFirst);
    const sample = sampleEntries(yours, entries, `${point.key.seed} entries ${input.name}`);
    if (entries === yours.length) return sample;
    const key = placeOf(point, input.name);
    const found = this.#found.get(key) ?? (await findWrongEntries(claim, directions));
    if (found.length > 0) this.#found.set(key, found);
    return Int32Array.from(new Set([...sample, ...found])).sort();
  }

  /** Collects what is known about a wrong input and looks for a name. */
  async #name(name: string, tally: InputTally): Promise<void> {
    const row = tally.row as InputRow;
    if (row.mistake && row.mistake.id !== 'wrong-shape') return;
    const generic = this.#visits.filter(({ point }) => point.inputs.some((input) => input.name === name));
    const witnesses = await this.#witnesses(name, generic);
    // Wrong at zeros or at large values only: what explains that is no name if it does not hold at the generic draws.
    const all = witnesses.some(isWrongAt) ? witnesses : [...witnesses, ...(await this.#witnesses(name, tally.visits))];
    if (all.length === 0) return;
    const notFinite = all.some(({ yours }) => yours.some((x) => !Number.isFinite(x)));
    const mistake = notFinite
      ? notFiniteMistake(name)
      : await nameMistake(name, all, createExperiment(this.#calls, this.#options.precision));
    tally.row = { ...row, mistake: mistake ?? row.mistake };
  }

  async #witnesses(name: string, visits: readonly Visit[]): Promise<Witness[]> {
    const witnesses: Witness[] = [];
    for (const visit of visits) {
      const { point, dout } = visit;
      const input = point.inputs.find((one) => one.name === name) as InputValue;
      const batch = this.#layer.batch?.letter;
      const known = this.#compared.get(keyOf(point, name));
      if (known) {
        witnesses.push(witnessOf(visit, input, { yours: known.yours, returned: undefined, batch }, known.comparison));
        continue;
      }
      const result = await this.#calls.backward(point, dout);
      const gradient = readGradients(this.#layer, point, result).get(name) as Gradient;
      if ('mistake' in gradient && !gradient.data) continue;
      const returned = 'mistake' in gradient ? gradient.data : undefined;
      const yours = returned || !gradient.data ? new Float64Array(input.data.length) : gradient.data;
      const claim = this.#claim(visit, input, yours);
      const found = this.#found.get(placeOf(point, name)) ?? [];
      const sampled = sampleEntries(yours, entriesToName(yours.length, isLargeClaim(claim)), `${point.key.seed} witness ${name}`);
      const comparison = await compareEntries(claim, Int32Array.from(new Set([...sampled, ...found])).sort());
      witnesses.push(witnessOf(visit, input, { yours, returned, batch }, comparison));
    }
    return witnesses;
  }

  report(refused: Refusal | null): LayerReport {
    const inputs = [...this.#inputs.values()].flatMap(({ row }) => (row ? [row] : []));
    const properties = this.#properties.rows({ batch: this.#noBatch ?? '' });
    const isRight = inputs.every(({ ok }) => ok) && properties.every(({ ok }) => ok !== false);
    const { name, precision } = this.#options;
    const tried = { ...this.#tried, kinks: this.#kinks.length, ...(this.#kinks.length > 0 && { taken: takenSide(this.#kinks) }) };
    return { name, ok: refused === null && isRight && inputs.length > 0, precision, refused, inputs, properties, tried };
  }
}

/** Whether a comparison would be the same for naming, and is small enough to keep until then. */
function isWorthKeeping(claim: Claim, { complete, jacobian }: Comparison): boolean {
  if (isLargeClaim(claim)) return true;
  return (
    complete &&
    (jacobian?.length ?? Number.POSITIVE_INFINITY) <= MOST_REUSED &&
    claim.yours.length <= entriesToName(claim.yours.length, false)
  );
}

function placeOf({ sizes, train }: Point, name: string): string {
  return JSON.stringify([sizes, train, name]);
}

function isLargeClaim({ yours, outputs }: Claim): boolean {
  return isLarge(yours.length + outputs.length);
}

/** Not uniform, and none near 0: uniform ones cancel in normalised layers. */
function cotangents(count: number, seed: string): Float64Array {
  const random = randomStream('grad-check', `${seed} dout`);
  return Float64Array.from({ length: count }, () => {
    const x = Math.round(normal(random) * 512) / 512;
    return x + (x < 0 ? -0.25 : 0.25);
  });
}

/** Identifies an input at a point. Training and evaluation have the same draws. */
function keyOf({ train, key }: Point, name: string): string {
  return `${train} ${key.seed} ${name}`;
}

function isWrongAt({ yours, right, limit }: Witness): boolean {
  return !verdictOn(yours, right, limit).ok;
}

function notFiniteMistake(name: string): Mistake {
  return { id: 'not-finite', text: `the gradient of ${name} is not finite, although forward has a derivative` };
}

function takenSide(kinks: readonly KinkSide[]): KinkSide | 'several' {
  return new Set(kinks).size === 1 ? kinks[0] : 'several';
}

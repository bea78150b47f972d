/** What becomes of dout, the gradient of the output: passed on, added, not used, changed before it is used. */

import type { Mistake } from '../report.js';
import { axisName, shapeAt } from './axes.js';
import { broadcastSums } from './broadcast.js';
import type { Candidate, Evidence, Point } from './evidence.js';
import { factorOf } from './factors.js';

/** A gradient that is the dout of an output, unchanged or times a constant. */
export function doutPassedOn(evidence: Evidence, shapes: 'same' | 'other'): Mistake | null {
  const passed = outputsOf(evidence).flatMap((name, o) => {
    if (hasInputsShape(evidence, o) !== (shapes === 'same')) return [];
    const factor = factorOf(evidence, (point) => doutOf(point, o));
    return factor ? [{ name, factor: factor.text }] : [];
  });
  if (passed.length !== 1) return null;
  const [{ name, factor }] = passed;
  const which = theDout(evidence, name);
  if (factor === '1') return { id: 'dout-passed-on', text: `you pass ${which} on unchanged` };
  return { id: 'dout-passed-on', text: `you pass ${which} on, times ${factor}`, factor };
}

/** The dout of an output, at the entries that were compared if it is as large as the input. */
function doutOf(point: Point, o: number): Float64Array {
  const { data } = point.witness.dout[o];
  return data.length === point.witness.input.data.length ? point.sample(data) : data;
}

/** The right gradient with dout added to it, or without a dout that belongs there. */
export function doutAdded(evidence: Evidence): Mistake | null {
  for (const [o, name] of outputsOf(evidence).entries()) {
    const which = theDout(evidence, name);
    const added = addedTo(evidence, (point) => doutOf(point, o));
    if (added === '-1') return { id: 'dout-missing', text: `${which} is missing: yours is the right gradient minus ${which}` };
    if (added === '1') return { id: 'dout-added', text: `yours is the right gradient plus ${which}` };
    if (added) return { id: 'dout-added', text: `yours is the right gradient plus ${added} times ${which}`, factor: added };
  }
  return null;
}

/** The constant factor of a term that was added to the right gradient. */
function addedTo(evidence: Evidence, term: (point: Point) => Float64Array): string | undefined {
  const difference = evidence.points.map((point) => point.differing());
  return factorOf(evidence.of(difference), term)?.text;
}

/** The right gradient for a dout of 1 in every entry, or any gradient that is the same for every dout. */
export async function doutUnused(evidence: Evidence): Promise<Mistake | null> {
  if (await evidence.isExplainedBy({ mistake: unused(ONES), predict: (point) => point.pull(() => point.dout.map(() => 1)) }))
    return unused(ONES);
  const constant = evidence.wrong.slice(0, CHECKED);
  for (const point of constant) {
    const doubled = await point.yoursWith('dout doubled', { dout: point.dout.map((value) => 2 * value) });
    const negated = await point.yoursWith('dout negated', { dout: point.dout.map((value) => -value) });
    if (!doubled || !negated || !point.agrees(doubled) || !point.agrees(negated)) return null;
  }
  return evidence.areEnough(evidence.wrong) ? unused('yours does not change when dout changes') : null;
}

const ONES = 'dout is not used: yours is the right gradient for a dout of 1 everywhere';
/** Points at which the backward pass is called with another dout. */
const CHECKED = 6;

function unused(text: string): Mistake {
  return { id: 'dout-unused', text };
}

/** Dout summed over the axes that the input does not have: the factor that each entry of dout is multiplied by is missing. */
export function* factorlessSums(evidence: Evidence): Iterable<Candidate> {
  for (const [o, name] of outputsOf(evidence).entries()) {
    for (const { over, sum } of broadcastSums(evidence, name)) {
      const text = `the factor of ${theDout(evidence, name)} is missing: yours is ${theDout(evidence, name)} itself, summed over ${over}`;
      yield { mistake: { id: 'missing-factor', text }, predict: (point, at) => sum(point.witness.dout[o].data, at) };
    }
  }
}

/** The right gradient for a dout that was changed, or without that of one output. */
export function* changedDout(evidence: Evidence): Iterable<Candidate> {
  const names = outputsOf(evidence);
  for (const [o, name] of names.entries()) {
    if (names.length === 1) break;
    const text = `the dout of ${name} is not used: yours is the right gradient without it`;
    const others = (point: Point) => point.witness.dout.flatMap(({ data }, i) => Array.from(data, (value) => (i === o ? 0 : value)));
    yield { mistake: { id: 'dout-missing', text, output: name }, predict: (point) => point.pull(() => Float64Array.from(others(point))) };
  }
  const changed = (what: string): Mistake => ({
    id: 'dout-changed',
    text: `dout is changed before it is used: yours is the right gradient for ${what}`,
  });
  for (const [what, change] of CHANGES) yield { mistake: changed(what), predict: (point) => point.pull(() => change(point.dout)) };
  if (names.length > 1) return;
  for (const { what, change } of alongAxes(evidence, names[0])) {
    yield { mistake: changed(what), predict: (point, at) => point.pull(() => change(point.dout, at)) };
  }
}

/** Dout with one value in the place of all along an axis of the output. */
function* alongAxes({ axes }: Evidence, output: string): Iterable<{ what: string; change(dout: Float64Array, at: number): Float64Array }> {
  for (const view of axes.views(output)) {
    for (const dim of view.axes.keys()) {
      for (const [what, reduce] of REDUCTIONS) {
        yield {
          what: `${what} along ${axisName(view, dim)} in the place of each entry`,
          change: (dout, at) => reducedAlong(dout, shapeAt(view, at), dim, reduce),
        };
      }
    }
  }
}

const REDUCTIONS: readonly [string, (line: Float64Array) => number][] = [
  ['the first entry of dout', (line) => line[0]],
  ['the last entry of dout', (line) => line[line.length - 1]],
  ['the mean of dout', (line) => sum(line) / line.length],
  ['the sum of dout', sum],
];

function reducedAlong(values: Float64Array, shape: readonly number[], dim: number, reduce: (line: Float64Array) => number): Float64Array {
  const inner = shape.slice(dim + 1).reduce((product, size) => product * size, 1);
  const size = shape[dim];
  const out = values.slice();
  for (let start = 0; start < values.length; start += size * inner) {
    for (let i = 0; i < inner; i++) {
      const at = (k: number) => start + i + k * inner;
      const reduced = reduce(Float64Array.from({ length: size }, (_, k) => values[at(k)]));
      for (let k = 0; k < size; k++) out[at(k)] = reduced;
    }
  }
  return out;
}

const CHANGES: readonly [string, (dout: Float64Array) => Float64Array][] = [
  ['the signs of dout', (dout) => dout.map(Math.sign)],
  ['the absolute values of dout', (dout) => dout.map(Math.abs)],
  ['the squares of dout', (dout) => dout.map((value) => value * value)],
  ['dout clipped to [-1, 1]', (dout) => dout.map((value) => Math.max(-1, Math.min(1, value)))],
  ['dout where it is above 0', (dout) => dout.map((value) => Math.max(0, value))],
];

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function outputsOf({ points }: Evidence): string[] {
  return points[0].witness.outputs.map(({ name }) => name);
}

function theDout(evidence: Evidence, name: string): string {
  return outputsOf(evidence).length === 1 ? 'dout' : `the dout of ${name}`;
}

/** Whether an output has the shape of the input; flat arrays serve for any shape. */
function hasInputsShape({ points }: Evidence, o: number): boolean {
  return points.every(({ witness: { shape, outputs } }) => {
    const other = outputs[o].shape;
    return shape.length < 2 || other.length < 2 || `${shape}` === `${other}`;
  });
}

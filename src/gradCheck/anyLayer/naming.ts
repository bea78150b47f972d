/**
 * Names what is wrong with the gradient of an input, without knowing the layer. Each explanation predicts a gradient from what was measured: the
 * right gradient, the Jacobian, dout, inputs and outputs. It is the name if it leaves less than 0.1 % of the difference at every size, over at
 * least three draws. The families are tried from the simplest to the most general: the first that explains is the name.
 */

import { changedDout, doutAdded, doutPassedOn, doutUnused, factorlessSums } from './naming/dout.js';
import { entryFactors } from './naming/elementwise.js';
import { Evidence, Point } from './naming/evidence.js';
import { oneExampleOnly } from './naming/examples.js';
import { constantFactor } from './naming/factors.js';
import { crossTerms, diagonalWrong, oneIndexOnly, overwritten } from './naming/masks.js';
import { exchangedGradients, otherInputs, rearranged, sameNumbers } from './naming/places.js';
import { borderOnly, oneIndexRight, repeatedRows } from './naming/regions.js';
import { broadcastSumMissing } from './naming/shapes.js';
import { derivativeAtInput, derivativeAtOutput, jacobianForTranspose, slopeElsewhere } from './naming/transposes.js';
import { exchanged, replaced, rightOnlyAtOne, transposed } from './naming/values.js';
import type { Mistake } from './report.js';
import type { Experiment, Witness } from './witness.js';

type Family = (evidence: Evidence) => Mistake | null | Promise<Mistake | null>;

/** From the simplest to the most general. */
const FAMILIES: readonly Family[] = [
  zeroEverywhere,
  inputUnused,
  constantFactor,
  exchangedGradients,
  (evidence) => doutPassedOn(evidence, 'same'),
  doutUnused,
  doutAdded,
  (evidence) => evidence.first(rearranged(evidence)),
  (evidence) => evidence.first(derivativeAtOutput(evidence)),
  jacobianForTranspose,
  (evidence) => evidence.first(crossTerms(evidence)),
  (evidence) => evidence.first(oneIndexOnly(evidence)),
  (evidence) => evidence.first(oneExampleOnly(evidence)),
  (evidence) => evidence.first(overwritten(evidence)),
  (evidence) => evidence.first(entryFactors(evidence)),
  (evidence) => evidence.first(factorlessSums(evidence)),
  (evidence) => doutPassedOn(evidence, 'other'),
  (evidence) => evidence.first(replaced(evidence)),
  (evidence) => evidence.first(transposed(evidence)),
  (evidence) => evidence.first(otherInputs(evidence)),
  (evidence) => evidence.first(derivativeAtInput(evidence)),
  (evidence) => evidence.first(slopeElsewhere(evidence)),
  (evidence) => evidence.first(changedDout(evidence)),
  sameNumbers,
  diagonalWrong,
  (evidence) => evidence.first(exchanged(evidence)),
  repeatedRows,
  oneIndexRight,
  borderOnly,
  rightOnlyAtOne,
];

/** The name of what is wrong with the gradient of an input, if one explains it everywhere, or in training only, or in evaluation only. */
export async function nameMistake(input: string, witnesses: readonly Witness[], experiment: Experiment): Promise<Mistake | null> {
  if (witnesses.length === 0) return null;
  const points = witnesses.map((witness) => new Point(witness, experiment));
  const wrongIn = new Set(points.filter(({ isWrong }) => isWrong).map(({ witness }) => witness.train));
  const [train] = wrongIn;
  const others = points.filter(({ witness }) => witness.train !== train);
  if (wrongIn.size !== 1 || others.length === 0) return nameFrom(input, points);
  const mistake = await nameFrom(
    input,
    points.filter((point) => !others.includes(point)),
  );
  return mistake && { ...mistake, text: `${train ? 'in training' : 'in evaluation'}, ${mistake.text}` };
}

async function nameFrom(input: string, points: readonly Point[]): Promise<Mistake | null> {
  const evidence = new Evidence(input, points);
  const witnesses = points.map(({ witness }) => witness);
  if (witnesses.some(({ returned }) => returned)) return broadcastSumMissing(evidence);
  if (!evidence.areEnough(evidence.wrong)) return null;
  for (const family of FAMILIES) {
    const mistake = await family(evidence);
    if (mistake) return mistake;
  }
  return null;
}

function zeroEverywhere({ points, wrong }: Evidence): Mistake | null {
  if (wrong.length === 0 || !points.every(({ yours }) => yours.every((value) => value === 0))) return null;
  return { id: 'zero-everywhere', text: 'yours is 0 everywhere' };
}

/** Points at which the outputs are computed with another input. */
const CHECKED = 3;

async function inputUnused({ input, points, wrong }: Evidence): Promise<Mistake | null> {
  if (!points.every(({ right }) => right.every((value) => value === 0))) return null;
  for (const point of wrong.slice(0, CHECKED)) {
    const other = point.witness.input.data.map((value) => 0.5 - 2 * value);
    const outputs = await point.outputsWith({ inputs: { [input]: other } });
    if (!outputs?.every((value, o) => value === point.output[o])) return null;
  }
  return { id: 'input-unused', text: `forward does not use ${input}: its right gradient is 0 everywhere` };
}

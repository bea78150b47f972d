import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/core/tensor.js';
import { checkAgainst } from '../../../src/dojo/against/checkAgainst.js';
import type { ValuesAndGradients } from '../../../src/dojo/learnerFile.js';
import { createNetworkCase, LESSON_CONFIG } from '../../../src/lesson/case.js';
import { exercise1, type GradientLines } from '../../../src/lesson/exercise1.js';
import { forward } from '../../../src/lesson/forward.js';
import { byName, LESSON_PARAMETER_NAMES } from '../../../src/network/parameters.js';
import { type AgainstCase, againstCase, fileOf, gradientsOf } from '../../support/against.js';

const judge = (given: AgainstCase, lines: Partial<GradientLines> = {}, options = {}) =>
  checkAgainst(fileOf(given, gradientsOf(given, { ...exercise1, ...lines }), options));

/** A batch whose contexts differ in one character only, of two whose embeddings are nearly the same: the variance is tiny. */
function alike(given: AgainstCase, apart: number): AgainstCase {
  const parameters = byName(
    LESSON_PARAMETER_NAMES,
    LESSON_PARAMETER_NAMES.map((name) => given.values[name].clone()),
  );
  const { Xb, Yb } = given.values;
  const E = parameters.C.shape[1];
  for (let k = 0; k < E; k++) parameters.C.data[2 * E + k] = parameters.C.data[E + k] * (1 + apart);
  const data = Xb.data.slice().fill(3);
  for (let i = 0; i < Xb.shape[0]; i++) data[i * Xb.shape[1]] = 1 + (i % 2);
  return { ...given, values: forward(parameters, { Xb: { ...Xb, data }, Yb }) };
}

describe('where float32 has few digits end to end', () => {
  it.each([
    [1e-2, 'without the forward pass', false],
    [1e-2, 'with the forward pass', true],
    [1e-4, 'with the forward pass', true],
  ])('a line is judged by what it was fed: contexts %d apart, %s', (apart, _, withForward) => {
    const given = alike(againstCase('float32'), apart);
    const options = { forward: withForward };
    expect(judge(given, {}, options)).toMatchObject({ ok: true, culprits: [] });
    const { ok, culprits } = judge(given, { dbnvar: (at) => exercise1.dbnvar(at).mul(1.02) }, options);
    expect({ ok, culprits }).toEqual({ ok: false, culprits: ['dbnvar'] });
  });
});

it('a float64 file is judged as float64, also where its mistake is as small as rounding in float32', () => {
  const { parameters, batch } = createNetworkCase(LESSON_CONFIG, 32, 'against');
  const given = { dtype: 'float64', values: forward({ ...parameters, W1: parameters.W1.mul(4) }, batch) } as const;
  const lines = { dbnvar: ({ bnvar, dbnvar_inv }: ValuesAndGradients) => bnvar.pow(-1.5).mul(-0.5).mul(dbnvar_inv) };
  const { ok, culprits, tensors } = judge(given, lines);
  expect({ ok, culprits }).toEqual({ ok: false, culprits: ['dbnvar'] });
  expect(tensors.find(({ name }) => name === 'dbnvar')?.error).toBeLessThan(5e-6);
});

it.each(['float32', 'float64'] as const)('Infinity in a gradient excuses no mistake below it, and blames no right line, in %s', (dtype) => {
  const given = againstCase(dtype, 5);
  const infinite = (tensor: Tensor) => {
    const out = tensor.clone();
    out.data[0] = Number.POSITIVE_INFINITY;
    return out;
  };
  const dlogits = (at: Parameters<GradientLines['dlogits']>[0]) => infinite(exercise1.dlogits(at));
  expect(judge(given, { dlogits }).culprits).toEqual(['dlogits']);
  const { culprits } = judge(given, { dlogits, dh: (at) => exercise1.dh(at).mul(2) });
  expect(culprits).toEqual(['dlogits', 'dh']);
  const right = gradientsOf(given);
  const finite = checkAgainst(fileOf(given, { ...right, dlogits: infinite(right.dlogits), dh: right.dh.mul(2) }));
  expect(finite.tensors.find(({ name }) => name === 'dh')).toMatchObject({
    verdict: 'wrong',
    remarks: [{ id: 'replaced', names: ['dlogits'], why: 'not-finite' }],
  });
});

import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../src/core/tensor.js';
import { checkAgainst } from '../../../src/dojo/against/checkAgainst.js';
import { remarkText } from '../../../src/dojo/against/remarks.js';
import { backward, GRADIENT_NAMES } from '../../../src/lesson/exercise1.js';
import { forwardLines } from '../../../src/lesson/forward.js';
import { type LessonValues, STEP_NAMES, type StepName } from '../../../src/lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../../src/network/parameters.js';
import { type Safetensors, type StoredTensor, storeFloats } from '../../../src/run/safetensors.js';
import { batchOf, loadFixture } from '../../support/fixtures.js';

const FIXTURE = loadFixture('gradients-n5-t2-e3-h7-v11-f64');
const KEEP = { keepdim: true };
const stored = ({ data, shape }: Tensor) => storeFloats(data, shape);

function pass(lines: Partial<Record<StepName, (at: LessonValues) => Tensor>> = {}): LessonValues {
  const batch = batchOf(FIXTURE);
  const values = { ...FIXTURE.parameters(), ...batch, n: batch.Xb.shape[0] } as LessonValues;
  for (const step of STEP_NAMES) values[step] = (lines[step] ?? forwardLines[step])(values);
  return values;
}

/** A file of parameters, batch and gradients, without forward values. */
function fileOf(values: LessonValues, change: Record<string, StoredTensor> = {}): Safetensors {
  const gradients = backward(values);
  const tensors = new Map([
    ...LESSON_PARAMETER_NAMES.map((name) => [name, stored(values[name])] as const),
    ...GRADIENT_NAMES.map((name) => [name, stored(gradients[name])] as const),
    ...(['Xb', 'Yb'] as const).map((name) => [name, FIXTURE.file.tensors.get(name) as StoredTensor] as const),
    ...Object.entries(change),
  ]);
  return { metadata: {}, tensors };
}

describe('without forward values, the gradients show a mistake of the forward pass:', () => {
  it('parameters saved after the update', () => {
    const values = pass();
    const gradients = backward(values);
    const after = LESSON_PARAMETER_NAMES.map((name) => [name, stored(values[name].sub(gradients[`d${name}`].mul(0.1)))] as const);
    const { ok, forward, culprits } = checkAgainst(fileOf(values, Object.fromEntries(after)));
    expect({ ok, culprits }).toEqual({ ok: false, culprits: [] });
    expect(forward).toMatchObject({ judgedOn: 'file', first: { name: 'parameters', cause: { id: 'after-update' } } });
  });

  it('the variance over n, beside a wrong line', () => {
    const values = pass({ bnvar: ({ bndiff2 }) => bndiff2.mean(0, KEEP) });
    const { forward, culprits } = checkAgainst(fileOf(values, { dbnbias: stored(backward(values).dhpreact.mean(0, KEEP)) }));
    expect(forward.first).toMatchObject({ name: 'bnvar', cause: { id: 'biased-variance' } });
    expect(culprits).toEqual(['dbnbias']);
  });

  it('another epsilon', () => {
    const { forward } = checkAgainst(fileOf(pass({ bnvar_inv: ({ bnvar }) => bnvar.add(0.0042).pow(-0.5) })));
    expect(forward.first).toMatchObject({ name: 'bnvar_inv', cause: { text: 'the epsilon is 0.0042, expected 1e-5' } });
  });

  it('a maximum that is not subtracted, which is only a remark', () => {
    const { ok, forward, remarks } = checkAgainst(fileOf(pass({ counts: ({ logits }) => logits.exp() })));
    expect({ ok, first: forward.first }).toEqual({ ok: true, first: null });
    expect(remarks.map(remarkText)).toEqual([expect.stringContaining('the maximum is not subtracted (harmless')]);
  });
});

it('a cause that the forward values show is kept, where the gradients have no other one', () => {
  const values = pass({ counts_sum: ({ counts }) => counts.sum(0) });
  const held = STEP_NAMES.filter((name) => name !== 'hprebn').map((name) => [name, stored(values[name])] as const);
  const { forward } = checkAgainst(fileOf(values, Object.fromEntries(held)));
  expect(forward.first).toMatchObject({ name: 'counts_sum', cause: { id: 'sum-over-batch' } });
});

it('wrong lines alone are not taken for a mistake of the forward pass', () => {
  const values = pass();
  const { dhpreact, dh, dprobs, dembact } = backward(values);
  const wrong = {
    dhpreact: stored(dh),
    dbnbias: stored(dhpreact.mean(0, KEEP)),
    dcounts_sum_inv: stored(dprobs.sum(1, KEEP)),
    dW1: stored(values.embact.T.matmul(dh)),
    dC: stored(values.C.mul(dembact.at(0, 0))),
  };
  const { forward, remarks } = checkAgainst(fileOf(values, wrong));
  expect({ first: forward.first, judgedOn: forward.judgedOn, remarks }).toEqual({ first: null, judgedOn: 'ours', remarks: [] });
});

it('forward values without gradients are judged alone', () => {
  const values = pass();
  const { tensors } = fileOf(values, { h: stored(values.h) });
  const { ok, compared, forward } = checkAgainst({
    metadata: {},
    tensors: new Map([...tensors].filter(([name]) => !name.startsWith('d'))),
  });
  expect({ ok, compared, first: forward.first, of: forward.compared }).toEqual({ ok: true, compared: 0, first: null, of: 1 });
});

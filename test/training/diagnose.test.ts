import { describe, expect, it } from 'vitest';
import { type FloatArray, sizeOf } from '../../src/core/tensor.js';
import { diagnose, diagnoseModel, isStepFinite } from '../../src/training/diagnose.js';
import { countedIndex, DEEP_ORDER, ORDER, stepped, TENSORS } from '../support/steppedModel.js';

describe('diagnose', () => {
  it('finds nothing if everything is finite', () => {
    const { model, activations } = stepped();
    expect(diagnose(model, activations)).toBeUndefined();
    expect(isStepFinite(model, activations)).toBe(true);
  });

  it.each([
    [[5], ORDER],
    [[5, 2], DEEP_ORDER],
  ])('covers every tensor of H %j', (hidden, order) => {
    const { tensors } = stepped(hidden);
    expect(Object.keys(tensors).sort()).toEqual(order.map(([tensor]) => tensor).sort());
    for (const [tensor, shape] of order) expect(tensors[tensor].length, tensor).toBe(sizeOf(shape));
  });

  it.each(TENSORS)('finds the first bad entry of $tensor and its index (H $H)', ({ tensor, shape, hidden }) => {
    const { model, activations, tensors } = stepped(hidden);
    const data = tensors[tensor];
    for (let entry = data.length - 1; entry >= 0; entry--) {
      // Later entries stay spoilt.
      data[entry] = [Number.NaN, Infinity, -Infinity][entry % 3];
      expect(diagnose(model, activations)).toMatchObject({ tensor, index: countedIndex(entry, shape), value: data[entry] });
    }
  });

  it.each(TENSORS)('names $tensor before all tensors that are computed later (H $H)', ({ tensor, at, order, hidden }) => {
    const { model, activations, tensors } = stepped(hidden);
    for (const [later] of order.slice(at)) tensors[later].fill(Number.NaN);
    expect(diagnose(model, activations)?.tensor).toBe(tensor);
  });

  it.each(TENSORS)('gives the largest entry of each of $inputs for $tensor (H $H)', ({ tensor, inputs, hidden, shapeOf }) => {
    const { model, activations, tensors } = stepped(hidden);
    tensors[tensor][0] = Number.NaN;
    const places = inputs.map((input, i) => {
      const entry = (7 * i + 3) % tensors[input].length;
      // Some are negative: only the magnitude counts.
      tensors[input][entry] = (i % 2 === 0 ? -1 : 1) * 2 ** (20 + i);
      return { tensor: input, index: countedIndex(entry, shapeOf(input)), value: tensors[input][entry] };
    });
    expect(diagnose(model, activations)?.inputs).toEqual(places);
  });

  it.each([Number.NaN, Infinity, -Infinity])('treats an input of %d as the largest', (value) => {
    const { model, activations, tensors } = stepped();
    tensors.W1[3] = Number.NaN;
    tensors.dW1[8] = 3e38;
    tensors.dW1[9] = value;
    expect(diagnose(model, activations)?.inputs).toEqual([{ tensor: 'dW1', index: [1, 4], value }]);
  });

  it('changes nothing', () => {
    const { model, activations, tensors } = stepped();
    tensors.h[2] = Number.NaN;
    const copy = () => ORDER.map(([tensor]) => [...tensors[tensor]]);
    const before = copy();
    diagnose(model, activations);
    isStepFinite(model, activations);
    expect(copy()).toEqual(before);
  });
});

describe('diagnoseModel', () => {
  it.each([
    ['bnmean', ['C', 'W1', 'b1']],
    ['bnvar', ['C', 'W1', 'b1']],
    ['blocks.2.bnmean', ['blocks.2.W', 'blocks.2.b']],
    ['blocks.2.bnvar', ['blocks.2.W', 'blocks.2.b']],
  ] as const)('finds %s, with the parameters it is computed from: %j', (statistic, inputs) => {
    const { model } = stepped([5, 2]);
    expect(diagnoseModel(model)).toBeUndefined();
    const data = model.statistics[statistic];
    data[1] = Infinity;
    const diagnosis = diagnoseModel(model);
    expect(diagnosis).toMatchObject({ tensor: statistic, index: [0, 1], value: Infinity });
    expect(diagnosis?.inputs.map(({ tensor }) => tensor)).toEqual(inputs);
  });

  it('names a parameter before a statistic, and the first block before the second', () => {
    const { model } = stepped([5, 2]);
    const found = (...broken: FloatArray[]) => {
      for (const data of broken) data[0] = Number.NaN;
      return diagnoseModel(model)?.tensor;
    };
    expect(found(model.statistics['blocks.2.bnmean'])).toBe('blocks.2.bnmean');
    expect(found(model.statistics.bnvar)).toBe('bnvar');
    expect(found(model.parameters['blocks.2.bnbias'])).toBe('blocks.2.bnbias');
  });
});

describe('isStepFinite', () => {
  // The loss, which is checked in every step, shows probs and losses.
  it.each(TENSORS.filter(({ tensor }) => !['probs', 'losses'].includes(tensor)))(
    'checks every entry of $tensor (H $H)',
    ({ tensor, hidden }) => {
      const { model, activations, tensors } = stepped(hidden);
      const data = tensors[tensor];
      for (let entry = 0; entry < data.length; entry++) {
        for (const value of [Number.NaN, Infinity, -Infinity]) {
          const before = data[entry];
          data[entry] = value;
          expect(isStepFinite(model, activations)).toBe(false);
          data[entry] = before;
        }
      }
      expect(isStepFinite(model, activations)).toBe(true);
    },
  );
});

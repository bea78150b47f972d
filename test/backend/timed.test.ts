import { describe, expect, it } from 'vitest';
import { type LayerCall, timedBackend } from '../../src/backend/timed.js';
import { createModel, createTrainingActivations } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { backward, forward } from '../../src/network/passes.js';
import { BACKENDS } from '../support/backends.js';

const CONFIG = { context: 3, embedding: 4, hidden: [9, 6], vocabulary: 7 };

describe.each(BACKENDS)('timedBackend on $name', ({ create }) => {
  /** One pass with a clock that advances by 1 ms per reading, and by 10 ms more in linearForward. */
  function pass(n: number) {
    let now = 0;
    const calls: LayerCall[] = [];
    const inner = create();
    const slow = {
      ...inner,
      linearForward: (...args: Parameters<typeof inner.linearForward>) => {
        now += 10;
        inner.linearForward(...args);
      },
    };
    const run = (backend: typeof inner) => {
      const model = createModel(backend, CONFIG);
      initialise(model, 1);
      const a = createTrainingActivations(model, n);
      const loss = forward(model, a);
      backward(model, a);
      backend.sgdUpdate(model.flatParameters, model.flatGradients, 0.1, model.flatParameters.length);
      return [loss, ...model.flatParameters];
    };
    const timed = run(
      timedBackend(
        slow,
        () => ++now,
        (call) => calls.push(call),
      ),
    );
    return { calls, timed, plain: run(create()) };
  }

  it('computes the same as the backend itself', () => {
    const { timed, plain } = pass(5);
    expect(timed).toEqual(plain);
  });

  it('reports every call in order, with its time minus the overhead of timing', () => {
    const { calls } = pass(5);
    expect(calls.map(({ layer, milliseconds }) => [layer, milliseconds])).toEqual([
      ['embeddingTableForward', 0],
      ['batchNormTanhForward', 0],
      ['linearForward', 10],
      ['batchNormTanhForward', 0],
      ['linearForward', 10],
      ['crossEntropyForward', 0],
      ['crossEntropyBackward', 0],
      ['linearBackward', 0],
      ['batchNormTanhBackward', 0],
      ['linearBackward', 0],
      ['batchNormTanhBackward', 0],
      ['embeddingTableBackward', 0],
      ['sgdUpdate', 0],
    ]);
  });

  it('counts the operations of each call from its sizes', () => {
    // The contexts are all zeros, so each of the 3 positions has one distinct character.
    const [table, norm, linear] = pass(5).calls;
    expect([table, norm, linear].map(({ operations }) => operations)).toEqual([2 * 3 * 4 * 9 + 5 * 3 * 9, 5 * 9 * 31, 2 * 5 * 9 * 6]);
    const plain = pass(3).calls;
    expect(plain.slice(0, 2).map(({ layer, operations }) => [layer, operations])).toEqual([
      ['embeddingForward', 0],
      ['linearForward', 2 * 3 * 12 * 9],
    ]);
    expect(plain.at(-2)).toMatchObject({ layer: 'embeddingBackward', operations: 3 * 3 * 4 });
  });
});

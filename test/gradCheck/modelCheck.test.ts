import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { DEEP_BATCH_SIZES } from '../../src/gradCheck/gradCheck.js';
import { checkModel, modelOf } from '../../src/gradCheck/modelCheck.js';
import { createLessonCase, createNetworkCase } from '../../src/lesson/case.js';

import { blockName, LESSON_PARAMETER_NAMES, type ModelConfig, parameterNames, parameterShapes } from '../../src/network/parameters.js';
import { backward, forward } from '../../src/network/passes.js';
import { BACKEND_MUTANTS, deepRed, withMistake } from '../support/backendMutants.js';
import { OPTIONS, redRows, SMALL, SMALL_DEEP } from '../support/checkOptions.js';

const CASES = [2, 3, 32].map((n) => createLessonCase(SMALL, n, OPTIONS.seed));
const DEEP_CASES = DEEP_BATCH_SIZES.map((n) => createNetworkCase(SMALL_DEEP, n, OPTIONS.seed));
const SMALL_PLAIN: ModelConfig = { ...SMALL_DEEP, norm: 'none' };
const PLAIN_CASES = CASES.map(({ n }) => createNetworkCase(SMALL_PLAIN, n, OPTIONS.seed));
const backend = createReferenceBackend('float64');

describe("the check of the network's backward pass in float64", () => {
  it.each(CASES)('passes the lesson network with a row for each parameter, n = $n', (networkCase) => {
    const rows = checkModel(networkCase, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(LESSON_PARAMETER_NAMES.map((name) => `d${name}`));
    expect(redRows(rows)).toEqual([]);
    expect(rows.filter((row) => row.structuralZero).map((row) => row.name)).toEqual(['db1']);
    for (const name of LESSON_PARAMETER_NAMES) {
      expect(rows.find((row) => row.name === `d${name}`)).toMatchObject({
        part: 'model',
        witness: 'end-to-end differences',
        n: networkCase.n,
        shape: parameterShapes(SMALL)[name],
      });
    }
  });

  it.each(BACKEND_MUTANTS)('fails exactly $red: $layer, $mistake', (mutant) => {
    for (const networkCase of CASES.filter(({ n }) => mutant.batches?.includes(n) !== false)) {
      expect(redRows(checkModel(networkCase, OPTIONS, withMistake(backend, mutant))).sort(), `n = ${networkCase.n}`).toEqual(
        [...mutant.red].sort(),
      );
    }
  });

  it.each(DEEP_CASES)('passes three blocks with a row for each parameter, n = $n', (networkCase) => {
    const rows = checkModel(networkCase, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(parameterNames(SMALL_DEEP).map((name) => `d${name}`));
    expect(redRows(rows)).toEqual([]);
    expect(rows.filter((row) => row.structuralZero).map((row) => row.name)).toEqual(['db1', 'dblocks.2.b', 'dblocks.3.b']);
    for (const name of parameterNames(SMALL_DEEP)) {
      expect(rows.find((row) => row.name === `d${name}`)).toMatchObject({
        n: networkCase.n,
        hidden: [5, 6, 8],
        shape: parameterShapes(SMALL_DEEP)[name],
      });
    }
  });

  it.each(BACKEND_MUTANTS)('fails $red of each of three blocks and the gradients below: $layer, $mistake', (mutant) => {
    for (const networkCase of DEEP_CASES.filter(({ n }) => mutant.batches?.includes(n) !== false)) {
      const rows = checkModel(networkCase, OPTIONS, withMistake(backend, mutant));
      expect(redRows(rows).sort(), `n = ${networkCase.n}`).toEqual(deepRed(mutant, 3).sort());
    }
  });

  it.each(PLAIN_CASES)('passes three blocks without batch norm, where the gradient of b is not 0, n = $n', (networkCase) => {
    const rows = checkModel(networkCase, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(parameterNames(SMALL_PLAIN).map((name) => `d${name}`));
    expect(redRows(rows)).toEqual([]);
    for (const row of rows) expect(row).toMatchObject({ norm: 'none', structuralZero: false });
  });

  it.each(BACKEND_MUTANTS.filter(({ layer }) => layer.startsWith('tanh')))(
    'fails everything below tanh in three blocks without batch norm: $layer, $mistake',
    (mutant) => {
      const red = ['dC', 'dW1', 'db1', 'dblocks.2.W', 'dblocks.2.b', 'dblocks.3.W', 'dblocks.3.b'];
      for (const networkCase of PLAIN_CASES) {
        const rows = checkModel(networkCase, OPTIONS, withMistake(backend, mutant));
        expect(redRows(rows), `n = ${networkCase.n}`).toEqual(red);
      }
    },
  );

  it('fails db of every block, if it is averaged over the batch: batch norm hides that below the output', () => {
    const mutant = BACKEND_MUTANTS.find(({ mistake }) => mistake === 'db averaged over the batch') as (typeof BACKEND_MUTANTS)[number];
    for (const networkCase of PLAIN_CASES) {
      const rows = checkModel(networkCase, OPTIONS, withMistake(backend, mutant));
      expect(redRows(rows), `n = ${networkCase.n}`).toEqual(['db1', 'dblocks.2.b', 'dblocks.3.b', 'db2']);
    }
  });

  it.each([
    [1, ['dC', 'dW1']],
    [2, ['dC', 'dW1', 'dbnbias', 'dbngain', 'dblocks.2.W']],
    [3, ['dC', 'dW1', 'dbnbias', 'dbngain', 'dblocks.2.W', 'dblocks.2.bnbias', 'dblocks.2.bngain', 'dblocks.3.W']],
  ])('fails only what is computed from a wrong batch norm of block %i: %j', (K, red) => {
    const H = SMALL_DEEP.hidden[K - 1];
    const mistaken = {
      ...backend,
      batchNormTanhBackward: (...args: Parameters<typeof backend.batchNormTanhBackward>) => {
        backend.batchNormTanhBackward(...args);
        if (args.at(-1) === H) for (let i = 0; i < args[0].length; i++) args[0][i] *= 1.001;
      },
    };
    for (const networkCase of DEEP_CASES)
      expect(redRows(checkModel(networkCase, OPTIONS, mistaken)).sort(), `n = ${networkCase.n}`).toEqual(red.sort());
  });

  it('fails the row of a gradient with NaN', () => {
    const broken = {
      ...backend,
      embeddingBackward: (...args: Parameters<typeof backend.embeddingBackward>) => {
        backend.embeddingBackward(...args);
        args[0][0] = Number.NaN;
      },
    };
    expect(redRows(checkModel(CASES[1], OPTIONS, broken))).toEqual(['dC']);
  });
});

describe('modelOf', () => {
  it("puts a case's parameters and batch on a backend, with the lesson's loss within 1e-12", () => {
    const networkCase = CASES[2];
    const { model, activations } = modelOf(networkCase, backend);
    expect(Math.abs(forward(model, activations) - networkCase.values.loss.item())).toBeLessThan(1e-12);
    backward(model, activations);
    for (const name of LESSON_PARAMETER_NAMES) expect([...model.parameters[name]]).toEqual([...networkCase.parameters[name].data]);
  });

  it.each(DEEP_CASES)('does so for three blocks, with the loss of the formulas in tensors within 1e-12, n = $n', (networkCase) => {
    const { n, parameters, batch } = networkCase;
    const { model, activations } = modelOf(networkCase, backend);
    let x = parameters.C.gatherRows(batch.Xb).view([n, 12]);
    for (const K of [1, 2, 3]) {
      const [W, b, bngain, bnbias] = (['W', 'b', 'bngain', 'bnbias'] as const).map((tensor) => parameters[blockName(K, tensor)]);
      const hprebn = x.matmul(W).add(b);
      const bndiff = hprebn.sub(hprebn.sum(0, { keepdim: true }).mul(1 / n));
      const bnvar = bndiff
        .pow(2)
        .sum(0, { keepdim: true })
        .mul(1 / (n - 1));
      x = bndiff.mul(bnvar.add(1e-5).pow(-0.5)).mul(bngain).add(bnbias).tanh();
      expect(networkCase.blocks[K - 1].h.data).toEqual(x.data);
    }
    const counts = x.matmul(parameters.W2).add(parameters.b2).exp();
    const loss = counts
      .div(counts.sum(1, { keepdim: true }))
      .log()
      .pick(batch.Yb)
      .mean()
      .neg()
      .item();
    expect(Math.abs(forward(model, activations) - loss)).toBeLessThan(1e-12);
    for (const name of parameterNames(SMALL_DEEP)) expect([...model.parameters[name]]).toEqual([...parameters[name].data]);
  });
});

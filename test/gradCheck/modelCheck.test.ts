import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { DEEP_BATCH_SIZES } from '../../src/gradCheck/gradCheck.js';
import { checkModel, modelOf } from '../../src/gradCheck/modelCheck.js';
import { createCase, createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { backward, forward } from '../../src/network/model.js';
import { blockName, LESSON_PARAMETER_NAMES, parameterNames, parameterShapes } from '../../src/network/parameters.js';
import { BACKEND_MUTANTS, deepRed, withMistake } from '../support/backendMutants.js';
import { OPTIONS, redRows, SMALL, SMALL_DEEP } from '../support/checkOptions.js';

const CASES = [2, 3, 32].map((n) => createLessonCase(SMALL, n, OPTIONS.seed));
const DEEP_CASES = DEEP_BATCH_SIZES.map((n) => createCase(SMALL_DEEP, n, OPTIONS.seed));
const backend = createReferenceBackend('float64');

describe("the check of the model's backward pass, float64, at n = 2, 3 and 32", () => {
  it.each(CASES)('passes the layers as they are, one row for each parameter, n = $n', (given) => {
    const rows = checkModel(given, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(LESSON_PARAMETER_NAMES.map((name) => `d${name}`));
    expect(redRows(rows)).toEqual([]);
    expect(rows.filter((row) => row.structuralZero).map((row) => row.name)).toEqual(['db1']);
    for (const name of LESSON_PARAMETER_NAMES) {
      expect(rows.find((row) => row.name === `d${name}`)).toMatchObject({
        part: 'model',
        witness: 'end-to-end differences',
        n: given.n,
        shape: parameterShapes(SMALL)[name],
      });
    }
  });

  it.each(BACKEND_MUTANTS)('$layer, $mistake: $red turn red, and no other', (mutant) => {
    for (const given of CASES.filter(({ n }) => mutant.batches?.includes(n) !== false)) {
      expect(redRows(checkModel(given, OPTIONS, withMistake(backend, mutant))).sort(), `n = ${given.n}`).toEqual([...mutant.red].sort());
    }
  });

  it.each(DEEP_CASES)('passes the layers as they are in three blocks, one row for each parameter, n = $n', (given) => {
    const rows = checkModel(given, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(parameterNames(SMALL_DEEP).map((name) => `d${name}`));
    expect(redRows(rows)).toEqual([]);
    expect(rows.filter((row) => row.structuralZero).map((row) => row.name)).toEqual(['db1', 'dblocks.2.b', 'dblocks.3.b']);
    for (const name of parameterNames(SMALL_DEEP)) {
      expect(rows.find((row) => row.name === `d${name}`)).toMatchObject({
        n: given.n,
        hidden: [5, 6, 8],
        shape: parameterShapes(SMALL_DEEP)[name],
      });
    }
  });

  it.each(BACKEND_MUTANTS)('in three blocks, $layer, $mistake: $red of each block turn red, and what lies below', (mutant) => {
    for (const given of DEEP_CASES.filter(({ n }) => mutant.batches?.includes(n) !== false)) {
      const rows = checkModel(given, OPTIONS, withMistake(backend, mutant));
      expect(redRows(rows).sort(), `n = ${given.n}`).toEqual(deepRed(mutant, 3).sort());
    }
  });

  it.each([
    [1, ['dC', 'dW1']],
    [2, ['dC', 'dW1', 'dbnbias', 'dbngain', 'dblocks.2.W']],
    [3, ['dC', 'dW1', 'dbnbias', 'dbngain', 'dblocks.2.W', 'dblocks.2.bnbias', 'dblocks.2.bngain', 'dblocks.3.W']],
  ])('a mistake in the batch norm of block %i only turns red what is computed from it: %j', (K, red) => {
    const H = SMALL_DEEP.hidden[K - 1];
    const mistaken = {
      ...backend,
      batchNormTanhBackward: (...args: Parameters<typeof backend.batchNormTanhBackward>) => {
        backend.batchNormTanhBackward(...args);
        if (args.at(-1) === H) for (let i = 0; i < args[0].length; i++) args[0][i] *= 1.001;
      },
    };
    for (const given of DEEP_CASES) expect(redRows(checkModel(given, OPTIONS, mistaken)).sort(), `n = ${given.n}`).toEqual(red.sort());
  });

  it.each(['Bessel factor 1 for n/(n-1)', "'=' for '+='"])('sees in the lesson network: %s', (mistake) => {
    const mutants = BACKEND_MUTANTS.filter((mutant) => mutant.mistake === mistake);
    expect(mutants.length).toBe(1);
    for (const n of [2, 3, 32]) {
      const given = createCase(LESSON_CONFIG, n, OPTIONS.seed);
      for (const mutant of mutants) {
        expect(redRows(checkModel(given, OPTIONS, withMistake(backend, mutant))).sort(), `n = ${n}`).toEqual([...mutant.red].sort());
      }
    }
  });

  it('NaN in a gradient fails its row', () => {
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
  it("puts a case's parameters and batch on a backend, where the loss is the lesson's within 1e-12", () => {
    const given = CASES[2];
    const { model, activations } = modelOf(given, backend);
    expect(Math.abs(forward(model, activations) - given.values.loss.item())).toBeLessThan(1e-12);
    backward(model, activations);
    for (const name of LESSON_PARAMETER_NAMES) expect([...model.parameters[name]]).toEqual([...given.parameters[name].data]);
  });

  it.each(DEEP_CASES)('and of three blocks, where the loss is that of the formulas written with tensors, within 1e-12, n = $n', (given) => {
    const { n, parameters, batch } = given;
    const { model, activations } = modelOf(given, backend);
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
      expect(given.blocks[K - 1].h.data).toEqual(x.data);
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

import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { createCase, LESSON_CONFIG } from '../../src/gradCheck/case.js';
import { checkModel, modelOf } from '../../src/gradCheck/modelCheck.js';
import { backward, forward, PARAMETER_NAMES, parameterShapes } from '../../src/model.js';
import { BACKEND_MUTANTS, withMistake } from './backendMutants.js';
import { OPTIONS, redRows, SMALL } from './support.js';

const CASES = [2, 3, 32].map((n) => createCase(SMALL, n, OPTIONS.seed));
const backend = createReferenceBackend('float64');

describe("the check of the model's backward pass, float64, at n = 2, 3 and 32", () => {
  it.each(CASES)('passes the layers as they are, one row for each parameter, n = $n', (given) => {
    const rows = checkModel(given, OPTIONS);
    expect(rows.map((row) => row.name)).toEqual(PARAMETER_NAMES.map((name) => `d${name}`));
    expect(redRows(rows)).toEqual([]);
    expect(rows.filter((row) => row.structuralZero).map((row) => row.name)).toEqual(['db1']);
    for (const name of PARAMETER_NAMES) {
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
    for (const name of PARAMETER_NAMES) expect([...model.parameters[name]]).toEqual([...given.parameters[name].data]);
  });
});

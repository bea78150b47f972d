import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { activationTensors, createModel, createTrainingActivations, modelTensors } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { passOrigins } from '../../src/network/origins.js';
import { NORMS, type Norm } from '../../src/network/parameters.js';
import { backward, forward } from '../../src/network/passes.js';

/** The number of leading arguments of a layer that are outputs. */
const OUTPUTS = {
  embeddingTableForward: 2,
  linearForward: 1,
  batchNormTanhForward: 3,
  tanhForward: 1,
  crossEntropyForward: 2,
  crossEntropyBackward: 1,
  linearBackward: 3,
  batchNormTanhBackward: 3,
  tanhBackward: 1,
  embeddingTableBackward: 4,
} as const;

interface Call {
  outputs: string[];
  inputs: string[];
}

/** The named tensors that each layer call of one step writes and reads. */
function callsOfStep(hidden: readonly number[], norm: Norm): Call[] {
  const backend = createReferenceBackend('float32');
  const calls: Call[] = [];
  const nameOf = new Map<unknown, string>();
  for (const [layer, outputs] of Object.entries(OUTPUTS)) {
    const run = backend[layer as keyof typeof OUTPUTS] as (...args: unknown[]) => void;
    const recorded = (...args: unknown[]) => {
      const names = (from: number, to?: number) => args.slice(from, to).flatMap((arg) => nameOf.get(arg) ?? []);
      calls.push({ outputs: names(0, outputs), inputs: names(outputs) });
      run(...args);
    };
    Object.assign(backend, { [layer]: recorded });
  }
  const model = createModel(backend, { context: 2, embedding: 3, hidden, vocabulary: 7, norm });
  initialise(model, 1);
  const activations = createTrainingActivations(model, 4);
  for (const [name, { data }] of Object.entries({ ...modelTensors(model), ...activationTensors(model, activations) }))
    nameOf.set(data, name);
  forward(model, activations);
  backward(model, activations);
  return calls;
}

const CASES = [[5], [5, 2], [5, 3, 2]].flatMap((hidden) => NORMS.map((norm) => ({ hidden, norm })));
describe.each(CASES)('passOrigins for H $hidden, norm $norm', ({ hidden, norm }) => {
  const origins = passOrigins({ context: 2, embedding: 3, hidden, vocabulary: 7, norm });
  const calls = callsOfStep(hidden, norm);

  it('lists for every layer call what the call writes and reads', () => {
    for (const { outputs, inputs } of calls) {
      const rows = origins.filter(([tensor]) => outputs.includes(tensor));
      const read = new Set(rows.flatMap(([, from]) => from).filter((tensor) => !outputs.includes(tensor)));
      expect({ outputs: rows.map(([tensor]) => tensor).sort(), inputs: [...read].sort() }).toEqual({
        outputs: [...outputs].sort(),
        inputs: [...inputs].sort(),
      });
    }
  });

  it('lists the tensors in the order of the calls', () => {
    const order = origins.map(([tensor]) => calls.findIndex(({ outputs }) => outputs.includes(tensor)));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
  });
});

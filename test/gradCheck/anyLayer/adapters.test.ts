import { describe, expect, it } from 'vitest';
import { fromActivation, fromClass, fromLoss } from '../../../src/gradCheck/anyLayer/adapters.js';
import { checkLayer } from '../../../src/gradCheck/anyLayer/checkLayer.js';
import type { Draw, Layer } from '../../../src/gradCheck/anyLayer/layer.js';

/** y = x w + b, as people write it: arrays of float32, gradients added to. */
class Dense {
  readonly weight: Float32Array;
  readonly dweight: Float32Array;
  readonly bias: Float32Array;
  readonly dbias: Float32Array;
  readonly inputs: number;
  readonly units: number;
  x: Float32Array = new Float32Array();

  constructor(inputs: number, units: number) {
    this.inputs = inputs;
    this.units = units;
    this.weight = Float32Array.from({ length: inputs * units }, () => Math.random() - 0.5);
    this.dweight = new Float32Array(inputs * units);
    this.bias = new Float32Array(units);
    this.dbias = new Float32Array(units);
  }

  forward(x: Float32Array): Float32Array {
    this.x = x;
    const y = new Float32Array((x.length / this.inputs) * this.units);
    this.#each((n, i, u) => {
      y[n * this.units + u] += x[n * this.inputs + i] * this.weight[i * this.units + u] + (i === 0 ? this.bias[u] : 0);
    });
    return y;
  }

  backward(dy: Float32Array): Float32Array {
    const dx = new Float32Array(this.x.length);
    this.#each((n, i, u) => {
      const d = dy[n * this.units + u];
      dx[n * this.inputs + i] += d * this.weight[i * this.units + u];
      this.dweight[i * this.units + u] += d * this.x[n * this.inputs + i];
      if (i === 0) this.addToBias(u, d);
    });
    return dx;
  }

  protected addToBias(u: number, d: number): void {
    this.dbias[u] += d;
  }

  #each(visit: (n: number, i: number, u: number) => void): void {
    for (let n = 0; n < this.x.length / this.inputs; n++) {
      for (let i = 0; i < this.inputs; i++) for (let u = 0; u < this.units; u++) visit(n, i, u);
    }
  }
}

/** Sets the gradient of the bias where it must add to it. */
class Overwriting extends Dense {
  protected override addToBias(u: number, d: number): void {
    this.dbias[u] = d;
  }
}

const DENSE = {
  sizes: { n: [1, 3], i: [2], u: [4] },
  parameters: { weight: ['weight', 'dweight'], bias: ['bias', 'dbias'] },
} as const;

const dense = (Class: typeof Dense, accumulates: boolean | string[] = false) =>
  fromClass({
    ...DENSE,
    create: ({ i, u }) => new Class(i, u),
    input: ({ n, i }, draw) => Float32Array.from(draw.normal(n, i).data),
    accumulates,
    batch: { letter: 'n', inputs: ['x'] },
  });

/** The names of the wrong inputs; the refusal, if the layer was refused. */
async function wrongOf(layer: Layer): Promise<string[] | string> {
  const { refused, inputs } = await checkLayer(layer);
  return refused?.text ?? inputs.filter(({ ok }) => !ok).map(({ name }) => name);
}

describe('a layer from a class', () => {
  it('is judged by its input x and its parameters, in float64, although the class starts from Math.random', async () => {
    const report = await checkLayer(dense(Dense));
    expect(report).toMatchObject({ ok: true, precision: 'float64', refused: null });
    expect(report.inputs.map(({ name }) => name)).toEqual(['x', 'weight', 'bias']);
    expect(report.properties.find(({ name }) => name === 'batch')?.ok).toBe(true);
  });

  it('gives the same report each time, and leaves Math.random as it was', async () => {
    const { random } = Math;
    expect(await checkLayer(dense(Overwriting))).toEqual(await checkLayer(dense(Overwriting)));
    expect(Math.random).toBe(random);
  });

  it('leaves Math.random as it was when the class throws', async () => {
    const { random } = Math;
    const layer = fromClass({ create: () => JSON.parse('{'), input: (_, draw) => draw.normal(2) });
    expect(await wrongOf(layer)).toContain('SyntaxError');
    expect(Math.random).toBe(random);
  });

  it('fails if it overwrites a gradient', async () => {
    expect(await wrongOf(dense(Overwriting))).toEqual(['bias']);
  });

  it('may add to the gradients that are there, of all parameters or of those named', async () => {
    expect(await wrongOf(dense(Dense, true))).toEqual([]);
    expect(await wrongOf(dense(Dense, ['bias']))).toEqual([]);
    expect(await wrongOf(dense(Overwriting, true))).toEqual(['bias']);
  });

  /** y = gain · x, with a gradient of x that forgets the gain. */
  class Gain {
    gain = new Float64Array(3).fill(1);
    dgain = new Float64Array(3);
    x: Float64Array = new Float64Array(3);
    forward(x: Float64Array): Float64Array {
      this.x = x;
      return x.map((entry, i) => entry * this.gain[i]);
    }
    backward(dy: Float64Array): Float64Array {
      this.dgain = dy.map((d, i) => d * this.x[i]);
      return dy.slice();
    }
  }
  const three = (_: object, draw: Draw) => Float64Array.from(draw.normal(3).data);

  it('does not pass because a gain starts at 1, unless the gain is constant', async () => {
    const layer = { create: () => new Gain(), input: three, parameters: { gain: ['gain', 'dgain'] } } as const;
    expect(await wrongOf(fromClass(layer))).toEqual(['x']);
    expect(await wrongOf(fromClass({ ...layer, constant: ['gain'] }))).toEqual([]);
  });

  it('finds parameters and methods by path', async () => {
    const layer = fromClass({
      sizes: DENSE.sizes,
      create: ({ i, u }) => ({ net: { layers: [new Dense(i, u)] } }),
      input: ({ n, i }, draw) => Float32Array.from(draw.normal(n, i).data),
      parameters: { 'layer 0': ['net.layers.0.weight', 'net.layers[0].dweight'] },
      forward: 'net.layers.0.forward',
      backward: 'net.layers.0.backward',
    });
    expect((await checkLayer(layer)).inputs.map(({ name, ok }) => [name, ok])).toEqual([
      ['x', true],
      ['layer 0', true],
    ]);
  });

  it('finds what the class keeps private, and numbers', async () => {
    class Scale {
      #factor = [2];
      private slope = 0;
      private x = 0;
      get factor() {
        return this.#factor;
      }
      shift = 0;
      forward(x: number) {
        this.x = x;
        return x * this.#factor[0] + this.shift;
      }
      backward(dy: number) {
        this.slope = dy * this.x;
        return dy * this.#factor[0];
      }
      read = () => this.slope;
      dshift = 1;
    }
    const layer = fromClass({
      create: () => new Scale(),
      input: (_, draw) => draw.normal(),
      parameters: { factor: ['factor', 'slope'], shift: ['shift', 'dshift'] },
    });
    expect(await wrongOf(layer)).toEqual(['shift']);
  });

  it('may keep the output and the gradient of x in the instance', async () => {
    class Square {
      inputs: Float64Array = new Float64Array();
      output = new Float64Array();
      dinputs = new Float64Array();
      forward(inputs: Float64Array) {
        this.inputs = inputs;
        this.output = inputs.map((x) => x * x);
      }
      backward(dvalues: Float64Array) {
        this.dinputs = dvalues.map((d, i) => 2 * d * this.inputs[i]);
      }
    }
    const layer = fromClass({ create: () => new Square(), input: three, output: 'output', inputGradient: 'dinputs' });
    expect(await wrongOf(layer)).toEqual([]);
  });

  it('may be async', async () => {
    class Later {
      async forward(x: number) {
        return 3 * x;
      }
      async backward(dy: number) {
        return 3 * dy;
      }
    }
    expect(await wrongOf(fromClass({ create: async () => new Later(), input: (_, draw) => draw.normal() }))).toEqual([]);
  });

  it('may have an input of indices, which has no gradient', async () => {
    class Embedding {
      table = [0, 1, 2, 3].map((row) => [row, Math.random()]);
      dtable = this.table.map(() => [0, 0]);
      at: Int32Array = new Int32Array();
      forward(at: Int32Array) {
        this.at = at;
        return Array.from(at, (row) => [...this.table[row]]);
      }
      backward(dy: number[][]) {
        this.at.forEach((row, i) => {
          for (let e = 0; e < 2; e++) this.dtable[row][e] += dy[i][e];
        });
        return null;
      }
    }
    const layer = fromClass({
      create: () => new Embedding(),
      input: (_, draw) => draw.index(5, 4),
      parameters: { table: ['table', 'dtable'] },
    });
    expect((await checkLayer(layer)).inputs.map(({ name, ok }) => [name, ok])).toEqual([['table', true]]);
  });

  it('gets the context where a method has a second parameter without a default', async () => {
    const seen: unknown[][] = [];
    const layer = fromClass({
      create: () => ({
        forward(x: number, context: { train: boolean }) {
          seen.push(['forward', context.train]);
          return x;
        },
        backward(dy: number, rate = 0.1) {
          seen.push(['backward', rate]);
          return dy;
        },
      }),
      input: (_, draw) => draw.normal(),
      train: false,
    });
    expect(await wrongOf(layer)).toEqual([]);
    expect(new Set(seen.map(String))).toEqual(new Set(['forward,false', 'backward,0.1']));
  });

  it.each([
    [{ parameters: { weight: ['weigth', 'dweight'] } }, 'the instance has no weigth, named as the parameter weight; did you mean weight?'],
    [
      { parameters: { weight: ['weight', 'dwieght'] } },
      'the instance has no dwieght, named as the gradient of weight; did you mean dweight?',
    ],
    [{ parameters: { weight: ['wheels.0', 'dweight'] } }, 'the instance has no wheels.0, named as the parameter weight'],
    [{ forward: 'foward' }, 'the instance has no foward, named as forward; did you mean forward?'],
  ])('whose names do not fit says so: %j', async (wrong, message) => {
    const right = {
      create: () => new Dense(2, 3),
      input: (_: object, draw: Draw) => Float32Array.from(draw.normal(2).data),
    };
    expect(await wrongOf(fromClass({ ...right, ...(wrong as object) }))).toContain(message);
  });

  it('has a missing gradient where the class does not set one', async () => {
    class NoGradient {
      weight = [0.5];
      forward = (x: number) => x * this.weight[0];
      backward = (dy: number) => dy * this.weight[0];
    }
    const layer = fromClass({
      create: () => new NoGradient(),
      input: (_, draw) => draw.normal(),
      parameters: { weight: ['weight', 'grad'] },
    });
    expect((await checkLayer(layer)).inputs.find(({ ok }) => !ok)).toMatchObject({ name: 'weight', mistake: { id: 'missing' } });
  });

  it('has types that know its sizes', () => {
    const input = (_: object, draw: Draw) => draw.normal(2);
    // @ts-expect-error: there is no size m
    expect(() => fromClass({ sizes: { n: [1] }, create: ({ m }) => new Dense(m, 2), input })).not.toThrow();
    // @ts-expect-error: a parameter needs two names
    expect(() => fromClass({ create: () => new Dense(1, 2), input, parameters: { weight: ['weight'] } })).toThrow();
  });

  it('whose input is a record is refused', async () => {
    const layer = fromClass({ create: () => new Gain(), input: (_, draw) => ({ x: draw.normal(3) }) });
    expect(await wrongOf(layer)).toContain('input must return the value of x itself, not a record');
  });

  it.each<[object, string]>([
    [{ input: () => 1 }, 'create must be a function'],
    [{ create: () => ({}) }, 'input must be a function'],
    [{ create: () => ({}), input: () => 1, parameters: { x: ['x', 'dx'] } }, 'the input is called x'],
    [{ create: () => ({}), input: () => 1, parameters: { w: 'w' } }, "the parameter w needs two names: ['w', 'dw']"],
  ])('that is not complete is refused: %j', (specification, message) => {
    expect(() => fromClass(specification as never)).toThrow(message);
  });
});

describe('a layer from an activation', () => {
  const tanhSlope = (y: number) => 1 - y * y;
  const softsign = (x: number) => x / (1 + Math.abs(x));

  it('has one input x', async () => {
    const report = await checkLayer(fromActivation(Math.tanh, tanhSlope, { of: 'output' }));
    expect(report).toMatchObject({ ok: true, inputs: [{ name: 'x' }] });
  });

  it('fails if the derivative takes the other value, or has a factor too many', async () => {
    expect(await wrongOf(fromActivation(Math.tanh, tanhSlope, { of: 'input' }))).toEqual(['x']);
    expect(await wrongOf(fromActivation(softsign, (x) => x / (1 + Math.abs(x)) ** 2, { of: 'input' }))).toEqual(['x']);
    expect(await wrongOf(fromActivation(softsign, (x) => 1 / (1 + Math.abs(x)) ** 2, { of: 'input' }))).toEqual([]);
  });

  it('calls both functions with one number', async () => {
    const logistic = (x: number, ...more: unknown[]) => (more.length > 0 ? Number.NaN : 1 / (1 + Math.exp(-x)));
    expect(await wrongOf(fromActivation(logistic, (...y) => (y.length > 1 ? Number.NaN : y[0] * (1 - y[0])), { of: 'output' }))).toEqual(
      [],
    );
  });

  it('draws x as asked, in its container', async () => {
    const input = (draw: Draw) => Float32Array.from(draw.positive(4).data);
    const report = await checkLayer(fromActivation(Math.log, (x) => 1 / x, { of: 'input', input }));
    expect(report).toMatchObject({ ok: true, tried: { dropped: 0 } });
  });

  it.each([
    [[Math.tanh, undefined, { of: 'input' }], 'needs two functions'],
    [[Math.tanh, Math.tanh], "{ of: 'input' } or { of: 'output' }"],
    [[Math.tanh, Math.tanh, { of: 'inputs' }], "{ of: 'input' } or { of: 'output' }"],
  ])('that is not complete is refused', (given, message) => {
    expect(() => fromActivation(...(given as Parameters<typeof fromActivation>))).toThrow(message);
  });
});

describe('a layer from a loss', () => {
  const INPUTS = {
    sizes: { n: [1, 4] },
    inputs: ({ n }: { n: number }, draw: Draw) => ({
      y: Float32Array.from(draw.normal(n).data),
      target: Float32Array.from(draw.normal(n).data),
    }),
    constant: ['target'],
  };
  /** Mean squared error. */
  const meanSquare = (factor: number) => (given: { y: Float32Array; target: Float32Array }) => {
    const distance = given.y.map((y, i) => y - given.target[i]);
    const loss = distance.reduce((sum, d) => sum + d * d, 0) / distance.length;
    return { loss, gradients: { y: distance.map((d) => (factor * d) / distance.length) } };
  };

  it('has the gradients that the function returns with the loss', async () => {
    expect(await wrongOf(fromLoss(meanSquare(2), INPUTS))).toEqual([]);
    expect(await wrongOf(fromLoss(meanSquare(1), INPUTS))).toEqual(['y']);
  });

  it('may be async, return a loss in an array, and the only gradient without its name', async () => {
    const loss = async ({ y, target }: { y: Float32Array; target: Float32Array }) => {
      const { loss, gradients } = meanSquare(2)({ y, target });
      return { loss: [loss], gradients: gradients.y };
    };
    expect(await wrongOf(fromLoss(loss, INPUTS))).toEqual([]);
  });

  it('without one number as its loss is refused', async () => {
    const { inputs } = INPUTS;
    expect(await wrongOf(fromLoss(({ y }) => ({ loss: y, gradients: {} }), { sizes: { n: [2] }, inputs }))).toContain(
      'with one number as the loss',
    );
    expect(await wrongOf(fromLoss(() => undefined as never, INPUTS))).toContain('must return { loss, gradients }');
    expect(() => fromLoss(undefined as never, INPUTS)).toThrow('fromLoss needs a function');
  });
});

import { describe, expect, it } from 'vitest';
import { checkLayer, type Draw, defineLayer, type Layer } from '../../../src/gradcheck.js';

/** y = 3 sin(x), computed by `sine`, with a slope that is a factor off. */
function layer(sine: (x: Float32Array) => ArrayLike<number>, factor = 1): Layer {
  return defineLayer({
    inputs: (_: object, draw: Draw) => ({ x: Float32Array.from(draw.normal(5).data) }),
    forward: ({ x }) => Float32Array.from(Array.from(sine(x), (v) => 3 * v)),
    backward: (dout, { x }) => ({ x: dout.map((v, i) => v * 3 * factor * Math.cos(x[i])) }),
  });
}

const scratch = new Float32Array(5);

/** (module (memory (export "m") 1) (func (export "double") doubles the f32 at address 0)) */
const DOUBLE = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 14, 2, 1, 109, 2, 0, 6, 100, 111, 117, 98, 108, 101, 0, 0,
  10, 20, 1, 18, 0, 65, 0, 65, 0, 42, 2, 0, 65, 0, 42, 2, 0, 146, 56, 2, 0, 11,
]);

const FLOAT32: [string, (x: Float32Array) => ArrayLike<number>][] = [
  ['rounds with Math.fround', (x) => x.map((v) => Math.fround(Math.sin(v)))],
  [
    'computes in a Float32Array that was there before the check',
    (x) => {
      for (const [i, v] of x.entries()) scratch[i] = Math.sin(v);
      return scratch;
    },
  ],
];

describe('float32 code', () => {
  it('is judged in float64, where only its arrays are float32', async () => {
    expect(await checkLayer(layer((x) => x.map(Math.sin)))).toMatchObject({ ok: true, precision: 'float64' });
    expect(await checkLayer(layer((x) => x.map(Math.sin), 1.0001))).toMatchObject({ ok: false, precision: 'float64' });
  });

  it.each(FLOAT32)('is judged in float32 where it %s', async (_, sine) => {
    expect(await checkLayer(layer(sine))).toMatchObject({ ok: true, precision: 'float32' });
    expect(await checkLayer(layer(sine, 1.05))).toMatchObject({ ok: false, precision: 'float32' });
  });

  it('is judged in float32 where it computes in WebAssembly memory', async () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(DOUBLE), {}) as unknown as {
      exports: { m: { buffer: ArrayBuffer }; double(): void };
    };
    const doubled = (factor: number) =>
      defineLayer({
        inputs: (_: object, draw: Draw) => ({ x: draw.normal(3).data }),
        forward: ({ x }) => {
          const memory = new Float32Array(exports.m.buffer, 0, 1);
          return x.map((v) => {
            memory[0] = v;
            exports.double();
            return memory[0];
          });
        },
        backward: (dout) => ({ x: dout.map((v) => 2 * factor * v) }),
      });
    expect(await checkLayer(doubled(1))).toMatchObject({ ok: true, precision: 'float32' });
    expect(await checkLayer(doubled(1.1))).toMatchObject({ ok: false, precision: 'float32' });
  });

  it('is judged in float32 where that is asked for', async () => {
    expect(
      await checkLayer(
        layer((x) => x.map(Math.sin)),
        { float32: true },
      ),
    ).toMatchObject({ ok: true, precision: 'float32' });
  });

  it('sees the real Float32Array again after the check, also when checks run at once', async () => {
    const before = Float32Array;
    const reports = await Promise.all([checkLayer(layer((x) => x.map(Math.sin))), checkLayer(layer((x) => x.map(Math.sin)))]);
    expect(reports.map(({ ok }) => ok)).toEqual([true, true]);
    expect(Float32Array).toBe(before);
    expect(new Float32Array(1)[Symbol.toStringTag]).toBe('Float32Array');
  });
});

describe('a layer that adds to buffers of its own without saying so', () => {
  it('is judged in float64, and its backward is not repeatable', async () => {
    const dw = new Float64Array(3);
    const accumulating = defineLayer({
      inputs: (_: object, draw: Draw) => ({ x: draw.normal(3), w: draw.normal(3) }),
      forward: ({ x, w }) => x.data.map((v, i) => Math.exp(v) * w.data[i]),
      backward: (dout, { x, w }) => {
        dout.forEach((g, i) => {
          dw[i] += g * Math.exp(x.data[i]);
        });
        return { x: dout.map((g, i) => g * Math.exp(x.data[i]) * w.data[i]), w: dw.slice() };
      },
    });
    const { precision, inputs, properties } = await checkLayer(accumulating);
    expect(precision).toBe('float64');
    expect(inputs.map(({ name, ok }) => [name, ok])).toEqual([
      ['x', true],
      ['w', false],
    ]);
    expect(properties.find(({ name }) => name === 'repeatable')?.ok).toBe(false);
  });
});

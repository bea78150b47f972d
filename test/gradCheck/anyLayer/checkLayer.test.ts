import { describe, expect, it } from 'vitest';
import { checkLayer, defineLayer, type Layer } from '../../../src/gradcheck.js';

/** LayerNorm over the last dimension. The gain belongs inside the sums of the backward pass. */
function layerNorm(gainInside: boolean): Layer {
  return defineLayer({
    sizes: { n: [1, 2, 3], d: [3, 5] },
    inputs: ({ n, d }, draw) => ({ x: draw.normal(n, d), gain: draw.near(1, d), bias: draw.normal(d) }),
    forward: ({ x, gain, bias }, context) => {
      const { n, d } = context.sizes;
      const raw = x.data.slice();
      const inverse = new Float64Array(n);
      const y = x.data.slice();
      for (let i = 0; i < n; i++) {
        const row = raw.subarray(i * d, (i + 1) * d);
        const mean = row.reduce((a, b) => a + b, 0) / d;
        inverse[i] = 1 / Math.sqrt(row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / d + 1e-5);
        for (let j = 0; j < d; j++) {
          row[j] = (row[j] - mean) * inverse[i];
          y[i * d + j] = gain.data[j] * row[j] + bias.data[j];
        }
      }
      Object.assign(context.saved, { raw, inverse });
      return y;
    },
    backward: (dout, { gain }, { saved, sizes: { n, d } }) => {
      const { raw, inverse } = saved;
      const [dx, dgain, dbias] = [new Float64Array(n * d), new Float64Array(d), new Float64Array(d)];
      for (let i = 0; i < n; i++) {
        let [sum, along] = [0, 0];
        for (let j = 0; j < d; j++) {
          const k = i * d + j;
          dgain[j] += dout[k] * raw[k];
          dbias[j] += dout[k];
          const g = dout[k] * (gainInside ? gain.data[j] : 1);
          sum += g;
          along += g * raw[k];
        }
        for (let j = 0; j < d; j++) {
          const k = i * d + j;
          const g = dout[k] * (gainInside ? gain.data[j] : 1);
          dx[k] = inverse[i] * (gainInside ? 1 : gain.data[j]) * (g - sum / d - (raw[k] * along) / d);
        }
      }
      return { x: dx, gain: dgain, bias: dbias };
    },
    batch: { letter: 'n', inputs: ['x'] },
  });
}

describe('checkLayer', () => {
  it('passes a right layer, in every row', async () => {
    const report = await checkLayer(layerNorm(true), { name: 'layerNorm' });
    expect(report).toMatchObject({ name: 'layerNorm', ok: true, precision: 'float64', refused: null });
    expect(report.inputs.map(({ name, ok }) => [name, ok])).toEqual([
      ['x', true],
      ['gain', true],
      ['bias', true],
    ]);
    expect(report.properties.every(({ ok }) => ok)).toBe(true);
  });

  it('finds a gain outside the sums in the gradient of x, and in no other', async () => {
    const report = await checkLayer(layerNorm(false));
    expect(report.ok).toBe(false);
    expect(report.inputs.map(({ name, ok }) => [name, ok])).toEqual([
      ['x', false],
      ['gain', true],
      ['bias', true],
    ]);
  });

  it('passes a saturated cross-entropy: its gradient is 1e-38 where differences see 0', async () => {
    const crossEntropy = defineLayer({
      sizes: { n: [1, 2], c: [2, 3] },
      inputs: ({ n, c }, draw) => ({ x: draw.normal(n, c), w: draw.normal(c, c), labels: draw.index(n, c) }),
      forward: ({ x, w, labels }, { saved, sizes: { n, c } }) => {
        const probs = new Float64Array(n * c);
        let loss = 0;
        for (let i = 0; i < n; i++) {
          const logits = Array.from({ length: c }, (_, j) =>
            x.data.subarray(i * c, i * c + c).reduce((sum, v, k) => sum + v * w.data[k * c + j], 0),
          );
          const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
          logits.forEach((logit, j) => {
            probs[i * c + j] = Math.exp(logit) / total;
          });
          loss -= Math.log(probs[i * c + labels[i]]) / n;
        }
        saved.probs = probs;
        return loss;
      },
      backward: (dout, { x, w, labels }, { saved, sizes: { n, c } }) => {
        const [dx, dw] = [new Float64Array(n * c), new Float64Array(c * c)];
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < c; j++) {
            const g = ((saved.probs[i * c + j] - (labels[i] === j ? 1 : 0)) / n) * dout;
            for (let k = 0; k < c; k++) {
              dx[i * c + k] += g * w.data[k * c + j];
              dw[k * c + j] += g * x.data[i * c + k];
            }
          }
        }
        return { x: dx, w: dw };
      },
    });
    const reports = await Promise.all([0, 1, 2, 3].map((seed) => checkLayer(crossEntropy, { seed })));
    expect(reports.flatMap(({ inputs }) => inputs.filter(({ ok }) => !ok))).toEqual([]);
  });

  it('throws for what is not a layer', () => {
    expect(() => checkLayer({} as Layer)).toThrow('checkLayer needs a layer: an object with functions inputs, forward and backward');
  });
});

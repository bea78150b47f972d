/** The same layers for every test runner, made by the library as the runner loaded it: right, and wrong in two ways. */
module.exports = ({ defineLayer, fromActivation }) => {
  /** y = gain · x, row by row, in float32. */
  const scale = (backward) =>
    defineLayer({
      sizes: { n: [1, 2], d: [3] },
      inputs: ({ n, d }, draw) => ({ x: Float32Array.from(draw.normal(n, d).data), gain: Float32Array.from(draw.near(1, d).data) }),
      forward: ({ x, gain }) => {
        const y = new Float32Array(x.length);
        for (let i = 0; i < x.length; i++) y[i] = x[i] * gain[i % gain.length];
        return y;
      },
      backward,
    });
  const dx = (dout, { gain }) => dout.map((d, i) => d * gain[i % gain.length]);
  const dgain = (dout, { x, gain }) => {
    const sum = new Float32Array(gain.length);
    for (let i = 0; i < x.length; i++) sum[i % gain.length] += dout[i] * x[i];
    return sum;
  };
  return {
    scale: scale((dout, inputs) => ({ x: dx(dout, inputs), gain: dgain(dout, inputs) })),
    tanh: fromActivation(Math.tanh, (y) => 1 - y * y, { of: 'output' }),
    doubled: scale((dout, inputs) => ({ x: dx(dout, inputs).map((d) => 2 * d), gain: dgain(dout, inputs) })),
    withoutGain: scale((dout, inputs) => ({ x: dx(dout, inputs) })),
  };
};

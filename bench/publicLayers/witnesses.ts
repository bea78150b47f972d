/** For each gradient that is wrong: a small input by which it shows, and the right value, confirmed by hand or by a closed form. */

/** Numbers nested by their dimensions; integers as an Int32Array. */
export type Value = number | Int32Array | NestedValue;
export type NestedValue = (number | NestedValue)[];

export interface Witness {
  /** Files and exports that show it alike. */
  layers: string[];
  sizes?: Record<string, number>;
  train?: boolean;
  inputs: Record<string, Value>;
  /** What the table says about the inputs in place of their numbers. */
  shown?: string;
  dout: Value;
  /** The input whose gradient is wrong, its right gradient, and why. */
  of: string;
  right: number[];
  because: string;
}

/** Nested zeros, ones, or what f says of an entry's place in memory. */
function filled(shape: number[], f: (i: number) => number, start = 0): NestedValue {
  const [size = 0, ...rest] = shape;
  const step = rest.reduce((product, d) => product * d, 1);
  return Array.from({ length: size }, (_, i) => (rest.length === 0 ? f(start + i) : filled(rest, f, start + i * step)));
}
const zeros = (...shape: number[]) => filled(shape, () => 0);
const ones = (...shape: number[]) => filled(shape, () => 1);
const counted = (...shape: number[]) => filled(shape, (i) => i);

const both = (name: string) => [`brainJs.${name}`, `brainJsBeta.${name}`];

/** Matrices of 2 hidden units at 0, and others, in the networks of brainLayers.ts. */
function network(gates: string[], [matrix, hidden, bias]: [string, string, string], others: Record<string, Value>) {
  const parts = gates.map((gate) => ({ [gate + matrix]: zeros(2, 3), [gate + hidden]: zeros(2, 2), [gate + bias]: zeros(2, 1) }));
  return { ...Object.assign({}, ...parts), input: zeros(4, 3), outputConnector: zeros(4, 2), output: zeros(4, 1), ...others };
}

const TWICE = 'The logits of both steps contain this bias once: 1 + 1 = 2.';
const twoSteps = (name: string, inputs: Record<string, Value>): Witness => ({
  layers: both(name),
  sizes: { T: 2 },
  inputs: { ...inputs, indices: Int32Array.of(0, 0) },
  shown: 'all matrices 0, T = 2',
  dout: ones(2, 4),
  of: 'output',
  right: [2, 2, 2, 2],
  because: TWICE,
});

const BRAIN: Witness[] = [
  {
    layers: both('add'),
    sizes: { T: 2, d: 1 },
    inputs: { x: zeros(2, 1, 1), b: zeros(1, 1) },
    dout: [[2], [3]],
    of: 'b',
    right: [5],
    because: '2 (x₁ + b) + 3 (x₂ + b) has the derivative 2 + 3 = 5 by b. The last step that backward reaches overwrites the others.',
  },
  {
    layers: both('multiplyElement'),
    sizes: { T: 2, d: 1 },
    inputs: { x: [[[2]], [[3]]], b: [[1]] },
    dout: ones(2, 1),
    of: 'b',
    right: [5],
    because: '2 b + 3 b has the derivative 5 by b. One step overwrites the other.',
  },
  {
    layers: both('inputMatrixToRow'),
    sizes: { T: 2, d: 1, rows: 1 },
    inputs: { table: [[1]], indices: Int32Array.of(0, 0) },
    dout: [[2], [3]],
    of: 'table',
    right: [5],
    because: 'Both steps read the entry t: 2 t + 3 t has the derivative 5. One step overwrites the other.',
  },
  {
    layers: both('cloneNegative'),
    sizes: { T: 1, d: 1 },
    inputs: { x: ones(1, 1, 1) },
    dout: [[1]],
    of: 'x',
    right: [-1],
    because: '-x has the derivative -1. There is no backward function.',
  },
  twoSteps('rnn', network([''], ['weight', 'transition', 'bias'], {})),
  twoSteps('lstm', network(['input', 'forget', 'output', 'cellActivation'], ['Matrix', 'Hidden', 'Bias'], {})),
  {
    layers: both('gru'),
    sizes: { T: 1 },
    inputs: network(['updateGate', 'resetGate', 'cellWrite'], ['InputMatrix', 'HiddenMatrix', 'Bias'], {
      cellWriteBias: [[Math.atanh(0.5)], [0]],
      outputConnector: [
        [1, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      indices: Int32Array.of(0),
    }),
    shown: 'T = 1, cellWriteBias[0] = atanh 0.5, outputConnector[0][0] = 1, all else 0',
    dout: [[1, 0, 0, 0]],
    of: 'updateGateBias',
    right: [-0.125, 0],
    because: 'The first logit is (1 - σ(u)) · 0.5 at u = 0, with the derivative -0.25 · 0.5 = -0.125 by u. It goes through cloneNegative.',
  },
  {
    layers: ['brainJs.feedForwardLeakyRelu'],
    sizes: { d: 1, hidden: 1, units: 1 },
    inputs: { x: [1], W1: [[1]], b1: [0], W2: [[1]], b2: [0] },
    dout: 1,
    of: 'b2',
    right: [-0.007999],
    because: 'Forward is 0.01 s for s > 0: y = 0.0001, and (y - 0.8) · 0.01 = -0.007999. Backward has the slope 1 there, and 0.01 for 0.',
  },
];

const VOLUMES: Witness[] = [
  {
    layers: ['convnetjs.dropoutInEvaluation', 'toygrad.dropoutInEvaluation'],
    train: false,
    sizes: { h: 1, w: 1, depth: 1 },
    inputs: { x: ones(1, 1, 1, 1) },
    dout: ones(1, 1, 1),
    of: 'x',
    right: [0.3],
    because: 'With drop probability 0.3, evaluation gives 0.3 x, with the derivative 0.3.',
  },
  {
    layers: ['convnetjs.localResponseNormalization'],
    sizes: { h: 1, w: 1, depth: 2 },
    inputs: { x: [[[[1, 2]]]] },
    dout: [[[1, 0]]],
    of: 'x',
    right: [(11 / 6) ** -0.75 - (11 / 6) ** -1.75 / 4, -((11 / 6) ** -1.75) / 2],
    because:
      'y₁ = a S^-0.75, S = 1 + (a² + b²)/6 = 11/6. By a: S^-0.75 - 0.25 a² S^-1.75 = 0.5482; by b: -0.25 a b S^-1.75 = -0.1731. It has b² for a b. Right at depth 1.',
  },
  {
    layers: ['convnetjs.regressionLoss'],
    sizes: { depth: 1 },
    inputs: { x: [0.6] },
    dout: 1,
    of: 'x',
    right: [4],
    because: 'The loss it returns for the target -0.4 is 2 (x + 0.4)² = 2, with the derivative 4 (x + 0.4) = 4.',
  },
  {
    layers: ['toygrad.leakyRelu'],
    sizes: { h: 1, w: 1, depth: 1 },
    inputs: { x: [[[[-1]]]] },
    dout: ones(1, 1, 1),
    of: 'x',
    right: [0.01],
    because: 'For x < 0 forward is 0.01 x, with the derivative 0.01.',
  },
];

const ONE_PERCEPTRON = { sizes: { n: 1, d: 1, hidden: 1, units: 1 }, dout: 1, of: 'biases', shown: 'x = 1, all weights 0, rate 0.3' };
const SEQUENCE = 'The output weight is 0, so the hidden bias has no effect. Training first sets the output weight to';

const PERCEPTRONS: Witness[] = [
  {
    layers: ['neataptic.softsign'],
    inputs: { x: [2] },
    dout: [1],
    of: 'x',
    right: [1 / 9],
    because: 'x/(1 + |x|) has the derivative 1/(1 + |x|)² = 1/9. It has a factor x too many.',
  },
  {
    ...ONE_PERCEPTRON,
    layers: ['neataptic.perceptronOnline'],
    inputs: { x: [[1]], weights: [0, 0], biases: [0, 0] },
    right: [0, 0.4],
    because: `${SEQUENCE} -0.3 · 0.4 · 0.5 = -0.06, and then goes back through it: 0.4 · -0.06 · 0.25 = -0.006.`,
  },
  {
    layers: ['synaptic.hlim'],
    inputs: { x: [2] },
    dout: [1],
    of: 'x',
    right: [0],
    because: 'The step is 1 everywhere near 2, with the derivative 0. It passes the gradient on.',
  },
  {
    ...ONE_PERCEPTRON,
    layers: ['synaptic.perceptronOnline'],
    inputs: { x: [1], weights: [0, 0], biases: [0, 0] },
    right: [0, -0.3],
    because: `${SEQUENCE} 0.3 · 0.3 · 0.5 = 0.045, and then goes back through it: -0.3 · 0.045 · 0.25 = -0.003375.`,
  },
  {
    layers: ['nlpjs.perceptronLoss'],
    sizes: { d: 1 },
    inputs: { x: [1], weights: [1], bias: 0 },
    dout: 1,
    of: 'bias',
    right: [-0.0581],
    because: 'For a sum s > 0 forward is 0.07 s: (0.07 - 0.9) · 0.07 = -0.0581. Backward has the slope 1 there.',
  },
  {
    layers: ['nlpjs.perceptronLoss'],
    sizes: { d: 1 },
    inputs: { x: [1], weights: [-1], bias: 0 },
    dout: 1,
    of: 'bias',
    right: [0],
    because: 'For a sum below 0 forward is 0, with the derivative 0. Backward has the slope 0.07 there.',
  },
];

/** The loss -log p with p = 1/(1 + e^-f(w)) has the derivative (p - 1) f'(w) by w; the package takes f' at f(w). */
function throughActivation(name: string, w: number, f: number, derivative: number, formula: string): Witness {
  const p = 1 / (1 + Math.exp(-f));
  const short = (x: number) => String(Number(x.toPrecision(4)));
  return {
    layers: [`mlFnn.${name}`],
    sizes: { n: 1, d: 1, hidden: 1, units: 2 },
    inputs: { x: [[1]], W1: [[w]], b1: [[0]], W2: [[1, 0]], b2: [[0, 0]], labels: Int32Array.of(0) },
    shown: `x = 1, W1 = ${w}, W2 = 1 0, biases 0, label 0`,
    dout: 1,
    of: 'W1',
    right: [(p - 1) * derivative],
    because: `(p - 1) f'(${w}): f(${w}) = ${short(f)}, p = 1/(1 + e^-f) = ${short(p)}, f'(${w}) = ${formula} = ${short(derivative)}. It takes f' at ${short(f)}.`,
  };
}

const { exp, sqrt, sin, cos } = Math;
const ML_FNN: Witness[] = [
  throughActivation('logistic', 0, 0.5, 0.25, '0.5 · 0.5'),
  throughActivation('arctan', 1, Math.PI / 4, 0.5, '1/(1 + 1²)'),
  throughActivation('softsign', 1, 0.5, 0.25, '1/(1 + 1)²'),
  throughActivation('relu', -1, 0, 0, 'the slope below 0'),
  throughActivation('softplus', 0, Math.LN2, 0.5, '1/(1 + e⁰)'),
  throughActivation('bent', 1, (sqrt(2) - 1) / 2 + 1, 1 / (2 * sqrt(2)) + 1, '1/(2 √2) + 1'),
  throughActivation('sinusoid', 1, sin(1), cos(1), 'cos 1'),
  throughActivation('sinc', 1, sin(1), cos(1) - sin(1), 'cos 1 - sin 1'),
  throughActivation('gaussian', 1, exp(-1), -2 * exp(-1), '-2 e^-1'),
  throughActivation('exponentialElu', -1, exp(-1) - 1, exp(-1), 'e^-1'),
  throughActivation('softExponential', 1, (exp(0.5) - 1) / 0.5 + 0.5, exp(0.5), 'e^0.5'),
];

const TFJS_ENTRIES: Witness[] = [
  {
    layers: ['tfjsElementwise.castToInt'],
    inputs: { x: [[0.5]] },
    dout: [[1]],
    of: 'x',
    right: [0],
    because: 'The whole part of 3 x is 1 for x from 1/3 to 2/3, with the derivative 0. `cast` passes the gradient on.',
  },
  {
    layers: ['tfjsElementwise.floorDivSame'],
    inputs: { a: [[0.1]], b: [[0]] },
    dout: [[1]],
    of: 'a',
    right: [0],
    because: '⌊5 a/0.8⌋ is 0 for a from 0 to 0.16, with the derivative 0. It has that of 5 a/0.8.',
  },
];

const TFJS_REDUCTIONS: Witness[] = [
  {
    layers: ['tfjsReduction.cumsumAxis0Square'],
    inputs: { x: zeros(2, 2) },
    dout: [
      [0, 1],
      [0, 0],
    ],
    of: 'x',
    right: [0, 1, 0, 0],
    because: 'The first row of a cumulative sum down the columns is the first row of x: y₀₁ = x₀₁. The gradient is transposed.',
  },
  {
    layers: ['tfjsReduction.cumsumAxis1OfCube'],
    inputs: { x: zeros(1, 2, 2) },
    dout: [
      [
        [0, 1],
        [0, 0],
      ],
    ],
    of: 'x',
    right: [0, 1, 0, 0],
    because: 'The first row of a cumulative sum along axis 1 is the first row of x: y₀₀₁ = x₀₀₁.',
  },
  {
    layers: ['tfjsReduction.maxOfRepeated'],
    inputs: { x: [1] },
    dout: 1,
    of: 'x',
    right: [1],
    because: 'max(x, x) = x has the derivative 1. Each of the two equal entries gets all of it.',
  },
  {
    layers: ['tfjsReduction.minOfRepeated'],
    inputs: { x: [1] },
    dout: 1,
    of: 'x',
    right: [1],
    because: 'min(x, x, x) = x has the derivative 1. Each of the three equal entries gets all of it.',
  },
  {
    layers: ['tfjsReduction.norm', 'tfjsReduction.normAxis0'],
    inputs: { x: [[0]] },
    dout: 1,
    of: 'x',
    right: [0],
    because: 'For one entry the norm is |x|. At 0 every slope from -1 to 1 will do; 0 is the usual choice.',
  },
];

const mirrored = (mode: string, right: number[], because: string): Witness => ({
  layers: [`tfjsShape.mirrorPad${mode}`],
  inputs: { x: counted(2, 3) },
  shown: 'x [2, 3], padded by 1 and 0 rows, 2 and 1 columns',
  dout: ones(3, 6),
  of: 'x',
  right,
  because,
});

const TFJS_SHAPES: Witness[] = [
  mirrored(
    'Reflect',
    [1, 3, 2, 2, 6, 4],
    'The result has the rows 1 0 1 and the columns 2 1 0 1 2 1 of x: x₀₁ is there 1 · 3 times, x₁₁ 2 · 3 times.',
  ),
  mirrored(
    'Symmetric',
    [4, 4, 4, 2, 2, 2],
    'The result has the rows 0 0 1 and the columns 1 0 0 1 2 2 of x: x₀₀ is there 2 · 2 times, x₁₀ 1 · 2 times.',
  ),
];

const ONE_PIXEL = 'The window holds one pixel of the image, and the average of one pixel is that pixel.';
const onePixel = (name: string, ...shape: number[]): Witness => ({
  layers: [`tfjsNeural.${name}`],
  inputs: { x: ones(...shape) },
  dout: ones(...shape),
  of: 'x',
  right: [1],
  because: ONE_PIXEL,
});

const fourPixels = (name: string, right: number[], because: string, others: Record<string, Value> = {}): Witness => ({
  layers: [`tfjsNeural.${name}`],
  inputs: { x: counted(1, 2, 2, 1), ...others },
  dout: ones(1, 1, 1, 1),
  of: 'x',
  right,
  because: `Rounding up, the 3 x 3 window holds the four pixels. ${because}`,
});

const TFJS_NEURAL: Witness[] = [
  onePixel('avgPoolSame', 1, 1, 1, 1),
  onePixel('avgPoolPad', 1, 1, 1, 1),
  onePixel('avgPool3dSame', 1, 1, 1, 1, 1),
  fourPixels('avgPoolRoundingUp', [0.25, 0.25, 0.25, 0.25], 'Their average has the derivative 1/4 by each.'),
  fourPixels('maxPoolRoundingUp', [0, 0, 0, 1], 'Of 0 1 2 3, the maximum is the last.'),
  fourPixels('conv2dRoundingUp', [1, 1, 1, 1], 'With a filter of ones it is their sum.', { filter: ones(3, 3, 1, 1) }),
  {
    layers: ['tfjsNeural.resizeBilinearHalfPixelDown'],
    inputs: { x: ones(1, 6, 6, 1) },
    dout: ones(1, 2, 3, 1),
    of: 'x',
    right: filled([36], (i) => (Math.floor(i / 6) % 3 === 1 ? 0.5 : 0)) as number[],
    because:
      'From 6 x 6 to 2 x 3 pixels, the centres lie on rows 1 and 4, between columns 0 and 1, 2 and 3, 4 and 5: each pixel of rows 1 and 4 counts 1/2.',
  },
  {
    layers: ['tfjsNeural.resizeNearestHalfPixelDown'],
    inputs: { x: counted(1, 6, 9, 1) },
    dout: ones(1, 2, 3, 1),
    of: 'x',
    right: filled([54], (i) => Number(Math.floor(i / 9) % 3 === 1 && i % 3 === 1)) as number[],
    because: 'From 6 x 9 to 2 x 3 pixels, each new pixel is the middle one of a 3 x 3 block: rows 1 and 4, columns 1, 4 and 7.',
  },
  {
    layers: ['tfjsNeural.resizeBilinearHalfPixelUp'],
    inputs: { x: ones(1, 2, 2, 1) },
    dout: ones(1, 4, 4, 1),
    of: 'x',
    right: [4, 4, 4, 4],
    because:
      'From 2 x 2 to 4 x 4 pixels with pixel centres, the four corners count alike, and the 16 new pixels have weights that sum to 1 each.',
  },
  {
    layers: ['tfjsNeural.resizeNearestHalfPixelUp'],
    inputs: { x: counted(1, 3, 3, 1) },
    dout: ones(1, 4, 4, 1),
    of: 'x',
    right: [1, 2, 1, 2, 4, 2, 1, 2, 1],
    because: 'From 3 x 3 to 4 x 4 pixels, ⌊0.75 (i + 0.5)⌋ = 0 1 1 2: the middle row and column are there twice.',
  },
];

const TFJS_LOSSES: Witness[] = [
  {
    layers: ['tfjsLoss.softmaxCrossEntropyOfUnnormalisedLabels'],
    inputs: { logits: zeros(2, 3) },
    shown: 'labels 0 2 0 and 2 0 0, all logits 0',
    dout: 1,
    of: 'logits',
    right: [1 / 3, -2 / 3, 1 / 3, -2 / 3, 1 / 3, 1 / 3],
    because:
      '-2 log p, p = 1/3, has the derivatives 2 p - 2 = -4/3 by its logit and 2 p = 2/3 by the others; the mean of 2 rows halves them. It supposes labels that sum to 1.',
  },
  {
    layers: ['tfjsLoss.softmaxCrossEntropyOfLabels'],
    inputs: {
      labels: zeros(2, 3),
      logits: [
        [0, 0, Math.LN2],
        [0, 0, 0],
      ],
    },
    shown: 'labels softmax(0 0 0) twice, logits 0 0 ln 2 and 0 0 0',
    dout: 1,
    of: 'labels',
    right: [Math.LN2 / 18, Math.LN2 / 18, -Math.LN2 / 9, 0, 0, 0],
    because:
      'By the labels l = 1/3, -Σ l log p has the derivative -log p = (ln 4, ln 4, ln 2), mean 5/3 ln 2; through their softmax and the mean of 2 rows that is (ln 2/18, ln 2/18, -ln 2/9).',
  },
];

const JAX: Witness[] = [
  {
    layers: ['jaxJs.prod'],
    inputs: { x: [[[0], [2]]] },
    dout: [[1]],
    of: 'x',
    right: [2, 0],
    because: 'a b has the derivatives b = 2 and a = 0. It divides the product by a = 0.',
  },
  {
    layers: ['jaxJs.cumprod'],
    inputs: { x: [[[0], [2]]] },
    dout: [[[0], [1]]],
    of: 'x',
    right: [2, 0],
    because: 'The second product is a b, with the derivatives b = 2 and a = 0.',
  },
  {
    layers: ['jaxJs.takeBeforeOthers'],
    inputs: { x: [1, 2, 3, 4] },
    dout: [1, 2, 3, 9, 9, 9, 9],
    of: 'x',
    right: [2, 0, 4, 0],
    because:
      'The result is x₂ x₀ x₂ and then four times 0. With dout 1 2 3 the derivatives by x₀ and x₂ are 2 and 1 + 3. The gradient of `take` reads entries of dout that belong to what follows; alone it is right.',
  },
  {
    layers: ['jaxJs.sortBeforeOthers'],
    inputs: { x: [3, 1, 2] },
    dout: [1, 2, 3, 9, 9, 9],
    of: 'x',
    right: [12, 10, 11],
    because: 'The result is x₁ x₂ x₀ x₀ x₁ x₂ and constants: 3 + 9, 1 + 9 and 2 + 9. As with `take`; alone it is right.',
  },
  {
    layers: ['jaxJs.sinc'],
    inputs: { x: [[0]] },
    dout: [[1]],
    of: 'x',
    right: [0],
    because: 'sin(π x)/(π x) = 1 - (π x)²/6 + …, with the derivative 0 at 0.',
  },
  {
    layers: ['jaxJs.std'],
    inputs: { x: [[[1], [1]]] },
    dout: [[1]],
    of: 'x',
    right: [0, 0],
    because: 'For two entries it is |a - b|/2. At a = b every slope from -1/2 to 1/2 will do; 0 is the usual choice.',
  },
  {
    layers: ['jaxJs.norm'],
    inputs: { x: [[0]] },
    dout: 1,
    of: 'x',
    right: [0],
    because: 'For one entry the norm is |x|. At 0 every slope from -1 to 1 will do; 0 is the usual choice.',
  },
  {
    layers: ['jaxJs.hypot'],
    inputs: { a: [[0]], b: [0] },
    dout: [[1]],
    of: 'a',
    right: [0],
    because: 'With b = 0 it is |a|. At 0 every slope from -1 to 1 will do; 0 is the usual choice.',
  },
];

export const WITNESSES: readonly Witness[] = [
  ...BRAIN,
  ...VOLUMES,
  ...PERCEPTRONS,
  ...ML_FNN,
  ...TFJS_ENTRIES,
  ...TFJS_REDUCTIONS,
  ...TFJS_SHAPES,
  ...TFJS_NEURAL,
  ...TFJS_LOSSES,
  ...JAX,
];

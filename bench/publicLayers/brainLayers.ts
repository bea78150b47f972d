/**
 * Specifications for brain.js, the same for each of its versions. The matrices of its recurrent networks keep weights and deltas; an Equation is
 * a list of operations on such matrices, one Equation per time step. The steps share the parameters.
 */
import { defineLayer, type Float64Tensor, type LayerContext, type Sizes } from 'backprop-ninja/gradcheck';

interface Matrix {
  rows: number;
  columns: number;
  weights: Iterable<number>;
  deltas: Iterable<number>;
}

interface Equation {
  states: { product: Matrix }[];
  runIndex(row: number): Matrix;
  backpropagateIndex(row: number): void;
  relu(x: Matrix): Matrix;
  sigmoid(x: Matrix): Matrix;
  tanh(x: Matrix): Matrix;
  cloneNegative(x: Matrix): Matrix;
  add(left: Matrix, right: Matrix): Matrix;
  multiply(left: Matrix, right: Matrix): Matrix;
  multiplyElement(left: Matrix, right: Matrix): Matrix;
  inputMatrixToRow(table: Matrix): Matrix;
}

interface RecurrentNetwork {
  model: { input: Matrix; hiddenLayers: Record<string, Matrix>[]; outputConnector: Matrix; output: Matrix; equations: Equation[] };
  initialize(): void;
  bindEquation(): void;
}

interface FeedForwardNetwork {
  sizes: number[];
  weights: number[][][];
  biases: number[][];
  errors: ArrayLike<number>[];
  trainOpts: object;
  initialize(): void;
  runInput(input: number[]): Iterable<number>;
  calculateDeltas(target: number[]): void;
  adjustWeights(): void;
}

/** What the specifications use of the package. */
export interface Brain {
  recurrent: Record<'RNN' | 'GRU' | 'LSTM', new (options: object) => RecurrentNetwork>;
  NeuralNetwork: new (options: object) => FeedForwardNetwork;
}

type Flat = { data: Float64Array; shape: number[] };
type Inputs = Record<string, Float64Tensor>;
/** The row of the table that each time step reads. */
type Rows = ArrayLike<number>;

/** Runs the equations one after another, and returns their outputs [T, size]. */
function forward(equations: Equation[], rows: Rows): Flat {
  const outputs = equations.map((equation, t) => [...equation.runIndex(rows[t] ?? 0).weights]);
  return { data: Float64Array.from(outputs.flat()), shape: [outputs.length, outputs[0]?.length ?? 0] };
}

/** Sets the deltas of the equations' outputs, and runs them backward from the last to the first. */
function backward(equations: Equation[], rows: Rows, dout: Flat): void {
  const size = dout.data.length / equations.length;
  equations.forEach((equation, t) => {
    const last = equation.states.at(-1);
    if (last) last.product.deltas = dout.data.slice(t * size, (t + 1) * size);
  });
  for (let t = equations.length - 1; t >= 0; t--) equations[t]?.backpropagateIndex(rows[t] ?? 0);
}

/** T time steps of one operation. */
interface Steps {
  sizes: Record<string, number[]>;
  /** The inputs as matrices. x is one per time step, the others are shared. */
  shapes: (sizes: Sizes) => Record<string, [rows: number, columns: number]>;
  operation: (equation: Equation, matrix: (name: string) => Matrix) => Matrix;
  /** Whether each time step reads a row of the table. */
  readsRows?: boolean;
}

/** The classes Equation and Matrix, which the package does not export: those of a small network. */
function internals(brain: Brain) {
  const network = new brain.recurrent.RNN({ inputSize: 1, inputRange: 1, hiddenLayers: [1], outputSize: 1 });
  network.initialize();
  network.bindEquation();
  const { equations, output } = network.model;
  const ThisEquation = equations.map((equation) => equation.constructor)[0] as new () => Equation;
  const ThisMatrix = output.constructor as new (rows: number, columns: number) => Matrix;
  return {
    equation: () => new ThisEquation(),
    matrix: (rows: number, columns: number, values: Iterable<number>): Matrix =>
      Object.assign(new ThisMatrix(rows, columns), { weights: Float64Array.from(values) }),
  };
}

function steps(brain: Brain, { sizes, shapes, operation, readsRows = false }: Steps) {
  const make = internals(brain);
  const create = (inputs: Inputs, { sizes }: LayerContext) => {
    const shared: Record<string, Matrix> = {};
    const xs: Matrix[] = [];
    for (const [name, [rows, columns]] of Object.entries(shapes(sizes))) {
      const { data = new Float64Array() } = inputs[name] ?? {};
      if (name !== 'x') shared[name] = make.matrix(rows, columns, data);
      else for (let t = 0; t < sizes.T; t++) xs.push(make.matrix(rows, columns, data.slice(t * rows * columns, (t + 1) * rows * columns)));
    }
    const equations = Array.from({ length: sizes.T }, (_, t) => {
      const equation = make.equation();
      operation(equation, (name) => (name === 'x' ? xs[t] : shared[name]) as Matrix);
      return equation;
    });
    return { shared, xs, equations };
  };
  return defineLayer({
    sizes,
    inputs: (sizes: Sizes, draw) => {
      const tensors = Object.entries(shapes(sizes)).map(([name, shape]) => [
        name,
        name === 'x' ? draw.normal(sizes.T, ...shape) : draw.normal(...shape),
      ]);
      return { ...Object.fromEntries(tensors), ...(readsRows && { indices: draw.index(sizes.T, sizes.rows) }) };
    },
    forward: ({ indices = [], ...inputs }, context) => forward(create(inputs, context).equations, indices),
    backward: (dout, { indices = [], ...inputs }, context) => {
      const { shared, xs, equations } = create(inputs, context);
      forward(equations, indices);
      backward(equations, indices, dout);
      const gradients = Object.entries(shared).map(([name, { deltas }]) => [name, Float64Array.from(deltas)]);
      return { ...Object.fromEntries(gradients), ...(xs.length > 0 && { x: xs.flatMap(({ deltas }) => [...deltas]) }) };
    },
  });
}

/** Characters, width of the embedding, hidden units: input and output have a row more, for start and end. */
const OPTIONS = { inputSize: 3, inputRange: 3, outputSize: 3, hiddenLayers: [2] };

/** The logits [T, characters + 1] of a recurrent network for T characters. Its inputs are all its matrices, by their names. */
function recurrent(brain: Brain, kind: keyof Brain['recurrent']) {
  const create = (inputs: Inputs = {}, T = 0) => {
    const network = new brain.recurrent[kind]({ ...OPTIONS });
    network.initialize();
    const { input, hiddenLayers, outputConnector, output, equations } = network.model;
    const matrices: Record<string, Matrix> = { input, ...hiddenLayers[0], outputConnector, output };
    for (const [name, { data }] of Object.entries(inputs)) Object.assign(matrices[name] ?? {}, { weights: Float64Array.from(data) });
    for (let t = 0; t < T; t++) network.bindEquation();
    return { matrices, equations };
  };
  return defineLayer({
    sizes: { T: [1, 2, 5] },
    inputs: ({ T }, draw) => {
      const tensors = Object.entries(create().matrices).map(([name, { rows, columns }]) => [name, draw.normal(rows, columns)]);
      return { ...Object.fromEntries(tensors), indices: draw.index(T, OPTIONS.inputRange + 1) };
    },
    forward: ({ indices, ...inputs }, { sizes }) => forward(create(inputs, sizes.T).equations, indices),
    backward: (dout, { indices, ...inputs }, { sizes }) => {
      const { matrices, equations } = create(inputs, sizes.T);
      forward(equations, indices);
      backward(equations, indices, dout);
      return Object.fromEntries(Object.entries(matrices).map(([name, { deltas }]) => [name, Float64Array.from(deltas)]));
    },
  });
}

const TARGETS = [0.8, 0.1, 0.4];

interface Weights {
  x: Float64Tensor;
  W1: Float64Tensor;
  b1: Float64Tensor;
  W2: Float64Tensor;
  b2: Float64Tensor;
}

/**
 * Half the squared error of a feed-forward network d - hidden - units on one example. With rate 1 and without momentum the change of the
 * parameters is minus the gradient; `errors` of the first layer are minus the gradient of x.
 */
function feedForward(brain: Brain, activation: string) {
  const create = ({ W1, b1, W2, b2 }: Weights, { d, hidden, units }: Sizes) => {
    const network = new brain.NeuralNetwork({ activation, hiddenLayers: [hidden] });
    network.sizes = [d, hidden, units];
    network.initialize();
    network.weights = [[], W1.toArray() as number[][], W2.toArray() as number[][]];
    network.biases = [[], b1.toArray() as number[], b2.toArray() as number[]];
    Object.assign(network.trainOpts, { learningRate: 1, momentum: 0 });
    return network;
  };
  return defineLayer({
    sizes: { d: [2, 4], hidden: [3, 5], units: [1, 3] },
    inputs: ({ d, hidden, units }, draw): Weights => ({
      x: draw.normal(d),
      W1: draw.normal(hidden, d),
      b1: draw.normal(hidden),
      W2: draw.normal(units, hidden),
      b2: draw.normal(units),
    }),
    forward: (inputs, { sizes }) => {
      const output = create(inputs, sizes).runInput([...inputs.x.data]);
      return [...output].reduce((sum, y, i) => sum + (y - (TARGETS[i] ?? 0)) ** 2 / 2, 0);
    },
    backward: (dout, inputs, { sizes }) => {
      const network = create(inputs, sizes);
      network.runInput([...inputs.x.data]);
      network.calculateDeltas(TARGETS);
      network.adjustWeights();
      const change = (then: Float64Tensor, now: (number | number[])[] = []) =>
        then.data.map((value, i) => dout * (value - (now.flat()[i] ?? 0)));
      const { weights, biases, errors } = network;
      return {
        x: Float64Array.from(errors[0] ?? [], (error) => -dout * error),
        W1: change(inputs.W1, weights[1]),
        b1: change(inputs.b1, biases[1]),
        W2: change(inputs.W2, weights[2]),
        b2: change(inputs.b2, biases[2]),
      };
    },
  });
}

const TIMES = { T: [1, 2, 4], d: [3] };

export function brainLayers(brain: Brain) {
  const elementwise = (operation: Steps['operation']) => steps(brain, { sizes: TIMES, shapes: ({ d }) => ({ x: [d, 1] }), operation });
  const withShared = (operation: Steps['operation']) =>
    steps(brain, { sizes: TIMES, shapes: ({ d }) => ({ x: [d, 1], b: [d, 1] }), operation });
  return {
    relu: elementwise((equation, matrix) => equation.relu(matrix('x'))),
    sigmoid: elementwise((equation, matrix) => equation.sigmoid(matrix('x'))),
    tanh: elementwise((equation, matrix) => equation.tanh(matrix('x'))),
    cloneNegative: elementwise((equation, matrix) => equation.cloneNegative(matrix('x'))),
    add: withShared((equation, matrix) => equation.add(matrix('x'), matrix('b'))),
    multiplyElement: withShared((equation, matrix) => equation.multiplyElement(matrix('x'), matrix('b'))),
    multiply: steps(brain, {
      sizes: { T: [1, 2, 4], d: [3], units: [2, 5] },
      shapes: ({ d, units }) => ({ x: [d, 1], W: [units, d] }),
      operation: (equation, matrix) => equation.multiply(matrix('W'), matrix('x')),
    }),
    inputMatrixToRow: steps(brain, {
      sizes: { T: [1, 2, 5], d: [3], rows: [4] },
      shapes: ({ rows, d }) => ({ table: [rows, d] }),
      operation: (equation, matrix) => equation.inputMatrixToRow(matrix('table')),
      readsRows: true,
    }),
    rnn: recurrent(brain, 'RNN'),
    gru: recurrent(brain, 'GRU'),
    lstm: recurrent(brain, 'LSTM'),
    feedForwardSigmoid: feedForward(brain, 'sigmoid'),
    feedForwardRelu: feedForward(brain, 'relu'),
    feedForwardLeakyRelu: feedForward(brain, 'leaky-relu'),
    feedForwardTanh: feedForward(brain, 'tanh'),
  };
}

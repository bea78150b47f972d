/** What the specifications use of packages that bring no types. */

declare module 'convnetjs' {
  import type { Volume, VolumeLayer, VolumeLoss } from './volumeLayers.js';

  interface Vol extends Volume {
    w: Float64Array;
    dw: Float64Array;
    sx: number;
    sy: number;
    depth: number;
  }
  type Create<T> = new (options: object) => T;
  const convnetjs: {
    Vol: new (sx: number, sy: number, depth: number, value: number) => Vol;
    SoftmaxLayer: Create<VolumeLoss<number>>;
    SVMLayer: Create<VolumeLoss<number>>;
    RegressionLayer: Create<VolumeLoss<number[]>>;
  } & Record<
    | 'FullyConnLayer'
    | 'ConvLayer'
    | 'PoolLayer'
    | 'ReluLayer'
    | 'SigmoidLayer'
    | 'TanhLayer'
    | 'MaxoutLayer'
    | 'QuadTransformLayer'
    | 'LocalResponseNormalizationLayer'
    | 'DropoutLayer',
    Create<VolumeLayer>
  >;
  export default convnetjs;
  export type { Vol };
}

declare module 'ml-fnn' {
  import type { Matrix } from 'ml-matrix';

  interface Network {
    model: [{ dW: Matrix; db: Matrix }, { dW: Matrix; db: Matrix }];
    propagate(x: Matrix): Matrix;
    backpropagation(x: Matrix, labels: number[], probabilities: Matrix): void;
  }
  const FeedForwardNeuralNetworks: { load(model: object): Network };
  export default FeedForwardNeuralNetworks;
}

declare module 'neataptic' {
  interface Network {
    nodes: { bias: number; totalDeltaBias: number }[];
    connections: { weight: number; totalDeltaWeight: number }[];
    activate(input: number[]): number[];
    propagate(rate: number, momentum: number, update: boolean, target: number[]): void;
  }
  const neataptic: {
    architect: { Perceptron: new (...sizes: number[]) => Network };
    methods: {
      activation: Record<string, (x: number, derivative?: boolean) => number>;
      cost: { CROSS_ENTROPY(target: number[], output: number[]): number };
    };
  };
  export default neataptic;
}

declare module '@nlpjs/neural' {
  interface Perceptron {
    id: number;
    weights: Float64Array;
    changes: Float64Array;
    bias: number;
  }
  interface Input {
    keys: string[];
    data: Record<string, number>;
  }
  export class NeuralNetwork {
    constructor(settings: object);
    decayLearningRate: number;
    runInputPerceptron(perceptron: Perceptron, input: Input): number;
    trainPerceptron(perceptron: Perceptron, data: { input: Input; output: { data: number[] } }[]): number;
  }
}

declare module 'synaptic' {
  interface Neuron {
    bias: number;
    connections: { inputs: Record<string, { weight: number }> };
  }
  interface Network {
    layers: { hidden: { list: Neuron[] }[]; output: { list: Neuron[] } };
    setOptimize(optimize: boolean): void;
    activate(input: number[]): number[];
    propagate(rate: number, target: number[]): void;
  }
  type Squash = (x: number, derivative?: boolean) => number;
  const synaptic: {
    Architect: { Perceptron: new (...sizes: number[]) => Network };
    Neuron: { squash: Record<'LOGISTIC' | 'TANH' | 'IDENTITY' | 'HLIM' | 'RELU', Squash> };
    Trainer: { cost: { CROSS_ENTROPY(target: number[], output: number[]): number } };
  };
  export default synaptic;
}

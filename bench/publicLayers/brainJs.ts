/** brain.js 1.6.1. */
import brain from 'brain.js';
import { type Brain, brainLayers } from './brainLayers.js';

export const {
  relu,
  sigmoid,
  tanh,
  cloneNegative,
  add,
  multiplyElement,
  multiply,
  inputMatrixToRow,
  rnn,
  gru,
  lstm,
  feedForwardSigmoid,
  feedForwardRelu,
  feedForwardLeakyRelu,
  feedForwardTanh,
} = brainLayers(brain as unknown as Brain);

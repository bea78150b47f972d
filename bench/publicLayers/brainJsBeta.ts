/** brain.js 2.0.0-beta.24. */
import * as brain from 'brain.js-beta';
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

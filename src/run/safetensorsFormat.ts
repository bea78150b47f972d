/** The `safetensors` namespace: reads and writes the bytes of a safetensors file. */

export {
  loadFloats,
  loadIndices,
  readSafetensors,
  type Safetensors,
  type SafetensorsDType,
  type StoredTensor,
  storeFloats,
  writeSafetensors,
} from './safetensors.js';

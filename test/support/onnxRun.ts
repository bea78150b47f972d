import { fromBinary } from '@bufbuild/protobuf';
import { Tensor } from '../../src/core/tensor.js';
import { type ModelProto, ModelProtoSchema, type TensorProto } from '../../src/run/onnx/onnx_pb.js';

/** The message in the bytes of an ONNX model. */
export function onnxOf(bytes: Uint8Array): ModelProto {
  return fromBinary(ModelProtoSchema, bytes);
}

/** Runs the operators that an exported network uses, by their definitions, in float64. Returns every tensor by name. */
export function runOnnx({ graph }: ModelProto, context: readonly number[], T: number): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const tensor of graph?.initializer ?? []) values.set(tensor.name, initialValue(tensor));
  const valueNamed = (name: string): Tensor => {
    const found = values.get(name);
    if (!found) throw new Error(`${name} is used before it is computed`);
    return found;
  };
  const n = context.length / T;
  for (const { opType, input, output } of graph?.node ?? []) {
    const names = opType === 'Gather' ? input.slice(0, 1) : input;
    const [a, b, c] = names.map(valueNamed);
    const operators: Record<string, () => Tensor> = {
      Gather: () => a.gatherRows({ data: Int32Array.from(context), shape: [n, T] }),
      Reshape: () => a.view([...b.data]),
      Gemm: () => a.matmul(b).add(c),
      Sub: () => a.sub(b),
      Add: () => a.add(b),
      Mul: () => a.mul(b),
      Sqrt: () => a.pow(0.5),
      Reciprocal: () => a.pow(-1),
      Tanh: () => a.tanh(),
      Softmax: () => {
        const counts = a.exp();
        return counts.mul(counts.sum(1, { keepdim: true }).pow(-1));
      },
    };
    values.set(output[0], operators[opType]());
  }
  return values;
}

/** The numbers of an initializer, in float64. */
function initialValue({ dims, dataType, rawData }: TensorProto): Tensor {
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  const shape = dims.map(Number);
  const size = shape.reduce((product, one) => product * one, 1);
  const read = (i: number) => (dataType === 1 ? view.getFloat32(4 * i, true) : Number(view.getBigInt64(8 * i, true)));
  return Tensor.of(
    Array.from({ length: size }, (_, i) => read(i)),
    shape,
    'float64',
  );
}

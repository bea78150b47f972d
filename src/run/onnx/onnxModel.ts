/**
 * A network as an ONNX model, for onnxruntime and other programs: the forward pass of evaluation as plain nodes whose outputs have the
 * lesson's names. https://onnx.ai/onnx/operators/
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BATCH_NORM_EPSILON } from '../../layers/batchNorm.js';
import { blockName, hasBatchNorm } from '../../network/parameters.js';
import { type ExportedArray, type ExportedModel, exportedMetadata, forwardPass } from '../exportedModel.js';
import { storeFloats, storeIndices } from '../safetensors.js';
import { ModelProtoSchema, type NodeProtoSchema, type TensorProtoSchema, type ValueInfoProtoSchema } from './onnx_pb.js';

/** ONNX 1.8, from 2020: whatever reads ONNX today reads these versions. */
const IR_VERSION = 7n;
const OPERATOR_SET = 13n;
/** Data types of tensors. */
const FLOAT = 1;
const INT64 = 7;

type Node = MessageInitShape<typeof NodeProtoSchema>;
type Tensor = MessageInitShape<typeof TensorProtoSchema>;
type ValueInfo = MessageInitShape<typeof ValueInfoProtoSchema>;

/**
 * The bytes of a model with the input `context`, int64 [n,T], and the outputs `logits` and `probs`, float32 [n,V]. n is free. The same
 * network always gives the same bytes.
 */
export function modelOnnx(model: ExportedModel): Uint8Array {
  const { config, program, parameters, statistics } = model;
  const { context: T, vocabulary: V } = config;
  const [producerName, producerVersion = ''] = program.split(' ');
  const file = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPERATOR_SET }],
    producerName,
    producerVersion,
    docString: forwardPass(config).join('\n'),
    metadataProps: Object.entries(exportedMetadata(model)).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'backprop-ninja',
      input: [valueInfo('context', INT64, T, 'indices of the last T characters in the vocabulary; 0 before the start')],
      output: [
        valueInfo('logits', FLOAT, V, 'of the next character, in the order of the vocabulary'),
        valueInfo('probs', FLOAT, V, 'the softmax of the logits'),
      ],
      initializer: [...[...parameters, ...statistics].map(floats), ...(hasBatchNorm(config) ? [epsilon()] : []), embactShape(model)],
      node: nodes(model),
    },
  });
  return toBinary(ModelProtoSchema, file);
}

/** The forward pass with calibrated statistics; DESIGN.md's names. */
function nodes({ config }: ExportedModel): Node[] {
  const blocks = config.hidden.flatMap((_, k) => blockNodes(k + 1, hasBatchNorm(config)));
  const last = blockName(config.hidden.length, 'h');
  return [
    node('Gather', ['C', 'context'], 'emb'),
    node('Reshape', ['emb', EMBACT_SHAPE], 'embact'),
    ...blocks,
    node('Gemm', [last, 'W2', 'b2'], 'logits'),
    node('Softmax', ['logits'], 'probs'),
  ];
}

/** hprebn = x W + b, batch norm with bnmean and bnvar if the network has it, and tanh, as block K, counted from 1. */
function blockNodes(K: number, isNormed: boolean): Node[] {
  const of = (tensor: string) => blockName(K, tensor);
  const x = K === 1 ? 'embact' : blockName(K - 1, 'h');
  const linear = node('Gemm', [x, blockName(K, 'W'), blockName(K, 'b')], of('hprebn'));
  if (!isNormed) return [linear, node('Tanh', [of('hprebn')], of('h'))];
  return [
    linear,
    node('Sub', [of('hprebn'), of('bnmean')], of('bndiff')),
    node('Add', [of('bnvar'), EPSILON], of('bnvar_epsilon')),
    node('Sqrt', [of('bnvar_epsilon')], of('bnstd')),
    node('Reciprocal', [of('bnstd')], of('bnvar_inv')),
    node('Mul', [of('bndiff'), of('bnvar_inv')], of('bnraw')),
    node('Mul', [of('bngain'), of('bnraw')], of('bnscaled')),
    node('Add', [of('bnscaled'), of('bnbias')], of('hpreact')),
    node('Tanh', [of('hpreact')], of('h')),
  ];
}

const EPSILON = 'epsilon';
const EMBACT_SHAPE = 'embact_shape';

/** A node is named after its output. Without attributes: Gather takes rows, Gemm transposes nothing, Softmax goes along the last dimension. */
function node(opType: string, input: string[], output: string): Node {
  return { opType, name: output, input, output: [output] };
}

function valueInfo(name: string, elemType: number, columns: number, docString: string): ValueInfo {
  const dim = [{ value: { case: 'dimParam', value: 'n' } }, { value: { case: 'dimValue', value: BigInt(columns) } }] as const;
  return { name, docString, type: { value: { case: 'tensorType', value: { elemType, shape: { dim: [...dim] } } } } };
}

function floats([name, { data, shape }]: [string, ExportedArray]): Tensor {
  return { name, dataType: FLOAT, dims: shape.map(BigInt), rawData: storeFloats(data, shape).bytes };
}

function epsilon(): Tensor {
  return floats([EPSILON, { data: Float32Array.of(BATCH_NORM_EPSILON), shape: [] }]);
}

/** [-1, T·E]: -1 is n. */
function embactShape({ config }: ExportedModel): Tensor {
  const { bytes } = storeIndices([-1, config.context * config.embedding], [2]);
  return { name: EMBACT_SHAPE, dataType: INT64, dims: [2n], rawData: bytes };
}

/** What a run's checkpoint holds: the weights under the lesson's names, and in the metadata all that shaped them. */
import * as v from 'valibot';
import type { CreateBackend } from '../backend/backend.js';
import { BOUNDARY } from '../dataset.js';
import { FileContentError, namingFile, quoteText, UNPRINTABLE, withSystemErrors } from '../errors.js';
import { arenaSize, createModel, type Model, type ModelConfig, PARAMETER_NAMES, parameterShapes } from '../model.js';
import { type FloatArray, type Shape, sameShape, showShape } from '../tensor.js';
import { atomicWrite } from './atomicWrite.js';
import { loadFloats, readSafetensorsFile, type Safetensors, storeFloats, writeSafetensors } from './safetensors.js';

const FORMAT = 'backprop-ninja checkpoint';
const FORMAT_VERSION = '1';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What shapes a run's weights, and nothing else: no path, no clock, no host. */
const RunConfigSchema = v.strictObject({
  context: count,
  embedding: count,
  hidden: count,
  batchSize: count,
  steps: count,
  learningRate: v.pipe(v.number(), v.finite()),
  seed: count,
  splitSeed: count,
  unique: v.boolean(),
});
export type RunConfig = v.InferOutput<typeof RunConfigSchema>;

export interface Checkpoint {
  config: RunConfig;
  vocabulary: readonly string[];
  /** Steps done. */
  step: number;
  /** Of the data file's bytes. */
  dataSha256: string;
  tensors: ReadonlyMap<string, FloatArray>;
}

/** The boundary, then single characters, each of them once. */
const VocabularySchema = v.pipe(
  v.array(v.string()),
  v.minLength(2),
  v.check((list) => list[0] === BOUNDARY && !list.slice(1).includes(BOUNDARY), `Expected '${BOUNDARY}' first, and only there`),
  v.check(
    (list) => list.every((entry) => [...entry].length === 1 && entry.search(UNPRINTABLE) === -1),
    'Expected single printable characters',
  ),
  v.check((list) => new Set(list).size === list.length, 'Expected different characters'),
);

const MetadataSchema = v.object({
  format: v.literal(FORMAT),
  formatVersion: v.literal(FORMAT_VERSION),
  config: v.pipe(v.string(), v.parseJson(), RunConfigSchema),
  vocabulary: v.pipe(v.string(), v.parseJson(), VocabularySchema),
  step: v.pipe(v.string(), v.parseJson(), count),
  dataSha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

/** Shapes of the tensors in a checkpoint, in their order: the parameters, then the calibrated statistics. */
function checkpointShapes(config: ModelConfig): [name: string, shape: Shape][] {
  const shapes = parameterShapes(config);
  const statistics: Shape = [1, config.hidden];
  return [...PARAMETER_NAMES.map((name): [string, Shape] => [name, shapes[name]]), ['bnmean', statistics], ['bnvar', statistics]];
}

/** The arrays of a model that a checkpoint holds, by their names in it. */
function storedArrays({ parameters, bnmean, bnvar }: Model): Record<string, FloatArray> {
  return { ...parameters, bnmean, bnvar };
}

/** @throws SystemError if it cannot be written; what was there stays */
export function saveCheckpoint(path: string, model: Model, about: Omit<Checkpoint, 'tensors'>): void {
  const arrays = storedArrays(model);
  const bytes = writeSafetensors({
    metadata: {
      format: FORMAT,
      formatVersion: FORMAT_VERSION,
      config: JSON.stringify(about.config),
      vocabulary: JSON.stringify(about.vocabulary),
      step: JSON.stringify(about.step),
      dataSha256: about.dataSha256,
    },
    tensors: new Map(checkpointShapes(model.config).map(([name, shape]) => [name, storeFloats(arrays[name], shape)])),
  });
  withSystemErrors('write', path, () => atomicWrite(path, bytes));
}

/**
 * @throws SystemError if the file cannot be read
 * @throws FileContentError that lists what is wrong with it
 */
export function loadCheckpoint(path: string): Checkpoint {
  const file = readSafetensorsFile(path);
  return namingFile(path, () => parseCheckpoint(file));
}

function parseCheckpoint({ metadata, tensors }: Safetensors): Checkpoint {
  const parsed = v.safeParse(MetadataSchema, metadata);
  if (!parsed.success) {
    if (metadata.format !== FORMAT) throw new FileContentError('safetensors, but not a checkpoint of backprop-ninja');
    throw new FileContentError(
      `metadata: ${parsed.issues.map((issue) => `${v.getDotPath(issue)}: ${quoteText(issue.message)}`).join('; ')}`,
    );
  }
  const about = parsed.output;
  const expected = new Map(checkpointShapes(modelConfig(about.config, about.vocabulary)));
  const problems: string[] = [];
  const arrays = new Map<string, FloatArray>();
  for (const name of tensors.keys()) if (!expected.has(name)) problems.push(`unexpected tensor "${quoteText(name)}"`);
  for (const [name, shape] of expected) {
    const stored = tensors.get(name);
    if (!stored) problems.push(`tensor "${name}" is missing`);
    else if (stored.dtype !== 'F32' || !sameShape(stored.shape, shape)) {
      problems.push(`tensor "${name}" is ${stored.dtype} ${showShape(stored.shape)}, expected F32 ${showShape(shape)}`);
    } else {
      const data = loadFloats(name, stored);
      if (data.some((x) => !Number.isFinite(x))) problems.push(`tensor "${name}" holds NaN or Inf`);
      arrays.set(name, data);
    }
  }
  if (problems.length > 0) throw new FileContentError(problems.join('; '));
  const { config, vocabulary, step, dataSha256 } = about;
  return { config, vocabulary, step, dataSha256, tensors: arrays };
}

export function modelConfig({ context, embedding, hidden }: RunConfig, vocabulary: readonly string[]): ModelConfig {
  return { context, embedding, hidden, vocabulary: vocabulary.length };
}

/** The stored model, ready to evaluate and to sample from with activations of those sizes. */
export function restoreModel({ config, vocabulary, tensors }: Checkpoint, createBackend: CreateBackend, inference: number[]): Model {
  const shape = modelConfig(config, vocabulary);
  const model = createModel(createBackend(arenaSize(shape, { inference })), shape);
  const arrays = storedArrays(model);
  for (const [name, data] of tensors) arrays[name].set(data);
  return model;
}

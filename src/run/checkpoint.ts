/** What a run's checkpoint holds: the weights under the lesson's names, and in the metadata all that shaped them. */
import * as v from 'valibot';
import type { CreateBackend } from '../backend/backend.js';
import { FileContentError, NumericalError } from '../core/errors.js';
import { allFinite } from '../core/numbers.js';
import { isStreamState } from '../core/random.js';
import type { Sha256 } from '../core/sha256.js';
import { type FloatArray, type Shape, sameShape, showShape } from '../core/tensor.js';
import { quoteText, UNPRINTABLE } from '../core/text.js';
import { decodeLatin1 } from '../core/utf8.js';
import { BOUNDARY } from '../data/dataset.js';
import { allocateModel, type Capacity, type Model } from '../network/arrays.js';
import { type ModelConfig, parameterCount, parameterNames, parameterShapes, statisticShapes } from '../network/parameters.js';
import { modelConfig, type RunConfig } from '../training/runConfig.js';
import { count, finite, RunConfigSchema } from '../training/runConfigSchema.js';
import type { TrainingState } from '../training/training.js';
import { decayedNames, hasPowers, OPTIMIZER_TENSORS, type OptimizerConfig, type OptimizerState } from '../training/updater.js';
import { headerEnd, loadFloats, readSafetensors, type Safetensors, storeFloats, writeSafetensors } from './safetensors.js';

const FORMAT = 'backprop-ninja checkpoint';
const FORMAT_VERSION = '3';

const StreamStateSchema = v.pipe(
  v.strictObject({ c: v.number(), s0: v.number(), s1: v.number(), s2: v.number() }),
  v.check(isStreamState, 'Expected the state of a random stream'),
);

/** The smallest validation loss so far, in nats per character, and the step it was measured after. */
export interface Best {
  step: number;
  valLoss: number;
}
const BestSchema = v.strictObject({ step: count, valLoss: finite });

export interface Checkpoint {
  /** Name and version of what wrote it. */
  program: string;
  config: RunConfig;
  vocabulary: readonly string[];
  /** Where the training stands. */
  state: TrainingState;
  best: Best | null;
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

/** A JSON text in a string of the metadata. */
function json<const T extends v.GenericSchema>(schema: T) {
  return v.pipe(v.string(), v.parseJson(), schema);
}

const sha256Text = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'Expected 64 hexadecimal digits'));

const power = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const MetadataSchema = v.object({
  format: v.literal(FORMAT),
  formatVersion: v.literal(FORMAT_VERSION),
  program: v.string(),
  config: json(RunConfigSchema),
  vocabulary: json(VocabularySchema),
  step: json(count),
  streams: json(v.strictObject({ batches: StreamStateSchema })),
  powers: json(v.nullable(v.strictObject({ beta1: power, beta2: power }))),
  losses: json(v.strictObject({ lossSinceRecord: finite, stepsSinceRecord: count, smoothed: finite, weight: finite })),
  best: json(v.nullable(BestSchema)),
  dataSha256: sha256Text,
  sha256: sha256Text,
});
type Metadata = Record<keyof v.InferInput<typeof MetadataSchema>, string>;

/** Shapes of a model's tensors in a checkpoint, in their order: the parameters, then the calibrated statistics. */
function checkpointShapes(config: ModelConfig): [name: string, shape: Shape][] {
  return [...Object.entries(parameterShapes(config)), ...Object.entries(statisticShapes(config))];
}

/** Shapes of what the optimizer keeps, which comes behind them. */
function optimizerShapes(config: ModelConfig, { name }: OptimizerConfig): [name: string, shape: Shape][] {
  return OPTIMIZER_TENSORS[name].map((tensor) => [OPTIMIZER_PREFIX + tensor, [parameterCount(config)]]);
}

const OPTIMIZER_PREFIX = 'optimizer.';

/** What the optimizer keeps, by its names in a checkpoint. */
function storedOptimizer(tensors: OptimizerState['tensors']): Record<string, FloatArray> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [OPTIMIZER_PREFIX + name, tensor]));
}

/** The reverse, from all the tensors of a checkpoint. */
function optimizerTensors(arrays: ReadonlyMap<string, FloatArray>): OptimizerState['tensors'] {
  const kept = [...arrays].filter(([name]) => name.startsWith(OPTIMIZER_PREFIX));
  return Object.fromEntries(kept.map(([name, data]) => [name.slice(OPTIMIZER_PREFIX.length), data]));
}

/** The arrays of a model that a checkpoint holds, by their names in it. */
function storedArrays({ parameters, statistics }: Model): Record<string, FloatArray> {
  return { ...parameters, ...statistics };
}

/**
 * The file's bytes: the same for the same run at the same step.
 * @throws NumericalError if a tensor holds NaN or Inf: such a checkpoint would be refused
 */
export function checkpointBytes(model: Model, about: Omit<Checkpoint, 'tensors'>, sha256: Sha256): Uint8Array {
  const { step, batches, optimizer, ...losses } = about.state;
  const arrays = { ...storedArrays(model), ...storedOptimizer(optimizer.tensors) };
  const metadata: Metadata = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    program: about.program,
    // In the schema's order, whatever order its keys were set in.
    config: JSON.stringify(v.parse(RunConfigSchema, about.config)),
    vocabulary: JSON.stringify(about.vocabulary),
    step: JSON.stringify(step),
    streams: JSON.stringify({ batches }),
    powers: JSON.stringify(optimizer.powers),
    losses: JSON.stringify(losses),
    best: JSON.stringify(about.best),
    dataSha256: about.dataSha256,
    sha256: NO_DIGEST,
  };
  const shapes = [...checkpointShapes(model.config), ...optimizerShapes(model.config, about.config.optimizer)];
  const broken = shapes.find(([name]) => !allFinite(arrays[name]));
  if (broken) throw new NumericalError(`${broken[0]} holds NaN or Inf after ${step} steps; not saved`);
  const tensors = new Map(shapes.map(([name, shape]) => [name, storeFloats(arrays[name], shape)]));
  return seal(writeSafetensors({ metadata, tensors }), sha256);
}

const DIGEST_KEY = '"sha256":"';
const NO_DIGEST = '0'.repeat(64);

/** Writes into the file the SHA-256 that it has with zeros in that place. */
function seal(file: Uint8Array, sha256: Sha256): Uint8Array {
  const at = placeOfDigest(file, NO_DIGEST);
  file.set(new TextEncoder().encode(sha256(file)), at);
  return file;
}

function isSealed(file: Uint8Array, digest: string, sha256: Sha256): boolean {
  const at = placeOfDigest(file, digest);
  if (at === -1) return false;
  const zeroed = file.slice();
  zeroed.set(new TextEncoder().encode(NO_DIGEST), at);
  return sha256(zeroed) === digest;
}

/** The position of the digest's first character; -1 if the file's metadata does not hold that digest. */
function placeOfDigest(file: Uint8Array, digest: string): number {
  const header = decodeLatin1(file.subarray(0, headerEnd(file)));
  const at = header.indexOf(DIGEST_KEY + digest);
  return at === -1 ? -1 : at + DIGEST_KEY.length;
}

/**
 * Reads the bytes of a checkpoint.
 * @throws FileContentError that lists what is wrong with them
 */
export function parseCheckpoint(file: Uint8Array, sha256: Sha256): Checkpoint {
  const { metadata, tensors } = readSafetensors(file);
  checkOrigin(metadata, tensors);
  if (metadata.sha256 !== undefined && !isSealed(file, metadata.sha256, sha256)) {
    throw new FileContentError('damaged: its SHA-256 is not the one it was written with; bring back a copy, or train again');
  }
  const parsed = v.safeParse(MetadataSchema, metadata);
  if (!parsed.success) {
    throw new FileContentError(
      `metadata: ${parsed.issues.map((issue) => `${quoteText(v.getDotPath(issue) ?? '')}: ${quoteText(issue.message)}`).join('; ')}`,
    );
  }
  const { program, config, vocabulary, step, streams, powers, losses, best, dataSha256 } = parsed.output;
  const shape = modelConfig(config, vocabulary);
  const { arrays, problems } = readTensors(tensors, new Map([...checkpointShapes(shape), ...optimizerShapes(shape, config.optimizer)]));
  if (step > config.steps) problems.push(`metadata: step ${step} is beyond the last, ${config.steps}`);
  if (best && best.step > step) problems.push(`metadata: best step ${best.step} is beyond the step ${step}`);
  for (const [name, data] of arrays) {
    if (name.endsWith('bnvar') && data.some((x) => x < 0)) problems.push(`tensor "${name}" holds a negative variance`);
  }
  const known: readonly string[] = parameterNames(shape);
  const strange =
    'weightDecay' in config.optimizer ? decayedNames(config.optimizer.weightDecay).filter((name) => !known.includes(name)) : [];
  if (strange.length > 0) problems.push(`metadata: config: weight decay of "${quoteText(strange[0])}", which the network does not have`);
  if (arrays.get('optimizer.v')?.some((x) => x < 0)) problems.push('tensor "optimizer.v" holds a negative mean square');
  if ((powers !== null) !== hasPowers(config.optimizer)) {
    problems.push(`metadata: powers ${powers ? 'given' : 'missing'}, with the optimizer ${config.optimizer.name}`);
  }
  if (problems.length > 0) throw new FileContentError(problems.join('; '));
  const optimizer = { tensors: optimizerTensors(arrays), powers };
  const ofModel = new Map([...arrays].filter(([name]) => !name.startsWith(OPTIMIZER_PREFIX)));
  return { program, config, vocabulary, state: { step, ...streams, ...losses, optimizer }, best, dataSha256, tensors: ofModel };
}

/** Refuses what somebody else wrote, and what an older or newer version of this program did. */
function checkOrigin({ format, formatVersion }: Safetensors['metadata'], tensors: Safetensors['tensors']): void {
  if (format !== FORMAT) {
    const names = [...tensors.keys()];
    const some = names.slice(0, 3).map((name) => `"${quoteText(name)}"`);
    const held = names.length === 0 ? 'no tensors' : `${names.length} tensors: ${some.join(', ')}${names.length > 3 ? ', …' : ''}`;
    throw new FileContentError(`safetensors, but not a checkpoint of backprop-ninja; it holds ${held}`);
  }
  if (/^\d+$/.test(formatVersion) && Number(formatVersion) !== Number(FORMAT_VERSION)) {
    const wayOut =
      Number(formatVersion) > Number(FORMAT_VERSION)
        ? 'a newer one wrote it, update'
        : 'an older one wrote it, which can go on with it; or train again';
    throw new FileContentError(
      `metadata: formatVersion: ${quoteText(formatVersion)}, this backprop-ninja reads ${FORMAT_VERSION}; ${wayOut}`,
    );
  }
}

/** Everything that is wrong with the tensors, and those that are right. */
function readTensors(
  tensors: Safetensors['tensors'],
  expected: ReadonlyMap<string, Shape>,
): { arrays: Map<string, FloatArray>; problems: string[] } {
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
      if (!allFinite(data)) problems.push(`tensor "${name}" holds NaN or Inf`);
      arrays.set(name, data);
    }
  }
  return { arrays, problems };
}

/** A model of the stored shape and weights, on a new backend with room for the capacity. */
export function restoreModel({ config, vocabulary, tensors }: Checkpoint, createBackend: CreateBackend, capacity: Capacity): Model {
  const model = allocateModel(createBackend, modelConfig(config, vocabulary), capacity);
  restoreTensors(model, tensors);
  return model;
}

function restoreTensors(model: Model, tensors: Checkpoint['tensors']): void {
  const arrays = storedArrays(model);
  for (const [name, data] of tensors) arrays[name].set(data);
}

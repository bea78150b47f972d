/**
 * A run's checkpoint as bytes: a safetensors file with the weights under the lesson's names, and in its metadata everything that training
 * needs to resume. The same run at the same step always gives the same bytes.
 *
 * Tensors, all F32: the parameters (C, W1, ...), the calibrated statistics (bnmean, bnvar and those of further blocks), and the optimizer's
 * state as flat vectors (optimizer.velocity, or optimizer.m and optimizer.v). Metadata, each value a string: see metadataSchema.
 * The newest option in its configuration determines the format version: see formatOf.
 */
import * as v from 'valibot';
import type { CreateBackend } from '../backend/backend.js';
import { FileContentError, NumericalError } from '../core/errors.js';
import { allFinite } from '../core/numbers.js';
import type { OptionRow } from '../core/optionRow.js';
import { isStreamState } from '../core/random.js';
import type { Sha256 } from '../core/sha256.js';
import { type FloatArray, type Shape, sameShape, showShape } from '../core/tensor.js';
import { countOf, quoteText } from '../core/text.js';
import { allocateModel, type Capacity, type Model } from '../network/arrays.js';
import { type ModelConfig, parameterCount, parameterNames, parameterShapes, statisticShapes } from '../network/parameters.js';
import { TRAINING_OPTIONS } from '../training/options.js';
import { formatOf, knownFormats, modelConfig, orderedConfig, type RunConfig, WITHOUT_STATISTICS } from '../training/runConfig.js';
import { configSchema, count, finite, sha256Text } from '../training/runConfigSchema.js';
import type { TrainingState } from '../training/training.js';
import { decayedNames, hasPowers, OPTIMIZER_TENSORS, type OptimizerConfig, type OptimizerState } from '../training/updater.js';
import { loadFloats, readSafetensors, type Safetensors, storeFloats, writeSafetensors } from './safetensors.js';
import { isSealed, NO_DIGEST, seal } from './seal.js';
import { VocabularySchema } from './vocabularySchema.js';

/** What the metadata of a checkpoint call its format. */
export const FORMAT = 'backprop-ninja checkpoint';

/** A run at one of its steps, without the weights. */
export interface RunSnapshot {
  /** Name and version of the program that wrote it. */
  program: string;
  config: RunConfig;
  /** The boundary, then the characters of the names, in the order of the rows of C. */
  vocabulary: readonly string[];
  /** Steps done, the random stream of batches, running losses, and the optimizer's state. */
  state: TrainingState;
  /** The best evaluation so far; null before the first one. */
  best: BestEvaluation | null;
  /** SHA-256 of the data file, 64 hexadecimal digits. */
  dataSha256: string;
  /**
   * 'missing' if the run was stopped before the statistics of this step were computed: bnmean holds 0, bnvar 1. What was due after the step,
   * such as an evaluation, is then not done either.
   */
  statistics?: 'missing' | undefined;
}

/** A run at one of its steps. */
export interface Checkpoint extends RunSnapshot {
  /** Parameters and statistics by name, row-major float32; not the optimizer's tensors, which are in `state`. */
  tensors: ReadonlyMap<string, FloatArray>;
}

/** The smallest mean validation loss so far, in nats per character, and the number of steps after which it was measured. */
export interface BestEvaluation {
  step: number;
  valLoss: number;
}
const BestEvaluationSchema = v.strictObject({ step: count, valLoss: finite });

const StreamStateSchema = v.pipe(
  v.strictObject({ c: v.number(), s0: v.number(), s1: v.number(), s2: v.number() }),
  v.check(isStreamState, 'Expected the state of a random stream'),
);

/** A value stored as JSON in a metadata string. */
function json<const T extends v.GenericSchema>(schema: T) {
  return v.pipe(v.string(), v.parseJson(), schema);
}

const power = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const METADATA = {
  format: v.literal(FORMAT),
  program: v.string(),
  vocabulary: json(VocabularySchema),
  step: json(count),
  streams: json(v.strictObject({ batches: StreamStateSchema })),
  /** beta1 and beta2 to the power of the steps done, for Adam's bias correction. */
  powers: json(v.nullable(v.strictObject({ beta1: power, beta2: power }))),
  losses: json(v.strictObject({ lossSinceRecord: finite, stepsSinceRecord: count, smoothed: finite, weight: finite })),
  best: json(v.nullable(BestEvaluationSchema)),
  dataSha256: sha256Text,
  /** Only there if it is needed; since format 4. */
  statistics: v.optional(v.literal('missing')),
  /** SHA-256 of the whole file, with zeros in this place. */
  sha256: sha256Text,
};

/** @param options the table that decides what a configuration may hold */
function metadataSchema(options: readonly OptionRow[]) {
  const { oldest, newest } = knownFormats(options);
  const versions = Array.from({ length: newest - oldest + 1 }, (_, i) => String(oldest + i));
  return v.strictObject({ ...METADATA, formatVersion: v.picklist(versions), config: json(configSchema(options)) });
}
type StoredMetadata = Partial<Record<'statistics', string>> &
  Record<Exclude<keyof v.InferInput<ReturnType<typeof metadataSchema>>, 'statistics'>, string>;
type Metadata = v.InferOutput<ReturnType<typeof metadataSchema>>;

/** Name and shape of each tensor of a checkpoint, in the order of the file: parameters, statistics, optimizer state. */
function checkpointShapes(config: ModelConfig, { name }: OptimizerConfig): [name: string, shape: Shape][] {
  const ofOptimizer = OPTIMIZER_TENSORS[name].map((tensor): [string, Shape] => [OPTIMIZER_PREFIX + tensor, [parameterCount(config)]]);
  return [...Object.entries(parameterShapes(config)), ...Object.entries(statisticShapes(config)), ...ofOptimizer];
}

const OPTIMIZER_PREFIX = 'optimizer.';

/** The arrays of a model that a checkpoint holds, by name. */
function storedArrays({ parameters, statistics }: Model): Record<string, FloatArray> {
  return { ...parameters, ...statistics };
}

/**
 * The bytes of a checkpoint.
 * @param sha256 as in `Sha256`; seals the file, and any change to it is noticed when it is read
 * @param options the table that decides how the configuration is stored
 * @throws NumericalError if a tensor holds NaN or Inf, because such a checkpoint could not be read
 */
export function checkpointBytes(
  model: Model,
  snapshot: RunSnapshot,
  sha256: Sha256,
  options: readonly OptionRow[] = TRAINING_OPTIONS,
): Uint8Array {
  const { config, state } = snapshot;
  const ofOptimizer = Object.entries(state.optimizer.tensors).map(([name, tensor]) => [OPTIMIZER_PREFIX + name, tensor]);
  const arrays: Record<string, FloatArray> = { ...storedArrays(model), ...Object.fromEntries(ofOptimizer) };
  const shapes = checkpointShapes(model.config, config.optimizer);
  const broken = shapes.find(([name]) => !allFinite(arrays[name]));
  if (broken) throw new NumericalError(`checkpoint not saved: ${broken[0]} holds NaN or Inf after ${countOf(state.step, 'step')}`);
  const tensors = new Map(shapes.map(([name, shape]) => [name, storeFloats(arrays[name], shape)]));
  return seal(writeSafetensors({ metadata: storedMetadata(snapshot, options), tensors }), sha256);
}

function storedMetadata(snapshot: RunSnapshot, options: readonly OptionRow[]): StoredMetadata {
  const { program, config, vocabulary, state, best, dataSha256, statistics } = snapshot;
  const { step, batches, optimizer, ...losses } = state;
  return {
    format: FORMAT,
    formatVersion: String(Math.max(formatOf(config, options), statistics ? WITHOUT_STATISTICS : 0)),
    program,
    config: JSON.stringify(orderedConfig(v.parse(configSchema(options), config), options)),
    vocabulary: JSON.stringify(vocabulary),
    step: JSON.stringify(step),
    streams: JSON.stringify({ batches }),
    powers: JSON.stringify(optimizer.powers),
    losses: JSON.stringify(losses),
    best: JSON.stringify(best),
    dataSha256,
    ...(statistics && { statistics }),
    sha256: NO_DIGEST,
  };
}

/**
 * Reads the bytes of a checkpoint.
 * @param sha256 the function the file was sealed with
 * @param options the table that decides what the configuration may hold
 * @throws FileContentError if the file is damaged, is not a checkpoint, or was written by a program with another format version; the
 * message lists every problem
 */
export function parseCheckpoint(file: Uint8Array, sha256: Sha256, options: readonly OptionRow[] = TRAINING_OPTIONS): Checkpoint {
  const { metadata: stored, tensors: storedTensors } = readSafetensors(file);
  checkOrigin(stored, storedTensors, options);
  if (stored.sha256 !== undefined && !isSealed(file, stored.sha256, sha256)) {
    throw new FileContentError('damaged: SHA-256 mismatch', { hint: 'restore a copy or train again' });
  }
  const metadata = parseMetadata(stored, options);
  const { program, config, vocabulary, step, streams, powers, losses, best, dataSha256, statistics } = metadata;
  const shape = modelConfig(config, vocabulary);
  const { arrays, problems } = readTensors(storedTensors, new Map(checkpointShapes(shape, config.optimizer)));
  problems.push(...stepProblems(metadata), ...rangeProblems(arrays), ...optimizerProblems(metadata, shape));
  if (problems.length > 0) throw new FileContentError(problems.join('; '));
  const { model: tensors, optimizer } = splitTensors(arrays);
  const state = { step, ...streams, ...losses, optimizer: { tensors: optimizer, powers } };
  return { program, config, vocabulary, state, best, dataSha256, tensors, ...(statistics && { statistics }) };
}

/** Refuses safetensors files of other programs, and other format versions of this one. */
function checkOrigin(
  { format, formatVersion }: Safetensors['metadata'],
  tensors: Safetensors['tensors'],
  options: readonly OptionRow[],
): void {
  if (format !== FORMAT) {
    const names = [...tensors.keys()];
    const some = names.slice(0, 3).map((name) => `"${quoteText(name)}"`);
    const held = `${countOf(names.length, 'tensor')}: ${some.join(', ')}${names.length > 3 ? ', …' : ''}`;
    throw new FileContentError(
      `a safetensors file, but not a checkpoint of backprop-ninja; it holds ${names.length === 0 ? 'no tensors' : held}`,
    );
  }
  const { oldest, newest } = knownFormats(options);
  const version = Number(formatVersion);
  if (/^\d+$/.test(formatVersion) && (version < oldest || version > newest)) {
    const isNewer = version > newest;
    const readable = oldest === newest ? `format ${oldest}` : `formats ${oldest} to ${newest}`;
    throw new FileContentError(`checkpoint format ${quoteText(formatVersion)}, this backprop-ninja reads ${readable}`, {
      hint: isNewer ? 'a newer version wrote it: update' : 'an older version wrote it: resume with that version, or train again',
    });
  }
}

function parseMetadata(metadata: Safetensors['metadata'], options: readonly OptionRow[]): Metadata {
  const parsed = v.safeParse(metadataSchema(options), metadata);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => `${quoteText(v.getDotPath(issue) ?? '')}: ${quoteText(issue.message)}`);
  throw new FileContentError(`metadata: ${problems.join('; ')}`);
}

/** Every tensor that is right, and every problem with the others. */
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

function stepProblems({ step, config: { steps, imported = false }, best }: Metadata): string[] {
  return [
    ...((steps === 0) === imported ? [] : [`metadata: config: ${countOf(steps, 'step')}; an imported run has 0, and no other run`]),
    ...(step > steps ? [`metadata: step ${step} is beyond the last step, ${steps}`] : []),
    ...(best && best.step > step ? [`metadata: best step ${best.step} is beyond step ${step}`] : []),
  ];
}

function rangeProblems(arrays: ReadonlyMap<string, FloatArray>): string[] {
  const isNegative = (data: FloatArray | undefined) => data?.some((x) => x < 0) ?? false;
  const variances = [...arrays].filter(([name, data]) => name.endsWith('bnvar') && isNegative(data));
  return [
    ...variances.map(([name]) => `tensor "${name}" holds a negative variance`),
    ...(isNegative(arrays.get('optimizer.v')) ? ['tensor "optimizer.v" holds a negative mean square'] : []),
  ];
}

function optimizerProblems({ config: { optimizer }, powers }: Metadata, shape: ModelConfig): string[] {
  const known: readonly string[] = parameterNames(shape);
  const decayed = 'weightDecay' in optimizer ? decayedNames(optimizer.weightDecay) : [];
  const [unknown] = decayed.filter((name) => !known.includes(name));
  return [
    ...(unknown === undefined
      ? []
      : [`metadata: config: weight decay of "${quoteText(unknown)}", which is not a parameter of the network`]),
    ...(powers !== null && !hasPowers(optimizer) ? [`metadata: powers found, but optimizer ${optimizer.name} has none`] : []),
    ...(powers === null && hasPowers(optimizer) ? [`metadata: powers missing, but optimizer ${optimizer.name} needs them`] : []),
  ];
}

/** Separates the network's tensors from the optimizer's, which lose their prefix. */
function splitTensors(arrays: ReadonlyMap<string, FloatArray>): { model: Map<string, FloatArray>; optimizer: OptimizerState['tensors'] } {
  const isOptimizer = ([name]: [string, FloatArray]) => name.startsWith(OPTIMIZER_PREFIX);
  const ofOptimizer = [...arrays].filter(isOptimizer).map(([name, data]) => [name.slice(OPTIMIZER_PREFIX.length), data]);
  return { model: new Map([...arrays].filter((entry) => !isOptimizer(entry))), optimizer: Object.fromEntries(ofOptimizer) };
}

/**
 * A model with the checkpoint's sizes, parameters and statistics.
 * @param createBackend makes the backend, with room for that capacity
 * @param capacity the batch sizes the model will be used with
 */
export function restoreModel({ config, vocabulary, tensors }: Checkpoint, createBackend: CreateBackend, capacity: Capacity): Model {
  const model = allocateModel(createBackend, modelConfig(config, vocabulary), capacity);
  const arrays = storedArrays(model);
  for (const [name, data] of tensors) arrays[name].set(data);
  return model;
}

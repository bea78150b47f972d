/** A run inside the page's file: its parameters, and what it takes to draw its batches. Nothing of the machine that it was trained on. */
import * as v from 'valibot';
import { FileContentError } from '../core/errors.js';
import type { Shape, Tensor } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import { NameList } from '../data/nameList.js';
import { byName, LESSON_PARAMETER_NAMES, type LessonParameterName, type ModelConfig, parameterShapes } from '../network/parameters.js';
import { count } from '../training/runConfigSchema.js';
import { fromBase64Tensor, toBase64Tensor } from './base64Tensor.js';
import type { Checkpoint } from './checkpoint.js';
import { VocabularySchema } from './vocabularySchema.js';

const size = v.pipe(count, v.minValue(1));

const RunDataSchema = v.strictObject({
  /** The base name of the run's directory. */
  name: v.string(),
  seed: count,
  /** Steps done. */
  step: count,
  /** T, E and H of a network of one block. */
  context: size,
  embedding: size,
  hidden: v.strictTuple([size]),
  vocabulary: VocabularySchema,
  splitSeed: count,
  unique: v.boolean(),
  /** Little-endian float32 in base64. */
  parameters: v.strictObject(
    byName(
      LESSON_PARAMETER_NAMES,
      LESSON_PARAMETER_NAMES.map(() => v.string()),
    ),
  ),
  /** The data set before its split; null for the names that come with the program. */
  names: v.nullable(v.array(v.string())),
});

/** A run as the page's file holds it, as JSON. */
export type RunData = v.InferOutput<typeof RunDataSchema>;

/** A run as the page uses it. */
export interface PageRun extends Pick<RunData, 'name' | 'seed' | 'step' | 'vocabulary' | 'splitSeed' | 'unique' | 'names'> {
  config: ModelConfig & { readonly hidden: readonly [number] };
  /** The trained parameters, float32. */
  parameters: Record<LessonParameterName, Tensor>;
}

/** What the page's file holds in the place of a run's data, as long as there is none. */
const SLOT = '<script type="application/json" id="run-data">null</script>';

/** Whether the text is the page, empty or with a run. */
export function isPage(html: string): boolean {
  return html.includes(SLOT.slice(0, SLOT.indexOf('null')));
}

/**
 * A run for the page.
 * @param checkpoint of a network of one block
 * @param names the data set before its split; null for the names that come with the program
 */
export function runData(name: string, { config, vocabulary, state, tensors }: Checkpoint, names: Iterable<string> | null): RunData {
  const { seed, context, embedding, hidden, splitSeed, unique } = config;
  const floats = (parameter: string) => tensors.get(parameter) ?? new Float32Array();
  return {
    name,
    seed,
    step: state.step,
    context,
    embedding,
    hidden: [hidden[0]],
    vocabulary: [...vocabulary],
    splitSeed,
    unique,
    parameters: byName(
      LESSON_PARAMETER_NAMES,
      LESSON_PARAMETER_NAMES.map((parameter) => toBase64Tensor(floats(parameter))),
    ),
    names: names && [...names],
  };
}

/** The page's file with a run in it. @throws FileContentError if it has no place for one */
export function fillPage(html: string, data: RunData): string {
  const parts = html.split(SLOT);
  if (parts.length !== 2) throw new FileContentError('it has no place for the data of a run', { hint: 'build it again: npm run build' });
  // No name can end the script.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return parts.join(SLOT.replace('null', () => json));
}

/**
 * Reads the data in the page's file.
 * @param json the text of the page's element run-data
 * @returns undefined if it holds no run
 * @throws FileContentError if it is damaged
 */
export function readRunData(json: string): PageRun | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.nullable(RunDataSchema)), json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const place = v.getDotPath(issue);
    throw damaged(`${place === null ? '' : `${quoteText(place)}: `}${quoteText(issue.message)}`);
  }
  if (parsed.output === null) return undefined;
  const { context, embedding, hidden, parameters, ...facts } = parsed.output;
  const config = { context, embedding, hidden, vocabulary: facts.vocabulary.length };
  if (facts.names && NameList.of(facts.names).vocabulary.join('') !== facts.vocabulary.join('')) {
    throw damaged('the characters of names are not those of vocabulary');
  }
  const shapes = parameterShapes(config);
  const tensors = LESSON_PARAMETER_NAMES.map((name) => readParameter(name, parameters[name], shapes[name]));
  return { ...facts, config, parameters: byName(LESSON_PARAMETER_NAMES, tensors) };
}

function readParameter(name: string, base64: string, shape: Shape): Tensor {
  const tensor = fromBase64Tensor(name, base64, shape);
  if (typeof tensor === 'string') throw damaged(tensor);
  return tensor;
}

function damaged(what: string): FileContentError {
  return new FileContentError(`the run in this page is damaged: ${what}`, {
    hint: 'write the page again',
    command: 'open --run RUN',
  });
}

/** Finds the tensors of a network in a file by their names, and says what other names may mean. */
import { closest } from '../core/spelling.js';
import { showShape } from '../core/tensor.js';
import { quoteText } from '../core/text.js';
import { blockName, isParameterName, type Norm, parameterNames, statisticNames } from '../network/parameters.js';
import type { Safetensors, StoredTensor } from './safetensors.js';

/** The network's tensors under their own names. */
interface NamedTensors {
  tensors: Map<string, StoredTensor>;
  /** What precedes each name in the file. */
  prefix: string;
  /** As many entries as there are blocks. */
  hidden: readonly number[];
  /** undefined: batch norm. */
  norm?: Norm;
  /** Statistics that are missing, if others are there. */
  missingStatistics: readonly string[];
  /** The names of all other tensors, as the file has them. */
  unused: string[];
}

/** What follows the names of statistics: nothing, or what the lecture adds to those that it keeps while it trains. */
const SUFFIXES = ['', '_running'] as const;

export function nameTensors(file: Safetensors['tensors']): NamedTensors {
  const prefix = prefixOf([...file.keys()]);
  const own = new Map([...file].filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  const blocks = [...own.keys()].map((name) => (isParameterName(name) ? Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? 1) : 1));
  const hidden = Array<number>(Math.max(1, ...blocks)).fill(0);
  const { statistics, missing } = findStatistics(own, statisticNames({ hidden }));
  const parameters = [...own].filter(([name]) => isParameterName(name));
  const used = new Set([...parameters.map(([name]) => name), ...statistics.values()].map((name) => prefix + name));
  const isPlain = parameterNames({ hidden, norm: 'none' }).every((name) => own.has(name)) && ![...own.keys()].some(isOfBatchNorm);
  return {
    tensors: new Map([...parameters, ...[...statistics].map(([name, found]) => [name, own.get(found) as StoredTensor] as const)]),
    prefix,
    hidden,
    ...(isPlain && { norm: 'none' }),
    missingStatistics: missing,
    unused: [...file.keys()].filter((name) => !used.has(name)),
  };
}

/** Whether a tensor is one of batch norm, by its name: the lesson's, another spelling, or that of a module. */
function isOfBatchNorm(name: string): boolean {
  return /bn|norm|gain|running/i.test(name);
}

/**
 * The names of the statistics in the file, all with the same suffix: a mean does not go with any variance, such as that of a batch.
 * @returns none unless all are there, and then what is missing if some are
 */
function findStatistics(
  own: ReadonlyMap<string, StoredTensor>,
  names: readonly string[],
): { statistics: Map<string, string>; missing: string[] } {
  const missing = SUFFIXES.map((suffix) => names.map((name) => name + suffix).filter((name) => !own.has(name)));
  const whole = missing.findIndex((list) => list.length === 0);
  if (whole !== -1) return { statistics: new Map(names.map((name) => [name, name + SUFFIXES[whole]])), missing: [] };
  return { statistics: new Map(), missing: missing.find((list) => list.length < names.length) ?? [] };
}

/** What a module puts before the names of its parameters, such as `model.`: what precedes C, if there is one C, and not alone. */
function prefixOf(names: readonly string[]): string {
  const found = names.filter((name) => /(^|\.)C$/.test(name)).map((name) => name.slice(0, -1));
  return found.length === 1 && names.some((name) => name === `${found[0]}W1`) ? found[0] : '';
}

/** At most this many names of a file are listed. */
const MOST_NAMES = 12;

/** What the other names in a file may mean, and what they are. */
export function suggestionsFor(missing: readonly string[], others: readonly string[], tensors: Safetensors['tensors']): string[] {
  const meant = new Map(
    others.flatMap((name) => {
      const own = meaningOf(name, missing);
      return own === undefined ? [] : [[own, name] as const];
    }),
  );
  const suggestions = [...meant].map(([own, name]) => `"${quoteText(name)}" may be meant as ${own}`);
  const rest = others.filter((name) => ![...meant.values()].includes(name));
  if (meant.size === missing.length || rest.length === 0) return suggestions;
  const shown = rest.slice(0, MOST_NAMES).map((name) => `${quoteText(name)} ${showShape(tensors.get(name)?.shape ?? [])}`);
  return [
    ...suggestions,
    `the file also has ${shown.join(', ')}${rest.length > MOST_NAMES ? ` and ${rest.length - MOST_NAMES} more` : ''}`,
  ];
}

/** The missing name that another name probably means: without case, path and punctuation, or misspelt. */
function meaningOf(name: string, missing: readonly string[]): string | undefined {
  const module = /^(?:.*\.)?(C|W[12]|blocks\.\d+\.W)\.(weight|bias)$/i.exec(name);
  const readings = [
    name,
    name.split(/[./]/).at(-1) ?? '',
    ...(module ? [module[2].toLowerCase() === 'weight' ? module[1] : module[1].replace(/W/i, 'b')] : []),
    name.replace(/^blocks\.1\.(\w+)$/, (_, tensor) => blockName(1, tensor as string)),
  ].map(lettersOf);
  const same = missing.find((one) => readings.includes(lettersOf(one)));
  if (same !== undefined) return same;
  const long = missing.filter((one) => one.length >= 4);
  return readings.map((reading) => closest(reading, long)).find((one) => one !== undefined);
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

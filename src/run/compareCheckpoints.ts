/** Compares two checkpoints of the same step in everything that they hold, bit for bit. */
import { indexAt } from '../core/numbers.js';
import type { FloatArray } from '../core/tensor.js';
import { type NamedTensor, parameterViews } from '../network/arrays.js';
import { hasBatchNorm, parameterShapes, statisticShapes } from '../network/parameters.js';
import { modelConfig, type RunConfig, settingsOf } from '../training/runConfig.js';
import type { TrainingState } from '../training/training.js';
import type { Checkpoint } from './checkpoint.js';

/** What a checkpoint holds. */
export const CHECKPOINT_PARTS = [
  'parameters',
  'statistics',
  'optimizer state',
  'random state',
  'running losses',
  'best evaluation',
] as const;
export type CheckpointPart = (typeof CHECKPOINT_PARTS)[number];

/** The first difference in a part of two checkpoints. */
export interface PartDifference {
  part: CheckpointPart;
  /** All tensors or values of the part that differ. */
  names: string[];
  /** The first of them: the index of its first differing entry, unless only one checkpoint has it, and both values. */
  index?: number[];
  values: [unknown, unknown];
}

export interface CheckpointComparison {
  compared: CheckpointPart[];
  differences: PartDifference[];
  /** Parts that one of the checkpoints does not hold, and why. */
  notCompared: { part: CheckpointPart; reason: string }[];
}

/** The part of a checkpoint that is compared. */
export type ComparedState = Pick<Checkpoint, 'config' | 'vocabulary' | 'state' | 'best' | 'tensors' | 'statistics'>;

/** @param parts those to compare */
export function compareCheckpoints(
  a: ComparedState,
  b: ComparedState,
  parts: readonly CheckpointPart[] = CHECKPOINT_PARTS,
): CheckpointComparison {
  const values = (pick: (of: ComparedState) => Record<string, unknown>) => valueDifference(pick(a), pick(b));
  const tensors = (pick: (of: ComparedState) => Record<string, NamedTensor>) => tensorDifference(pick(a), pick(b));
  const hasOptimizerState = [a, b].some(({ state }) => Object.keys(state.optimizer.tensors).length > 0);
  const found: Record<CheckpointPart, Omit<PartDifference, 'part'> | undefined> = {
    parameters: tensors(parametersOf),
    statistics: tensors(statisticsOf),
    'optimizer state': tensors(optimizerTensorsOf) ?? values(({ state }) => ({ ...state.optimizer.powers })),
    'random state': values(({ state }) => ({ ...state.batches })),
    'running losses': values(({ state }) => runningLosses(state)),
    'best evaluation': values(({ best }) => ({ ...best })),
  };
  const isPlain = [a, b].every(({ config }) => !hasBatchNorm(config));
  const isStopped = !isPlain && [a, b].some(({ statistics }) => statistics === 'missing');
  const notCompared: CheckpointComparison['notCompared'] = [
    ...(isPlain && parts.includes('statistics') ? [{ part: 'statistics', reason: 'the network has no batch norm' } as const] : []),
    ...(isStopped ? [{ part: 'statistics', reason: 'the run was stopped before they were computed' } as const] : []),
    ...(hasOptimizerState || !parts.includes('optimizer state')
      ? []
      : [{ part: 'optimizer state', reason: `${a.config.optimizer.name} has none` } as const]),
  ];
  const compared = parts.filter((part) => notCompared.every((one) => one.part !== part));
  return { compared, differences: compared.flatMap((part) => (found[part] ? [{ part, ...found[part] }] : [])), notCompared };
}

function runningLosses({ step, batches, optimizer, ...losses }: TrainingState): Record<string, unknown> {
  return losses;
}

function shapeOf({ config, vocabulary }: ComparedState) {
  return modelConfig(config, vocabulary);
}

function parametersOf(of: ComparedState): Record<string, NamedTensor> {
  return named(Object.entries(parameterShapes(shapeOf(of))), of.tensors);
}

function statisticsOf(of: ComparedState): Record<string, NamedTensor> {
  return named(Object.entries(statisticShapes(shapeOf(of))), of.tensors);
}

function named(shapes: [string, readonly number[]][], tensors: Checkpoint['tensors']): Record<string, NamedTensor> {
  return Object.fromEntries(shapes.map(([name, shape]) => [name, { data: tensors.get(name) as FloatArray, shape }]));
}

/** The optimizer's tensors by the parameter that they belong to: `v of W1`. */
function optimizerTensorsOf(of: ComparedState): Record<string, NamedTensor> {
  const config = shapeOf(of);
  const shapes = parameterShapes(config);
  const parts = Object.entries(of.state.optimizer.tensors).flatMap(([name, flat]) =>
    Object.entries(parameterViews(flat, config)).map(([parameter, data]) => [
      `${name} of ${parameter}`,
      { data, shape: shapes[parameter as keyof typeof shapes] },
    ]),
  );
  return Object.fromEntries(parts);
}

function tensorDifference(a: Record<string, NamedTensor>, b: Record<string, NamedTensor>): Omit<PartDifference, 'part'> | undefined {
  const all = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const names = all.filter((name) => firstDifference(a[name]?.data, b[name]?.data) !== undefined);
  if (names.length === 0) return undefined;
  const [left, right] = [a[names[0]], b[names[0]]];
  const at = firstDifference(left?.data, right?.data) as number;
  if (at === -1) return { names, values: [left && `[${left.shape.join(', ')}]`, right && `[${right.shape.join(', ')}]`] };
  return { names, index: indexAt(at, left.shape), values: [left.data[at], right.data[at]] };
}

/** Position of the first entry with other bits, -1 if the sizes differ or one is missing, or undefined. */
function firstDifference(a: FloatArray | undefined, b: FloatArray | undefined): number | undefined {
  if (a?.length !== b?.length || !a || !b) return -1;
  // Object.is tells 0 from -0; neither holds NaN.
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i;
  return undefined;
}

function valueDifference(a: Record<string, unknown>, b: Record<string, unknown>): Omit<PartDifference, 'part'> | undefined {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => !Object.is(a[name], b[name]));
  return names.length === 0 ? undefined : { names, values: [a[names[0]], b[names[0]]] };
}

/** A setting with other values. */
export interface SettingDifference {
  /** Its key in the configuration. */
  key: string;
  /** The option as typed, or what it is in words. */
  option: string;
  /** undefined for a run whose optimizer or schedule has no such setting. */
  values: [unknown, unknown];
}

export function settingDifferences(a: RunConfig, b: RunConfig): SettingDifference[] {
  const [left, right] = [settingsOf(a), settingsOf(b)];
  const keys = new Map([...left, ...right].map(([key, { option }]) => [key, option]));
  return [...keys].flatMap(([key, option]): SettingDifference[] => {
    const values: [unknown, unknown] = [left.get(key)?.value, right.get(key)?.value];
    return String(values[0]) === String(values[1]) ? [] : [{ key, option, values }];
  });
}

/** What a comparison of runs found, in words. */
import { showShape } from '../../core/tensor.js';
import type { CheckpointComparison, PartDifference } from '../../run/compareCheckpoints.js';
import { differingTensors, RECORD_KINDS, type RecordComparison, type RecordKind } from '../../run/compareRecords.js';
import type { MetricsRecord } from '../../run/records.js';
import { formatCount } from '../terminal/format.js';
import type { FlawedLine } from './storedRun.js';

const KIND_TEXT: Record<RecordKind, readonly [one: string, many: string]> = {
  loss: ['loss', 'losses'],
  valLoss: ['validation loss', 'validation losses'],
  hashes: ['hash record', 'hash records'],
  diagnostics: ['diagnosis', 'diagnoses'],
};

/** How the two sides are named where one of them lacks something. */
export type Sides = readonly [a: string, b: string];

/** A line per kind of record that differs, with the first difference. */
export function recordLines({ kinds }: RecordComparison, sides: Sides): string[] {
  return RECORD_KINDS.flatMap((kind) => {
    const { compared, alone, differing, first } = kinds[kind];
    if (!first) return [];
    const [one, many] = KIND_TEXT[kind];
    const [a, b] = first.records;
    const at = `step ${formatCount(first.step)}`;
    const what = a && b ? `${at}: ${valuesOf(a, b)}` : `${at}, which ${sides[a ? 1 : 0]} does not hold`;
    return [
      differing === 1
        ? `the ${one} of ${what}`
        : `${formatCount(differing)} of ${formatCount(compared + alone)} ${many} differ, first that of ${what}`,
    ];
  });
}

function valuesOf(a: MetricsRecord, b: MetricsRecord): string {
  if ('hashes' in a && 'hashes' in b) return differingTensors(a.hashes, b.hashes).join(', ');
  if ('valLoss' in a && 'valLoss' in b) return `${a.valLoss} and ${b.valLoss}`;
  if ('diagnostics' in a && 'diagnostics' in b) return placeOf(a.diagnostics, b.diagnostics);
  if (!('loss' in a && 'loss' in b)) return '';
  return a.loss === b.loss ? `rate ${a.rate} and ${b.rate}` : `${a.loss} and ${b.loss}`;
}

/** `parameters W1 value mean: 0.1 and 0.2`: the first place at which two JSON values differ, and what is there. */
function placeOf(a: unknown, b: unknown, path: readonly string[] = []): string {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return `${path.join(' ')}: ${a} and ${b}`;
  const key = Object.keys({ ...a, ...b }).find((key) => JSON.stringify(at(a, key)) !== JSON.stringify(at(b, key)));
  return key === undefined ? 'the order of its keys' : placeOf(at(a, key), at(b, key), [...path, key]);
}

const at = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];

/** `W1, b1 differ`. */
export function tensorList(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'differs' : 'differ'}`;
}

/** A line per part of two checkpoints that differs. */
export function checkpointLines(what: string, { differences }: CheckpointComparison): string[] {
  return differences.map((difference) => `${what}: ${difference.part}: ${partText(difference)}`);
}

function partText({ names, index, values }: PartDifference): string {
  const [a, b] = values.map((value) => (value === undefined ? 'none' : `${value}`));
  return `${tensorList(names)}, first ${names[0]}${index ? showShape(index) : ''}: ${a} and ${b}`;
}

/** `12 losses, 3 hash records`, as one line, or none. */
export function recordCounts({ kinds }: RecordComparison): string[] {
  const counts = RECORD_KINDS.filter((kind) => kinds[kind].compared > 0).map((kind) => {
    const [one, many] = KIND_TEXT[kind];
    const { compared } = kinds[kind];
    return compared === 1 ? `1 ${one}` : `${formatCount(compared)} ${many}`;
  });
  return counts.length > 0 ? [counts.join(', ')] : [];
}

export function flawLines(flaws: readonly FlawedLine[]): string[] {
  return flaws.map(({ file, line, flaw }) => `${file}, line ${line}: ${flaw}`);
}

/** Something that was not compared, and why. */
export interface NotCompared {
  what: string;
  reason: string;
}

/** The lines that say what was compared and what was not. */
export function scopeLines(compared: readonly string[], notCompared: readonly NotCompared[]): string[] {
  const list = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]);
  return [
    ...list('compared:', compared),
    ...list(
      'not compared:',
      notCompared.map(({ what, reason }) => `${what}: ${reason}`),
    ),
  ];
}

/** A line per checkpoint that was compared, with its parts. */
export function partsLines(checkpoints: readonly (readonly [what: string, found: CheckpointComparison | undefined])[]): string[] {
  let before = '';
  return checkpoints.flatMap(([what, found]) => {
    if (!found) return [];
    const parts = found.compared.join(', ');
    const line = `${what}: ${parts === before ? 'the same parts' : parts}`;
    before = parts;
    return [line];
  });
}

export function afterStep(step: number): string {
  return `after step ${formatCount(step)}`;
}

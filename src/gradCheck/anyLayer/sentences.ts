/** A layer's report as plain text. */

import { showShape } from '../../core/tensor.js';
import { countOf, quoteText, showText } from '../../core/text.js';
import { wrapWords } from '../../core/wrapWords.js';
import { isLayer, type Layer, PARTS } from './layer.js';
import type { InputRow, LayerReport, PropertyRow } from './report.js';

/** Columns of a line of {@link reportText}. */
const WIDTH = 80;

/** The report in lines of at most 80 columns: the verdict, what is wrong, and what was not shown. It ends without a newline. */
export function reportText(report: LayerReport): string {
  const lines = [verdictSentence(report)];
  const add = (indent: number, text: string) => {
    const [first = '', ...rest] = wrapWords(showText(text), WIDTH - indent - 2);
    lines.push(' '.repeat(indent) + first, ...rest.map((line) => ' '.repeat(indent + 2) + line));
  };
  if (report.refused) {
    add(2, report.refused.text);
    return lines.join('\n');
  }
  for (const row of report.inputs.filter(({ ok }) => !ok)) {
    add(2, inputSentence(row));
    if (row.mistake) add(4, row.mistake.text);
  }
  const said = report.inputs.map(({ mistake }) => mistake?.text);
  for (const row of report.properties) if (row.ok === false && !said.includes(row.detail)) add(2, propertySentence(row));
  const right = report.inputs.filter(({ ok }) => ok).map(gradientName);
  if (!report.ok && right.length > 0) add(2, `right: ${right.join(', ')}`);
  for (const sentence of notShown(report)) add(2, `note: ${sentence}`);
  return lines.join('\n');
}

/** "layerNorm: dx and dgain are wrong" */
export function verdictSentence({ name, ok, refused, inputs, properties }: LayerReport): string {
  const head = quoteText(name);
  if (ok) return `${head}: right`;
  const wrong = inputs.filter((row) => !row.ok).map(gradientName);
  const failed = properties.filter((row) => row.ok === false).map((row) => row.name);
  if (refused) return `${head}: not judged`;
  if (wrong.length > 0) return `${head}: ${listed(wrong)} ${wrong.length === 1 ? 'is' : 'are'} wrong`;
  if (failed.length === 0) return `${head}: not judged`;
  const which = failed.length === 1 ? `the property ${failed[0]} fails` : `the properties ${listed(failed)} fail`;
  return `${head}: the gradients are right, but ${which}`;
}

/** "dx, dgain and dbias" */
function listed(words: readonly string[]): string {
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** Whether this is a gradient without an input. An input whose gradient has another name has that name in its mistake. */
function isStray({ mistake }: InputRow): boolean {
  return mistake?.id === 'unknown-name' && mistake.returned === undefined;
}

/** "dx"; a gradient without an input is called as backward calls it. */
function gradientName(row: InputRow): string {
  return isStray(row) ? quoteText(row.name) : `d${quoteText(row.name)}`;
}

/** "dx (input x): wrong at [1, 2]: yours 0.52, right 0.26 (n = 2, d = 3); 6 of 6 entries" */
export function inputSentence(row: InputRow): string {
  const head = isStray(row) ? gradientName(row) : `${gradientName(row)} (input ${quoteText(row.name)})`;
  if (row.ok) return `${head}: right`;
  const where = placeOf(row);
  if (row.found === null || row.expected === null) return `${head}: wrong${where}`;
  const at = row.at.length === 0 ? '' : ` at ${showShape(row.at)}`;
  const [yours, right] = distinct(row.found, row.expected);
  return `${head}: wrong${at}: yours ${yours}, right ${right}${where}; ${row.wrongEntries} of ${entries(row.entries)}`;
}

/** " (n = 2, d = 3)"; empty without sizes */
function placeOf(row: InputRow): string {
  const sizes = sizesText(row);
  return sizes === '' ? '' : ` (${sizes})`;
}

/** "n = 2, d = 3" */
export function sizesText({ sizes, train }: Pick<InputRow, 'sizes' | 'train'>): string {
  const letters = Object.entries(sizes).map(([letter, size]) => `${quoteText(letter)} = ${size}`);
  return [...letters, ...(train ? [] : ['not in training'])].join(', ');
}

/** 1 entry, 2,000 entries */
function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count.toLocaleString('en-US')} entries`;
}

/** Two numbers with as few digits as tell them apart, at least four, and at most the given number. */
export function distinct(a: number, b: number, most = 17): [string, string] {
  for (let digits = 4; ; digits++) {
    const [x, y] = [a, b].map((value) => String(Number(value.toPrecision(digits))));
    if (x !== y || digits >= most) return [x, y];
  }
}

/** "batch: the gradient of x for example 0 alone differs from its row in the batch" */
export function propertySentence({ name, ok, detail }: PropertyRow): string {
  if (ok) return `${name}: right`;
  return `${name}: ${ok === null ? 'not tried: ' : ''}${detail}`;
}

/** What the check of a layer did not show, a sentence each. */
export function notShown({ ok, refused, precision, tried, properties }: LayerReport): string[] {
  if (refused) return [];
  const untried = ok ? properties.filter((row) => row.ok === null && row.detail !== '') : [];
  return [
    ...(ok ? ['the gradients fit your forward; whether forward is right was not checked'] : []),
    ...(precision === 'float32' ? ['judged in float32: a mistake below float32 rounding is not seen'] : []),
    ...(tried.dropped > 0
      ? [`${countOf(tried.dropped, 'point')} of ${tried.dropped + tried.points} left out, because forward was not finite there`]
      : []),
    ...(tried.kinks > 0 ? [`forward has a kink in ${countOf(tried.kinks, 'comparison')}: ${TAKEN[tried.taken ?? 'several']}`] : []),
    ...(tried.undecided > 0 ? [`${countOf(tried.undecided, 'comparison')} left out, because no derivative could be measured there`] : []),
    ...untried.map(propertySentence),
  ];
}

/** The slopes that a gradient took at kinks. */
const TAKEN = {
  left: 'your gradient took the left slope',
  right: 'your gradient took the right slope',
  between: 'your gradient took a value between the slopes',
  nearby: 'your gradient is that of a nearby point',
  several: 'your gradient took values from the left to the right slope',
} as const;

/** Why a value is no layer: "not a layer: backward is missing". */
export function notALayer(value: unknown): string | undefined {
  if (isLayer(value)) return undefined;
  const needs = 'a layer has functions inputs, forward and backward, as defineLayer makes it';
  if (typeof value !== 'object' || value === null) return `not a layer, but ${value === null ? 'null' : kindOf(value)}; ${needs}`;
  const missing = PARTS.filter((part) => typeof (value as Partial<Layer>)[part] !== 'function');
  return `not a layer: ${listed(missing)} ${missing.length === 1 ? 'is' : 'are'} missing; ${needs}`;
}

function kindOf(value: unknown): string {
  return value === undefined ? 'undefined' : `a ${typeof value}`;
}

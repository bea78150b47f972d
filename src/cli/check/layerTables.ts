/** The reports on layers, as lines of text. */
import { showShape } from '../../core/tensor.js';
import { countOf, quoteText, showText } from '../../core/text.js';
import type { InputRow, LayerReport } from '../../gradCheck/anyLayer/report.js';
import { distinct, notShown, propertySentence, sizesText, verdictSentence } from '../../gradCheck/anyLayer/sentences.js';
import type { Paint } from '../terminal/colors.js';
import { type Align, columnsThatFit, formatCount, formatDifference, formatTable, wrapText } from '../terminal/format.js';

/** The columns of a layer's table. In a narrow terminal, those with the highest number are left out first. */
const COLUMNS: readonly { title: string; align: Align; leaves: number }[] = [
  { title: '    input', align: 'left', leaves: 0 },
  { title: 'error', align: 'right', leaves: 5 },
  { title: 'limit', align: 'right', leaves: 6 },
  { title: 'at', align: 'left', leaves: 3 },
  { title: 'yours', align: 'right', leaves: 2 },
  { title: 'right', align: 'right', leaves: 1 },
  { title: 'wrong', align: 'right', leaves: 4 },
  { title: 'sizes', align: 'left', leaves: 7 },
];
const INDENT = '      ';

/** One line for a layer that is right; otherwise a line per input, the mistakes, and the properties that failed. */
export function layerLines(report: LayerReport, paint: Paint, width: number): string[] {
  const { ok, refused, inputs, properties, precision } = report;
  const head = `${ok ? '✓' : '✗'} ${verdictSentence(report)}${ok ? rightInputs(inputs) : ''}${precision === 'float32' ? ', in float32' : ''}`;
  if (ok) return indented(head, '', width).map(paint.green);
  if (refused)
    return [...indented(`✗ ${verdictSentence(report)}`, '', width), ...indented(showText(refused.text), '    ', width)].map(paint.red);
  const said = inputs.map(({ mistake }) => mistake?.text);
  const failed = properties.filter((row) => row.ok === false && !said.includes(row.detail));
  return [
    ...indented(head, '', width).map(paint.red),
    ...(inputs.every((row) => row.ok) ? [] : tableLines(inputs, paint, width)),
    ...failed.flatMap((row) => indented(showText(propertySentence(row)), '    ', width)).map(paint.red),
  ];
}

/** " (x, gain, bias)" */
function rightInputs(inputs: readonly InputRow[]): string {
  return inputs.length === 0 ? '' : ` (${inputs.map(({ name }) => quoteText(name)).join(', ')})`;
}

function tableLines(inputs: readonly InputRow[], paint: Paint, width: number): string[] {
  const cells = [COLUMNS.map(({ title }) => title), ...inputs.map(cellsOf)];
  const shown = columnsThatFit(cells, COLUMNS, width);
  const [columns, ...rows] = formatTable(
    cells.map((row) => shown.map((column) => row[column])),
    shown.map((column) => COLUMNS[column].align),
  );
  return [
    ...(inputs.some(({ limit }) => limit !== null) ? [paint.dim(columns)] : []),
    ...rows.flatMap((row, i) => {
      const { ok, mistake } = inputs[i];
      const text = mistake ? indented(showText(mistake.text), INDENT, width) : [];
      return [row, ...text].map((line) => (ok ? paint.green(line) : paint.red(line)));
    }),
  ];
}

function cellsOf(row: InputRow): string[] {
  const { name, ok, error, limit, at, wrongEntries, entries } = row;
  const [yours, right] = numbersOf(row);
  const figures = (value: number | null) => (value === null ? '' : formatDifference(value));
  return [
    `  ${ok ? '✓' : '✗'} ${quoteText(name)}`,
    figures(error),
    figures(limit),
    limit === null || at.length === 0 ? '' : showShape(at),
    yours,
    right,
    limit === null ? '' : `${formatCount(wrongEntries)} of ${formatCount(entries)}`,
    sizesText(row),
  ];
}

/** Yours and the right value. JSON has null for what is not finite. */
function numbersOf({ ok, limit, found, expected }: InputRow): [string, string] {
  if (limit === null || expected === null) return ['', ''];
  return found === null || !Number.isFinite(found) ? ['not finite', distinct(0, expected, 4)[1]] : distinct(found, expected, ok ? 4 : 17);
}

/** The verdict on all layers, and what was not shown. */
export function endLines(
  reports: readonly LayerReport[],
  { seconds, paint, width }: { seconds: number; paint: Paint; width: number },
): string[] {
  const wrong = reports.filter(({ ok, refused }) => !ok && !refused);
  const refused = reports.filter((report) => report.refused);
  const parts = [
    ...(wrong.length > 0 ? [`${formatCount(wrong.length)} of ${countOf(reports.length, 'layer')} wrong: ${namesOf(wrong)}`] : []),
    ...(refused.length > 0
      ? [`${formatCount(refused.length)} of ${countOf(reports.length, 'layer')} not judged: ${namesOf(refused)}`]
      : []),
  ];
  const all = reports.length === 1 ? 'the layer is right' : `all ${formatCount(reports.length)} layers are right`;
  const verdict = `${parts.length === 0 ? all : parts.join('; ')} (${seconds.toFixed(1)} s)`;
  return [
    ...indented(verdict, '', width).map(parts.length === 0 ? paint.green : paint.red),
    ...notes(reports).flatMap((note) => indented(note, '', width).map(paint.dim)),
  ];
}

function namesOf(reports: readonly LayerReport[]): string {
  const names = reports.slice(0, MAX_NAMES).map(({ name }) => quoteText(name));
  return `${names.join(', ')}${reports.length > names.length ? ', …' : ''}`;
}

/** Names that are listed. */
const MAX_NAMES = 20;

/** What was not shown, each once, with the layers for which it holds. */
function notes(reports: readonly LayerReport[]): string[] {
  const layers = new Map<string, string[]>();
  for (const report of reports) {
    for (const sentence of notShown(report)) layers.set(sentence, [...(layers.get(sentence) ?? []), quoteText(report.name)]);
  }
  return [...layers].map(([sentence, names]) => {
    const listed = `${names.slice(0, MAX_NOTED).join(', ')}${names.length > MAX_NOTED ? ` and ${names.length - MAX_NOTED} more` : ''}`;
    return `note: ${showText(sentence)}${names.length === reports.length ? '' : ` (${listed})`}`;
  });
}

/** Names beside a note. */
const MAX_NOTED = 3;

/** The text in lines of the width, all but the first indented further. */
function indented(text: string, indent: string, width: number): string[] {
  return wrapText(text, width - indent.length - 2).map((line, i) => `${indent}${i === 0 ? '' : '  '}${line}`);
}

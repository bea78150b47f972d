/** The report on a file of gradients: what is wrong first, then a table. */
import { showShape } from '../../core/tensor.js';
import { countOf, showText } from '../../core/text.js';
import { remarkOn, remarkText } from '../../dojo/against/remarks.js';
import type { AgainstReport, AgainstRow } from '../../dojo/against/report.js';
import { type SummarySentence, summaryOf } from '../../dojo/against/summary.js';
import type { Paint } from '../terminal/colors.js';
import { columnsThatFit, formatCount, formatDifference, formatTable, wrapText } from '../terminal/format.js';
import { type HtmlRow, htmlParagraph, htmlTable, type Tone } from '../terminal/html.js';

/** The columns of the table. In a narrow terminal, those with the highest number are left out first. */
const COLUMNS = [
  { title: '  tensor', align: 'left', leaves: 0 },
  { title: 'shape', align: 'left', leaves: 4 },
  { title: 'verdict', align: 'left', leaves: 1 },
  { title: 'error', align: 'right', leaves: 2 },
  { title: 'as fed', align: 'right', leaves: 3 },
  { title: 'exact', align: 'left', leaves: 5 },
  { title: 'ULPs', align: 'right', leaves: 6 },
] as const;
/** A remark that more rows have is said once, below the table. */
const ROWS_WITH_REMARK = 2;
const INDENT = '    ';

/** @param width columns of the terminal */
export function reportLines(report: AgainstReport, paint: Paint, width: number): string[] {
  const [above, below] = splitSummary(report);
  const wrapped = ({ text, tone }: SummarySentence) => wrapText(showText(text), width).map((line) => painter(tone, paint)(line));
  return [
    ...above.flatMap(wrapped),
    ...(above.length > 0 ? [''] : []),
    ...forwardLine(report).map((line) => paint.green(line)),
    ...tableLines(shownRows(report), paint, width),
    '',
    ...commonRemarks(report.tensors).flatMap((text) => wrapped({ text, tone: 'plain' })),
    ...below.flatMap(wrapped),
  ];
}

/** The report as an HTML fragment for a notebook. */
export function reportHtml(report: AgainstReport): string {
  const [above, below] = splitSummary(report);
  const paragraph = ({ text, tone }: SummarySentence) => htmlParagraph(text, tone === 'plain' ? undefined : tone);
  const common = commonRemarks(report.tensors);
  const rows = shownRows(report).map((row): HtmlRow => {
    const tone = htmlTone(row);
    return { cells: [...cellsOf(row), ownRemark(row, report.tensors) ?? ''], ...(tone && { tone }) };
  });
  return [
    ...above.map(paragraph),
    ...forwardLine(report).map((line) => htmlParagraph(line, 'good')),
    htmlTable([...COLUMNS.map(({ title }) => title.trim()), ''], rows),
    ...common.map((text) => htmlParagraph(text)),
    ...below.map(paragraph),
  ].join('\n');
}

/** The report as JSON has it, with a sentence for each remark. */
export function reportJson(report: AgainstReport): object {
  return {
    ...report,
    remarks: report.remarks.map(remarkText),
    tensors: report.tensors.map(({ remarks, ...row }) => ({ ...row, remark: remarkOn(remarks) })),
  };
}

/** What comes before the table: what is wrong. */
function splitSummary(report: AgainstReport): [above: SummarySentence[], below: SummarySentence[]] {
  const sentences = summaryOf(report);
  const quiet = sentences.findIndex(({ tone }) => tone === 'dim' || tone === 'good');
  const last = quiet === -1 ? sentences.length - 1 : quiet;
  return [sentences.slice(0, last), sentences.slice(last)];
}

/** The rows of the table: those of the forward pass only where something differs, or is to be known. */
function shownRows({ tensors, forward }: AgainstReport): readonly AgainstRow[] {
  return forward.first === null ? tensors.filter(({ remarks }, i) => i >= forward.compared || remarks.length > 0) : tensors;
}

function forwardLine({ forward: { first, compared } }: AgainstReport): string[] {
  return first === null && compared > 0 ? [`✓ the forward pass: ${countOf(compared, 'tensor')} right`] : [];
}

function tableLines(tensors: readonly AgainstRow[], paint: Paint, width: number): string[] {
  const cells = [COLUMNS.map(({ title }) => title), ...tensors.map(cellsOf)];
  const shown = columnsThatFit(cells, COLUMNS, width);
  const [head, ...lines] = formatTable(
    cells.map((row) => shown.map((column) => row[column])),
    shown.map((column) => COLUMNS[column].align),
  );
  return [
    paint.dim(head),
    ...lines.flatMap((line, i) => {
      const row = tensors[i];
      const remark = ownRemark(row, tensors);
      const below = remark === null ? [] : wrapText(showText(remark), width - INDENT.length);
      return [rowPainter(row, paint)(line), ...below.map((text) => `${INDENT}${text}`)];
    }),
  ];
}

/** The rows with the same remarks, by these. */
function rowsByRemarks(tensors: readonly AgainstRow[]): AgainstRow[][] {
  const rows = new Map<string, AgainstRow[]>();
  for (const row of tensors) {
    const key = JSON.stringify(row.remarks);
    rows.set(key, [...(rows.get(key) ?? []), row]);
  }
  return [...rows.values()].filter(([{ remarks }]) => remarks.length > 0);
}

/** The remark of a row, unless it is said for several at once. */
function ownRemark(row: AgainstRow, tensors: readonly AgainstRow[]): string | null {
  const isCommon = rowsByRemarks(tensors).some((rows) => rows.includes(row) && rows.length > ROWS_WITH_REMARK);
  return isCommon ? null : remarkOn(row.remarks);
}

/** The remarks that many rows share. */
function commonRemarks(tensors: readonly AgainstRow[]): string[] {
  return rowsByRemarks(tensors).flatMap((rows) =>
    rows.length > ROWS_WITH_REMARK ? [`${rows[0].name} and ${formatCount(rows.length - 1)} other rows: ${remarkOn(rows[0].remarks)}`] : [],
  );
}

const MARKS = { right: '✓', wrong: '✗', 'right-as-fed': '·', unjudged: '?' } as const;
const VERDICTS = { right: 'right', wrong: 'wrong by itself', 'right-as-fed': 'right as fed', unjudged: 'not judged' } as const;

function cellsOf({ name, shape, verdict, error, asFed, exact, maxUlps, structuralZero }: AgainstRow): string[] {
  const figure = (value: number | null | undefined) => (value === null || value === undefined ? '-' : formatDifference(value));
  return [
    `${MARKS[verdict]} ${showText(name)}`,
    showShape(shape),
    verdictText(name, verdict, structuralZero),
    figure(error),
    figure(asFed?.error),
    exact === null ? '-' : exact ? 'yes' : 'no',
    maxUlps === null ? '-' : formatCount(maxUlps),
  ];
}

function verdictText(name: string, verdict: AgainstRow['verdict'], structuralZero: boolean): string {
  if (verdict === 'wrong' && !name.startsWith('d')) return 'differs';
  return structuralZero && verdict === 'right' ? 'right: always 0' : VERDICTS[verdict];
}

function painter(tone: SummarySentence['tone'], paint: Paint): (text: string) => string {
  if (tone === 'plain') return (text) => text;
  return { good: paint.green, bad: paint.red, dim: paint.dim }[tone];
}

function rowPainter({ verdict }: AgainstRow, paint: Paint): (text: string) => string {
  if (verdict === 'right') return paint.green;
  return verdict === 'wrong' ? paint.red : paint.dim;
}

function htmlTone({ verdict }: AgainstRow): Tone {
  if (verdict === 'right') return 'good';
  return verdict === 'wrong' ? 'bad' : 'dim';
}

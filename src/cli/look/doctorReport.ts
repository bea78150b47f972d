/** What doctor prints: the findings, and small pictures of what they were read from. */
import { evenly } from '../../core/numbers.js';
import type { Finding, FindingFacts } from '../../run/findings/finding.js';
import { limitText, placeText } from '../../run/findings/findingTexts.js';
import { percent, weightNames } from '../../run/findings/view.js';
import type { Diagnostics, DiagnosticsRecord, Spread } from '../../training/diagnostics.js';
import type { Paint } from '../terminal/colors.js';
import { formatCount, formatCountOf, formatTable, wrapText } from '../terminal/format.js';
import { drawBars } from '../terminal/histogram.js';

/** Columns of a histogram, as many as it has intervals. */
const COLUMNS = 30;
/** log10 of update:data from the bottom to the top of its bars: three powers of ten on either side of the rule of thumb. */
const LOWEST = -6;
const HIGHEST = 0;

/** The verdict, a paragraph per finding, and the pictures. */
export function doctorLines(what: string, findings: readonly Finding[], facts: FindingFacts, width: number, paint: Paint): string[] {
  const verdict = findings.length === 0 ? paint.green('no finding') : paint.bold(formatCountOf(findings.length, 'finding'));
  return [
    ...wrapText(`${what}: ${verdict}`, width),
    ...findings.flatMap((finding, i) => ['', ...findingLines(finding, i + 1, width, paint)]),
    ...pictures(facts, paint),
  ];
}

function findingLines(finding: Finding, number: number, width: number, paint: Paint): string[] {
  const { id, option, text, source } = finding;
  const place = placeText(finding);
  const indent = (lines: string[]) => lines.map((line) => `   ${line}`);
  const turn = option === null ? [] : [`turn ${option}`];
  const details = [...turn, limitText(finding)].join('; ');
  return [
    `${number}. ${paint.red(id)}${place === '' ? '' : `, ${place}`}`,
    ...indent(wrapText(text, width - 3)),
    ...indent(wrapText(`${details}; ${source}`, width - 3).map(paint.dim)),
  ];
}

function pictures(facts: FindingFacts, paint: Paint): string[] {
  const looks = facts.records.filter((record): record is DiagnosticsRecord => 'diagnostics' in record);
  const last = facts.fresh ?? facts.initial ?? looks.at(-1);
  if (!last) return [];
  const updates = updateRows(looks);
  return [
    '',
    paint.bold(last.step === 0 ? 'Activations before the first step' : `Activations after step ${formatCount(last.step)}`),
    ...formatTable(blockRows(last.diagnostics), ['left', 'left', 'right', 'left']),
    ...(updates.length > 0
      ? [
          '',
          paint.bold(`update:data: bars from 10^${LOWEST} (empty) to 10^${HIGHEST} (full)`),
          ...formatTable(updates, ['left', 'left', 'left']),
        ]
      : []),
  ];
}

function blockRows({ blocks }: Diagnostics): string[][] {
  return blocks.flatMap(({ h, hpreact, saturated, dead }, k) => [
    [`block ${k + 1} h`, ...histogram(h), `${percent(saturated)} saturated, ${dead} dead`],
    [`block ${k + 1} hpreact`, ...histogram(hpreact), `std ${(hpreact.std ?? Number.NaN).toPrecision(2)}`],
  ]);
}

function histogram({ histogram }: Spread): [bars: string, range: string] {
  return histogram ? [drawBars(histogram.counts).padEnd(COLUMNS), `±${Number(histogram.to.toPrecision(2))}`] : ['', ''];
}

/** update:data of the weights over the steps, and by now. */
function updateRows(looks: readonly DiagnosticsRecord[]): string[][] {
  const names = looks.length > 0 ? weightNames(looks[0].diagnostics) : [];
  return ['C', ...names].flatMap((name) => {
    const logs = looks.flatMap(({ diagnostics: { parameters } }) => {
      const ratio = parameters[name]?.updateToData;
      return ratio ? [Math.log10(ratio)] : [];
    });
    if (logs.length === 0) return [];
    const bars = evenly(logs, COLUMNS).map((log) => Math.max(0, log - LOWEST));
    return [[name, drawBars(bars, HIGHEST - LOWEST), `10^${logs[logs.length - 1].toFixed(1)}`]];
  });
}

/** A sweep at a glance: which option mattered, and the losses by its values. */
import { type Html, html, NOTHING } from '../core/html.js';
import { extentOf } from '../core/numbers.js';
import { countOf, showText } from '../core/text.js';
import { comparedCurves } from './reportComparison.js';
import type { ReportRun, SweepSummary } from './reportData.js';

/** An option that explains less of the differences than this did not matter clearly. */
const MATTERS = 0.1;
/** The first runs of a sweep, in its table. */
const MOST_RUNS = 20;

type OptionSummary = SweepSummary['options'][number];

/** @param runs the best runs, for their curves */
export function sweepSummary(sweep: SweepSummary, runs: readonly ReportRun[]): Html {
  const { done, planned, diverged, options } = sweep;
  const counts = [
    ...(done < planned ? [`${done} of ${countOf(planned, 'run')} done`] : [countOf(done, 'run')]),
    ...(diverged > 0 ? [`${diverged} diverged`] : []),
  ];
  return html`<header class="report-head"><p class="report-kind">Report of a sweep · ${counts.join(', ')}</p><h1>${options.map(({ option }) => option).join(', ')}</h1><p class="report-verdict">${verdictOn(sweep)}</p></header>
<section class="report-part" id="options"><h2>Validation loss by the values of each option</h2><div class="report-options">${options.map((option) => optionCard(option, scaleOf(sweep)))}</div><p class="report-source">The bar ends at the median of the runs with this value, the mark is the best of them. The share is of the variance of the runs' ranks, less what chance explains.</p></section>
${resultTable(sweep)}
${runs.length > 0 ? comparedCurves(runs) : NOTHING}`;
}

function verdictOn({ options, results }: SweepSummary): string {
  const [best] = results;
  if (!best || best.valLoss === null) return 'No run has a validation loss yet.';
  const chosen = Object.entries(best.options).map(([option, value]) => `--${option} ${value}`);
  const first = options[0];
  const lowest = `The lowest validation loss is ${best.valLoss.toFixed(4)}, with ${chosen.join(' ')}.`;
  if (!first || first.share === null) return `${lowest} There are too few runs to say which option mattered.`;
  if (first.share < MATTERS)
    return `${lowest} No option mattered clearly: none explains the differences between the runs better than chance.`;
  const rest = options.slice(1).map(({ option, share }) => `${option} ${percent(share ?? 0)}`);
  return `${first.option} mattered most: it explains ${percent(first.share)} of the differences between the runs${rest.length > 0 ? ` (${rest.join(', ')})` : ''}; its best value is ${bestValue(first)}. ${lowest}`;
}

function bestValue({ values }: OptionSummary): string {
  const known = values.filter(({ median }) => median !== null);
  if (known.length === 0) return 'not known';
  const best = known.reduce((a, b) => ((b.median as number) < (a.median as number) ? b : a));
  return `${best.value}, with a median of ${(best.median as number).toFixed(4)}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** The losses at the ends of all bars. A few bad runs do not press the rest together. */
function scaleOf({ options }: SweepSummary): [low: number, high: number] {
  const values = options.flatMap(({ values }) => values.flatMap(({ median, least }) => [median ?? [], least ?? []].flat()));
  const [low, most] = extentOf(values);
  const upper = values.toSorted((a, b) => a - b)[Math.floor((3 * (values.length - 1)) / 4)] ?? most;
  const high = Math.min(most, low + 2 * Math.max(upper - low, 0.01));
  const pad = Math.max(0.005, (high - low) * 0.08);
  return [low - pad, high + pad];
}

const BAR = 220;

function optionCard({ option, values, share }: OptionSummary, [low, high]: [number, number]): Html {
  const x = (loss: number) => Number(Math.max(2, Math.min(BAR, ((loss - low) / (high - low)) * BAR)).toFixed(1));
  const rows = values.map(({ value, runs, diverged, median, least }) => {
    const bar =
      median === null
        ? NOTHING
        : html`<svg class="sweep-bar" viewBox="0 0 ${BAR} 16" width="${BAR}" height="16" aria-hidden="true" fill="currentColor"><rect x="0" y="4" width="${x(median)}" height="8"/>${least === null ? NOTHING : html`<circle cx="${x(least)}" cy="8" r="4"/>`}</svg>`;
    const counted = `${runs}${diverged > 0 ? `, ${diverged} diverged` : ''}`;
    return html`<tr><th scope="row">${showText(value)}</th><td>${bar}</td><td class="number">${median === null ? 'diverged' : median.toFixed(4)}</td><td class="number">${least === null ? '–' : least.toFixed(4)}</td><td class="number">${counted}</td></tr>`;
  });
  const explains = share === null ? 'too few runs to say how much it explains' : `explains ${percent(share)}`;
  return html`<section class="report-card"><h3>--${option} <span class="report-source">${explains}</span></h3><div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><thead><tr><th scope="col">value</th><td></td><th scope="col">median</th><th scope="col">best</th><th scope="col">runs</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function resultTable({ results, options, shared }: SweepSummary): Html {
  const number = (value: number | null, missing: string, digits = 4) =>
    html`<td class="number">${value === null ? missing : value.toFixed(digits)}</td>`;
  const rows = results
    .slice(0, MOST_RUNS)
    .map(
      ({ run, options: chosen, valLoss, trainLoss, seconds }) =>
        html`<tr><th scope="row">${run}</th>${options.map(({ option }) => html`<td class="number">${showText(chosen[option] ?? '')}</td>`)}${number(valLoss, 'diverged')}${number(trainLoss, '–')}${number(seconds, '–', 1)}</tr>`,
    );
  const head = ['run', ...options.map(({ option }) => option), 'validation', 'training', 'seconds'].map(
    (title) => html`<th scope="col">${title}</th>`,
  );
  const more = results.length > MOST_RUNS ? html`<p>And ${countOf(results.length - MOST_RUNS, 'other run')}.</p>` : NOTHING;
  return html`<section class="report-part" id="losses"><h2>The best runs</h2><div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>${more}${shared === '' ? NOTHING : html`<p>All runs share <code>${shared}</code>.</p>`}</section>`;
}

/** Several runs beside each other. */
import { type Html, html, NOTHING } from '../core/html.js';
import { countOf, formatCount, showText } from '../core/text.js';
import { settingsOf } from '../training/runConfig.js';
import { CURVE_COLORS, lossPlot } from './lossPlot.js';
import type { ReportRun } from './reportData.js';
import { valLossOf } from './reportVerdicts.js';

/** Which run is best, what differs, and all curves in one plot. */
export function comparedSummary(runs: readonly ReportRun[]): Html {
  const best = bestOf(runs);
  const comparable = new Set(runs.map(dataOf)).size === 1;
  const verdict = comparable ? verdictOn(runs, best) : 'These runs have different data or splits, so their losses cannot be compared.';
  return html`<header class="report-head"><p class="report-kind">Report of ${countOf(runs.length, 'run')}</p><h1>${runs.map(({ name }) => showText(name)).join(', ')}</h1><p class="report-verdict">${verdict}</p></header>
${resultTable(runs, comparable ? best : undefined)}
${comparedCurves(runs)}
${differences(runs)}`;
}

function bestOf(runs: readonly ReportRun[]): ReportRun | undefined {
  const known = runs.filter((run) => valLossOf(run) !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => ((valLossOf(b) as number) < (valLossOf(a) as number) ? b : a));
}

/** Runs with the same names in the same parts can be compared. */
function dataOf({ hashes, config: { splitSeed, unique, column, normalize } }: ReportRun): string {
  return JSON.stringify([hashes.data, splitSeed, unique, column, normalize]);
}

function verdictOn(runs: readonly ReportRun[], best: ReportRun | undefined): string {
  if (!best) return 'No run has a validation loss.';
  const others = runs.filter((run) => run !== best).flatMap((run) => valLossOf(run) ?? []);
  const loss = valLossOf(best) as number;
  const distance = (Math.min(...others) - loss).toFixed(4);
  const next = others.length === 0 ? '' : distance === '0.0000' ? ', and another run has the same' : `, ${distance} below the next`;
  const overfit = runs.filter(({ findings }) => findings.some(({ id }) => id === 'overfitting'));
  return `${showText(best.name)} has the lowest validation loss, ${loss.toFixed(4)}${next}.${overfit.length > 0 ? ` ${overfit.map(({ name }) => showText(name)).join(', ')} overfit${overfit.length === 1 ? 's' : ''}.` : ''}`;
}

function resultTable(runs: readonly ReportRun[], best: ReportRun | undefined): Html {
  const number = (value: number | null | undefined, text: (value: number) => string = (one) => one.toFixed(4)) =>
    html`<td class="number">${value === null || value === undefined ? '–' : text(value)}</td>`;
  const rows = runs.map((run, i) => {
    const { name, result, step, config, seconds, findings } = run;
    const val = valLossOf(run);
    const train = result?.trainLoss;
    const isNew = result ? `${result.origins.filter((origin) => origin === 'new').length} of ${result.samples.length}` : '–';
    const steps = step < config.steps ? `${formatCount(step)} of ${formatCount(config.steps)}` : formatCount(step);
    return html`<tr${run === best ? html` class="report-best"` : NOTHING}><th scope="row"><span class="report-swatch ${colorClass(i)}" aria-hidden="true"></span> ${showText(name)}${run === best ? html` <span class="report-source">best</span>` : NOTHING}</th>${number(val)}${number(train)}${number(result?.testLoss)}${number(typeof train === 'number' && val !== undefined ? val - train : undefined)}<td class="number">${isNew}</td><td class="number">${steps}</td>${number(seconds, (value) => value.toFixed(1))}<td>${findings.length === 0 ? '–' : findings.map(({ id }) => id.replaceAll('-', ' ')).join(', ')}</td></tr>`;
  });
  const head = ['run', 'validation', 'training', 'test', 'gap', 'new samples', 'steps', 'seconds', 'doctor'].map(
    (title) => html`<th scope="col">${title}</th>`,
  );
  return html`<section class="report-part" id="losses"><h2>Results</h2><div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

const colorClass = (i: number) => `curve-color-${(i % CURVE_COLORS) + 1}`;

/** The validation losses of all runs and, faint, their training losses; of runs that were evaluated once, the training losses. */
export function comparedCurves(runs: readonly ReportRun[]): Html {
  const evaluated = runs.some(({ valLosses }) => valLosses.length > 1);
  const plot = lossPlot({
    label: `${evaluated ? 'Validation' : 'Training'} losses of the runs by step`,
    curves: runs.flatMap(({ losses, valLosses }, i) => [
      { color: i + 1, faint: evaluated, points: losses.map(([step, loss]) => [step, loss] as const) },
      { color: i + 1, points: valLosses },
    ]),
    levels: levelsOf(runs),
  });
  if (plot.length === 0) return NOTHING;
  const title = evaluated ? 'Validation loss by step; faint, training' : 'Training loss by step; points, validation';
  return html`<figure class="report-part" id="curves"><figcaption><h2>${title}</h2><ul class="report-key">${runs.map(({ name }, i) => html`<li class="${colorClass(i)}">${showText(name)}</li>`)}</ul></figcaption>${plot}</figure>`;
}

/** N-grams, if they are those of all runs. */
function levelsOf(runs: readonly ReportRun[]): { name: string; loss: number }[] {
  const [first] = runs.flatMap(({ result }) => result ?? []);
  if (!first || new Set(runs.map(dataOf)).size > 1) return [];
  return [
    { name: '4-grams', loss: first.baselines.fourGram.val },
    { name: 'bigrams', loss: first.baselines.bigram.val },
  ];
}

/** The options whose values differ. */
function differences(runs: readonly ReportRun[]): Html {
  const settings = runs.map(({ config }) => settingsOf(config));
  const keys = [...new Set(settings.flatMap((one) => [...one.keys()]))];
  const rows = keys.flatMap((key) => {
    const values = settings.map((one) => showText(one.get(key)?.text ?? '–'));
    if (new Set(values).size === 1) return [];
    const option = settings.flatMap((one) => one.get(key) ?? [])[0].option;
    return [html`<tr><th scope="row"><code>${option}</code></th>${values.map((value) => html`<td class="number">${value}</td>`)}</tr>`];
  });
  const title = html`<h2>Options that differ</h2>`;
  if (rows.length === 0) return html`<section class="report-part" id="differences">${title}<p>All options are the same.</p></section>`;
  return html`<section class="report-part" id="differences">${title}<div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><thead><tr><th scope="col">option</th>${runs.map(({ name }) => html`<th scope="col">${showText(name)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

/** The command, the gradient check and the hashes of each run. */
export function comparedDetails(runs: readonly ReportRun[]): Html {
  const parts = runs.map(
    ({ name, command, hashes, notes }) =>
      html`<h3>${showText(name)}</h3><pre class="code-block"><code>${command}</code></pre>${hashes.checkpoint === undefined ? NOTHING : html`<p class="report-hash">checkpoint.safetensors ${hashes.checkpoint}</p>`}${notes.map((note) => html`<p>${note}.</p>`)}`,
  );
  const data = [...new Set(runs.map(({ hashes }) => hashes.data))];
  return html`<section class="report-part" id="repeat"><h2>Repeat them</h2>${parts}<p class="report-hash">data set ${data.join(', ')}</p></section>`;
}

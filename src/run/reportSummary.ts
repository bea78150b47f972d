/** The main result of a report as HTML that needs no script: what a reader finds within ten seconds, and how to repeat it. */
import { type Html, html, NOTHING } from '../core/html.js';
import { countOf, formatCount, showText } from '../core/text.js';
import { settingsOf } from '../training/runConfig.js';
import { lossPlot } from './lossPlot.js';
import { comparedDetails, comparedSummary } from './reportComparison.js';
import type { ReportData, ReportRun, ReportText } from './reportData.js';
import { sweepSummary } from './reportSweep.js';
import { type Judgement, judgeLoss, judgeOverfitting, judgeSamples } from './reportVerdicts.js';

/** What a report says without its script. */
export function reportText(data: ReportData): ReportText {
  const { runs, sweep } = data;
  if (sweep) {
    return { title: `Report: sweep of ${countOf(sweep.done, 'run')}`, summary: sweepSummary(sweep, runs), details: comparedDetails(runs) };
  }
  if (runs.length > 1) {
    return {
      title: `Report: ${runs.map(({ name }) => showText(name)).join(', ')}`,
      summary: comparedSummary(runs),
      details: comparedDetails(runs),
    };
  }
  const [run] = runs;
  return { title: `Report: run ${showText(run.name)}`, summary: runSummary(run, data.live), details: runDetails(run) };
}

function runSummary(run: ReportRun, live: boolean): Html {
  const { name, step, config, result, findings } = run;
  const judgements = [judgeLoss(run), judgeOverfitting(run), judgeSamples(run)];
  const state =
    step < config.steps ? `${live ? 'In training' : 'Not finished'}: ${formatCount(step)} of ${countOf(config.steps, 'step')}.` : '';
  return html`<header class="report-head"><p class="report-kind">Report of a run${state === '' ? NOTHING : html` · ${state}`}</p><h1>${showText(name)}</h1><p class="report-verdict">${judgements.map(({ sentence }) => html`${sentence} `)}${findingsSentence(findings.length)}</p></header>
<div class="report-cards">${judgements.map(card)}</div>
${curves(run)}
${result ? lossTable(run, result) : NOTHING}
${findingsOf(run)}`;
}

function card({ title, figure, text, mark, extra = NOTHING }: Judgement): Html {
  return html`<section class="report-card"><h2>${title}</h2><p class="report-figure${mark === undefined ? NOTHING : html` ${mark}`}">${figure}</p><p>${text}</p>${extra}</section>`;
}

function findingsSentence(count: number): string {
  return count === 0 ? '' : `Doctor names ${countOf(count, 'problem')}, below.`;
}

/** The losses of all parts beside those of simple models. */
function lossTable(
  { vocabulary }: ReportRun,
  { trainLoss, valLoss, testLoss, valSeen, valUnseen, baselines }: NonNullable<ReportRun['result']>,
): Html {
  const cell = (loss: number | null) => html`<td class="number">${loss === null ? '–' : loss.toFixed(4)}</td>`;
  const row = (name: string, losses: readonly (number | null)[], attributes = NOTHING) =>
    html`<tr${attributes}><th scope="row">${name}</th>${losses.map(cell)}</tr>`;
  const ofBaseline = ({ train, val, test }: { train: number; val: number; test: number }) => [train, val, test];
  const seen = [
    ...(valSeen && valSeen.names > 0 && valSeen.loss !== null
      ? [`${valSeen.loss.toFixed(4)} on the ${formatCount(valSeen.names)} also seen in training`]
      : []),
    ...(valUnseen && valUnseen.names > 0 && valUnseen.loss !== null
      ? [`${valUnseen.loss.toFixed(4)} on the ${formatCount(valUnseen.names)} not seen`]
      : []),
  ];
  return html`<section class="report-part" id="losses"><h2>Losses</h2><div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><thead><tr><th scope="col">nats per character</th><th scope="col">training</th><th scope="col">validation</th><th scope="col">test</th></tr></thead><tbody>${[
    row('this network', [trainLoss, valLoss, testLoss], html` class="report-best"`),
    row('4-grams', ofBaseline(baselines.fourGram)),
    row('bigrams', ofBaseline(baselines.bigram)),
    row(`uniform, ln ${vocabulary.length}`, ofBaseline(baselines.uniform)),
  ]}</tbody></table></div>${seen.length > 0 ? html`<p>Validation names: ${seen.join(', ')}.</p>` : NOTHING}</section>`;
}

/** The static curves; the script replaces them by curves with a readout. */
function curves({ losses, valLosses, result }: ReportRun): Html {
  const levels = result
    ? [
        { name: '4-grams', loss: result.baselines.fourGram.val },
        { name: 'bigrams', loss: result.baselines.bigram.val },
        { name: 'uniform', loss: result.baselines.uniform.val },
      ]
    : [];
  const plot = lossPlot({
    label: 'Training and validation loss by step',
    curves: [
      { color: 1, points: losses.map(([step, loss]) => [step, loss]) },
      { color: 2, points: valLosses },
    ],
    levels,
  });
  if (plot.length === 0) return html`<p class="report-part">The run recorded no losses: it has no curves.</p>`;
  return html`<figure class="report-part" id="curves"><figcaption><h2>Loss by step</h2><ul class="report-key"><li class="curve-color-1">training, mean of its batches</li>${valLosses.length > 0 ? html`<li class="curve-color-2">validation</li>` : NOTHING}</ul></figcaption>${plot}</figure>`;
}

/** What doctor says, worst first. */
function findingsOf(run: ReportRun): Html {
  const { findings } = run;
  return html`<section class="report-part" id="findings"><h2>Doctor</h2>${findings.length === 0 ? html`<p>${nothingFound(run)}</p>` : html`<ol class="report-findings">${findings.map(finding)}</ol>`}</section>`;
}

/** What was looked at, where nothing was found. */
function nothingFound({ looked, diagnostics }: ReportRun): string {
  if (diagnostics.length > 0)
    return looked ? 'Doctor finds nothing wrong with this run.' : 'Doctor finds nothing wrong in the records of this run.';
  return looked
    ? 'Doctor finds nothing wrong in the losses and in the network. The run recorded no diagnostics, so the size of its updates was not checked.'
    : 'Doctor finds nothing wrong in the losses, and looked at nothing else: the run recorded no diagnostics.';
}

function finding({ id, where, text, source, option }: ReportRun['findings'][number]): Html {
  return html`<li><h3>${id.replaceAll('-', ' ')}${where === null ? '' : `, ${where}`}</h3><p>${/[.!?]$/.test(text) ? text : `${text}.`}</p><p class="report-source">${option === null ? NOTHING : html`Option to turn: <code>${option}</code>. `}Rule: ${source}</p></li>`;
}

/** How the run was made. */
function runDetails(run: ReportRun): Html {
  const { command, program, gradCheck, dataNames, seconds, step, best, notes } = run;
  const facts = [
    `${countOf(step, 'step')} done by ${program}${seconds === null ? '' : `, in ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s in its last session`}`,
    ...(dataNames === null ? [] : [`${countOf(dataNames, 'name')} in the data set, ${countOf(run.vocabulary.length, 'character')}`]),
    ...(best ? [`best validation loss ${best.valLoss.toFixed(4)} after step ${formatCount(best.step)}`] : []),
  ];
  return html`<section class="report-part" id="repeat"><h2>Repeat it</h2><pre class="code-block"><code>${command}</code></pre>${command.includes('FILE') ? html`<p>FILE is in the place of your file; its SHA-256 is below.</p>` : NOTHING}<p>${facts.join('; ')}.</p>${notes.map((note) => html`<p>${note}.</p>`)}</section>
<section class="report-part" id="check"><h2>Gradient check of this network</h2><p>${checkText(gradCheck)}</p></section>
<section class="report-part"><h2>Configuration</h2>${settingsTable(run)}</section>
${hashTable(run)}`;
}

function checkText(check: ReportRun['gradCheck']): string {
  if (!check) return 'Not checked.';
  const { ok, tensors, largest, note } = check;
  const verdict = ok
    ? `The gradients of all ${countOf(tensors, 'parameter')} agree with finite differences`
    : 'A gradient differs from finite differences';
  return `${verdict}: the largest difference is ${largest === 0 ? '0' : largest.toExponential(1)} of its tensor's largest entry.${note === undefined ? '' : ` ${note}.`}`;
}

function settingsTable({ config }: ReportRun): Html {
  const settings = [...settingsOf(config).values()].filter(({ option, value }) => option.startsWith('--') || value !== false);
  const rows = settings.map(
    ({ option, text }) => html`<tr><th scope="row"><code>${option}</code></th><td class="number">${showText(text)}</td></tr>`,
  );
  return html`<div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><tbody>${rows}</tbody></table></div>`;
}

function hashTable({ hashes }: ReportRun): Html {
  const rows = Object.entries(hashes).map(
    ([what, hash]) => html`<tr><th scope="row">${HASHED[what] ?? what}</th><td class="report-hash">${hash}</td></tr>`,
  );
  return html`<section class="report-part" id="hashes"><h2>Hashes</h2><p>SHA-256; of parameters, the first 16 digits. A run that repeats this one has the same parameters, bit for bit.</p><div class="report-wide" role="group" aria-label="Table" tabindex="0"><table class="report-table"><tbody>${rows}</tbody></table></div></section>`;
}

const HASHED: Readonly<Record<string, string>> = { checkpoint: 'checkpoint.safetensors', data: 'the data set' };

/** The three questions that a report answers first: how good is the loss, does the network overfit, and what are its samples like. */
import { type Html, html, NOTHING } from '../core/html.js';
import { countOf, formatCount, showText } from '../core/text.js';
import type { SampleOrigin } from '../evaluation/report.js';
import { overfittingOf } from './findings/overfitting.js';
import type { ReportRun } from './reportData.js';

/** An answer: as a sentence, and as a card. */
export interface Judgement {
  title: string;
  sentence: string;
  /** What is read first. */
  figure: string;
  text: string;
  /** Whether the answer is good or bad news, beside its words. */
  mark?: 'right' | 'wrong' | undefined;
  extra?: Html;
}

const UNKNOWN = 'not known';

/** The validation loss by now: of the report, or of the last evaluation. */
export function valLossOf({ result, valLosses }: ReportRun): number | undefined {
  return result?.valLoss ?? valLosses.at(-1)?.[1];
}

export function judgeLoss(run: ReportRun): Judgement {
  const { result, vocabulary } = run;
  const loss = valLossOf(run);
  const title = 'Loss';
  if (loss === undefined) {
    const [step, training] = run.losses.at(-1) ?? [];
    const known =
      training === undefined ? 'no loss was recorded' : `the training loss is ${training.toFixed(4)} after step ${formatCount(step ?? 0)}`;
    return {
      title,
      sentence: `Its validation loss is not known: ${known}.`,
      figure: UNKNOWN,
      text: `The run has no evaluation: ${known}.`,
    };
  }
  const uniform = Math.log(vocabulary.length);
  const perplexity = Math.exp(loss);
  const unsure = `Perplexity ${perplexity.toFixed(1)}: it hesitates between about ${countOf(Math.round(perplexity), 'character')} of ${vocabulary.length}.`;
  const figure = loss.toFixed(4);
  if (loss >= uniform) {
    return {
      title,
      figure,
      mark: 'wrong',
      sentence: `It predicts no better than chance: its validation loss is ${figure}, that of equal probabilities ${uniform.toFixed(4)}.`,
      text: `nats per character on validation names. No better than chance, ln ${vocabulary.length} = ${uniform.toFixed(4)}.`,
    };
  }
  if (!result) {
    return {
      title,
      figure,
      sentence: `Its validation loss is ${figure}; that of equal probabilities is ${uniform.toFixed(4)}.`,
      text: `nats per character on validation names; equal probabilities have ln ${vocabulary.length} = ${uniform.toFixed(4)}. ${unsure}`,
    };
  }
  const { bigram, fourGram } = result.baselines;
  const best = Math.min(bigram.val, fourGram.val);
  const [better, worse] = [
    [...(loss < bigram.val ? ['bigrams'] : []), ...(loss < fourGram.val ? ['4-grams'] : [])],
    [...(loss < bigram.val ? [] : ['bigrams']), ...(loss < fourGram.val ? [] : ['4-grams'])],
  ];
  const compared = [
    ...(better.length > 0 ? [`better than ${better.join(' and ')}`] : ['better than chance']),
    ...(worse.length > 0 ? [`worse than ${worse.join(' and ')}`] : []),
  ].join(', ');
  return {
    title,
    figure,
    mark: loss < best ? 'right' : undefined,
    sentence: `It predicts names ${compared}: its validation loss is ${figure}; 4-grams have ${fourGram.val.toFixed(4)}, bigrams ${bigram.val.toFixed(4)}, equal probabilities ${uniform.toFixed(4)}.`,
    text: `nats per character on validation names: ${compared}. ${unsure}`,
  };
}

/** The loss over all training names; where it is not known, the mean of the batches before the last evaluation, as doctor takes it. */
function trainLossOf({ result, losses, valLosses }: ReportRun): number | undefined {
  if (typeof result?.trainLoss === 'number') return result.trainLoss;
  const evaluated = valLosses.at(-1)?.[0] ?? Number.POSITIVE_INFINITY;
  return (losses.findLast(([step]) => step <= evaluated) ?? losses[0])?.[1];
}

export function judgeOverfitting(run: ReportRun): Judgement {
  const title = 'Overfitting';
  const [train, val] = [trainLossOf(run), valLossOf(run)];
  const found = run.findings.find(({ id }) => id === 'overfitting');
  if (train === undefined || val === undefined) {
    return { title, figure: UNKNOWN, sentence: '', text: 'It takes a training loss and a validation loss to see it.' };
  }
  if (val >= Math.log(run.vocabulary.length) && !found) {
    return { title, figure: 'no', sentence: '', text: 'A network that predicts no better than chance has learned nothing by heart.' };
  }
  const gap = val - train;
  const rise = run.best ? val - run.best.valLoss : 0;
  const numbers = `training ${train.toFixed(4)}, validation ${val.toFixed(4)}: a gap of ${gap.toFixed(4)}`;
  const rose =
    run.best && rise > 0.0005 ? `; the validation loss was ${run.best.valLoss.toFixed(4)} after step ${formatCount(run.best.step)}` : '';
  const text = `${numbers[0].toUpperCase()}${numbers.slice(1)}${rose}.`;
  const degree = found ? 'overfit' : overfittingOf({ train, val, lowest: Math.min(val, run.best?.valLoss ?? val) }).degree;
  if (degree === 'none') {
    // "No" is good news only about a network that has learned something.
    const hasLearned = run.result !== null && val < run.result.baselines.bigram.val;
    return { title, figure: 'no', mark: hasLearned ? 'right' : undefined, sentence: 'It does not overfit.', text };
  }
  const [figure, mark, overfits] =
    degree === 'overfit' ? (['yes', 'wrong', 'overfits'] as const) : (['a little', undefined, 'overfits a little'] as const);
  const above = `its loss on validation names is ${gap.toFixed(2)} above that on training names`;
  return { title, figure, mark, sentence: `It ${overfits}: ${above}.`, text };
}

const ORIGINS: Readonly<Record<SampleOrigin, string>> = { new: 'new', training: 'known', 'held out': 'held out' };

export function judgeSamples({ result }: ReportRun): Judgement {
  const title = 'Samples';
  if (!result || result.samples.length === 0) {
    return { title, figure: UNKNOWN, sentence: '', text: 'None were drawn.' };
  }
  const { samples, origins } = result;
  const fresh = origins.filter((origin) => origin === 'new').length;
  const known = samples.length - fresh;
  const distinct = new Set(samples).size;
  const repeated =
    distinct < samples.length
      ? ` ${formatCount(distinct)} of the ${formatCount(samples.length)} ${distinct === 1 ? 'is' : 'are'} distinct.`
      : '';
  const repeats =
    distinct <= samples.length / 2
      ? `It repeats itself: ${countOf(distinct, 'distinct name')} in ${formatCount(samples.length)} samples. `
      : '';
  const items = samples.map((name, i) => {
    const origin = origins[i] ?? 'new';
    return html`<li class="sample-${origin === 'new' ? 'new' : 'known'}">${showText(name)}${origin === 'new' ? NOTHING : html` <span>${ORIGINS[origin]}</span>`}</li>`;
  });
  return {
    title,
    figure: `${fresh} of ${samples.length} new`,
    mark: repeats === '' ? undefined : 'wrong',
    sentence: `${repeats}${fresh === samples.length ? 'All' : formatCount(fresh)} of its ${countOf(samples.length, 'sampled name')} ${fresh === 1 ? 'is' : 'are'} new.`,
    text:
      (known === 0
        ? 'No sample is in the data set.'
        : `${countOf(known, 'sample')} ${known === 1 ? 'is' : 'are'} in the data set: known from training, or held out.`) + repeated,
    extra: html`<ul class="report-samples">${items}</ul>`,
  };
}

/** Rules on a training: what its records say, and the network it has led to. */
import { blockName } from '../../network/parameters.js';
import { type Diagnostics, type DiagnosticsRecord, SATURATED } from '../../training/diagnostics.js';
import { overfittingOf, RISE } from './overfitting.js';
import type { Found, Rule } from './rule.js';
import { isGain, isOutOfScale, largeInput, mostSaturated, worstBlock } from './startRules.js';
import { examplesOf, median, percent, powerOfTen, sizeOf, updateToData, usesBatchNorm, type View, weightNames } from './view.js';

const RATIO = 'makemore part 3, "viz #4: update:data ratio over time": about 10^-3';

/** Units that are saturated in as many examples, over several records, are dead. */
const MANY_EXAMPLES = 500;
/** The least and the most records that together have enough examples. */
const DEAD_RECORDS = [5, 20] as const;
/** Clipped gradients are this many times too long, by their median. Adam divides the factor out again, and gradients of 2 or 3 times the norm are usual. */
const CLIPPED_BY = 4;
/** Clipping is judged over at least this many records. */
const CLIPPED_RECORDS = 3;
/** An update below this moves nothing: a loss above its start does not come from it. */
const MOVES = 0.01;
/**
 * update:data alone does not convict a rate: it depends on the batch, on the output layer and on saturation, too. A rate is only too high or too
 * low if it is also this many times the optimizer's default; the preset fast has 8 times Adam's.
 */
const HIGHER = 2;
const LOWER = 0.15;
/** A rate of as many times the default is too high from a smaller update:data. With batches of 512, Adam at 0.03 is the best of 0.01, 0.03. */
const MUCH_HIGHER = 20;
/** The square root rule: a larger batch takes a higher rate. */
const isMuchHigher = ({ rateFactor, facts: { config } }: View) => rateFactor >= MUCH_HIGHER * Math.sqrt(Math.max(1, config.batchSize / 32));
/** The mean loss of fewer steps is too noisy to say that it rose. */
const FEW_STEPS = 10;

/**
 * The geometric mean of update:data over the weight matrices: a single matrix may be out of scale for reasons of its own. Those that were drawn
 * out of scale are left out, unless all were.
 */
function meanRatio(view: View, looks: readonly DiagnosticsRecord[]): { mean: number; worst: string; ratio: number } | undefined {
  const [look] = looks;
  const all = look
    ? weightNames(look.diagnostics).flatMap((name) => {
        const ratio = updateToData(looks, name);
        return ratio ? [{ name, ratio }] : [];
      })
    : [];
  if (all.length === 0) return undefined;
  const inScale = all.filter(({ name }) => !isOutOfScale(view, name));
  const ratios = inScale.length > 0 ? inScale : all;
  const mean = Math.exp(ratios.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / ratios.length);
  const worst = ratios.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  return { mean, worst: worst.name, ratio: worst.ratio };
}

const rateOption = (view: View) => (view.facts.config.learningRate > 0 ? '--lr' : null);

/** update:data in the first step, if it is at the full rate, or in the later ones. */
function rateHigh(view: View, limit: number, when: 'first' | 'later'): Found | undefined {
  const looks = when === 'later' ? view.fullRate.filter(({ step }) => step > 1) : view.firstAtFullRate;
  const found = meanRatio(view, looks);
  if (!found || found.mean <= limit || view.rateFactor < HIGHER) return undefined;
  return {
    where: found.worst,
    step: when === 'first' ? 1 : null,
    value: found.mean,
    option: rateOption(view),
    text: `update:data of ${found.worst} is ${powerOfTen(found.ratio)}, and ${powerOfTen(found.mean)} over all weights; the rule of thumb is 10^-3: the rate is too high. Each step replaces much of what the steps before it learned`,
  };
}

/** Adam moves each entry by about the rate in its first steps. */
const isAdam = (view: View) => view.facts.config.optimizer.name.startsWith('adam');

/** The loss by now: over the last record of losses, or the median of the last looks. */
function lossNow(view: View): { step: number; loss: number } | undefined {
  const losses = view.facts.records.flatMap((record) => ('loss' in record ? [record] : []));
  const last = losses.at(-1);
  if (last) return last;
  const looks = view.looks.filter(({ step }) => step > 1).slice(-3);
  return looks.length > 0
    ? { step: looks[looks.length - 1].step, loss: median(looks.map(({ diagnostics: { loss } }) => loss)) }
    : undefined;
}

function lossRose(view: View, limit: number): Found | undefined {
  const { start } = view;
  const now = lossNow(view);
  const ratio = meanRatio(view, view.fullRate);
  if (!start || !now || !ratio || now.step < FEW_STEPS || ratio.ratio < MOVES) return undefined;
  const from = Math.max(start.diagnostics.loss, view.uniform);
  if (now.loss <= from + limit) return undefined;
  return {
    where: ratio.worst,
    step: now.step,
    value: now.loss,
    limit: from + limit,
    option: rateOption(view),
    text: `the loss rose from ${start.diagnostics.loss.toFixed(2)} to ${now.loss.toFixed(2)} in training, and update:data of ${ratio.worst} is ${powerOfTen(ratio.ratio)}: the rate is too high, and steps overshoot`,
  };
}

function rateLow(view: View, limit: number): Found | undefined {
  const looks = view.fullRate;
  const found = meanRatio(view, looks);
  if (!found || found.mean >= limit || view.rateFactor > LOWER) return undefined;
  return {
    where: null,
    step: looks.length === 1 ? looks[0].step : null,
    value: found.mean,
    option: rateOption(view),
    text: `update:data is ${powerOfTen(found.mean)} over all weights, and at most ${powerOfTen(found.ratio)}, in ${found.worst}: the rate is too low. Training takes many times longer than it has to`,
  };
}

/** A share of saturated values by now that the network did not begin with. */
function saturatedEnd(looks: readonly DiagnosticsRecord[], limit: number): InBlock | undefined {
  const all = looks.map((look) => ({ ...look, ...mostSaturated(look.diagnostics) }));
  if (all.length === 0 || median(all.map(({ value }) => value)) <= limit) return undefined;
  return all.reduce((a, b) => (b.value > a.value ? b : a));
}

const SATURATION = 'makemore part 3, "fixing the saturated tanh" and "viz #1: forward pass activations statistics"';

/** @param when after training, or of a network that was trained before and is not trained yet */
function saturatedLater(view: View, limit: number, kind: 'gain' | 'other', when: 'end' | 'start' = 'end'): Found | undefined {
  const isStart = view.end.length === 0 && view.start !== undefined && !view.isDrawn;
  const found = when === 'end' ? saturatedEnd(view.end, limit) : saturatedEnd(isStart ? [view.start] : [], limit);
  if (!found) return undefined;
  const { K, value, step, diagnostics } = found;
  const byGain = usesBatchNorm(diagnostics) && isGain(diagnostics, K);
  if (byGain !== (kind === 'gain')) return undefined;
  const name = usesBatchNorm(diagnostics) ? blockName(K, byGain ? 'bngain' : 'bnbias') : largeInput(diagnostics, K);
  const size = Number(sizeOf(diagnostics.parameters[name].value).toPrecision(2));
  return {
    where: `block ${K}`,
    step,
    value,
    option: view.initOption(when === 'start' ? '--init' : '--lr'),
    text: `${percent(value)} of h is saturated in block ${K}${when === 'start' ? `: ${name} is too large, ${size}` : ` after training: ${name} has grown to ${size}, and is too large`}. Units at ±1 pass hardly any gradient, and learn no more`,
  };
}

/** Dead units: on many examples at once, or in several records in a row. */
function deadUnits(view: View, limit: number): Found | undefined {
  const found = deadAmongMany(view) ?? deadInRecords(view);
  if (!found || found.value <= limit) return undefined;
  const { K, value, step, diagnostics } = found;
  const [one, their, they] = value === 1 ? ['is', 'its', 'it never learns'] : ['are', 'their', 'they never learn'];
  const { units } = diagnostics.blocks[K - 1];
  const isStart = view.start !== undefined && mostDead(view.start.diagnostics).value > 0;
  return {
    where: `block ${K}`,
    step,
    value,
    // How many times as many units there would be without it.
    excess: units / (units - value),
    option: isStart ? view.initOption(usesBatchNorm(diagnostics) ? '--seed' : '--init-gain') : '--lr',
    text: `${value} of ${units} units in block ${K} ${one} dead: |h| > ${SATURATED} for every example. No gradient reaches ${their} weights, so ${they}`,
  };
}

interface InBlock extends DiagnosticsRecord {
  K: number;
  value: number;
}

/** The dead units by now; without a training, of the network as it begins. */
function deadAmongMany({ facts: { fresh, initial }, end, start }: View): InBlock | undefined {
  const look = fresh ? end[0] : initial ? start : undefined;
  return look && { ...look, ...mostDead(look.diagnostics) };
}

function mostDead({ blocks }: Diagnostics): { K: number; value: number } {
  return worstBlock(blocks, ({ dead }) => dead);
}

function deadInRecords(view: View): InBlock | undefined {
  const last = view.looks.slice(-DEAD_RECORDS[1]);
  const look = last.at(-1);
  if (!look || last.length < DEAD_RECORDS[0]) return undefined;
  const examples = last.reduce((sum, { diagnostics }) => sum + examplesOf(diagnostics.blocks[0]), 0);
  if (examples < MANY_EXAMPLES) return undefined;
  const { K, value } = worstBlock(look.diagnostics.blocks, (_, k) =>
    Math.min(...last.map(({ diagnostics }) => diagnostics.blocks[k].dead)),
  );
  return { ...look, K, value };
}

function clippedOften(view: View, limit: number): Found | undefined {
  const { clip } = view.facts.config;
  const later = view.looks.filter(({ step }) => step > 1);
  // Before training, the first step is all there is.
  const looks = later.length === 0 ? view.looks : later;
  if (clip === undefined || looks.length === 0 || (later.length > 0 && later.length < CLIPPED_RECORDS)) return undefined;
  const share = looks.filter(({ diagnostics: { clipped } }) => clipped).length / looks.length;
  const norm = median(looks.map(({ diagnostics: { gradientNorm } }) => gradientNorm ?? Number.POSITIVE_INFINITY));
  if (share <= limit || norm < CLIPPED_BY * clip) return undefined;
  const length = Number(norm.toPrecision(2));
  const seen =
    later.length === 0
      ? `the first gradient has a norm of ${length}, and is clipped to ${clip}`
      : `${percent(share)} of the gradients are clipped to ${clip}, and half of them are longer than ${length}`;
  return {
    where: null,
    step: null,
    value: share,
    option: '--clip',
    text: `${seen}: clipping decides the size of every step, not only of outliers. Raise --clip, or leave it out`,
  };
}

/** The losses by now: over all names where they are known, else the validation loss and the mean of the batches before it, or after it. */
function lossesBeside(view: View): { step: number; train: number; val: number } | undefined {
  const { evaluated, records } = view.facts;
  if (evaluated) return evaluated;
  const last = records.findLast((record) => 'valLoss' in record);
  const losses = records.flatMap((record) => ('loss' in record ? [record] : []));
  const train = last && (losses.findLast(({ step }) => step <= last.step) ?? losses[0]);
  return train && { step: last.step, train: train.loss, val: last.valLoss };
}

function overfitting(view: View): Found | undefined {
  const now = lossesBeside(view);
  if (!now || now.train > view.uniform) return undefined;
  const evaluations = view.facts.records.flatMap((record) => ('valLoss' in record ? [record] : []));
  const best = evaluations.reduce((a, b) => (b.valLoss < a.valLoss ? b : a), { step: now.step, valLoss: now.val });
  const { degree, value, limit } = overfittingOf({ ...now, lowest: best.valLoss });
  if (degree !== 'overfit') return undefined;
  const { optimizer } = view.facts.config;
  const seen =
    now.val - best.valLoss > RISE
      ? `the validation loss rose from ${best.valLoss.toFixed(2)} at step ${best.step} to ${now.val.toFixed(2)}`
      : `the validation loss is ${now.val.toFixed(2)}`;
  return {
    where: null,
    step: now.step,
    value,
    limit,
    option: optimizer.name === 'adamw' ? '--weight-decay' : '--hidden',
    text: `${seen}, and the training loss is ${now.train.toFixed(2)}: the network learns the names by heart. Use a smaller network, more --weight-decay with adamw, or more names; best.safetensors is the run at its best`,
  };
}

const DIVERGED: Rule = {
  id: 'diverged',
  // update:data, the largest of all weights so far.
  limit: 10 ** -1.45,
  worse: 'above',
  source: 'makemore part 3, "finding a learning rate"; Goodfellow, Bengio & Courville 2016, section 8.2.4',
  explainedBy: [],
  find(view) {
    const { diverged } = view.facts;
    if (!diverged) return undefined;
    const largest = Math.max(
      ...view.looks.flatMap(({ diagnostics: { parameters } }) => Object.values(parameters).map((p) => p.updateToData ?? 0)),
      0,
    );
    return {
      where: null,
      step: diverged.step,
      value: largest,
      excess: Number.POSITIVE_INFINITY,
      option: rateOption(view),
      text: `training ended after step ${diverged.step}, because numbers blew up${largest > 0 ? `; until then, update:data was at most ${powerOfTen(largest)}, where 10^-3 is usual` : ''}. A lower rate, or --clip, may avoid it`,
    };
  },
};

export const TRAINING_RULES: readonly Rule[] = [
  DIVERGED,
  {
    id: 'rate-high',
    // Nats above the start. Healthy means are at most 0.4 above (momentum, H 600, 50 steps); sgd at 10: 13.
    limit: 0.7,
    worse: 'above',
    source: 'makemore part 3, "finding a learning rate"; Goodfellow, Bengio & Courville 2016, section 11.4.1',
    explainedBy: [],
    find: lossRose,
  },
  {
    id: 'rate-high',
    // Healthy: sgd 10^-2.1, batches of 4 10^-1.6, momentum 10^-1.6 to 10^-2.1, the preset fast 10^-1.7. sgd at 1: 10^-1.5, at 3: 10^-1.3, at 10: 10^-0.9.
    limit: 10 ** -1.45,
    worse: 'above',
    source: RATIO,
    explainedBy: [],
    find: (view, limit) => rateHigh(view, limit, 'later'),
  },
  {
    id: 'rate-high',
    // Adam's first step. Healthy: 10^-2.2 at 0.001, 10^-1.1 in the preset fast; at 0.1: 10^-0.2.
    limit: 10 ** -0.5,
    worse: 'above',
    source: RATIO,
    explainedBy: [],
    find: (view, limit) => (isAdam(view) ? rateHigh(view, limit, 'first') : undefined),
  },
  {
    id: 'rate-high',
    limit: 10 ** -1.45,
    worse: 'above',
    source: RATIO,
    explainedBy: [],
    find: (view, limit) => (isAdam(view) ? undefined : rateHigh(view, limit, 'first')),
  },
  {
    id: 'rate-high',
    // At 20 times the default and more. Adam at 0.03: 10^-1.9; at 0.001: 10^-2.8.
    limit: 10 ** -2.1,
    worse: 'above',
    source: RATIO,
    explainedBy: [],
    find: (view, limit) => (isMuchHigher(view) ? rateHigh(view, limit, 'later') : undefined),
  },
  {
    id: 'rate-high',
    // Adam's first step, at 20 times the default and more. At 0.03: 10^-0.8; at 0.008, in the preset fast: 10^-1.1.
    limit: 10 ** -1,
    worse: 'above',
    source: RATIO,
    explainedBy: [],
    find: (view, limit) => (isAdam(view) && isMuchHigher(view) ? rateHigh(view, limit, 'first') : undefined),
  },
  {
    id: 'rate-low',
    // Mean over the weights. sgd at 0.1: 10^-2.1, at 0.01: 10^-3.1; momentum at 0.1: 10^-1.9, at 0.003: 10^-3.2; adam at 0.001: 10^-2.8, at 0.0001: 10^-3.7.
    limit: 10 ** -2.95,
    worse: 'below',
    source: RATIO,
    explainedBy: ['clipped-often'],
    find: rateLow,
  },
  {
    id: 'large-gain',
    // Healthy after training: lesson 0.12, best 0.15, fast 0.20; a rate that is too high: 0.9 to 1.
    limit: 0.45,
    worse: 'above',
    source: SATURATION,
    explainedBy: ['rate-high', 'diverged'],
    find: (view, limit) => saturatedLater(view, limit, 'gain'),
  },
  {
    id: 'saturated',
    limit: 0.6,
    worse: 'above',
    source: SATURATION,
    explainedBy: ['rate-high', 'diverged', 'large-gain'],
    find: (view, limit) => saturatedLater(view, limit, 'other'),
  },
  {
    id: 'large-gain',
    limit: 0.45,
    worse: 'above',
    source: SATURATION,
    explainedBy: [],
    find: (view, limit) => saturatedLater(view, limit, 'gain', 'start'),
  },
  {
    id: 'saturated',
    limit: 0.6,
    worse: 'above',
    source: SATURATION,
    explainedBy: [],
    find: (view, limit) => saturatedLater(view, limit, 'other', 'start'),
  },
  {
    id: 'dead-units',
    // Of 4,096 examples: none in the whole lesson, fast and best, where the unit that is saturated most often is so in 0.94 of them.
    limit: 0,
    worse: 'above',
    source: 'makemore part 3, "fixing the saturated tanh": a column that is white throughout is a dead neuron',
    explainedBy: ['saturated', 'large-gain', 'rate-high', 'diverged'],
    find: deadUnits,
  },
  {
    id: 'clipped-often',
    // Norms in the lesson: 1.5 to 1.9, so that --clip 1 clips every step, and harms none; 0.1 and less are named.
    limit: 0.9,
    worse: 'above',
    source: 'Pascanu, Mikolov & Bengio 2013, section 3.2; PyTorch docs, torch.nn.utils.clip_grad_norm_',
    explainedBy: ['confident-output', 'rate-high', 'exploding', 'diverged'],
    find: clippedOften,
  },
  {
    id: 'overfitting',
    limit: RISE,
    worse: 'above',
    source: 'makemore part 2 and part 3: training and validation loss; Goodfellow, Bengio & Courville 2016, section 7.8',
    explainedBy: ['rate-high', 'diverged'],
    find: overfitting,
  },
];

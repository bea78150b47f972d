import { describe, expect, it } from 'vitest';
import type { ReportData, ReportRun } from '../../src/run/reportData.js';
import { reportText } from '../../src/run/reportSummary.js';
import { summariseSweep } from '../../src/run/sweepSummary.js';
import { diagnosedRun, reportOf, reportRun } from '../support/reports.js';

function summaryOf(data: ReportData): string {
  return reportText(data).summary.text;
}

const summary = (changed: Partial<ReportRun> = {}) => summaryOf(reportOf(reportRun(changed)));
const withLosses = (trainLoss: number | null, valLoss: number): Partial<ReportRun> => {
  const { result } = reportRun();
  return { result: result && { ...result, trainLoss, valLoss }, best: { step: 20, valLoss } };
};

/** The text of HTML. */
function textOf(html: string): string {
  return html
    .replace(/<svg.*?<\/svg>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&#39;', "'");
}

describe('what a report says without its script', () => {
  it('begins with the loss beside n-grams and uniform, overfitting, and how many samples are new', () => {
    expect(textOf(summary())).toContain(
      'It predicts names better than bigrams and 4-grams: its validation loss is 2.1200; 4-grams have 2.2000, bigrams 2.4500, equal probabilities',
    );
    expect(textOf(summary())).toContain('It does not overfit. 1 of its 3 sampled names is new.');
  });

  it.each<[string, Partial<ReportRun>, string]>([
    ['a loss between bigrams and 4-grams', withLosses(2.25, 2.3), 'better than bigrams, worse than 4-grams'],
    ['a loss above bigrams', withLosses(2.45, 2.5), 'better than chance, worse than bigrams and 4-grams'],
    ['a loss above uniform', withLosses(5, 5), 'It predicts no better than chance'],
    ['a wide gap', withLosses(1.2, 2.3), 'It overfits: its loss on validation names is 1.10 above'],
    ['a small gap', withLosses(2.1, 2.3), 'It overfits a little'],
    [
      'a loss that no overfitting brings about',
      withLosses(4, 5),
      'A network that predicts no better than chance has learned nothing by heart',
    ],
    ['a rise', { ...withLosses(2, 2.15), best: { step: 10, valLoss: 2 } }, 'It overfits: '],
    ['a gap that doctor does not name while the validation loss falls', withLosses(1.7, 2.3), 'It overfits a little: '],
    [
      'one name again and again',
      { result: { ...(reportRun().result as NonNullable<ReportRun['result']>), samples: ['a', 'a'], origins: ['new', 'new'] } },
      'It repeats itself: 1 distinct name in 2 samples. All of its 2 sampled names are new.',
    ],
    ['no result', { result: null }, 'Its validation loss is 2.1200'],
    [
      'no evaluation',
      { result: null, valLosses: [], best: null },
      'Its validation loss is not known: the training loss is 2.2000 after step 20',
    ],
    ['no record at all', { result: null, valLosses: [], losses: [], best: null }, 'The run recorded no losses: it has no curves'],
    ['a run that was stopped', { step: 13 }, 'Not finished: 13 of 20 steps'],
    ['no diagnostics', {}, 'Doctor finds nothing wrong in the losses and in the network. The run recorded no diagnostics'],
    [
      'no diagnostics and no look at the network',
      { looked: false },
      'Doctor finds nothing wrong in the losses, and looked at nothing else',
    ],
    ['diagnostics alone', { ...diagnosedRun(), looked: false }, 'Doctor finds nothing wrong in the records of this run.'],
    ['diagnostics and a look', diagnosedRun(), 'Doctor finds nothing wrong with this run.'],
    ['a loss in words', {}, 'Perplexity 8.3: it hesitates between about 8 characters of'],
  ])('of %s: %s', (_, changed, text) => {
    expect(textOf(summary(changed))).toContain(text);
  });

  it('marks each sample that is in the data set, in words', () => {
    expect(summary()).toContain('<li class="sample-known">ana <span>known</span></li>');
    expect(summary()).toContain('<li class="sample-new">mora</li>');
  });

  it("has doctor's findings with the rule and the option to turn", () => {
    const finding = {
      id: 'rate-high',
      where: 'W2',
      step: 1,
      value: 0.1,
      limit: 0.01,
      option: '--lr',
      text: 'the rate is too high',
      source: 'part 3',
    } as const;
    const text = textOf(summary({ findings: [finding] }));
    expect(text).toContain('Doctor names 1 problem, below.');
    expect(text).toMatch(/rate high, W2 the rate is too high\. Option to turn: --lr \. Rule: part 3/);
  });

  it('draws the curves for wide and for narrow screens, with n-grams as lines, and without a style attribute', () => {
    const html = summary();
    expect(html.match(/<svg class="plot plot-(wide|narrow)"/g)).toHaveLength(2);
    expect(html).toContain('4-grams 2.20</text>');
    expect(html).not.toMatch(/ style=|<script|NaN|undefined/);
  });

  it('escapes everything that comes from the data', () => {
    const { result } = reportRun();
    const evil = '<img src=x onerror=alert(1)>';
    const run = reportRun({
      name: evil,
      notes: [evil],
      command: evil,
      program: evil,
      result: result && { ...result, samples: [evil], origins: ['new'] },
    });
    for (const data of [reportOf(run), reportOf(run, reportRun())]) {
      const { summary: main, details } = reportText(data);
      expect(main.text + details.text).not.toContain('<img');
    }
  });

  it('counts the distinct samples where names repeat', () => {
    const { result } = reportRun();
    const repeated = { samples: ['ana', 'ana', 'mora'], origins: ['training', 'training', 'new'] } as const;
    const run = { result: result && { ...result, samples: [...repeated.samples], origins: [...repeated.origins] } };
    expect(textOf(summary(run))).toContain('2 samples are in the data set: known from training, or held out. 2 of the 3 are distinct.');
  });

  it('shows settings as they are typed, and leaves out what is not so', () => {
    const text = textOf(reportText(reportOf(reportRun({ config: { ...reportRun().config, norm: 'none' } }))).details.text);
    expect(text).toContain('--init-gain 5/3 ');
    expect(text).not.toContain('imported weights');
    const imported = reportRun({ config: { ...reportRun().config, imported: true } });
    expect(textOf(reportText(reportOf(imported)).details.text)).toContain('imported weights true');
  });

  it('says how to repeat it, what was checked, and the hashes', () => {
    const text = textOf(reportText(reportOf(reportRun())).details.text);
    expect(text).toContain('backprop-ninja train --steps 20');
    expect(text).toContain('The gradients of all 7 parameters agree with finite differences');
    expect(text).toContain(`checkpoint.safetensors ${'0'.repeat(64)}`);
  });
});

describe('a report of several runs', () => {
  const other = () => reportRun({ ...withLosses(2.4, 2.41), name: '0008', config: { ...reportRun().config, learningRate: 0.5 } });

  it('says which is best, and which options differ', () => {
    const text = textOf(summaryOf(reportOf(other(), reportRun())));
    expect(text).toContain('0007 has the lowest validation loss, 2.1200, 0.2900 below the next.');
    expect(text).toMatch(/Options that differ option 0008 0007 --lr 0\.5 0\.1/);
  });

  it('shows values that differ as they are typed', () => {
    const gain = reportRun({ name: '0008', config: { ...reportRun().config, initGain: 1 } });
    expect(textOf(summaryOf(reportOf(reportRun(), gain)))).toMatch(/--init-gain 5\/3 1/);
  });

  it('of the same options says so', () => {
    expect(textOf(summaryOf(reportOf(reportRun(), reportRun({ name: '0008' }))))).toContain('All options are the same.');
  });

  it('on different data does not rank them', () => {
    const text = textOf(summaryOf(reportOf(reportRun(), reportRun({ name: '0008', hashes: { data: '2'.repeat(64) } }))));
    expect(text).toContain('their losses cannot be compared');
    expect(text).not.toContain('lowest');
  });

  it('without a loss is a report all the same', () => {
    const none = { result: null, valLosses: [], losses: [], best: null };
    expect(textOf(summaryOf(reportOf(reportRun(none), reportRun({ ...none, name: 'b' }))))).toContain('No run has a validation loss.');
  });
});

describe('a report of a sweep', () => {
  /** lr decides, hidden does not. */
  const results = Array.from({ length: 30 }, (_, i) => ({
    run: String(i + 1).padStart(4, '0'),
    options: { lr: ['0.01', '0.1', '10'][i % 3], hidden: ['16', '64'][i % 2] },
    seconds: 1,
    trainLoss: 2,
    valLoss: i % 3 === 2 ? null : 2 + (i % 3 === 0 ? 0.5 : 0) + (i % 7) / 100,
  }));
  const sweep = summariseSweep({ vary: ['hidden=16/64', 'lr=0.01/0.1/10'], planned: 40, shared: '--steps 5' }, results);
  const text = textOf(summaryOf({ runs: [], sweep, live: false }));

  it('says first which option mattered, and its best value', () => {
    expect(text).toMatch(
      /lr mattered most: it explains \d\d % of the differences between the runs \(hidden 0 %\); its best value is 0\.1, with a median of 2\.025/,
    );
  });

  it('says how many runs are done and how many diverged', () => {
    expect(text).toContain('30 of 40 runs done, 10 diverged');
  });

  it('lists the best runs, and what all share', () => {
    expect(text).toMatch(/And 10 other runs\. All runs share --steps 5/);
  });
});

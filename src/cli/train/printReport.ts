import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Losses, Report, SampleOrigin } from '../../evaluation/report.js';
import { BEST_FILE } from '../../node/runDirectory.js';
import type { BestEvaluation } from '../../run/checkpoint.js';
import type { Paint } from '../terminal/colors.js';
import { formatCount, formatLoss, formatTable } from '../terminal/format.js';
import { commandName, type IO, shellPath, shortPath } from '../terminal/io.js';

const ORIGIN_TEXT: Record<SampleOrigin, string> = { new: 'new', training: 'in the training part', 'held out': 'in validation or test' };

/**
 * @param vocabulary its size
 * @param run the run's directory
 */
export function printReport(
  report: Report,
  { best, vocabulary, run }: { best: BestEvaluation | null; vocabulary: number; run: string },
  io: IO,
  paint: Paint,
): void {
  const { samples, origins } = report;
  const fresh = origins.filter((origin) => origin === 'new').length;
  const nameLines = formatTable(
    samples.map((name, i) => [name, ORIGIN_TEXT[origins[i]]]),
    ['left', 'left'],
  ).map((line, i) => (origins[i] === 'new' ? line : paint.dim(line)));
  const lines = [
    '',
    ...lossLines(report, vocabulary, paint),
    '',
    `validation names: ${seenText(report)}`,
    ...bestLines(report, best, run, io),
    '',
    `${samples.length} sampled names, ${fresh} of them new:`,
    ...nameLines.map((line) => `  ${line}`),
    '',
    `more names: ${commandName(io)} sample ${shellPath(run, io)}`,
  ];
  io.stdout.write(`${lines.join('\n')}\n`);
}

function lossLines({ trainLoss, valLoss, testLoss, baselines }: Report, vocabulary: number, paint: Paint): string[] {
  const row = (name: string, { train, val, test }: Losses) => [name, ...[train, val, test].map(formatLoss)];
  const [head, network, ...others] = formatTable(
    [
      ['loss in nats per character', 'train', 'validation', 'test'],
      row('this network', { train: trainLoss, val: valLoss, test: testLoss }),
      row('4-grams, +0.1', baselines.fourGram),
      row('bigrams, +0.1', baselines.bigram),
      row(`uniform, ln ${vocabulary}`, baselines.uniform),
    ],
    ['left', 'right', 'right', 'right'],
  );
  return [paint.dim(head), paint.bold(network), ...others];
}

function seenText({ valSeen, valUnseen }: Report): string {
  const seen = valSeen.names > 0 ? [`${formatLoss(valSeen.loss)} on the ${formatCount(valSeen.names)} also seen in training`] : [];
  const unseen = valUnseen.names > 0 ? [`${formatLoss(valUnseen.loss)} on the ${formatCount(valUnseen.names)} not seen`] : [];
  return [...seen, ...unseen].join(', ');
}

/** The best checkpoint, if it is better than the last. */
function bestLines({ valLoss }: Report, best: BestEvaluation | null, run: string, io: IO): string[] {
  const file = join(run, BEST_FILE);
  if (!best || best.valLoss >= valLoss || !existsSync(file)) return [];
  return [`best validation loss: ${formatLoss(best.valLoss)} after step ${formatCount(best.step)}, saved in ${shortPath(file, io)}`];
}

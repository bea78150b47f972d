import { createWasmBackend } from '../backend/wasm.js';
import { type Checkpoint, loadCheckpoint, restoreModel } from '../checkpoint/checkpoint.js';
import { findCheckpoint, readRunFile } from '../checkpoint/runDirectory.js';
import { createExamples, type Split, vocabularyIndex } from '../dataset.js';
import { FileContentError, showPath, showText, UsageError } from '../errors.js';
import { CHUNK, Evaluator } from '../evaluate.js';
import { type LoadedData, loadData } from './data.js';
import { formatCount, formatLoss } from './format.js';
import type { IO } from './io.js';

export interface EvalCommandOptions {
  split: Split;
  data?: string;
  json?: boolean;
}

const SPLIT_TEXT: Record<Split, string> = { train: 'training', val: 'validation', test: 'test' };

export function evalCommand(run: string | undefined, { split, data: file, json }: EvalCommandOptions, io: IO): void {
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const data = findData(path, checkpoint, file, io);
  const names = data.dataset.parts[split];
  const examples = createExamples(names, checkpoint.vocabulary, checkpoint.config.context);
  const loss = new Evaluator(restoreModel(checkpoint, createWasmBackend, [CHUNK])).loss(examples);
  if (json) io.stdout.write(`${JSON.stringify({ checkpoint: path, split, loss, names: names.length, examples: examples.count })}\n`);
  else
    io.stdout.write(
      `${SPLIT_TEXT[split]} loss ${formatLoss(loss)} nats per character, over ${formatCount(names.length)} names (${formatCount(examples.count)} examples)\n`,
    );
}

/** The run's own data set, which must be the one it was trained on; or the one that --data names, spelt with the same characters. */
function findData(path: string, { config, vocabulary, dataSha256 }: Checkpoint, file: string | undefined, io: IO): LoadedData {
  const own = file === undefined ? readRunFile(path)?.data.path : undefined;
  const found = file ?? own;
  if (found === undefined)
    throw new UsageError(`no run.json beside ${showPath(path)} says what data it was trained on; name it with --data`);
  const data = loadData(found, config, io);
  if (own !== undefined && data.sha256 !== dataSha256) {
    throw new FileContentError(
      `${showPath(own)} has changed since the run was trained on it: SHA-256 ${data.sha256}, expected ${dataSha256}; ` +
        'bring it back, or give --data to evaluate on another file',
    );
  }
  const known = vocabularyIndex(vocabulary);
  const strange = data.dataset.vocabulary.filter((character) => !known.has(character));
  if (strange.length > 0) {
    throw new FileContentError(
      `${showPath(found)} has characters that the network does not know: ${showText(strange.slice(0, 10).join(' '))}; it knows ${vocabulary.join('')}`,
    );
  }
  if (file !== undefined && data.sha256 !== dataSha256) io.stderr.write('note: this is not the data set that the run was trained on\n');
  return data;
}

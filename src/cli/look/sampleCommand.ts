import { setImmediate as nextTurn } from 'node:timers/promises';
import { UsageError } from '../../core/errors.js';
import { randomStream } from '../../core/random.js';
import { showText } from '../../core/text.js';
import { vocabularyIndex } from '../../data/dataset.js';
import { MAX_NAME_LENGTH, Sampler } from '../../evaluation/sampler.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { createWasmBackend } from '../../node/kernels.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { restoreModel } from '../../run/checkpoint.js';
import { type IO, TURN_MS } from '../terminal/io.js';

export interface SampleCommandOptions {
  count: number;
  temperature: number;
  topK?: number;
  prefix: string;
  seed?: number;
  json?: boolean;
}

/** Writes names as they are drawn, and lets the event loop have a turn now and then: it says when nobody reads any more. */
export async function sampleCommand(run: string | undefined, options: SampleCommandOptions, io: IO): Promise<void> {
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const { vocabulary, config } = checkpoint;
  checkPrefix(options.prefix, vocabulary);
  const seed = options.seed ?? config.seed;
  const sampler = new Sampler(restoreModel(checkpoint, createWasmBackend, { inference: [1] }), vocabulary, randomStream('sampling', seed));
  const names: string[] = [];
  let cut = 0;
  let turnEnds = io.now() + TURN_MS;
  for (let i = 0; i < options.count; i++) {
    const { name, ended } = sampler.sample(options);
    if (!ended) cut++;
    if (options.json) names.push(name);
    else io.stdout.write(`${showText(name)}\n`);
    if (io.now() >= turnEnds) {
      await nextTurn();
      turnEnds = io.now() + TURN_MS;
    }
  }
  if (options.json) io.stdout.write(`${JSON.stringify({ checkpoint: path, seed, samples: names })}\n`);
  if (cut > 0) io.stderr.write(`note: ${cut} of ${options.count} names did not end and were cut at ${MAX_NAME_LENGTH} characters\n`);
}

function checkPrefix(prefix: string, vocabulary: readonly string[]): void {
  const known = vocabularyIndex(vocabulary.slice(1));
  const strange = [...prefix].filter((character) => !known.has(character));
  if (strange.length > 0) {
    throw new UsageError(
      `--prefix: the network does not know '${showText(strange.join(''))}'; it knows ${showText(vocabulary.slice(1).join(''))}`,
    );
  }
  if ([...prefix].length >= MAX_NAME_LENGTH) throw new UsageError(`--prefix: at most ${MAX_NAME_LENGTH - 1} characters`);
}

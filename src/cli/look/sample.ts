import { UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { decimalNumber, text, wholeNumber } from '../../core/kinds.js';
import { randomStream } from '../../core/random.js';
import { showCharacters, showText } from '../../core/text.js';
import { vocabularyIndex } from '../../data/vocabulary.js';
import { MAX_NAME_LENGTH, Sampler } from '../../evaluation/sampler.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { createWasmBackend } from '../../node/kernels.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { MAX_SEED } from '../../training/options.js';
import { defineCommand } from '../command.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatCountOf } from '../terminal/format.js';
import { inTurns } from '../terminal/turns.js';
import { calibratedModel } from './calibrated.js';

export const sample = defineCommand({
  description: 'Prints new names, one per line.',
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: [
    { key: 'count', flag: '--count <number>', description: 'number of names', kind: wholeNumber(1, 1_000_000), default: 20 },
    {
      key: 'temperature',
      flag: '--temperature <t>',
      description: 'below 1: more likely names, above 1: more varied ones, 0: always the likeliest',
      kind: decimalNumber(0, 100),
      default: 1,
    },
    { key: 'topK', flag: '--top-k <k>', description: 'choose among the k likeliest characters only', kind: wholeNumber(1, 1_114_112) },
    { key: 'prefix', flag: '--prefix <text>', description: 'the beginning of every name', kind: text, default: '' },
    {
      key: 'seed',
      flag: '--seed <number>',
      description: 'seed of the names',
      defaultText: "the run's seed",
      kind: wholeNumber(0, MAX_SEED),
    },
    {
      key: 'data',
      flag: '--data <file>',
      description: 'data set, which is needed only for a run that was stopped',
      defaultText: "the run's own",
      kind: text,
    },
  ],
  examples: [
    ['backprop-ninja sample --count 5 --seed 1', 'five names'],
    ['backprop-ninja sample --prefix ma --temperature 0.7', 'likely names that begin with ma'],
    ['backprop-ninja sample --count 1000 | sort -u', 'one name per line, for other programs'],
  ],
  async run({ io, json, options, printJson }, run?: string) {
    const path = findCheckpoint(io.cwd, run);
    const checkpoint = loadCheckpoint(path);
    const { vocabulary, config } = checkpoint;
    checkPrefix(options.prefix, vocabulary);
    const { count, seed = config.seed } = options;
    const names: string[] = [];
    let cut = 0;
    let emptyNameProbability = 0;
    const signal = await inTurns(io, async (turns) => {
      const model = await calibratedModel({ path, checkpoint, file: options.data }, [1], createWasmBackend, turns, io);
      if (!model) return turns.signal;
      const sampler = new Sampler(model, vocabulary, randomStream('sampling', seed));
      const draw = function* (): Job<void> {
        while (names.length < count) {
          const { name, ended } = yield* sampler.sampleInParts(options);
          names.push(name);
          if (!ended) cut++;
          if (!json) io.stdout.write(`${showText(name)}\n`);
        }
      };
      await turns.run(draw());
      emptyNameProbability = sampler.emptyProbability(options);
      return turns.signal;
    });
    if (signal) return EXIT_SIGNAL[signal];
    if (json) printJson({ checkpoint: path, seed, samples: names, emptyNameProbability });
    if (cut > 0)
      io.stderr.write(
        `note: ${formatCount(cut)} of ${formatCountOf(count, 'name')} did not end and ${cut === 1 ? 'was' : 'were'} cut at ${MAX_NAME_LENGTH} characters\n`,
      );
    return 0;
  },
});

function checkPrefix(prefix: string, vocabulary: readonly string[]): void {
  const known = vocabularyIndex(vocabulary.slice(1));
  const unknown = [...new Set(prefix)].filter((character) => !known.has(character));
  if (unknown.length > 0) {
    throw new UsageError(
      `--prefix: the network does not know ${showCharacters(unknown, 'all')}; it knows ${showCharacters(vocabulary.slice(1))}`,
    );
  }
  if ([...prefix].length >= MAX_NAME_LENGTH) throw new UsageError(`--prefix: at most ${MAX_NAME_LENGTH - 1} characters`);
}

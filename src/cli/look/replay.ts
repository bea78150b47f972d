import { text } from '../../core/kinds.js';
import { createExamples } from '../../data/dataset.js';
import { EVALUATION_BATCH } from '../../evaluation/evaluator.js';
import { allocateModel } from '../../network/arrays.js';
import { createWasmBackend } from '../../node/kernels.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { sha256 } from '../../node/sha256.js';
import { formerEnds, Rerun } from '../../run/rerun.js';
import { modelConfig, trainingCapacity } from '../../training/runConfig.js';
import { defineCommand } from '../command.js';
import { type LoadedData, loadRunData } from '../data.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { shortPath } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { inTurns } from '../terminal/turns.js';
import { Replay } from './replayComparison.js';
import { StoredRun } from './storedRun.js';

export const replay = defineCommand({
  description: 'Trains a run again, in memory, and compares everything that it recorded: losses, hashes, checkpoint, best checkpoint.',
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: [{ key: 'data', flag: '--data <file>', description: 'data set', defaultText: "the run's own", kind: text }],
  examples: [['backprop-ninja replay runs/0001', 'prove that a run can be reproduced bit for bit']],
  async run({ io, json, options, printJson, paint }, run?: string) {
    const stored = new StoredRun(findCheckpoint(io.cwd, run), io);
    const data = loadRunData(stored.path, stored.checkpoint, options.data, 'must be the same', io);
    const { signal, replay } = await inTurns(io, async (turns) => {
      const ends = await turns.run(formerEnds(stored.records('again'), stored.checkpoint.config));
      const rerun = createRerun(stored, data, ends ?? []);
      const replay = new Replay(stored, rerun);
      const progress = new Progress(io, 0, stored.step);
      await turns.run(replay.steps(), () => progress.update(rerun.step, rerun.smoothedLoss));
      progress.clear();
      return { signal: turns.signal, replay };
    });
    if (signal) return EXIT_SIGNAL[signal];
    if (json) printJson(replay.json());
    else io.stdout.write(`${replay.lines(shortPath(stored.path, io), await paint()).join('\n')}\n`);
    return replay.same ? 0 : EXIT_NO;
  },
});

function createRerun({ checkpoint, step }: StoredRun, { dataset }: LoadedData, ends: readonly number[]): Rerun {
  const { config, vocabulary } = checkpoint;
  const shape = modelConfig(config, vocabulary);
  const examplesOf = (names: readonly string[]) => createExamples(names, vocabulary, config.context);
  return new Rerun({
    createModel: () => allocateModel(createWasmBackend, shape, trainingCapacity(config, [EVALUATION_BATCH])),
    trainExamples: examplesOf(dataset.parts.train),
    valExamples: examplesOf(dataset.parts.val),
    config,
    vocabulary,
    ends,
    until: step,
    sha256,
  });
}

import { dirname } from 'node:path';
import { text } from '../../core/kinds.js';
import { createExamples } from '../../data/dataset.js';
import { allocateModel } from '../../network/arrays.js';
import { type ParameterArrays, parameterNames } from '../../network/parameters.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { createWasmBackend } from '../../node/kernels.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { sha256 } from '../../node/sha256.js';
import { parameterHashes } from '../../run/records.js';
import { type Divergence, differingTensors, expectedHashes, hashRecords } from '../../run/replay.js';
import { modelConfig, trainingCapacity } from '../../training/runConfig.js';
import { Training } from '../../training/training.js';
import { defineCommand } from '../command.js';
import { loadRunData, readRunMetrics } from '../data.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount } from '../terminal/format.js';
import { shortPath } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { inTurns } from '../terminal/turns.js';

export const replay = defineCommand({
  description: 'Trains a run again, in memory, and compares its parameters with every recorded hash.',
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: [{ key: 'data', flag: '--data <file>', description: 'data set', defaultText: "the run's own", kind: text }],
  examples: [['backprop-ninja replay runs/0001', 'prove that a run can be reproduced bit for bit']],
  async run({ io, json, options, printJson, paint }, run?: string) {
    const path = findCheckpoint(io.cwd, run);
    const checkpoint = loadCheckpoint(path);
    const { config, vocabulary, state, tensors } = checkpoint;
    const { dataset } = loadRunData(path, checkpoint, options.data, 'must be the same', io);
    const shape = modelConfig(config, vocabulary);
    const parameters = Object.fromEntries(parameterNames(shape).map((name) => [name, tensors.get(name)])) as ParameterArrays;
    const records = hashRecords(readRunMetrics(dirname(path), io));
    const expected = expectedHashes(records, state.step, parameterHashes(parameters, sha256));
    const model = allocateModel(createWasmBackend, shape, trainingCapacity(config));
    const training = new Training(model, createExamples(dataset.parts.train, vocabulary, config.context), config);
    const progress = new Progress(io, 0, state.step);
    let compared = 0;
    let divergence: Divergence | undefined;
    const compare = () => {
      const recorded = expected.get(training.step);
      if (!recorded) return;
      compared++;
      const hashes = parameterHashes(model.parameters, sha256);
      const differing = recorded.map((one) => differingTensors(one, hashes)).find((names) => names.length > 0) ?? [];
      if (differing.length > 0) divergence = { step: training.step, tensors: differing };
    };
    compare();
    const signal = await inTurns(io, async (turns) => {
      await turns.repeat({
        more: () => training.step < state.step && !divergence,
        step: () => {
          training.advance();
          compare();
        },
        afterTurn: () => progress.update(training.step, training.smoothedLoss),
      });
      return turns.signal;
    });
    progress.clear();
    if (signal) return EXIT_SIGNAL[signal];

    if (json) printJson({ checkpoint: path, ok: !divergence, steps: training.step, compared, parting: divergence ?? null });
    else io.stdout.write(verdict(divergence, { file: shortPath(path, io), steps: state.step, compared }, await paint()));
    return divergence ? EXIT_NO : 0;
  },
});

function verdict(
  divergence: Divergence | undefined,
  { file, steps, compared }: { file: string; steps: number; compared: number },
  paint: Paint,
): string {
  if (!divergence) {
    return `${paint.green('the same')}: ${formatCount(steps)} steps repeated, bit-identical at each of ${formatCount(compared)} recorded ones\n`;
  }
  const { step, tensors } = divergence;
  return `${paint.red('not the same')}: after step ${formatCount(step)}, ${tensors.join(', ')} ${tensors.length === 1 ? 'differs' : 'differ'} from the run of ${file}\n`;
}

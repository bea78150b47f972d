import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
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
import { loadRunData, readRunMetrics } from '../data.js';
import { paintFor } from '../terminal/colors.js';
import { formatCount } from '../terminal/format.js';
import { type IO, shortPath, TURN_MS } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';

export interface ReplayCommandOptions {
  data?: string;
  json?: boolean;
  color: boolean;
}

/** Trains a run again, in memory, and holds the parameters against those it recorded. @returns whether they are the same */
export async function replayCommand(run: string | undefined, options: ReplayCommandOptions, io: IO): Promise<boolean> {
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const { config, vocabulary, state, tensors } = checkpoint;
  const { dataset } = loadRunData(path, checkpoint, options.data, 'must be the same', io);
  const records = readRunMetrics(dirname(path), io);
  const shape = modelConfig(config, vocabulary);
  const parameters = Object.fromEntries(parameterNames(shape).map((name) => [name, tensors.get(name)])) as ParameterArrays;
  const expected = expectedHashes(hashRecords(records), state.step, parameterHashes(parameters, sha256));
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
    const differing = recorded.map((one) => differingTensors(one, hashes)).find((tensors) => tensors.length > 0) ?? [];
    if (differing.length > 0) divergence = { step: training.step, tensors: differing };
  };
  compare();
  while (training.step < state.step && !divergence) {
    const turnEnds = io.now() + TURN_MS;
    do {
      training.advance();
      compare();
    } while (training.step < state.step && !divergence && io.now() < turnEnds);
    progress.update(training.step, training.smoothedLoss);
    await nextTurn();
  }
  progress.clear();

  if (options.json)
    io.stdout.write(
      `${JSON.stringify({ checkpoint: path, ok: !divergence, steps: training.step, compared, parting: divergence ?? null })}\n`,
    );
  else {
    const paint = await paintFor(io.stdout, io.env, options.color);
    io.stdout.write(
      divergence
        ? `${paint.red('not the same')}: after step ${formatCount(divergence.step)}, ${divergence.tensors.join(', ')} of ${shortPath(path, io)} cannot be had again\n`
        : `${paint.green('the same')}: ${formatCount(state.step)} steps again, equal at each of ${formatCount(compared)} recorded ones, bit for bit\n`,
    );
  }
  return !divergence;
}

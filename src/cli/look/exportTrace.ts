import { extname, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import type { FloatArray } from '../../core/tensor.js';
import { showPath } from '../../core/text.js';
import { createWasmBackend } from '../../node/kernels.js';
import { checkOutput, writeOutput } from '../../node/outputFile.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { type Rerun, runHistory } from '../../run/rerun.js';
import { Trace } from '../../run/trace.js';
import { modelConfig } from '../../training/runConfig.js';
import { type LoadedData, loadRunData } from '../data.js';
import { refuseImported } from '../imported.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatBytes, formatCount, formatCountOf, formatLoss } from '../terminal/format.js';
import { type IO, type StopSignal, shellPath, shortPath } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { inTurns, type Turns } from '../terminal/turns.js';
import { programVersion } from '../version.js';
import { type ExportContext, inputsOf } from './exportOptions.js';
import { rerunOf } from './rerunOf.js';
import { StoredRun } from './storedRun.js';

/** The batches of a trace are kept in memory. */
const MAX_BATCH_BYTES = 2 ** 30;

/** Trains a run again for its first K steps, and writes what another implementation needs to repeat and compare them. */
export async function exportTrace(context: ExportContext, K: number, run?: string): Promise<number> {
  const { io, json, options, printJson } = context;
  const file = resolve(io.cwd, traceFile(options.to));
  const stored = new StoredRun(findCheckpoint(io.cwd, run), io);
  refuseImported(stored.path, stored.checkpoint, 'trace', io);
  checkSteps(K, stored);
  checkOutput(file, { option: '--to', force: options.force ?? false, inputs: inputsOf(stored.path, options.data, io) });
  const data = loadRunData(stored.path, stored.checkpoint, options.data, 'must be the same', io);
  const { recorded, signal } = await inTurns(io, async (turns) => ({
    recorded: await record(K, stored, data, turns, io),
    signal: turns.signal,
  }));
  if (!recorded) return EXIT_SIGNAL[signal as StopSignal];
  const { bytes, losses } = recorded;
  writeOutput(file, bytes);
  const { batchSize } = stored.checkpoint.config;
  if (json)
    printJson({ checkpoint: stored.path, file, steps: K, batchSize, loss: { first: losses[0], last: losses[K - 1] }, bytes: bytes.length });
  else {
    const range = K === 1 ? `loss ${formatLoss(losses[0])}` : `losses ${formatLoss(losses[0])} to ${formatLoss(losses[K - 1])}`;
    io.stdout.write(
      `${shortPath(file, io)}: ${formatCountOf(K, 'step')} of ${batchSize} examples, ${range}; ${formatBytes(bytes.length)}\n`,
    );
  }
  return 0;
}

/** The file of --to. @throws UsageError unless it is a .safetensors file */
function traceFile(to: string | undefined): string {
  if (to === undefined) throw new UsageError('--trace needs a file to write', { hint: 'name it with --to trace.safetensors' });
  if (extname(to).toLowerCase() === '.safetensors') return to;
  throw new UsageError(`--trace writes a .safetensors file, not ${showPath(to)}`, { hint: 'change the extension of --to' });
}

/** @throws UsageError unless the run has at least that number of steps, and their batches fit into memory */
function checkSteps(K: number, { checkpoint: { config }, step, path }: StoredRun): void {
  if (K > step) {
    throw new UsageError(`--trace ${K}: the run of ${showPath(path)} has ${formatCountOf(step, 'step')}`, {
      hint: step === 0 ? 'train it first' : `give 1 to ${step}`,
    });
  }
  const perStep = Trace.batchBytes(config, 1, config.batchSize);
  if (K * perStep <= MAX_BATCH_BYTES) return;
  throw new UsageError(`--trace ${K}: the batches take ${formatBytes(K * perStep)}, the limit is ${formatBytes(MAX_BATCH_BYTES)}`, {
    hint: `give at most ${Math.floor(MAX_BATCH_BYTES / perStep)}`,
  });
}

/** Repeats the steps. Undefined if a signal came first. */
async function record(K: number, stored: StoredRun, data: LoadedData, turns: Turns, io: IO) {
  const { config, vocabulary, tensors } = stored.checkpoint;
  const history = await turns.run(runHistory(stored.records('again'), config));
  if (!history) return undefined;
  let trace: Trace | undefined;
  const rerun = rerunOf(
    stored,
    data,
    { history: { ...history, diagnosed: new Set() }, until: K, onStep: (step) => trace?.add(step) },
    createWasmBackend,
  );
  trace = new Trace(modelConfig(config, vocabulary), K, config.batchSize, rerun.parameters);
  const progress = new Progress(io, 0, K);
  const done = await turns.run(steps(rerun), () => progress.update(rerun.step, rerun.smoothedLoss));
  progress.clear();
  if (!done) return undefined;
  const { parameters } = rerun;
  if (K === stored.step && Object.entries(parameters).some(([name, data]) => !sameNumbers(data, tensors.get(name)))) {
    io.stderr.write(
      `note: after ${formatCount(K)} steps the parameters are not those of the checkpoint; backprop-ninja replay ${shellPath(stored.path, io)} shows where they diverge\n`,
    );
  }
  return { bytes: trace.bytes(`backprop-ninja ${programVersion()}`, config, vocabulary, parameters), losses: trace.losses };
}

/** All steps, in parts. */
function* steps(rerun: Rerun): Job<true> {
  for (const _ of rerun.steps()) yield;
  return true;
}

function sameNumbers(a: FloatArray, b: FloatArray | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((x, i) => x === b[i]);
}

import { extname, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { closest } from '../../core/spelling.js';
import { quoteText, shellWord, showPath } from '../../core/text.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { createWasmBackend } from '../../node/kernels.js';
import { checkOutput, writeOutput } from '../../node/outputFile.js';
import { BEST_FILE, CHECKPOINT_FILE, findCheckpoint } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { type ExportedModel, exportedModel, modelJson, modelNpz, modelSafetensors } from '../../run/exportedModel.js';
import { modelOnnx } from '../../run/onnx/onnxModel.js';
import { defineCommand } from '../command.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatBytes, formatCountOf, formatList } from '../terminal/format.js';
import { type StopSignal, shortPath } from '../terminal/io.js';
import { inTurns } from '../terminal/turns.js';
import { calibratedModel } from './calibrated.js';
import { EXPORT_OPTIONS, type ExportContext, inputsOf } from './exportOptions.js';
import { exportSplit } from './exportSplit.js';
import { exportTrace } from './exportTrace.js';

interface Format {
  write: (model: ExportedModel) => Job<Uint8Array>;
  /** The most bytes that its numbers may take as float32. */
  limit: number;
}

/** A job of one part; a signal may come before it. */
function asJob(write: (model: ExportedModel) => Uint8Array): Format['write'] {
  return function* (model) {
    yield;
    return write(model);
  };
}

/** The formats by extension. A protocol buffer has 2 GiB, the program reads .npz files of 1 GiB, and 2^25 numbers are 400 MB of JSON. */
const FORMATS: Readonly<Record<string, Format>> = {
  '.onnx': { write: asJob(modelOnnx), limit: 2 ** 31 - 2 ** 20 },
  '.npz': { write: asJob(modelNpz), limit: 2 ** 30 - 2 ** 20 },
  '.safetensors': { write: asJob(modelSafetensors), limit: Number.POSITIVE_INFINITY },
  '.json': { write: modelJson, limit: 2 ** 27 },
};
const EXTENSIONS = Object.keys(FORMATS);

export const exportCommand = defineCommand({
  description: "Writes a run's network, the names of its parts, or its first steps, for other programs such as PyTorch.",
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: EXPORT_OPTIONS,
  examples: [
    ['backprop-ninja export --to model.onnx', 'the newest network, for onnxruntime'],
    ['backprop-ninja export runs/0001 --to model.npz', 'parameters and statistics, for numpy.load'],
    ['backprop-ninja export --split lists', 'the same training, validation and test names, for PyTorch'],
    ['backprop-ninja export --trace 10 --to trace.safetensors', 'the first 10 steps, to compare one by one'],
  ],
  run(context: ExportContext, run?: string) {
    const { to, split, trace } = context.options;
    if (split !== undefined) {
      const other = to !== undefined ? '--to' : trace !== undefined ? '--trace' : undefined;
      if (other) throw new UsageError(`--split and ${other} are two exports`, { hint: 'run the command twice' });
      return exportSplit(context, split, run);
    }
    if (trace !== undefined) return exportTrace(context, trace, run);
    if (to === undefined) throw nothingToExport(run);
    return exportNetwork(context, to, run);
  },
});

async function exportNetwork({ io, json, options, printJson }: ExportContext, to: string, run?: string): Promise<number> {
  const format = formatOf(to);
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const file = resolve(io.cwd, to);
  checkOutput(file, { option: '--to', force: options.force ?? false, inputs: inputsOf(path, options.data, io) });
  checkSize(to, FORMATS[format], checkpoint);
  const { exported, bytes, signal } = await inTurns(io, async (turns) => {
    const model = await calibratedModel({ path, checkpoint, file: options.data }, [], createWasmBackend, turns, io);
    const exported = model && exportedModel(checkpoint, model);
    return { exported, bytes: exported && (await turns.run(FORMATS[format].write(exported))), signal: turns.signal };
  });
  if (!exported || !bytes) return EXIT_SIGNAL[signal as StopSignal];
  writeOutput(file, bytes);
  const arrays = [...exported.parameters, ...exported.statistics].map(([name, { shape }]) => ({ name, shape }));
  if (json) printJson({ checkpoint: path, file, format: format.slice(1), bytes: bytes.length, arrays });
  else io.stdout.write(`${shortPath(file, io)}: ${describe(format, exported)}; ${formatBytes(bytes.length)}\n`);
  return 0;
}

/** @throws UsageError if the format has no room for the network */
function checkSize(to: string, { limit }: Format, { tensors }: Checkpoint): void {
  const bytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes <= limit) return;
  throw new UsageError(`--to ${showPath(to)}: the network takes ${formatBytes(bytes)}, the limit of this format is ${formatBytes(limit)}`, {
    hint: 'write a .safetensors file',
  });
}

function nothingToExport(run: string | undefined): UsageError {
  const isFile = run !== undefined && EXTENSIONS.includes(extname(run)) && !run.endsWith(CHECKPOINT_FILE) && !run.endsWith(BEST_FILE);
  const hint = isFile ? `did you mean --to ${shellWord(run, 'file')}?` : 'give --to FILE, --split DIR, or --trace K --to FILE';
  return new UsageError('nothing to export', { hint });
}

/** The extension, in lower case. @throws UsageError if it is none of the known ones */
function formatOf(to: string): string {
  const extension = extname(to).toLowerCase();
  if (EXTENSIONS.includes(extension)) return extension;
  const similar = closest(extension, EXTENSIONS);
  const isTorch = ['.pt', '.pth', '.ckpt', '.bin', '.npy'].includes(extension);
  const hint = similar ? `did you mean ${similar}?` : isTorch ? 'PyTorch reads .npz through numpy.load, and .safetensors' : undefined;
  const found = extension === '' ? 'no extension' : `the extension ${quoteText(extension)}`;
  throw new UsageError(
    `--to ${showPath(to)} has ${found}, expected ${EXTENSIONS.slice(0, -1).join(', ')} or ${EXTENSIONS.at(-1)}`,
    hint === undefined ? {} : { hint },
  );
}

function describe(format: string, { config, parameters, statistics }: ExportedModel): string {
  const count = [...parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  const network = `${formatCountOf(count, 'parameter')} in ${formatList('array', [...parameters.keys()])}`;
  if (format !== '.onnx') return statistics.size === 0 ? network : `${network}; statistics ${[...statistics.keys()].join(', ')}`;
  const { context: T, vocabulary: V } = config;
  return `${network}; input context int64 [n, ${T}], outputs logits and probs float32 [n, ${V}]`;
}

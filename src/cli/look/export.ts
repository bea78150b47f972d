import { extname, resolve } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { closest } from '../../core/spelling.js';
import { quoteText, showPath } from '../../core/text.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { checkOutput, writeOutput } from '../../node/outputFile.js';
import { findCheckpoint } from '../../node/runDirectory.js';
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

/** The formats by extension. */
const FORMATS: Readonly<Record<string, (model: ExportedModel) => Uint8Array>> = {
  '.onnx': modelOnnx,
  '.npz': modelNpz,
  '.safetensors': modelSafetensors,
  '.json': modelJson,
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
    if (to === undefined) throw new UsageError('nothing to export', { hint: 'give --to FILE, --split DIR, or --trace K --to FILE' });
    return exportNetwork(context, to, run);
  },
});

async function exportNetwork({ io, json, options, printJson }: ExportContext, to: string, run?: string): Promise<number> {
  const format = formatOf(to);
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const file = resolve(io.cwd, to);
  checkOutput(file, { option: '--to', force: options.force ?? false, inputs: inputsOf(path, options.data, io) });
  const { model, signal } = await inTurns(io, async (turns) => ({
    model: await calibratedModel({ path, checkpoint, file: options.data }, [], turns, io),
    signal: turns.signal,
  }));
  if (!model) return EXIT_SIGNAL[signal as StopSignal];
  const exported = exportedModel(checkpoint, model);
  const bytes = FORMATS[format](exported);
  writeOutput(file, bytes);
  const arrays = [...exported.parameters, ...exported.statistics].map(([name, { shape }]) => ({ name, shape }));
  if (json) printJson({ checkpoint: path, file, format: format.slice(1), bytes: bytes.length, arrays });
  else io.stdout.write(`${shortPath(file, io)}: ${describe(format, exported)}; ${formatBytes(bytes.length)}\n`);
  return 0;
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
  if (format !== '.onnx') return `${network}; statistics ${[...statistics.keys()].join(', ')}`;
  const { context: T, vocabulary: V } = config;
  return `${network}; input context int64 [n, ${T}], outputs logits and probs float32 [n, ${V}]`;
}

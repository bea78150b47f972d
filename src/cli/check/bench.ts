import { createReferenceBackend } from '../../backend/reference.js';
import { choice, decimalNumber } from '../../core/kinds.js';
import { rowsOf } from '../../core/optionRow.js';
import { createExamples, DEFAULT_SPLIT } from '../../data/dataset.js';
import { checkBackend, FLOAT32_VARIANCE } from '../../gradCheck/backendCheck.js';
import type { CheckRow } from '../../gradCheck/row.js';
import { createNetworkCase } from '../../lesson/case.js';
import { type ModelConfig, parameterCount } from '../../network/parameters.js';
import { createWasmBackend } from '../../node/kernels.js';
import { type BackendTiming, measurePeak, timeBackend } from '../../training/benchmark.js';
import { NAMES_OPTIONS, RECIPE_OPTIONS } from '../../training/options.js';
import { modelConfig } from '../../training/runConfig.js';
import { defineCommand } from '../command.js';
import { loadData } from '../data.js';
import { THREADS_OPTION, withKernels } from '../kernels.js';
import { DATA_OPTION } from '../options.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { formatBlocks, formatCount, formatDifference, formatTable } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';

const reference = () => createReferenceBackend('float32');
const PEAK_SECONDS = 0.2;

export const bench = defineCommand({
  description: 'Times the training loop and each layer, after comparing the results of the backends.',
  options: [
    DATA_OPTION,
    {
      key: 'backend',
      flag: '--backend <name>',
      description: 'backend to time',
      kind: choice(['wasm', 'reference', 'both']),
      default: 'both' as 'wasm' | 'reference' | 'both',
    },
    {
      key: 'seconds',
      flag: '--seconds <s>',
      description: 'time to spend on each backend',
      kind: decimalNumber(0.01, 3600),
      default: 3,
    },
    { ...THREADS_OPTION, default: 1 },
    ...rowsOf([...RECIPE_OPTIONS, ...NAMES_OPTIONS], 'bench'),
  ],
  examples: [
    ['backprop-ninja bench', "the lesson's network, both backends"],
    ['backprop-ninja bench --hidden 1024 --batch-size 256 --backend wasm', 'a large network, kernels only'],
    ['backprop-ninja bench --hidden 300,200', 'a network of two blocks'],
  ],
  run: async ({ io, json, color, options }) => {
    const { dataset } = loadData(options.data, { ...options, ...DEFAULT_SPLIT }, io);
    const { context, batchSize, seconds, backend, threads } = options;
    const config = modelConfig(options, dataset.vocabulary);
    const failed = failedRows(config, batchSize);
    if (failed.length > 0) {
      if (json) io.stdout.write(`${JSON.stringify({ ok: false, tensors: failed })}\n`);
      else io.stderr.write(`${failed.map(describeFailure).join('\n')}\nthe backends disagree, so nothing was timed\n`);
      return EXIT_NO;
    }
    const examples = createExamples(dataset.parts.train, dataset.vocabulary, context);
    const { peakLoop } = createWasmBackend({ arrays: 0, entries: 0, workspace: 0 });
    const peak = peakLoop ? measurePeak(peakLoop, PEAK_SECONDS, io.now) : Number.NaN;
    const names = backend === 'both' ? (['wasm', 'reference'] as const) : ([backend] as const);
    const timings = await withKernels(threads, io, (wasm) =>
      names.map((name) => timeBackend({ wasm, reference }[name], { config, batchSize, examples, seconds, clock: io.now })),
    );
    const backends = timings.map((timing) => withRates(timing, peak));
    if (json) io.stdout.write(`${JSON.stringify({ ok: true, config, batchSize, threads, peakGflops: peak / 1e9, backends })}\n`);
    else printTimings({ config, batchSize, threads, peak, backends }, io, await paintFor(io.stdout, io.env, color));
    return 0;
  },
});

/** The tensors on which the backends disagree. The reference is float32 here: V8 slows down layers that have seen float64 arrays. */
function failedRows(config: ModelConfig, batchSize: number): CheckRow[] {
  const networkCase = createNetworkCase(config, batchSize, 1, FLOAT32_VARIANCE);
  return checkBackend(networkCase, createWasmBackend, reference()).filter(({ ok }) => !ok);
}

function describeFailure({ name, error, limit }: CheckRow): string {
  return `${name}: relative difference ${formatDifference(error)}, limit ${limit}`;
}

function withRates({ backend, microsecondsPerStep, layers }: BackendTiming, peak: number) {
  return {
    backend,
    microsecondsPerStep,
    stepsPerSecond: 1e6 / microsecondsPerStep,
    layers: layers.map((layer) => {
      const rate = (layer.operations * 1e6) / layer.microseconds;
      return { ...layer, gflops: rate / 1e9, shareOfPeak: rate / peak };
    }),
  };
}

interface Timings {
  config: ModelConfig;
  batchSize: number;
  threads: number | 'auto';
  /** Operations per second. */
  peak: number;
  backends: readonly ReturnType<typeof withRates>[];
}

function printTimings({ config, batchSize: n, threads, peak, backends }: Timings, io: IO, paint: Paint): void {
  const { context: T, embedding: E, vocabulary: V } = config;
  io.stdout.write(
    `T ${T}, E ${E}, ${formatBlocks(config)}, V ${V}, n ${n}${threads === 1 ? '' : `, --threads ${threads}`}: ${formatCount(parameterCount(config))} parameters; the backends agree\n` +
      `SIMD peak of this core: ${(peak / 1e9).toFixed(1)} GFLOP/s (128-bit multiply and add)\n`,
  );
  for (const { backend, layers, microsecondsPerStep, stepsPerSecond } of backends) {
    const [head, ...lines] = formatTable(
      [
        [backend, 'us', 'GFLOP/s', 'of peak'],
        ...layers.map(({ name, operations, microseconds, gflops, shareOfPeak }) => [
          name,
          microseconds.toFixed(1),
          ...(operations > 0 ? [gflops.toFixed(1), `${(100 * shareOfPeak).toFixed(0)} %`] : ['', '']),
        ]),
        ['whole step, batch included', microsecondsPerStep.toFixed(1)],
      ],
      ['left', 'right', 'right', 'right'],
    );
    io.stdout.write(`\n${paint.dim(head)}\n${lines.join('\n')}\n${paint.bold(`${formatCount(Math.round(stepsPerSecond))} steps/s`)}\n`);
  }
}

import { createReferenceBackend } from '../../backend/reference.js';
import { createExamples } from '../../data/dataset.js';
import { checkBackend, FLOAT32_VARIANCE } from '../../gradCheck/backendCheck.js';
import type { CheckRow } from '../../gradCheck/row.js';
import { createNetworkCase } from '../../lesson/case.js';
import { type ModelConfig, parameterCount } from '../../network/parameters.js';
import { createWasmBackend } from '../../node/kernels.js';
import { type BackendTiming, measurePeak, timeBackend } from '../../training/benchmark.js';
import type { RunConfig } from '../../training/runConfig.js';
import { loadData } from '../data.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import { formatCount, formatDifference, formatTable } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';

export interface BenchCommandOptions extends Pick<RunConfig, 'context' | 'embedding' | 'hidden' | 'batchSize'> {
  data?: string;
  backend: 'wasm' | 'reference' | 'both';
  seconds: number;
  json?: boolean;
  color: boolean;
}

const BACKENDS = {
  wasm: createWasmBackend,
  reference: () => createReferenceBackend('float32'),
};
const PEAK_SECONDS = 0.2;

/** Compares the results of the backends, then times them. @returns whether the results agree; otherwise nothing is timed */
export async function benchCommand(options: BenchCommandOptions, io: IO): Promise<boolean> {
  const { dataset } = loadData(options.data, { splitSeed: 42, unique: false }, io);
  const { context, embedding, hidden, batchSize: n, seconds, json } = options;
  const config: ModelConfig = { context, embedding, hidden, vocabulary: dataset.vocabulary.length };
  const names = options.backend === 'both' ? (['wasm', 'reference'] as const) : ([options.backend] as const);
  // Against float32: layers that had seen float64 would be slower when they are timed.
  const failed = checkBackend(createNetworkCase(config, n, 1, FLOAT32_VARIANCE), createWasmBackend, BACKENDS.reference()).filter(
    (row) => !row.ok,
  );
  if (failed.length > 0) {
    if (json) io.stdout.write(`${JSON.stringify({ ok: false, tensors: failed })}\n`);
    else io.stderr.write(`${failed.map(describeFailure).join('\n')}\nthe backends disagree, so nothing was timed\n`);
    return false;
  }
  const examples = createExamples(dataset.parts.train, dataset.vocabulary, context);
  const { peakLoop } = createWasmBackend({ arrays: 0, entries: 0, workspace: 0 });
  const peak = peakLoop ? measurePeak(peakLoop, PEAK_SECONDS, io.now) : Number.NaN;
  const timings = names.map((name) => timeBackend(BACKENDS[name], { config, batchSize: n, examples, seconds, clock: io.now }));
  if (json)
    io.stdout.write(
      `${JSON.stringify({ ok: true, config, batchSize: n, peakGflops: peak / 1e9, backends: timings.map((t) => withRates(t, peak)) })}\n`,
    );
  else print(config, n, peak, timings, io, await paintFor(io.stdout, io.env, options.color));
  return true;
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

function print(config: ModelConfig, n: number, peak: number, timings: readonly BackendTiming[], io: IO, paint: Paint): void {
  const { context: T, embedding: E, hidden, vocabulary: V } = config;
  io.stdout.write(
    `T ${T}, E ${E}, H ${hidden.join(',')}, V ${V}, n ${n}: ${formatCount(parameterCount(config))} parameters; the backends agree\n` +
      `SIMD peak of this core: ${(peak / 1e9).toFixed(1)} GFLOP/s (128-bit multiply and add)\n`,
  );
  for (const timing of timings) {
    const { backend, layers, microsecondsPerStep, stepsPerSecond } = withRates(timing, peak);
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

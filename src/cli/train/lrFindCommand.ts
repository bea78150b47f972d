import { setImmediate as nextTurn } from 'node:timers/promises';
import { NumericalError, UsageError } from '../../core/errors.js';
import { createExamples } from '../../data/dataset.js';
import { allocateModel } from '../../network/arrays.js';
import { parameterCount } from '../../network/parameters.js';
import { createWasmBackend } from '../../node/kernels.js';
import { type ScanPoint, scanRates } from '../../training/lrFind.js';
import { OPTIMIZER_TENSORS } from '../../training/updater.js';
import { loadData } from '../data.js';
import { type Paint, paintFor } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, formatLoss } from '../terminal/format.js';
import { type IO, type StopSignal, TURN_MS } from '../terminal/io.js';
import { plotCurves } from '../terminal/plot.js';
import { type PresetName, withPreset } from './presets.js';
import { type NetworkOptions, type OptimizerOptions, optimizerOf } from './recipe.js';

export interface LrFindCommandOptions extends NetworkOptions, OptimizerOptions {
  preset: PresetName;
  data?: string;
  steps: number;
  from?: number;
  to?: number;
  seed: number;
  splitSeed: number;
  unique: boolean;
  json?: boolean;
  color: boolean;
}

/** Adam's steps are of about the rate's size, whatever the gradient; the others' are smaller. */
const RANGES = { sgd: [1e-3, 10], momentum: [1e-4, 1], nesterov: [1e-4, 1], adam: [1e-5, 1], adamw: [1e-5, 1] } as const;

/** What the rate at the smallest loss is divided by: there, the loss has stopped falling already. */
const MARGIN = 2;

/** The lesson's scan: the loss while the rate goes up, drawn, and a rate to begin with. @returns the exit code */
export async function lrFindCommand(given: LrFindCommandOptions, isGiven: (option: string) => boolean, io: IO): Promise<number> {
  const options = { ...withPreset(given, isGiven), steps: given.steps };
  const [from, to] = rangeOf(options);
  const { dataset } = loadData(options.data, options, io);
  const { context, embedding, hidden, batchSize, steps, seed, sampling, clip } = options;
  const config = { context, embedding, hidden, vocabulary: dataset.vocabulary.length };
  const optimizer = optimizerOf(options);
  const capacity = { training: batchSize, optimizerTensors: OPTIMIZER_TENSORS[optimizer.name] };
  const model = allocateModel(createWasmBackend, config, capacity);
  io.stderr.write(
    `T ${context}, E ${embedding}, H ${hidden.join(',')}: ${formatCount(parameterCount(config))} parameters; ` +
      `${optimizer.name}, rates from ${from} to ${to} in ${formatCount(steps)} steps\n`,
  );
  const examples = createExamples(dataset.parts.train, dataset.vocabulary, context);
  const scan = scanRates(model, examples, {
    from,
    to,
    steps,
    batchSize,
    optimizer,
    ...(clip === undefined ? {} : { clip }),
    sampling,
    seed,
  });
  const { points, signal } = await collect(scan, io);
  if (signal) return EXIT_SIGNAL[signal];
  if (points.length === 0) throw new NumericalError('the loss of the first batch is no number');
  const least = points.reduce((best, point) => (point.smoothed < best.smoothed ? point : best));
  const suggestion = Number((least.rate / MARGIN).toPrecision(2));
  if (options.json) io.stdout.write(`${JSON.stringify({ suggestion, least, points })}\n`);
  else print(points, least, suggestion, points.length < steps, io, await paintFor(io.stdout, io.env, options.color));
  return 0;
}

function rangeOf({ optimizer, from = RANGES[optimizer][0], to = RANGES[optimizer][1] }: LrFindCommandOptions): [from: number, to: number] {
  if (from >= to) throw new UsageError(`--from is ${from}, and --to ${to}: the rate must go up`);
  return [from, to];
}

async function collect(scan: Iterable<ScanPoint>, io: IO): Promise<{ points: ScanPoint[]; signal: StopSignal | undefined }> {
  let signal: StopSignal | undefined;
  const stopListening = io.onStop((name) => {
    signal = name;
  });
  const points: ScanPoint[] = [];
  let turnEnds = io.now() + TURN_MS;
  for (const point of scan) {
    points.push(point);
    if (io.now() < turnEnds) continue;
    await nextTurn();
    if (signal) break;
    turnEnds = io.now() + TURN_MS;
  }
  stopListening();
  return { points, signal };
}

function print(points: readonly ScanPoint[], least: ScanPoint, suggestion: number, early: boolean, io: IO, paint: Paint): void {
  const highest = Math.max(points[0].loss, ...points.slice(0, points.indexOf(least)).map(({ smoothed }) => smoothed));
  const plot = plotCurves([{ mark: '·', points: points.map(({ rate, smoothed }) => [Math.log10(rate), smoothed]) }], {
    width: Math.min(80, io.stdout.columns),
    height: 16,
    showX: (x) => `rate ${Number((10 ** x).toPrecision(2))}`,
    showY: (loss) => loss.toFixed(2),
    range: [least.smoothed, highest],
  });
  const end = early
    ? `the scan ended at a rate of ${Number(points[points.length - 1].rate.toPrecision(2))}, where the loss was lost\n`
    : '';
  io.stdout.write(
    `\n${plot.join('\n')}\n\n${end}the smoothed loss is smallest, ${formatLoss(least.smoothed)}, at a rate of ${Number(least.rate.toPrecision(2))}\n` +
      `${paint.bold(proposal(points, least, suggestion))}\n`,
  );
}

/** At an edge of the scan, the smallest loss says only where to look further. */
function proposal(points: readonly ScanPoint[], least: ScanPoint, suggestion: number): string {
  const share = points.indexOf(least) / points.length;
  if (share < EDGE) return 'that is where the scan begins: a lower --from may show where the loss falls';
  if (share > 1 - EDGE) return 'that is where the scan ends: a higher --to may show where the loss rises again';
  return `half of that is a rate to begin with: --lr ${suggestion}`;
}

/** The share of a scan that is its edge. */
const EDGE = 0.02;

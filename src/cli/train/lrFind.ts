import { NumericalError, UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { choice, decimalNumber, wholeNumber } from '../../core/kinds.js';
import { extentOf } from '../../core/numbers.js';
import { type OptionRow, rowsOf, withDefaults } from '../../core/optionRow.js';
import { createExamples } from '../../data/dataset.js';
import { allocateModel } from '../../network/arrays.js';
import { parameterCount } from '../../network/parameters.js';
import { type ScanPoint, scanInParts } from '../../training/lrFind.js';
import { TRAINING_OPTIONS } from '../../training/options.js';
import { PRESET_NAMES } from '../../training/presets.js';
import { storedOf, withPreset } from '../../training/recipe.js';
import { modelConfig, type RunConfig, trainingCapacity } from '../../training/runConfig.js';
import type { OptimizerName } from '../../training/updater.js';
import { defineCommand } from '../command.js';
import { loadData } from '../data.js';
import { THREADS_OPTION, withKernels } from '../kernels.js';
import { DATA_OPTION } from '../options.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatBlocks, formatCount, formatLoss } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';
import { plotCurves } from '../terminal/plot.js';
import { Progress } from '../terminal/progress.js';
import { inTurns } from '../terminal/turns.js';
import { initialWeights, openWeights } from '../weights.js';

/** The options of training that have an effect in a scan. */
const TRAINING = rowsOf(TRAINING_OPTIONS, 'lr-find');
type ScanConfig = Omit<RunConfig, 'steps' | 'learningRate' | 'schedule' | 'warmup' | 'evalEvery'>;

/** A smaller rate changes no float32 weight. */
const LEAST_RATE = 1e-12;
/** A scan over a smaller range says nothing: the loss falls with every step, whatever the rate. */
const LEAST_RISE = 10;

const OPTIONS = [
  {
    key: 'preset',
    flag: '--preset <name>',
    description: "network and optimizer of one of train's presets",
    kind: choice(PRESET_NAMES),
    default: 'lesson',
  },
  DATA_OPTION,
  {
    key: 'from',
    flag: '--from <rate>',
    description: 'rate of the first step',
    defaultText: '0.001 for sgd, lower for others',
    kind: decimalNumber(LEAST_RATE, 1000),
  },
  {
    key: 'to',
    flag: '--to <rate>',
    description: 'rate of the last step',
    defaultText: '10 for sgd, 1 for others',
    kind: decimalNumber(LEAST_RATE, 1000),
  },
  { key: 'steps', flag: '--steps <count>', description: 'steps of the scan', kind: wholeNumber(100, 1_000_000), default: 1000 },
  THREADS_OPTION,
] as const satisfies readonly OptionRow[];

/** First and last rate. Adam changes each entry by about the rate, whatever the gradient. */
const RANGES = { sgd: [1e-3, 10], momentum: [1e-4, 1], nesterov: [1e-4, 1], adam: [1e-5, 1], adamw: [1e-5, 1] } as const;

/** The suggestion is the rate with the lowest loss, divided by this: at that rate, the loss has already stopped falling. */
const MARGIN = 2;

/** The lesson's scan: raises the rate, draws the loss, and suggests a rate to start with. */
export const lrFind = defineCommand({
  description: 'Raises the learning rate over a short training, draws the loss, then suggests half the rate with the lowest loss.',
  options: [...OPTIONS, ...TRAINING],
  examples: [
    ['backprop-ninja lr-find', "for the lesson's recipe"],
    ['backprop-ninja lr-find --preset best', 'for the network and the optimizer of another preset'],
  ],
  async run({ io, json, given, options: { preset, steps, data: file, init: weights, threads }, printJson, paint }) {
    const asked = withPreset(TRAINING, preset, given);
    const { optimizer } = storedOf(TRAINING, asked) as ScanConfig;
    const [from, to] = rangeOf(optimizer.name, given);
    const source = weights === undefined ? undefined : openWeights(weights, io);
    const data = loadData(file, withDefaults(TRAINING, asked), io);
    const { dataset } = data;
    const init = source && initialWeights(source, data, given, io);
    const config = storedOf(TRAINING, { ...asked, ...init?.settings }) as ScanConfig;
    const shape = modelConfig(config, dataset.vocabulary);
    io.stderr.write(
      `T ${shape.context}, E ${shape.embedding}, ${formatBlocks(shape)}: ${formatCount(parameterCount(shape))} parameters; ` +
        `${config.optimizer.name}, rates from ${from} to ${to} in ${formatCount(steps)} steps\n`,
    );
    const examples = createExamples(dataset.parts.train, dataset.vocabulary, shape.context);
    const progress = new Progress(io, 0, steps);
    const { points, signal } = await withKernels(threads, io, (createBackend) => {
      const model = allocateModel(createBackend, shape, trainingCapacity(config));
      init?.copyTo(model);
      const job = scanInParts(model, examples, { ...config, from, to, steps }, init && 'parameters');
      return inTurns(io, async (turns) => {
        const collected: ScanPoint[] = [];
        await turns.run(collect(job, collected), () => progress.update(collected.length, collected.at(-1)?.smoothed ?? Number.NaN));
        return { points: collected, signal: turns.signal };
      });
    });
    progress.clear();
    if (signal) return EXIT_SIGNAL[signal];
    if (points.length === 0) throw new NumericalError('the loss of the first batch is not a number');
    const least = points.reduce((best, point) => (point.smoothed < best.smoothed ? point : best));
    const edge = edgeOf(points, least);
    const suggestion = edge ? null : Number((least.rate / MARGIN).toPrecision(2));
    if (json) printJson({ suggestion, edge, least, points });
    else print({ points, least, edge, suggestion, isCut: points.length < steps }, io, await paint());
    return 0;
  },
});

function rangeOf(optimizer: OptimizerName, given: { from?: number; to?: number }): readonly [from: number, to: number] {
  const { from = RANGES[optimizer][0], to = RANGES[optimizer][1] } = given;
  if (!(to >= LEAST_RISE * from)) {
    throw new UsageError(`--from is ${from} and --to is ${to}, but the rate must rise at least ${LEAST_RISE} times`);
  }
  return [from, to];
}

function* collect(scan: Iterable<ScanPoint | undefined>, points: ScanPoint[]): Job<void> {
  for (const point of scan) {
    if (point) points.push(point);
    yield;
  }
}

interface Scan {
  points: readonly ScanPoint[];
  least: ScanPoint;
  edge: Edge | null;
  /** None at an edge, which only says in which direction to look further. */
  suggestion: number | null;
  /** Whether it ended before its last step. */
  isCut: boolean;
}

function print({ points, least, edge, suggestion, isCut }: Scan, io: IO, paint: Paint): void {
  const [, highest] = extentOf([points[0].loss, ...points.slice(0, points.indexOf(least)).map(({ smoothed }) => smoothed)]);
  const plot = plotCurves([{ mark: '·', points: points.map(({ rate, smoothed }) => [Math.log10(rate), smoothed]) }], {
    width: Math.min(80, io.stdout.columns),
    height: 16,
    showX: (x) => `rate ${Number((10 ** x).toPrecision(2))}`,
    showY: (loss) => loss.toFixed(2),
    range: [least.smoothed, highest],
  });
  const end = isCut ? `the scan ended at a rate of ${short(points[points.length - 1].rate)}, where the loss diverged\n` : '';
  io.stdout.write(
    `\n${plot.join('\n')}\n\n${end}the smoothed loss is lowest, ${formatLoss(least.smoothed)}, at a rate of ${short(least.rate)}\n` +
      `${paint.bold(edge ? EDGE_ADVICE[edge] : `half of that is a rate to begin with: --lr ${suggestion}`)}\n`,
  );
}

function short(rate: number): number {
  return Number(rate.toPrecision(2));
}

/** Where the lowest loss says nothing about the rate: at the first points, at the last ones, or anywhere if the loss hardly changes. */
type Edge = 'start' | 'end' | 'flat';

const EDGE_ADVICE: Record<Edge, string> = {
  start: 'the scan begins there: a lower --from may show where the loss falls',
  end: 'the scan ends there: a higher --to may show where the loss rises again',
  flat: 'the loss hardly changes: a higher --to may show where it falls',
};

/** The share of the points that counts as an edge. */
const EDGE = 0.02;
/** The smoothed loss is a mean over about this many points. */
const WINDOW = 50;
/** Standard errors of such a mean within which the loss counts as unchanged. */
const NOISE = 4;

/** The edge of the scan at which the loss is lowest, if it is at one. */
function edgeOf(points: readonly ScanPoint[], least: ScanPoint): Edge | null {
  if (isFlat(points)) return 'flat';
  const share = points.indexOf(least) / points.length;
  if (share < EDGE) return 'start';
  return share > 1 - EDGE ? 'end' : null;
}

/** Whether the smoothed loss stays within the noise of the first batches. */
function isFlat(points: readonly ScanPoint[]): boolean {
  const first = points.slice(0, WINDOW).map(({ loss }) => loss);
  if (points.length <= WINDOW) return false;
  const mean = first.reduce((sum, loss) => sum + loss, 0) / WINDOW;
  const variance = first.reduce((sum, loss) => sum + (loss - mean) ** 2, 0) / (WINDOW - 1);
  const noise = NOISE * Math.sqrt(variance / WINDOW);
  return points.slice(WINDOW).every(({ smoothed }) => Math.abs(smoothed - mean) <= noise);
}

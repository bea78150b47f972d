import { extentOf } from '../../core/numbers.js';
import type { RunCurves } from '../../run/runCurves.js';
import { formatCount, formatDuration, formatLoss } from './format.js';
import type { IO } from './io.js';
import { LiveLines } from './liveLines.js';
import { plotCurves } from './plot.js';
import { canRedraw } from './whileShowing.js';

const REDRAW_MS = 100;
const LINE_MS = 5_000;

/**
 * The progress of a training on stderr: on a terminal, one line that is redrawn in place, below the loss curves if there are some; elsewhere,
 * a plain line every five seconds. Rates are measured from the first step.
 */
export class Progress {
  readonly #io: IO;
  readonly #first: number;
  readonly #steps: number;
  readonly #history: RunCurves | undefined;
  readonly #start: number;
  /** The lines on a terminal; undefined elsewhere. */
  readonly #lines: LiveLines | undefined;
  #shownAt: number;

  /**
   * @param first the number of steps done before
   * @param history the curves that a terminal shows
   */
  constructor(io: IO, first: number, steps: number, history?: RunCurves) {
    this.#io = io;
    this.#first = first;
    this.#steps = steps;
    this.#history = history;
    this.#start = io.now();
    this.#shownAt = this.#start;
    this.#lines = canRedraw(io.stderr, io) ? new LiveLines(io) : undefined;
  }

  /** Shows the state if a redraw is due. */
  update(step: number, loss: number): void {
    if (this.#io.now() - this.#shownAt < (this.#lines ? REDRAW_MS : LINE_MS)) return;
    // In the background, it would draw over what the user types.
    if (this.#lines && this.#io.inBackground) this.#shownAt = this.#io.now();
    else this.#show(step, loss);
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (this.#io.now() - this.#start) / 1000;
  }

  /** Shows the last state, which stays on the terminal. */
  finish(step: number, loss: number): void {
    this.#show(step, loss);
    this.#lines?.keep();
  }

  /** Removes what is drawn on the terminal, to make room for a message. */
  clear(): void {
    this.#lines?.clear();
  }

  /** Draws below what another program has written to the terminal since. */
  forget(): void {
    this.#lines?.forget();
  }

  #show(step: number, loss: number): void {
    this.#shownAt = this.#io.now();
    const seconds = (this.#shownAt - this.#start) / 1000;
    const rate = (step - this.#first) / Math.max(seconds, 1e-3);
    const time = step < this.#steps ? `${formatDuration((this.#steps - step) / rate)} left` : `done in ${formatDuration(seconds)}`;
    const state = `step ${formatCount(step).padStart(formatCount(this.#steps).length)} / ${formatCount(this.#steps)}   loss ${formatLoss(loss)}`;
    const whole = `${state}   ${formatCount(Math.round(rate))} steps/s   ${time}`;
    if (!this.#lines) {
      this.#io.stderr.write(`${whole}\n`);
      return;
    }
    const plot = this.#history ? lossPlot(this.#history, this.#steps, this.#io.stderr) : [];
    const room = Math.max(1, this.#io.stderr.columns - 1);
    // A narrow terminal shows the time instead of the rate.
    this.#lines.draw([...plot, (whole.length <= room ? whole : `${state}   ${time}`).slice(0, room)]);
  }
}

/** Columns below which there are no curves. */
const NARROW = 50;
/** Columns above which curves do not grow. */
const WIDE = 100;
/** Lines of the curves, and those that a terminal has for other text at least. */
const HEIGHT = 8;
const OTHER_LINES = 6;

/** The loss curves of a training, a few lines high; none before there is a curve, or if the terminal is small. */
function lossPlot(history: RunCurves, steps: number, { columns, rows }: { columns: number; rows: number }): string[] {
  const [train, val] = ['training', 'validation'].map((name) => history.curves.get(name)?.points ?? []);
  if (train.length < 2 || columns < NARROW || rows < HEIGHT + OTHER_LINES) return [];
  const curves = [
    { mark: '·', points: train },
    { mark: 'o', points: val },
  ];
  const plot = plotCurves(curves, {
    width: Math.min(WIDE, columns - 1),
    height: HEIGHT,
    showY: (loss) => loss.toFixed(2),
    domain: [0, steps],
    range: rangeOf([...train, ...val]),
  });
  const last = history.curves.get('validation')?.last;
  const validation = last ? `   o validation ${formatLoss(last[1])}` : '';
  return [...plot, `· training${validation}`];
}

/** The first share of the steps, whose losses are so high that nothing could be seen of the others. */
const START = 0.02;

/** The range of the losses, without those of the start. */
function rangeOf(points: readonly (readonly [step: number, loss: number])[]): [lowest: number, highest: number] {
  const [, last] = extentOf(points.map(([step]) => step));
  return extentOf(points.flatMap(([step, loss]) => (step > START * last ? [loss] : [])));
}

import { formatCount, formatDuration, formatLoss } from './format.js';
import type { IO } from './io.js';

const REDRAW_MS = 100;
const LINE_MS = 5_000;

/**
 * The progress of a training on stderr: on a terminal, one line that is redrawn in place; elsewhere, a plain line every five seconds.
 * Rates are measured from the first step.
 */
export class Progress {
  readonly #io: IO;
  readonly #first: number;
  readonly #steps: number;
  readonly #start: number;
  readonly #live: boolean;
  #shownAt: number;
  #drawn = false;

  /** @param first the number of steps done before */
  constructor(io: IO, first: number, steps: number) {
    this.#io = io;
    this.#first = first;
    this.#steps = steps;
    this.#start = io.now();
    this.#shownAt = this.#start;
    this.#live = io.stderr.isTTY && io.env.TERM !== 'dumb';
  }

  /** Shows the state if a redraw is due. */
  update(step: number, loss: number): void {
    if (this.#io.now() - this.#shownAt >= (this.#live ? REDRAW_MS : LINE_MS)) this.#show(step, loss);
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (this.#io.now() - this.#start) / 1000;
  }

  /** Shows the last state, which stays on the terminal. */
  finish(step: number, loss: number): void {
    this.#show(step, loss);
    if (this.#live) this.#io.stderr.write('\n');
  }

  /** Removes the line from the terminal, to make room for a message. */
  clear(): void {
    if (this.#drawn) this.#io.stderr.write('\r\x1b[2K');
    this.#drawn = false;
  }

  #show(step: number, loss: number): void {
    this.#shownAt = this.#io.now();
    const seconds = (this.#shownAt - this.#start) / 1000;
    const rate = (step - this.#first) / Math.max(seconds, 1e-3);
    const time = step < this.#steps ? `${formatDuration((this.#steps - step) / rate)} left` : `done in ${formatDuration(seconds)}`;
    const state = `step ${formatCount(step).padStart(formatCount(this.#steps).length)} / ${formatCount(this.#steps)}   loss ${formatLoss(loss)}`;
    const whole = `${state}   ${formatCount(Math.round(rate))} steps/s   ${time}`;
    if (!this.#live) this.#io.stderr.write(`${whole}\n`);
    else {
      const room = Math.max(1, this.#io.stderr.columns - 1);
      // A narrow terminal shows the time instead of the rate.
      this.#io.stderr.write(`\r\x1b[2K${(whole.length <= room ? whole : `${state}   ${time}`).slice(0, room)}`);
    }
    this.#drawn = this.#live;
  }
}

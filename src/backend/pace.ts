/**
 * Chooses the number of threads by measuring. Whether helpers help depends on the size of the network and on what else the machine does, and
 * only the time that the work takes shows both. The results do not depend on the choice.
 */
import type { Clock } from './timed.js';

/** Measures units of equal work, such as training steps, and chooses how many threads do the next ones. */
export interface Pace {
  begin(): void;
  /** @param isTypical whether the unit was like the others: one that was abandoned, or did more, is not measured */
  end(isTypical: boolean): void;
}

/** The threads of a backend, as its paces drive them. */
export interface ThreadControl {
  /** Threads that can work now: the calling one, and the helpers that have started and are alive. */
  readonly ready: number;
  /** Starts the helpers, if that was not done before. Nothing waits for them. */
  start(): void;
  /** Lets this many threads do the next kernels, at most {@link ready}. The others sleep. */
  use(count: number): void;
}

/** The clock is read about this often: a read takes 0.05 to 0.1 us, a small step 20 us. */
const BLOCK_MS = 1;
/** A number of threads is measured in this many blocks, or in fewer if they take long: 12 ms are several slices of a busy core. */
const TRIAL_BLOCKS = 12;
const TRIAL_MS = 40;
/** While helpers do not help, they are tried after this time, then after twice that, and so on. */
const WAIT_MS = { first: 25, longest: 4000 };
/** While they help, other numbers of threads are looked at, less and less often. */
const LOOK_MS = { first: 50, longest: 2000 };
/** After a choice, the next trial comes after at least this many times what the last one took. */
const REST = 16;
/** Helpers that helped for this long were not tried at a lucky moment: the waiting begins anew. */
const HELD_MS = 500;
/** More threads are worth it if they take at most this share of the time. */
const GAIN = 0.97;
/** A trial ends early if it takes this many times as long as one thread, and this much more: waking a helper takes 50 us, or much longer where it
 * has to wait for a core. */
const HOPELESS = 2;
const WAKING_MS = 2;

/**
 * Makes the paces of the backends that share their helpers, one for each kind of work of each backend. A pace drives the threads in blocks of its
 * units; what is done between two blocks, and after a unit unlike the others, is left to the calling thread. While another pace is at work, a
 * block waits.
 */
export function pacesOf(clock: Clock): (threads: ThreadControl) => () => Pace {
  const last: LastPace = {};
  return (threads) => () => new MeasuredPace(threads, clock, last);
}

/** The pace that began the last unit, unless it is not used any more. */
interface LastPace {
  pace?: WeakRef<MeasuredPace>;
}

class MeasuredPace implements Pace {
  readonly #self = new WeakRef(this);
  readonly #threads: ThreadControl;
  readonly #clock: Clock;
  readonly #last: LastPace;
  /** Units of a block, and those that are done. */
  #blockUnits = 1;
  #units = 0;
  /** When the block began, or continued, and the milliseconds before. */
  #start = 0;
  #before = 0;
  /** The milliseconds of all blocks: the time by which trials are due. */
  #worked = 0;
  /** The threads at work: those of the choice, or of a trial. */
  #using = 1;
  /** The last blocks of this number of threads, with their costs in ms per unit. */
  #blocks: { milliseconds: number; cost: number }[] = [];
  /** The cost of one thread. */
  #alone = Number.NaN;
  /** The trials of a round that are still to be done, and the costs of those that are done. */
  #waiting: number[] = [];
  #round: Map<number, number> | undefined;
  #roundBegan = 0;
  /** How long nothing is tried after a choice that may have been made at a lucky or unlucky moment. */
  #rest = 0;
  #wait = WAIT_MS.first;
  #look = LOOK_MS.first;
  #nextRound = 0;
  #helpingSince = 0;

  constructor(threads: ThreadControl, clock: Clock, last: LastPace) {
    this.#threads = threads;
    this.#clock = clock;
    this.#last = last;
  }

  begin(): void {
    const isOther = this.#last.pace !== this.#self;
    if (this.#units > 0 && !isOther) return;
    this.#threads.use(this.#using);
    const now = this.#clock();
    if (isOther) this.#last.pace?.deref()?.interrupt(now);
    this.#last.pace = this.#self;
    this.#start = now;
  }

  end(isTypical: boolean): void {
    this.#units = isTypical ? this.#units + 1 : 0;
    if (this.#units > 0 && this.#units < this.#blockUnits) return;
    this.#threads.use(1);
    if (isTypical) this.#endBlock(this.#before + this.#clock() - this.#start, this.#units);
    this.#before = 0;
  }

  /** Another pace begins. */
  interrupt(now: number): void {
    if (this.#units > 0) this.#before += now - this.#start;
  }

  #endBlock(milliseconds: number, units: number): void {
    const cost = milliseconds / units;
    this.#units = 0;
    this.#blockUnits = Math.max(1, Math.min(2 * units, Math.round(BLOCK_MS / cost)));
    this.#worked += milliseconds;
    if (this.#round && this.#using > 1 && milliseconds > HOPELESS * this.#alone * units + WAKING_MS) this.#giveUp(this.#round);
    else if (milliseconds >= BLOCK_MS / 2) this.#addBlock(milliseconds, cost);
  }

  #addBlock(milliseconds: number, cost: number): void {
    this.#blocks.push({ milliseconds, cost });
    while (this.#blocks.length > TRIAL_BLOCKS || timeOf(this.#blocks.slice(1)) >= TRIAL_MS) this.#blocks.shift();
    if (this.#using > this.#threads.ready) this.#dropHelpers();
    else if (this.#round) this.#continueRound(this.#round);
    else if (this.#using === 1) this.#watchAlone();
    else this.#watchHelpers();
  }

  get #isMeasured(): boolean {
    return this.#blocks.length === TRIAL_BLOCKS || timeOf(this.#blocks) >= TRIAL_MS;
  }

  /** The cost of the threads at work, without the slowest block of several: one pause, such as a save, is not theirs. */
  get #cost(): number {
    const costs = this.#blocks.map(({ cost }) => cost).sort((a, b) => a - b);
    if (costs.length > 2) costs.pop();
    return costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  }

  #switchTo(count: number): void {
    // A unit at a time at first: if a helper has no core, each takes long.
    if (count > this.#using) this.#blockUnits = 1;
    this.#using = count;
    this.#blocks = [];
  }

  #watchAlone(): void {
    if (!this.#isMeasured || this.#worked < this.#nextRound) return;
    this.#threads.start();
    if (this.#threads.ready > 1) this.#beginRound([2]);
  }

  #watchHelpers(): void {
    if (!this.#isMeasured) return;
    if (this.#cost > this.#alone) this.#dropHelpers();
    else if (this.#worked >= this.#nextRound) this.#beginRound([...new Set([1, this.#fewer, this.#more])]);
  }

  /** The neighbours of the number of threads, among 1, 2, 4 and so on, and all. */
  get #fewer(): number {
    return 2 ** (Math.ceil(Math.log2(this.#using)) - 1);
  }

  get #more(): number {
    return Math.min(2 * this.#using, this.#threads.ready);
  }

  #beginRound(counts: readonly number[]): void {
    this.#round = new Map([[this.#using, this.#cost]]);
    if (this.#using === 1) this.#alone = this.#cost;
    this.#waiting = counts.filter((count) => count !== this.#using);
    this.#roundBegan = this.#worked;
    this.#tryNext(this.#round);
  }

  #continueRound(round: Map<number, number>): void {
    const isHopeless = this.#using > 1 && this.#blocks.length > 2 && this.#cost > HOPELESS * this.#alone;
    if (!this.#isMeasured && !isHopeless) return;
    round.set(this.#using, this.#cost);
    if (this.#using === 1) this.#alone = this.#cost;
    const isNew = !round.has(this.#more) && !this.#waiting.includes(this.#more);
    if (this.#using === best(round) && isNew) this.#waiting.push(this.#more);
    this.#tryNext(round);
  }

  /** Ends a trial whose helpers have to wait for cores: that goes for more of them, too. */
  #giveUp(round: Map<number, number>): void {
    round.set(this.#using, Number.POSITIVE_INFINITY);
    this.#waiting = this.#waiting.filter((count) => count < this.#using);
    this.#tryNext(round);
  }

  #tryNext(round: ReadonlyMap<number, number>): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#endRound(round);
    else this.#switchTo(next);
  }

  #endRound(round: ReadonlyMap<number, number>): void {
    // A round begins with the number of threads that was chosen before.
    const [before] = round.keys();
    const chosen = best(round);
    const took = this.#worked - this.#roundBegan;
    this.#rest = REST * took;
    this.#round = undefined;
    if (before === 1) {
      this.#helpingSince = this.#worked;
      this.#look = LOOK_MS.first;
    } else this.#look = Math.min(2 * this.#look, LOOK_MS.longest);
    if (chosen === 1) this.#dropHelpers();
    else {
      this.#switchTo(chosen);
      // Helpers that come new are looked at again soon: they may have seemed fast beside one thread in a bad moment.
      this.#nextRound = this.#worked + Math.max(this.#look, before === 1 ? 2 * took : this.#rest);
    }
  }

  #dropHelpers(): void {
    this.#round = undefined;
    this.#waiting = [];
    this.#switchTo(1);
    if (this.#worked - this.#helpingSince >= Math.max(HELD_MS, this.#wait, this.#rest)) {
      this.#wait = WAIT_MS.first;
      this.#rest = 0;
    } else this.#wait = Math.min(2 * this.#wait, WAIT_MS.longest);
    this.#nextRound = this.#worked + Math.max(this.#wait, this.#rest);
  }
}

function timeOf(blocks: readonly { milliseconds: number }[]): number {
  return blocks.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

/** The smallest number of threads that is about as fast as any. */
function best(round: ReadonlyMap<number, number>): number {
  const least = Math.min(...round.values());
  return Math.min(...[...round].filter(([, cost]) => GAIN * cost <= least).map(([count]) => count));
}

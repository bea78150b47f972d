import { describe, expect, it } from 'vitest';
import { type Pace, pacesOf } from '../../src/backend/pace.js';

/** A machine of an invented speed: how much faster than one thread so many are, at a time in ms. */
type Speed = (threads: number, now: number) => number;

const QUIET: Record<number, number> = { 1: 1, 2: 1.7, 4: 3, 8: 5, 16: 7 };
/** Another program has the other core: threads wait for each other. */
const BUSY: Record<number, number> = { 1: 1, 2: 0.4, 4: 0.2, 8: 0.1, 16: 0.05 };
const quiet: Speed = (threads) => QUIET[threads];
const busy: Speed = (threads) => BUSY[threads];

class Machine {
  now = 0;
  reads = 0;
  /** Milliseconds by number of threads. */
  readonly spent = new Map<number, number>();
  /** The times at which helpers were woken. */
  readonly woken: number[] = [];
  ready: number;
  using = 1;
  started = 0;
  readonly newPace: () => Pace;
  readonly #speed: Speed;
  readonly #pause: () => number;

  constructor(cores: number, speed: Speed, pause = () => 0) {
    this.ready = cores;
    this.#speed = speed;
    this.#pause = pause;
    const clock = () => {
      this.reads++;
      return this.now;
    };
    this.newPace = pacesOf(clock)(this);
  }

  use(count: number): void {
    this.using = count;
  }

  start(): void {
    this.started++;
  }

  /** Does units of that many ms of one thread for so long, and returns how many ms of one thread were done per ms. */
  work(pace: Pace, unit: number, milliseconds: number): number {
    const start = this.now;
    let units = 0;
    let before = 1;
    while (this.now < start + milliseconds) {
      pace.begin();
      if (this.using > 1 && before === 1) this.woken.push(this.now);
      before = this.using;
      const took = unit / this.#speed(this.using, this.now);
      this.now += took;
      this.spent.set(this.using, (this.spent.get(this.using) ?? 0) + took);
      pace.end(true);
      this.now += this.#pause();
      units++;
    }
    return (units * unit) / (this.now - start);
  }
}

describe('a pace', () => {
  describe.each([
    { name: 'tiny units of 25 us', unit: 0.025 },
    { name: 'units of 0.7 ms', unit: 0.7 },
    { name: 'units of 30 ms', unit: 30 },
  ])('with $name', ({ unit }) => {
    it('comes within 2 % of two threads on a quiet machine with two cores', () => {
      const machine = new Machine(2, quiet);
      expect(machine.work(machine.newPace(), unit, 20_000)).toBeGreaterThan(0.98 * QUIET[2]);
    });

    it('finds the best number of 16 threads, and comes within 5 % of it', () => {
      const machine = new Machine(16, quiet);
      expect(machine.work(machine.newPace(), unit, 20_000)).toBeGreaterThan(0.95 * QUIET[16]);
    });

    it('stays at four of 16 threads where more do not help', () => {
      const machine = new Machine(16, (threads) => (threads > 4 ? QUIET[4] : QUIET[threads]));
      machine.work(machine.newPace(), unit, 20_000);
      expect(machine.spent.get(4)).toBeGreaterThan(0.9 * 20_000);
    });

    it('has nine tenths of the speed of one thread on a busy machine after the first second, and wakes helpers less and less often', () => {
      const machine = new Machine(2, busy);
      const pace = machine.newPace();
      machine.work(pace, unit, 1000);
      expect(machine.work(pace, unit, 5000)).toBeGreaterThan(0.95);
      const gaps = machine.woken.slice(1).map((time, i) => Math.round(time - machine.woken[i]));
      expect(gaps).toEqual(gaps.toSorted((a, b) => a - b));
      expect(machine.work(pace, unit, 20_000)).toBeGreaterThan(0.98);
    });

    it('drops the helpers when the machine becomes busy, and finds them again within seconds', () => {
      const machine = new Machine(2, (threads, now) => (now > 5000 && now < 8000 ? busy : quiet)(threads, now));
      const pace = machine.newPace();
      machine.work(pace, unit, 5000);
      expect(machine.work(pace, unit, 3000)).toBeGreaterThan(0.9);
      machine.work(pace, unit, 5000);
      expect(machine.work(pace, unit, 2000)).toBeGreaterThan(0.97 * QUIET[2]);
    });

    it('uses no helper that has not started or has ended', () => {
      const machine = new Machine(1, quiet);
      const pace = machine.newPace();
      machine.work(pace, unit, 500);
      expect([...machine.spent.keys()]).toEqual([1]);
      machine.ready = 2;
      machine.work(pace, unit, 2000);
      expect(machine.spent.get(2)).toBeGreaterThan(1000);
      machine.ready = 1;
      machine.work(pace, unit, 200);
      machine.spent.clear();
      machine.work(pace, unit, 500);
      expect([...machine.spent.keys()]).toEqual([1]);
    });
  });

  it('is not misled by a helper that has its core for the first 20 ms and then hardly ever', () => {
    let woken = 0;
    let last = 1;
    const machine = new Machine(2, (threads, now) => {
      if (threads > 1 && last === 1) woken = now;
      last = threads;
      return threads === 1 ? 1 : now - woken < 20 ? QUIET[2] : 0.3;
    });
    const pace = machine.newPace();
    machine.work(pace, 0.1, 1000);
    expect(machine.work(pace, 0.1, 10_000)).toBeGreaterThan(0.92);
  });

  it('loses little to a helper that has to wait 20 ms for a core in each unit', () => {
    const machine = new Machine(2, (threads) => (threads === 1 ? 1 : 0.025 / 20));
    const pace = machine.newPace();
    machine.work(pace, 0.025, 1000);
    expect(machine.work(pace, 0.025, 5000)).toBeGreaterThan(0.97);
  });

  it('finds out soon that helpers only seemed fast, because one thread was slow for a moment', () => {
    const slow = (threads: number, now: number) => (threads === 1 ? (now > 300 && now < 420 ? 0.4 : 1) : 0.7);
    const machine = new Machine(2, slow);
    machine.work(machine.newPace(), 2.7, 5000);
    expect(machine.spent.get(2)).toBeLessThan(0.08 * 5000);
  });

  it('keeps its helpers over the pauses of saves and of drawing', () => {
    let units = 0;
    const machine = new Machine(2, quiet, () => (++units % 20_000 === 0 ? 15 : units % 500 === 0 ? 0.5 : 0));
    machine.work(machine.newPace(), 0.1, 20_000);
    expect(machine.spent.get(2)).toBeGreaterThan(20 * (machine.spent.get(1) ?? 0));
  });

  it('reads the clock at most twice in half a millisecond', () => {
    const machine = new Machine(2, quiet);
    machine.work(machine.newPace(), 0.002, 1000);
    expect(machine.reads).toBeLessThan(4000);
  });

  it('leaves the threads to the caller after a unit unlike the others, such as the last one', () => {
    const machine = new Machine(2, quiet);
    const pace = machine.newPace();
    machine.work(pace, 0.1, 100);
    expect(machine.spent.get(2)).toBeGreaterThan(0);
    pace.begin();
    pace.end(false);
    expect(machine.using).toBe(1);
  });

  it('starts the helpers once there is enough work, and works alone until they are ready', () => {
    const machine = new Machine(2, quiet);
    machine.ready = 1;
    const pace = machine.newPace();
    machine.work(pace, 0.1, 8);
    expect(machine.started).toBe(0);
    machine.work(pace, 0.1, 20);
    expect(machine.started).toBeGreaterThan(0);
    expect([...machine.spent.keys()]).toEqual([1]);
  });

  it('measures its own work, where another pace is at work after each unit', () => {
    const machine = new Machine(2, quiet);
    const [steps, others] = [machine.newPace(), machine.newPace()];
    for (const [unit, other] of [
      [0.1, 0.1],
      [0.02, 3],
    ]) {
      const work = (times: number) => {
        const start = machine.now;
        for (let i = 0; i < times; i++) {
          machine.work(steps, unit, unit / 10);
          machine.work(others, other, other / 10);
        }
        return (times * (unit + other)) / (machine.now - start);
      };
      work(5000);
      expect(work(5000)).toBeGreaterThan(0.97 * QUIET[2]);
    }
  });

  it('has its own number of threads, where another pace works better alone', () => {
    const machine = new Machine(2, quiet);
    const lone = new Machine(2, busy);
    const clock = () => machine.now + lone.now;
    const newPaces = pacesOf(clock);
    const [pace, other] = [newPaces(machine)(), newPaces(lone)()];
    const turn = () => [machine.work(pace, 0.1, 0.01), lone.work(other, 0.1, 0.01)];
    for (let i = 0; i < 20_000; i++) turn();
    for (const { spent } of [machine, lone]) spent.clear();
    for (let i = 0; i < 20_000; i++) turn();
    const [most, least] = [machine, lone].map(({ spent }) => (spent.get(2) ?? 0) / ((spent.get(1) ?? 0) + (spent.get(2) ?? 0)));
    expect(most).toBeGreaterThan(0.95);
    expect(least).toBeLessThan(0.05);
  });

  it('does not count the work of another pace, nor a unit unlike the others', () => {
    const machine = new Machine(2, quiet);
    const steps = machine.newPace();
    const evaluations = machine.newPace();
    for (let i = 0; i < 200; i++) {
      machine.work(steps, 0.3, 50);
      machine.work(evaluations, 4, 20);
      steps.begin();
      machine.now += 30;
      steps.end(false);
    }
    machine.spent.clear();
    machine.work(steps, 0.3, 1000);
    expect(machine.spent.get(2)).toBeGreaterThan(950);
  });
});

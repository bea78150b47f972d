import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/run.js';
import { LiveLines } from '../../../src/cli/terminal/liveLines.js';
import { Progress } from '../../../src/cli/terminal/progress.js';
import { type FakeIO, fakeIO, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const REDRAW = '\r\x1b[2K';

async function train(surroundings: Surroundings, ...more: string[]) {
  const cwd = tempDirectory();
  writeNames(cwd);
  const outcome = await runCli(cwd, ['train', ...SMALL, ...more], surroundings);
  expect(outcome.exitCode).toBe(0);
  return outcome;
}

/** The lines on the screen after the writes: what stays of those that were drawn again. */
function screenOf(output: string): string[] {
  const rows = [''];
  let row = 0;
  const type = (text: string) => {
    for (const [i, line] of text.replaceAll('\r', '').split('\n').entries()) {
      if (i > 0) row++;
      rows[row] = (rows[row] ?? '') + line;
    }
  };
  for (const [i, piece] of output.replace(/\n$/, '').split('\x1b[').entries()) {
    const [code, count, what] = (i > 0 && /^(\d*)([AKJ])/.exec(piece)) || [''];
    if (what === 'A') row -= Number(count);
    if (what === 'K') rows[row] = '';
    if (what === 'J') rows.splice(row + 1);
    type(piece.slice(code.length));
  }
  return rows;
}

describe('the loss curves above the progress', () => {
  const LONG = ['--steps', '1000', '--eval-every', '250'];

  it('grow with the training, and stay below what was printed before and above the report', async () => {
    const { stderr } = await train({ tty: 'stderr', tick: 10 }, ...LONG);
    const screen = screenOf(stderr);
    expect(screen).toHaveLength(2 + 10);
    const curves = screen.slice(2, 9);
    expect(curves.join('')).toContain('·');
    expect(curves.join('')).toContain('o');
    for (const line of curves) expect(line).toMatch(/^(\d\.\d\d| {4}) │/);
    expect(screen[10]).toMatch(/^· training {3}o validation \d\.\d{4}$/);
    expect(screen[11]).toMatch(/^step 1,000 \/ 1,000 .* done in/);
    // Half-way there is half of the curve.
    const middle = stderr.slice(0, stderr.indexOf('step   500 / 1,000'));
    const widest = (lines: string[]) => Math.max(...lines.map((line) => line.length));
    expect(widest(screenOf(middle).slice(2, 9))).toBeLessThan(0.7 * widest(curves));
  });

  it.each([
    ['with --no-plot', {}, ['--no-plot']],
    ['on 49 columns', { columns: 49 }, []],
    ['on 13 lines', { rows: 13 }, []],
  ])('are left out %s', async (_, surroundings, options) => {
    const { stderr } = await train({ tty: 'stderr', tick: 10, ...surroundings }, ...LONG, ...options);
    expect(screenOf(stderr)).toHaveLength(3);
  });

  it.each([{}, { tty: 'stdout' }, { tty: true, env: { TERM: 'dumb' } }] as const)('are left out elsewhere: %j', async (surroundings) => {
    const { stderr } = await train({ tick: 10, ...surroundings }, ...LONG);
    expect(stderr).not.toContain('│');
    expect(stderr).not.toContain('\x1b');
  });

  it('of a resumed run begin at its first step', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const stopped = { tick: 10, stop: { signal: 'SIGINT', at: 3_000 } } as const;
    expect((await runCli(cwd, ['train', ...SMALL, ...LONG, '--out', 'run'], stopped)).exitCode).toBe(130);
    const { stderr } = await runCli(cwd, ['train', '--resume', 'run'], { tty: 'stderr', tick: 10 });
    expect(screenOf(stderr).slice(1, 8).join('\n')).toMatch(/│ {1,9}·/);
  });

  it('make room for a message, and leave nothing behind at a signal', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { stderr } = await runCli(cwd, ['train', ...SMALL, ...LONG, '--out', 'run'], {
      tty: 'stderr',
      tick: 10,
      stop: { signal: 'SIGINT', at: 3_000 },
    });
    const screen = screenOf(stderr);
    expect(stderr).toContain('│');
    expect(screen).toHaveLength(3);
    expect(screen[2]).toMatch(/^SIGINT: saved after step/);
  });
});

it('progress in the background leaves the terminal to the shell, and shows the end', () => {
  const io = { ...fakeIO('/', { tty: true, tick: 200 }), inBackground: true };
  const progress = new Progress(io, 0, 100);
  progress.update(50, 3);
  expect(io.stderr.text).toBe('');
  progress.finish(100, 3);
  expect(io.stderr.text).toMatch(/step 100 .* done in .*\n$/);
});

describe('lines that are drawn again', () => {
  const lines = ['one', 'two', 'x'.repeat(30)];

  it('count the rows into which a narrower terminal broke them', () => {
    const io = fakeIO('/', { tty: true, columns: 40 });
    const live = new LiveLines(io);
    live.draw(lines);
    io.stderr.columns = 16;
    live.clear();
    expect(io.stderr.writes.at(-1)?.text).toBe('\x1b[3A\r\x1b[2K\x1b[J');
  });

  it('begin where the cursor is after another program has used the terminal', () => {
    const io = fakeIO('/', { tty: true });
    const live = new LiveLines(io);
    live.draw(lines);
    live.forget();
    live.draw(lines);
    expect(io.stderr.writes[1].text).toBe(io.stderr.writes[0].text);
  });

  it('leave no line of a higher picture', () => {
    const io = fakeIO('/', { tty: true });
    const live = new LiveLines(io);
    live.draw(lines);
    live.draw(['last']);
    expect(screenOf(io.stderr.text)).toEqual(['last']);
  });
});

describe('progress on a terminal', () => {
  it('is one line, redrawn in place and kept at the end', async () => {
    const { stderr } = await train({ tty: 'stderr', tick: 10 }, '--steps', '300', '--no-plot');
    const [before, ...frames] = stderr.split(REDRAW);
    expect(before).toMatch(/^[^\n]+\n[^\n]+\n$/);
    expect(frames.length).toBeGreaterThan(5);
    for (const frame of frames.slice(0, -1))
      expect(frame).toMatch(/^step {1,3}\d+ \/ 300 {3}loss \d\.\d{4} {3}[\d,]+ steps\/s {3}\d+ s left$/);
    expect(frames.at(-1)).toMatch(/^step 300 \/ 300 .* done in \d+ s\n$/);
  });

  it('is drawn at most 10 times a second', async () => {
    const { stderrWrites } = await train({ tty: 'stderr', tick: 10 }, '--steps', '600');
    const times = stderrWrites.filter(({ text }) => text.includes(REDRAW)).map(({ at }) => at);
    for (let i = 1; i < times.length - 1; i++) expect(times[i] - times[i - 1]).toBeGreaterThanOrEqual(100);
  });

  it.each([10, 5, 2, 1, 0])('is never wider than a terminal of %i columns', async (columns) => {
    const { stderr } = await train({ tty: 'stderr', tick: 10, columns }, '--steps', '100');
    const frames = stderr.replace(/\n$/, '').split(REDRAW).slice(1);
    expect(frames.length).toBeGreaterThan(1);
    for (const frame of frames) expect(frame.length).toBe(Math.max(1, columns - 1));
  });

  it('follows the width of a resized terminal', () => {
    const io = fakeIO('/', { tty: true, tick: 200 });
    const progress = new Progress(io, 0, 100);
    io.stderr.columns = 30;
    progress.update(1, 3);
    io.stderr.columns = 12;
    progress.update(2, 3);
    expect(io.stderr.writes.map(({ text }) => text.split(REDRAW)[1].split('\x1b')[0].length)).toEqual([29, 11]);
  });

  it('is plain lines if TERM is dumb', async () => {
    const { stderr } = await train({ tty: true, tick: 24, env: { TERM: 'dumb' } }, '--steps', '500');
    expect(stderr).not.toContain('\r');
    expect(stderr).not.toContain('\x1b');
    expect(stderr.split('\n').length).toBeGreaterThan(5);
  });

  it('is plain lines in a file if stderr is one', async () => {
    expect((await train({ tty: 'stdout' })).stderr).not.toContain('\x1b');
  });
});

describe('progress elsewhere', () => {
  it('is a plain line every 5 seconds, and one at the end', async () => {
    const { stderr, stderrWrites } = await train({ tick: 24 }, '--steps', '1000');
    expect(stderr).not.toContain('\x1b');
    expect(stderr).not.toContain('\r');
    const lines = stderrWrites.filter(({ text }) => text.startsWith('step'));
    expect(lines.length).toBeGreaterThan(5);
    for (const { text } of lines) expect(text).toMatch(/^step {1,5}[\d,]+ \/ 1,000 {3}loss \d\.\d{4} {3}[\d,]+ steps\/s {3}.+\n$/);
    const gaps = lines.slice(1, -1).map(({ at }, i) => at - lines[i].at);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(5000);
    for (const gap of gaps) expect(gap).toBeLessThan(5300);
    expect(lines.at(-1)?.text).toMatch(/^step 1,000 \/ 1,000 .* done in .*\d+ s\n$/);
  });

  it('is one line for a short run', async () => {
    const { stderr } = await train({});
    expect(stderr.match(/^step/gm)).toHaveLength(1);
  });
});

describe('the progress line', () => {
  function lineOf(steps: number, step: number, milliseconds: number, first = 0): string {
    const io: FakeIO = fakeIO('/', { tick: 0 });
    let clock = 0;
    io.now = () => clock;
    const progress = new Progress(io, first, steps);
    clock = milliseconds;
    progress.update(step, 2.34567);
    return io.stderr.text;
  }

  it('has step, loss, rate and the time left, measured from the first step', () => {
    expect(lineOf(200_000, 50_000, 10_000)).toBe('step  50,000 / 200,000   loss 2.3457   5,000 steps/s   30 s left\n');
    expect(lineOf(200_000, 20_000, 60_000)).toBe('step  20,000 / 200,000   loss 2.3457   333 steps/s   9 min 0 s left\n');
    expect(lineOf(1_000_000_000, 1_000_000, 100_000)).toMatch(/ {3}10,000 steps\/s {3}27 h 45 min left\n$/);
  });

  it('leaves out the rate if the terminal is too narrow', () => {
    const io: FakeIO = fakeIO('/', { tick: 0, tty: 'stderr', columns: 60 });
    let clock = 0;
    io.now = () => clock;
    const progress = new Progress(io, 0, 200_000);
    clock = 10_000;
    progress.update(50_000, 2.34567);
    expect(io.stderr.text).toBe('\r\x1b[2Kstep  50,000 / 200,000   loss 2.3457   30 s left');
  });

  it('measures a resumed run from the step it was resumed at', () => {
    expect(lineOf(200_000, 50_000, 10_000, 40_000)).toBe('step  50,000 / 200,000   loss 2.3457   1,000 steps/s   2 min 30 s left\n');
  });

  it('is not shown before it is due', () => {
    expect(lineOf(200_000, 50_000, 4999)).toBe('');
  });

  it('counts the seconds, and clears only what it drew', () => {
    const plain = fakeIO('/', { tick: 250 });
    const progress = new Progress(plain, 0, 10);
    progress.clear();
    expect(plain.stderr.text).toBe('');
    expect(progress.seconds).toBe(0.25);

    const live = fakeIO('/', { tick: 250, tty: true });
    const drawn = new Progress(live, 0, 10);
    drawn.update(1, 1);
    drawn.clear();
    drawn.clear();
    expect(live.stderr.writes.slice(1).map(({ text }) => text)).toEqual([REDRAW]);
  });
});

it('training works with a clock that jumps by more than a turn at every reading', async () => {
  const cwd = tempDirectory();
  writeNames(cwd);
  const io = fakeIO(cwd);
  // Finally the clock stops, so a training that waits for it would hang.
  let looks = 0;
  io.now = () => 1000 * Math.min(++looks, 10_000);
  expect(await run(['train', ...SMALL], io)).toBe(0);
  expect(looks).toBeLessThan(10_000);
});

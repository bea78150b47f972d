/** The program in real terminals, with signals, a second trainer, and a closed pipe. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { MAIN, ninja, RESULTS, results, start, startNinja, stopwatch, untilItListens } from '../support/child.js';
import { writeNames } from '../support/fakeIO.js';
import { makeDirectory, put, removeDirectory } from '../support/tempDirectory.js';
import { exitCodeIn, pidIn, startInTerminal } from '../support/terminal.js';

const CTRL_C = '\x03';
const REDRAW = '\r\x1b[2K';

const SHAPE = ['--data', 'names.txt', '--hidden', '8', '--embedding', '2', '--batch-size', '4'];
const STEPS = 400_000;
const COMMAND = ['train', ...SHAPE, '--steps', String(STEPS), '--eval-every', '1000', '--out', 'run', '--force', '--no-plot'];

let cwd: string;
/** The results of an uninterrupted run of COMMAND. */
let expected: Record<string, string>;

beforeAll(async () => {
  cwd = makeDirectory();
  writeNames(cwd);
  const { exitCode, stderr } = await ninja([...COMMAND, '--out', 'uninterrupted'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expected = results(join(cwd, 'uninterrupted'));
  return () => removeDirectory(cwd);
});

/** The pieces of text between two redraws. */
function drawn(output: string): string[] {
  return output
    .split(REDRAW)
    .slice(1)
    .map((piece) => piece.split('\r\n')[0]);
}

const SAVED = /: saved after step ([\d,]+) of 400,000; resume with: backprop-ninja train --resume run\r?\n/;

/** Expects the checkpoint at the step that the message names, and the bytes of an uninterrupted run after resuming from it. */
async function expectResumable(output: string): Promise<void> {
  const step = Number(output.match(SAVED)?.[1].replaceAll(',', ''));
  expect(step).toBeGreaterThan(0);
  expect(loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors')).state.step).toBe(step);
  await expectResumed();
}

async function expectResumed(): Promise<void> {
  const { exitCode, stderr } = await ninja(['train', '--resume', 'run'], { cwd });
  expect(exitCode, stderr).toBe(0);
  const found = results(join(cwd, 'run'));
  for (const name of RESULTS) expect(found[name] === expected[name], `${name} has the bytes of an uninterrupted run`).toBe(true);
}

describe('progress in a terminal', () => {
  it('is one line that is redrawn in place', async () => {
    const child = startInTerminal(cwd, COMMAND);
    expect(await exitCodeIn(cwd, child)).toBe(0);
    const pieces = drawn(child.output());
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces)
      expect(piece).toMatch(/^step +[\d,]+ \/ 400,000 {3}loss \d\.\d{4} {3}[\d,]+ steps\/s {3}(.+ left|done in .+)$/);
    // Nothing else is printed between the first redraw and the last, not even the end of a line.
    const [, ...all] = child.output().split(REDRAW);
    expect(all.slice(0, -1).join('')).not.toContain('\n');
    expect(all.at(-1)).toMatch(/^step 400,000 [^\n]+ done in [^\n]+\r\n/);
  });

  it('has the loss curves above it, and leaves none of them behind at Ctrl-C', async () => {
    const child = startInTerminal(cwd, [...COMMAND.slice(0, -1), '--out', 'curves']);
    await child.says(/o validation \d\.\d{4}\s+[^\n]*step [^\n]+ left/);
    child.type(CTRL_C);
    expect(await exitCodeIn(cwd, child)).toBe(130);
    // The cursor goes to the first of the ten lines, and everything below is erased.
    expect(child.output()).toContain('\x1b[9A\r\x1b[2K\x1b[JSIGINT: saved after step ');
  });

  it('is no wider than a terminal of 10 columns', async () => {
    const child = startInTerminal(cwd, COMMAND, { columns: 10 });
    expect(await exitCodeIn(cwd, child)).toBe(0);
    const pieces = drawn(child.output());
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces) expect(piece).toMatch(/^step.{5}$/);
  });

  it('follows a terminal that becomes narrower', async () => {
    const resize = 'until [ -e narrow ]; do sleep 0.05; done; stty -F /dev/tty cols 20; echo resized > /dev/tty';
    const child = startInTerminal(cwd, COMMAND, { columns: 100, parallel: resize });
    await child.says(/step [^\n]+ left/);
    put(cwd, 'narrow', '');
    expect(await exitCodeIn(cwd, child)).toBe(0);
    const [before, after] = child.output().split('resized\r\n');
    // A piece that was drawn during the resize may still have the old width.
    const pieces = drawn(after).slice(1);
    expect(drawn(before)[0].length).toBeGreaterThan(40);
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) expect(piece.length).toBe(19);
  });

  it('is plain lines without escapes if TERM is dumb', async () => {
    const child = startInTerminal(cwd, COMMAND, { env: { TERM: 'dumb' } });
    expect(await exitCodeIn(cwd, child)).toBe(0);
    expect(child.output()).not.toContain('\x1b');
    expect(child.output()).toMatch(/\r\nstep 400,000 \/ 400,000 [^\r\n]* done in [^\r\n]*\r\n/);
  });

  it('comes before a report in colour, or without colour if NO_COLOR is set', async () => {
    const short = ['train', ...SHAPE, '--steps', '100', '--out', 'colours', '--force'];
    const coloured = startInTerminal(cwd, short);
    expect(await exitCodeIn(cwd, coloured)).toBe(0);
    const plain = startInTerminal(cwd, short, { env: { NO_COLOR: '1' } });
    expect(await exitCodeIn(cwd, plain)).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for escapes
    const color = /\x1b\[[\d;]*m/;
    expect(coloured.output()).toMatch(color);
    expect(plain.output()).not.toMatch(color);
  });
});

describe('train', () => {
  it('saves, says so within a second and exits with 130 at Ctrl-C', async () => {
    const child = startInTerminal(cwd, COMMAND);
    await child.says(/step [^\n]+ left/);
    const elapsed = stopwatch(pidIn(cwd));
    child.type(CTRL_C);
    await child.says(SAVED);
    expect(elapsed()).toBeLessThan(1000);
    expect(await exitCodeIn(cwd, child)).toBe(130);
    expect(child.output()).toContain('SIGINT: saved');
    await expectResumable(child.output());
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('saves, says so within a second and exits at %s with %d without a terminal, too', async (signal, code) => {
    const child = startNinja(COMMAND, { cwd });
    await child.says(/ characters\n/);
    await untilItListens(child.pid);
    const elapsed = stopwatch(child.pid);
    child.kill(signal);
    await child.says(SAVED);
    expect(elapsed()).toBeLessThan(1000);
    const { exitCode, stdout, stderr } = await child.ended;
    expect(exitCode).toBe(code);
    expect(stdout).toBe('');
    expect(stderr).toContain(`${signal}: saved after step `);
    await expectResumable(stderr);
  });

  it('saves and exits with 129 when the terminal is closed', async () => {
    const child = startInTerminal(cwd, COMMAND, { toBeClosed: true });
    await child.says(/step [^\n]+ left/);
    child.kill('SIGKILL');
    expect(await exitCodeIn(cwd, child)).toBe(129);
    const { state } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(state.step).toBeGreaterThan(0);
    expect(state.step).toBeLessThan(STEPS);
    await expectResumed();
  });

  it('ends at once at two Ctrl-C in a row, and keeps a whole checkpoint', async () => {
    const slow = ['train', '--hidden', '4000', '--steps', '100000', '--out', 'slow', '--force'];
    const child = startInTerminal(cwd, slow);
    await child.says(/step [^\n]+ left/);
    const elapsed = stopwatch(pidIn(cwd));
    child.type(CTRL_C + CTRL_C);
    await child.ended;
    expect(elapsed()).toBeLessThan(250);
    expect(await exitCodeIn(cwd, child)).toBe(130);
    loadCheckpoint(join(cwd, 'slow', 'checkpoint.safetensors'));
    // The next process takes over the lock of the dead one and removes its leftovers.
    const next = startInTerminal(cwd, ['train', '--resume', 'slow']);
    await next.says(/ (writing|after step [\d,]+ in) slow/);
    next.type(CTRL_C);
    expect(await exitCodeIn(cwd, next)).toBe(130);
  });
});

describe('two trainers in one directory', () => {
  it('refuse the second and name the first; once the first is dead, its lock is taken over', async () => {
    const first = startNinja(COMMAND, { cwd });
    await first.says(/ characters\n/);
    for (const argv of [COMMAND, ['train', '--resume', 'run']]) {
      const { exitCode, stdout, stderr } = await ninja(argv, { cwd });
      expect(stderr).toMatch(new RegExp(`^error: [^\\n]*run is in use: process ${first.pid} has been training there since [^\\n]+\\n$`));
      expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    }
    first.kill('SIGKILL');
    await first.ended;
    await expectResumed();
  });

  it('take over the lock of a dead process even if its number belongs to another process now', async () => {
    const first = startNinja(COMMAND, { cwd });
    await first.says(/ characters\n/);
    first.kill('SIGKILL');
    await first.ended;
    const lock = join(cwd, 'run', 'lock');
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(`"pid":${first.pid}`, `"pid":${process.pid}`));
    await expectResumed();
  });
});

describe('a pipe that its reader closes', () => {
  it.each([
    ['sample', ['sample', 'uninterrupted', '--count', '100000']],
    ['help', ['train', '--help']],
  ])('ends %s quietly with 0', async (_, argv) => {
    const script = `"$@" | head -1; echo "exit codes: $PIPESTATUS"`;
    const { stdout, stderr } = await start('bash', ['-c', script, 'bash', process.execPath, MAIN, ...argv], { cwd }).ended;
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^[^\n]+\nexit codes: 0\n$/);
  });
});

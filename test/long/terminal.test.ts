/** Real terminals, signals and pipes. `script` (bsdutils, an essential package of Debian) makes the terminal. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { solutionText, stubText } from '../../src/dojo/stub.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { type Child, MAIN, ninja, RESULTS, results, start, startNinja } from '../support/child.js';
import { writeNames } from '../support/fakeIO.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';

const TIME_LIMIT = 60_000;
const CTRL_C = '\x03';
const REDRAW = '\r\x1b[2K';

const SHAPE = ['--data', 'names.txt', '--hidden', '8', '--embedding', '2', '--batch-size', '4'];
const STEPS = 400_000;
const COMMAND = ['train', ...SHAPE, '--steps', String(STEPS), '--eval-every', '1000', '--out', 'run', '--force'];

let cwd: string;
/** What a run of COMMAND that nobody disturbs ends with. */
let expected: Record<string, string>;

beforeAll(async () => {
  cwd = makeDirectory();
  writeNames(cwd);
  const { exitCode, stderr } = await ninja([...COMMAND, '--out', 'undisturbed'], { cwd });
  expect(exitCode, stderr).toBe(0);
  expected = results(join(cwd, 'undisturbed'));
  return () => removeDirectory(cwd);
}, TIME_LIMIT);

interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: NodeJS.ProcessEnv;
  /** A shell command that goes on beside the program. */
  beside?: string;
  /** Whether the terminal will be closed while the program runs. */
  toBeClosed?: boolean;
}

/** The file that holds the program's exit code, as a shell has it. */
const STATUS = 'status';
/** The file that holds the program's process number. */
const PID = 'pid';
/** The file that holds the terminal's modes after the program has ended. */
const MODES = 'modes';

/** Starts the program in a terminal. Its exit code is in the file STATUS, also if the terminal is closed. */
function startInTerminal(
  argv: readonly string[],
  { columns = 80, rows = 24, env = {}, beside = 'true', toBeClosed = false }: TerminalOptions = {},
): Child {
  rmSync(join(cwd, STATUS), { force: true });
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const line = ['sh', '-c', `echo $$ > ${PID}; exec "$0" "$@"`, process.execPath, MAIN, ...argv].map(quote).join(' ');
  // The shell lives on to see how the program ends. At the end of its terminal it hands SIGHUP on, as an interactive one does to its jobs.
  const program = toBeClosed
    ? `${line} & pid=$!; trap 'kill -HUP $pid; wait $pid; echo $? > ${STATUS}; exit' HUP; wait`
    : `trap : INT; ${line}; code=$?; stty -a > ${MODES}; echo $code > ${STATUS}`;
  const script = `stty cols ${columns} rows ${rows}; (${beside}) & ${program}`;
  const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env;
  return start('script', ['-qfec', script, '/dev/null'], { cwd, env: { ...rest, SHELL: '/bin/sh', TERM: 'xterm', ...env } });
}

/** The exit code of the program that ran in a terminal. */
async function exitCodeOf({ ended, output }: Child): Promise<number> {
  await ended;
  for (let wait = 0; wait < 100; wait++) {
    const status = existsSync(join(cwd, STATUS)) ? readFileSync(join(cwd, STATUS), 'utf8') : '';
    if (status.endsWith('\n')) return Number(status);
    await sleep(50);
  }
  throw new Error(`the program did not end with its terminal: ${output()}`);
}

/** What is drawn in place of what stood there: the pieces between two redraws. */
function drawn(output: string): string[] {
  return output
    .split(REDRAW)
    .slice(1)
    .map((piece) => piece.split('\r\n')[0]);
}

const SAVED = /: saved after step ([\d,]+) of 400,000; resume with: backprop-ninja train --resume run\r?\n/;

/** The step that the message names is the checkpoint's, and from there the run ends as if it had never been stopped. */
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
  for (const name of RESULTS) expect(found[name] === expected[name], `${name} has the bytes of an undisturbed run`).toBe(true);
}

describe('progress in a terminal', { timeout: TIME_LIMIT }, () => {
  it('is one line, drawn again and again in its place', async () => {
    const child = startInTerminal(COMMAND);
    expect(await exitCodeOf(child)).toBe(0);
    const pieces = drawn(child.output());
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces)
      expect(piece).toMatch(/^step +[\d,]+ \/ 400,000 {3}loss \d\.\d{4} {3}[\d,]+ steps\/s {3}(.+ left|done in .+)$/);
    // From the first drawing to the last nothing else comes, and no line ends.
    const [, ...all] = child.output().split(REDRAW);
    expect(all.slice(0, -1).join('')).not.toContain('\n');
    expect(all.at(-1)).toMatch(/^step 400,000 [^\n]+ done in [^\n]+\r\n/);
  });

  it('is no wider than a terminal of 10 columns', async () => {
    const child = startInTerminal(COMMAND, { columns: 10 });
    expect(await exitCodeOf(child)).toBe(0);
    const pieces = drawn(child.output());
    expect(pieces.length).toBeGreaterThan(3);
    for (const piece of pieces) expect(piece).toMatch(/^step.{5}$/);
  });

  it('follows a terminal that becomes narrower', async () => {
    const child = startInTerminal(COMMAND, { columns: 100, beside: 'sleep 0.6; stty -F /dev/tty cols 20; echo resized > /dev/tty' });
    expect(await exitCodeOf(child)).toBe(0);
    const [before, after] = child.output().split('resized\r\n');
    // One that was drawn at the same time may still be as wide as before.
    const pieces = drawn(after).slice(1);
    expect(drawn(before)[0].length).toBeGreaterThan(40);
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) expect(piece.length).toBe(19);
  });

  it('is plain lines without any escape where TERM is dumb', async () => {
    const child = startInTerminal(COMMAND, { env: { TERM: 'dumb' } });
    expect(await exitCodeOf(child)).toBe(0);
    expect(child.output()).not.toContain('\x1b');
    expect(child.output()).toMatch(/\r\nstep 400,000 \/ 400,000 [^\r\n]* done in [^\r\n]*\r\n/);
  });

  it('comes with colours in the report, and without them where NO_COLOR is set', async () => {
    const short = ['train', ...SHAPE, '--steps', '100', '--out', 'colours', '--force'];
    const coloured = startInTerminal(short);
    expect(await exitCodeOf(coloured)).toBe(0);
    const plain = startInTerminal(short, { env: { NO_COLOR: '1' } });
    expect(await exitCodeOf(plain)).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
    const color = /\x1b\[[\d;]*m/;
    expect(coloured.output()).toMatch(color);
    expect(plain.output()).not.toMatch(color);
  });
});

describe('stopping', { timeout: TIME_LIMIT }, () => {
  it('saves, says so within a second and exits with 130 at Ctrl-C', async () => {
    const child = startInTerminal(COMMAND);
    await child.says(/step [^\n]+ left/);
    const typedAt = performance.now();
    child.type(CTRL_C);
    await child.says(SAVED);
    expect(performance.now() - typedAt).toBeLessThan(1000);
    expect(await exitCodeOf(child)).toBe(130);
    expect(child.output()).toContain('SIGINT: saved');
    await expectResumable(child.output());
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('saves, says so within a second and exits at %s with %d, without a terminal, too', async (signal, code) => {
    const child = startNinja(COMMAND, { cwd });
    await child.says(/ characters\n/);
    await sleep(200);
    const sentAt = performance.now();
    child.kill(signal);
    await child.says(SAVED);
    expect(performance.now() - sentAt).toBeLessThan(1000);
    const { exitCode, stdout, stderr } = await child.ended;
    expect(exitCode).toBe(code);
    expect(stdout).toBe('');
    expect(stderr).toContain(`${signal}: saved after step `);
    await expectResumable(stderr);
  });

  it('saves and exits with 129 when the terminal is closed', async () => {
    const child = startInTerminal(COMMAND, { toBeClosed: true });
    await child.says(/step [^\n]+ left/);
    child.kill('SIGKILL');
    expect(await exitCodeOf(child)).toBe(129);
    const { state } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(state.step).toBeGreaterThan(0);
    expect(state.step).toBeLessThan(STEPS);
    await expectResumed();
  });

  it('ends at once at the second Ctrl-C, while the first one saves, and the checkpoint before stands whole', async () => {
    // Its statistics take about a second, which a save computes first.
    const slow = ['train', '--hidden', '4000', '--steps', '100000', '--out', 'slow', '--force'];
    const child = startInTerminal(slow);
    await child.says(/step [^\n]+ left/);
    const checkpoint = join(cwd, 'slow', 'checkpoint.safetensors');
    const before = readFileSync(checkpoint, 'latin1');
    child.type(CTRL_C);
    await sleep(300);
    const typedAt = performance.now();
    child.type(CTRL_C);
    await child.ended;
    expect(performance.now() - typedAt).toBeLessThan(250);
    expect(await exitCodeOf(child)).toBe(130);
    expect(child.output()).not.toContain('saved after');
    expect(readFileSync(checkpoint, 'latin1') === before, 'the checkpoint is the one before').toBe(true);
    loadCheckpoint(checkpoint);
    // What the dead process held is taken over, and what it left is removed.
    const next = startInTerminal(['train', '--resume', 'slow']);
    await next.says(/ writing slow/);
    next.type(CTRL_C);
    expect(await exitCodeOf(next)).toBe(130);
  });
});

describe('exercise watch in a terminal', { timeout: TIME_LIMIT }, () => {
  const text = solutionText(EXERCISES[1]);
  const STUB = stubText(EXERCISES[1]);

  /** The first lines of Exercise 1 as the solution has them, the others still to be written. */
  const solved = (...names: string[]) =>
    names.reduce((file, name) => {
      const [line] = new RegExp(`^  ${name}: .*,$`, 'm').exec(text) ?? [];
      if (!line) throw new Error(`the solution has no line of one line for ${name}`);
      return file.replace(new RegExp(`^  ${name}: .*$`, 'm'), line);
    }, STUB);

  const path = (name: string) => join(cwd, 'dojo', name);
  const green = (name: string) => `\x1b[32m✓ ${name} `;

  beforeAll(async () => {
    expect((await ninja(['exercise', 'start'], { cwd })).exitCode).toBe(0);
  });

  beforeEach(() => writeFileSync(path('exercise1.ts'), STUB));

  async function watching(options?: TerminalOptions): Promise<Child> {
    const child = startInTerminal(['exercise', 'watch', '1'], options);
    await child.says(/0 of 26 right; next: dlogprobs[\s\S]*q quit/);
    return child;
  }

  async function expectCooked(child: Child, exitCode: number): Promise<void> {
    expect(await exitCodeOf(child)).toBe(exitCode);
    const modes = readFileSync(join(cwd, MODES), 'utf8').split(/[\s;]+/);
    for (const mode of ['icanon', 'isig', 'echo']) expect(modes).toContain(mode);
  }

  it('shows the table, and a row turns green at each save, however an editor saves', async () => {
    const child = await watching({ rows: 40 });
    expect(child.output()).toContain('\x1b[2J\x1b[H');
    // Over the file itself.
    writeFileSync(path('exercise1.ts'), solved('dlogprobs'));
    await child.says(/1 of 26 right; next: dprobs/);
    expect(child.output()).toContain(green('dlogprobs'));
    expect(child.output()).not.toContain(green('dprobs'));
    // To a temporary file, renamed over it.
    writeFileSync(path('.exercise1.ts.swp'), solved('dlogprobs', 'dprobs'));
    renameSync(path('.exercise1.ts.swp'), path('exercise1.ts'));
    await child.says(/2 of 26 right; next: dcounts_sum_inv/);
    expect(child.output()).toContain(green('dprobs'));
    // Anew, the old one being kept as a backup.
    renameSync(path('exercise1.ts'), path('exercise1.ts~'));
    writeFileSync(path('exercise1.ts'), solved('dlogprobs', 'dprobs', 'dcounts_sum_inv'));
    await child.says(/3 of 26 right; next: dcounts_sum\b/);
    child.type('q');
    await expectCooked(child, 0);
  });

  it('has keys: h for hints, n for the next exercise, l for the list, r to run again, q to quit', async () => {
    const child = await watching();
    child.type('h');
    await child.says(/The loss is a mean over n examples/);
    child.type('h');
    await child.says(/dlogprobs has the shape of logprobs/);
    child.type('h');
    await child.says(/dlogprobs = -1\/n at the targets/);
    child.type('xyz\x1b[A');
    child.type('l');
    await child.says(/· Exercise 4: the whole backward pass +0 of 13 right/);
    child.type('n');
    await child.says(/Exercise 2: cross-entropy[\s\S]*0 of 1 right; next: dlogits/);
    const tables = () => child.output().split('0 of 1 right; next: dlogits').length - 1;
    const before = tables();
    child.type('r');
    while (tables() === before) await sleep(50);
    for (const next of ['0 of 1 right; next: dhprebn', '0 of 13 right; next: dlogits', '0 of 26 right; next: dlogprobs']) {
      const shown = () => child.output().split(next).length;
      const count = shown();
      child.type('n');
      while (shown() === count) await sleep(50);
    }
    child.type('q');
    await expectCooked(child, 0);
  });

  it('fits 80 columns and 24 rows: what is right and what is to be written later is counted, what is wrong is shown', async () => {
    writeFileSync(
      path('exercise1.ts'),
      solved('dlogprobs', 'dprobs', 'dcounts_sum_inv', 'dcounts_sum', 'db2').replace(
        'db2: ({ dlogits }) => dlogits.sum(0)',
        'db2: ({ dlogits }) => dlogits',
      ),
    );
    const child = startInTerminal(['exercise', 'watch', '1']);
    await child.says(/4 of 26 right; next: dcounts\b[\s\S]*q quit/);
    child.type('q');
    await expectCooked(child, 0);
    const lines = stripVTControlCharacters(child.output()).split('\r\n');
    const [first] = lines.flatMap((line, i) => (line.includes('dojo/exercise1.ts, checked') ? [i] : []));
    const page = lines.slice(first, lines.findIndex((line) => line.includes('q quit')) + 1);
    expect(page.length).toBe(23);
    expect(page[1]).toMatch(/^checking…\r?Exercise 1/);
    const text = page.join('\n');
    for (const part of [
      /^✓ 4 right$/m,
      /^· dcounts /m,
      /^✗ db2 /m,
      /^ {4}the sum over the batch is missing/m,
      /^· \d+ not written yet$/m,
    ]) {
      expect(text).toMatch(part);
    }
  });

  it('has hints of the last check while it makes none, and each step once', async () => {
    const child = await watching();
    child.type('hh');
    await child.says(/more: h again \(its formula\)/);
    expect(child.output().split('The loss is a mean over n examples')).toHaveLength(2);
    expect(child.output().split('checking…')).toHaveLength(2);
    child.type('q');
    await expectCooked(child, 0);
  });

  it('quits at Ctrl-C with 0, also while it checks a line that does not end', async () => {
    const child = await watching();
    child.type(CTRL_C);
    await expectCooked(child, 0);
    writeFileSync(path('exercise1.ts'), 'for (;;);');
    const stuck = startInTerminal(['exercise', 'watch', '1']);
    await stuck.says(/checked at every save/);
    stuck.type(CTRL_C);
    await expectCooked(stuck, 0);
    expect(stuck.output()).not.toContain('did not end');
  });

  it('ends at SIGTERM with 143, and the terminal is as it was', async () => {
    const child = await watching();
    process.kill(Number(readFileSync(join(cwd, PID), 'utf8')), 'SIGTERM');
    await expectCooked(child, 143);
  });

  it('is plain where TERM is dumb', async () => {
    const child = await watching({ env: { TERM: 'dumb' } });
    expect(child.output()).not.toContain('\x1b');
    child.type('q');
    await expectCooked(child, 0);
  });

  it('is no wider than a terminal of 60 columns', async () => {
    writeFileSync(
      path('exercise1.ts'),
      solved('dlogprobs').replace('.div(-n)', '.div(n)').replace('dprobs: ({', 'dprobs: () => 3, was: ({'),
    );
    const child = startInTerminal(['exercise', 'watch', '1'], { columns: 60 });
    await child.says(/0 of 26 right[\s\S]*q quit/);
    child.type('h');
    await child.says(/more: h again \(its shape\)/);
    child.type('q');
    await expectCooked(child, 0);
    const lines = stripVTControlCharacters(child.output()).split('\r\n');
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(60);
  });
});

describe('two trainers in one directory', { timeout: TIME_LIMIT }, () => {
  it('leave the second refused, which names the first; once the first is dead, its lock is taken over', async () => {
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

  it('take over from a process that is dead, though another has its number now', async () => {
    const first = startNinja(COMMAND, { cwd });
    await first.says(/ characters\n/);
    first.kill('SIGKILL');
    await first.ended;
    const lock = join(cwd, 'run', 'lock');
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(`"pid":${first.pid}`, `"pid":${process.pid}`));
    await expectResumed();
  });
});

describe('a pipe whose reader has seen enough', { timeout: TIME_LIMIT }, () => {
  it.each([
    ['sample', ['sample', 'undisturbed', '--count', '100000']],
    ['help', ['train', '--help']],
  ])('ends %s quietly with 0', async (_, argv) => {
    const script = `"$@" | head -1; echo "exit codes: $PIPESTATUS"`;
    const { stdout, stderr } = await start('bash', ['-c', script, 'bash', process.execPath, MAIN, ...argv], { cwd }).ended;
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^[^\n]+\nexit codes: 0\n$/);
  });
});

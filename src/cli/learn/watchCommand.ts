import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { SystemError } from '../../core/errors.js';
import { showText } from '../../core/text.js';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { checkFile, type ExerciseReport } from '../../node/learner/run.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import { paintFor } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { wrapText } from '../terminal/format.js';
import { type IO, shortPath } from '../terminal/io.js';
import { type ExerciseOptions, firstOpenLine, HINT_STEPS, learnersFile, showHint, statusCommand, widthOf } from './exerciseCommand.js';
import { ENDLESS, reportLines } from './exerciseReport.js';

/** Editors save in several steps: the check waits until they are done. */
const SETTLED_MS = 100;

const KEYS = 'h hint   n next exercise   l list   r run again   q quit';
const CLEAR = '\x1b[2J\x1b[H';
const CHECKING = 'checking…';
const ERASE = '\r\x1b[K';
/** Lines around the report and the keys: the file's name, an empty one, and the one of the cursor. */
const AROUND = 3;

/**
 * Checks an exercise at every save, until it is told to quit. Keys are read where there is a terminal.
 * @returns the exit code: 0 where a key quits, the signal's where one stops it
 */
export async function watchCommand(number: ExerciseNumber, options: ExerciseOptions, io: IO): Promise<number> {
  const folder = dirname(learnersFile(number, options, io));
  const session = new WatchSession(number, { ...options, dir: folder }, io);
  let timer: NodeJS.Timeout | undefined;
  const watcher = watchFolder(folder, (name) => {
    if (name !== null && name !== exerciseFile(session.exercise)) return;
    clearTimeout(timer);
    timer = setTimeout(() => session.press('r'), SETTLED_MS);
  });
  watcher.on('error', (error) => session.fail(error));
  const stopKeys = io.onKey((key) => session.press(key));
  const stopSignals = io.onStop((signal) => session.quit(EXIT_SIGNAL[signal]));
  try {
    session.press('r');
    return await session.ended;
  } finally {
    session.stop();
    clearTimeout(timer);
    watcher.close();
    stopKeys();
    stopSignals();
  }
}

function watchFolder(folder: string, onChange: (name: string | null) => void): FSWatcher {
  return withSystemErrors('watch', folder, () => watch(folder, (_, name) => onChange(name)));
}

/** What the keys do, one thing at a time. */
class WatchSession {
  exercise: ExerciseNumber;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  quit: (exitCode: number) => void = () => {};
  fail: (error: unknown) => void = () => {};
  readonly #options: ExerciseOptions;
  readonly #io: IO;
  /** Of the last check, which hints are of. */
  #report: ExerciseReport | undefined;
  #hintStep = 0;
  /** What is being done, and after it what was asked for meanwhile. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Ends the check that is being made, and those that wait. */
  #cancel = new AbortController();

  constructor(exercise: ExerciseNumber, options: ExerciseOptions, io: IO) {
    this.exercise = exercise;
    this.#options = options;
    this.#io = io;
    this.ended = new Promise((resolve, reject) => {
      this.quit = resolve;
      this.fail = reject;
    });
  }

  press(key: string): void {
    const actions: Record<string, (signal: AbortSignal) => Promise<void> | void> = {
      h: () => this.#hint(),
      n: (signal) => this.#check(signal),
      l: (signal) => statusCommand({ ...this.#options, signal }, this.#io),
      r: (signal) => this.#check(signal),
    };
    const action = actions[key];
    // Ctrl-C and Ctrl-D, which a terminal that reads keys hands on.
    if (['q', '\x03', '\x04'].includes(key)) this.quit(0);
    if (!action) return;
    if (key === 'n') this.exercise = EXERCISE_NUMBERS[this.exercise % EXERCISE_NUMBERS.length];
    // What a check would say of an older file, nobody wants to know.
    if (key !== 'h') this.stop();
    const { signal } = this.#cancel;
    this.#queue = this.#queue.then(() => action(signal)).catch((error: unknown) => !signal.aborted && this.#tell(error));
  }

  /** Ends a check. */
  stop(): void {
    this.#cancel.abort();
    this.#cancel = new AbortController();
  }

  async #check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { stdout, stderr, env, hasKeys } = this.#io;
    const { json, color } = this.#options;
    const onScreen = stdout.isTTY && env.TERM !== 'dumb' && !json;
    const erase = onScreen ? ERASE : '';
    this.#hintStep = 0;
    if (onScreen) stdout.write(CLEAR);
    const file = learnersFile(this.exercise, this.#options, this.#io);
    if (!json) stdout.write(`${shortPath(file, this.#io)}, checked at every save\n`);
    if (onScreen) stdout.write(CHECKING);
    const onPrint = (line: string) => {
      stdout.write(erase);
      stderr.write(`${line}\n`);
    };
    const report = await checkFile(file, this.exercise, { signal, train: true, onPrint });
    this.#report = report;
    if (json) return stdout.write(`${JSON.stringify({ ok: report.ok, exercises: [report] })}\n`);
    const keys = hasKeys ? wrapText(KEYS, widthOf(stdout)) : [];
    const page = onScreen ? { width: widthOf(stdout), height: stdout.rows - keys.length - AROUND } : { ...ENDLESS, width: widthOf(stdout) };
    const lines = reportLines(report, await paintFor(stdout, env, color), page);
    stdout.write(`${erase}${[...lines, '', ...keys].join('\n')}\n`);
  }

  /** The next step. */
  #hint(): void {
    if (!this.#report) return;
    this.#hintStep = Math.min(this.#hintStep + 1, HINT_STEPS.length);
    const range = { from: this.#hintStep, to: this.#hintStep, more: 'h again' };
    showHint(this.#report.exercise, firstOpenLine(this.#report), range, this.#options, this.#io);
  }

  /** A file that is gone may come again. */
  #tell(error: unknown): void {
    if (error instanceof SystemError) this.#io.stderr.write(`error: ${showText(error.message)}\n`);
    else this.fail(error);
  }
}

import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { SystemError } from '../../core/errors.js';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { HINT_STEPS } from '../../dojo/hints.js';
import { checkFile, type ExerciseReport } from '../../node/learner/run.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { errorLines, widthOf, wrapText } from '../terminal/format.js';
import { shortPath } from '../terminal/io.js';
import { type ExerciseContext, type ExerciseOptions, proposalsIn, showStatus } from './exerciseActions.js';
import { ENDLESS, reportLines } from './exerciseReport.js';
import { firstOpenLine, showHint } from './hint.js';
import { learnerFile } from './learnerFolder.js';

/** Milliseconds without a change before a check: editors save in several steps. */
const SETTLED_MS = 100;

const KEYS = 'h hint   n next exercise   l list   r run again   q quit';
const CLEAR = '\x1b[2J\x1b[H';
const CHECKING = 'checking…';
const ERASE = '\r\x1b[K';
/** Lines around the report and the keys: the name of the file, an empty line, and the line of the cursor. */
const AROUND = 3;

/**
 * Checks an exercise at every save, until a key or a signal ends it. Keys need a terminal.
 * @returns the exit code: 0 for a key, the signal's code for a signal
 */
export async function watchExercise(number: ExerciseNumber, { dir }: ExerciseOptions, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const folder = dirname(learnerFile(number, dir, io));
  const session = new WatchSession(number, folder, context);
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

/** Runs the actions of keys and saves, one at a time. */
class WatchSession {
  exercise: ExerciseNumber;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  quit: (exitCode: number) => void = () => {};
  fail: (error: unknown) => void = () => {};
  readonly #folder: string;
  readonly #context: ExerciseContext;
  /** The last report: hints are for it. */
  #report: ExerciseReport | undefined;
  #hintStep = 0;
  /** The running action, followed by those that wait. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Aborts the running check and those that wait. */
  #cancel = new AbortController();

  constructor(exercise: ExerciseNumber, folder: string, context: ExerciseContext) {
    this.exercise = exercise;
    this.#folder = folder;
    this.#context = context;
    this.ended = new Promise((resolve, reject) => {
      this.quit = resolve;
      this.fail = reject;
    });
  }

  press(key: string): void {
    const actions: Record<string, (signal: AbortSignal) => Promise<void> | void> = {
      h: () => this.#hint(),
      n: (signal) => this.#check(signal),
      l: (signal) => showStatus({ dir: this.#folder, signal }, this.#context),
      r: (signal) => this.#check(signal),
    };
    const action = actions[key];
    // Ctrl-C and Ctrl-D too: while a terminal sends single keys, it does not act on them.
    if (['q', '\x03', '\x04'].includes(key)) this.quit(0);
    if (!action) return;
    if (key === 'n') this.exercise = EXERCISE_NUMBERS[this.exercise % EXERCISE_NUMBERS.length];
    // A running check is about an older version of the file.
    if (key !== 'h') this.stop();
    const { signal } = this.#cancel;
    this.#queue = this.#queue.then(() => action(signal)).catch((error: unknown) => !signal.aborted && this.#tell(error));
  }

  /** Ends the running check and those that wait. */
  stop(): void {
    this.#cancel.abort();
    this.#cancel = new AbortController();
  }

  async #check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { io, json, paint, printJson } = this.#context;
    const { stdout, stderr, env, hasKeys } = io;
    const onScreen = stdout.isTTY && env.TERM !== 'dumb' && !json;
    const erase = onScreen ? ERASE : '';
    this.#hintStep = 0;
    if (onScreen) stdout.write(CLEAR);
    const file = learnerFile(this.exercise, this.#folder, io);
    if (!json) stdout.write(`${shortPath(file, io)}, checked at every save\n`);
    if (onScreen) stdout.write(CHECKING);
    const onPrint = (line: string) => {
      stdout.write(erase);
      stderr.write(`${line}\n`);
    };
    const report = await checkFile(file, this.exercise, { signal, train: true, onPrint });
    this.#report = report;
    if (json) return printJson({ ok: report.ok, exercises: [report] });
    const keys = hasKeys ? wrapText(KEYS, widthOf(stdout)) : [];
    const page = onScreen ? { width: widthOf(stdout), height: stdout.rows - keys.length - AROUND } : { ...ENDLESS, width: widthOf(stdout) };
    const lines = reportLines(report, await paint(), page, { ...proposalsIn(this.#folder, io), keys: hasKeys });
    stdout.write(`${erase}${[...lines, '', ...keys].join('\n')}\n`);
  }

  /** Shows the next step of a hint. */
  #hint(): void {
    if (!this.#report) return;
    this.#hintStep = Math.min(this.#hintStep + 1, HINT_STEPS.length);
    const range = { from: this.#hintStep, to: this.#hintStep, more: () => 'h again' };
    showHint(this.#report.exercise, firstOpenLine(this.#report), range, this.#context);
  }

  /** Prints an error of the system: a missing file can come back. Any other error ends the watch. */
  #tell(error: unknown): void {
    const { io } = this.#context;
    if (error instanceof SystemError) io.stderr.write(`${errorLines(error, io.stderr, io).join('\n')}\n`);
    else this.fail(error);
  }
}

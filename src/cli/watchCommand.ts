import { type FSWatcher, watch } from 'node:fs';
import { resolve } from 'node:path';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../dojo/exercises.js';
import { SystemError, showText, withSystemErrors } from '../errors.js';
import { checkCommand, type ExerciseOptions, HINT_STEPS, hintCommand, learnersFile, statusCommand } from './exerciseCommand.js';
import { EXIT_SIGNAL } from './exitCodes.js';
import { type IO, shortPath } from './io.js';

/** Editors save in several steps: the check waits until they are done. */
const SETTLED_MS = 100;

const KEYS = 'h hint   n next exercise   l list   r run again   q quit';
const CLEAR = '\x1b[2J\x1b[H';

/**
 * Checks an exercise at every save, until it is told to quit. Keys are read where there is a terminal.
 * @returns the exit code: 0 where a key quits, the signal's where one stops it
 */
export async function watchCommand(number: ExerciseNumber, options: ExerciseOptions, io: IO): Promise<number> {
  learnersFile(number, options, io);
  const stopped = new AbortController();
  const session = new WatchSession(number, { ...options, signal: stopped.signal }, io);
  let timer: NodeJS.Timeout | undefined;
  const watcher = watchFolder(resolve(io.cwd, options.dir), (name) => {
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
    stopped.abort();
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
  #hintStep = 0;
  /** What is being done, and after it what was asked for meanwhile. */
  #queue: Promise<unknown> = Promise.resolve();

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
    const actions: Record<string, () => Promise<void>> = {
      h: () => this.#hint(),
      n: () => this.#next(),
      l: () => statusCommand(this.#options, this.#io),
      r: () => this.#check(),
    };
    const action = actions[key];
    if (action) this.#queue = this.#queue.then(action).catch((error: unknown) => this.#tell(error));
    // Ctrl-C and Ctrl-D, which a terminal that reads keys hands on.
    else if (['q', '\x03', '\x04'].includes(key)) this.quit(0);
  }

  async #check(): Promise<void> {
    const { stdout, env, hasKeys } = this.#io;
    const { json } = this.#options;
    this.#hintStep = 0;
    if (stdout.isTTY && env.TERM !== 'dumb' && !json) stdout.write(CLEAR);
    const file = learnersFile(this.exercise, this.#options, this.#io);
    if (!json) stdout.write(`${shortPath(file, this.#io)}, checked at every save\n`);
    await checkCommand(this.exercise, this.#options, this.#io);
    if (!json) stdout.write(hasKeys ? `\n${KEYS}\n` : '\n');
  }

  async #hint(): Promise<void> {
    this.#hintStep = Math.min(this.#hintStep + 1, HINT_STEPS.length);
    await hintCommand(this.exercise, undefined, { ...this.#options, step: this.#hintStep, more: 'h again' }, this.#io);
  }

  async #next(): Promise<void> {
    this.exercise = EXERCISE_NUMBERS[this.exercise % EXERCISE_NUMBERS.length];
    await this.#check();
  }

  /** A file that is gone may come again. */
  #tell(error: unknown): void {
    if (error instanceof SystemError) this.#io.stderr.write(`error: ${showText(error.message)}\n`);
    else this.fail(error);
  }
}

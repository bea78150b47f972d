import { watch } from 'node:fs';
import { resolve } from 'node:path';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../dojo/exercises.js';
import { withSystemErrors } from '../errors.js';
import { checkCommand, type ExerciseOptions, HINT_STEPS, hintCommand, statusCommand } from './exerciseCommand.js';
import type { IO, StopSignal } from './io.js';

/** Editors save in several steps: the check waits until they are done. */
const SETTLED_MS = 100;

const KEYS = 'h hint   n next exercise   l list   r run again   q quit';

/** Checks an exercise at every save, until it is told to quit. Keys are read where there is a terminal. */
export async function watchCommand(number: ExerciseNumber, given: ExerciseOptions, io: IO): Promise<void> {
  const stopped = new AbortController();
  const options = { ...given, signal: stopped.signal };
  const folder = resolve(io.cwd, options.dir);
  const live = io.stdout.isTTY && io.env.TERM !== 'dumb';
  let exercise = number;
  let hintStep = 0;
  /** What is being done, and after it what was asked for meanwhile: one at a time. */
  let queue: Promise<unknown> = Promise.resolve();
  const then = (work: () => Promise<unknown>) => {
    queue = queue.then(work).catch((error: unknown) => fail(error));
  };
  const check = async () => {
    hintStep = 0;
    if (live) io.stdout.write('\x1b[2J\x1b[H');
    await checkCommand(exercise, options, io);
    io.stdout.write(io.hasKeys ? `\n${KEYS}\n` : '\n');
  };
  const hint = async () => {
    hintStep = Math.min(hintStep + 1, HINT_STEPS.length);
    await hintCommand(exercise, undefined, { ...options, step: hintStep, more: 'h again' }, io);
  };
  const next = async () => {
    exercise = EXERCISE_NUMBERS[exercise % EXERCISE_NUMBERS.length];
    await check();
  };
  let quit: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const ended = new Promise<void>((done, failed) => {
    quit = done;
    fail = failed;
  });
  const actions: Record<string, () => void> = {
    h: () => then(hint),
    n: () => then(next),
    l: () => then(() => statusCommand(options, io)),
    r: () => then(check),
    q: () => quit(),
    // Ctrl-C, which a terminal that reads keys hands on as one.
    '\x03': () => quit(),
  };

  let timer: NodeJS.Timeout | undefined;
  const watcher = withSystemErrors('watch', folder, () =>
    watch(folder, (_, name) => {
      if (name !== null && name !== exerciseFile(exercise)) return;
      clearTimeout(timer);
      timer = setTimeout(() => then(check), SETTLED_MS);
    }),
  );
  const stopKeys = io.onKey((key) => actions[key]?.());
  const stopSignals = io.onStop((_: StopSignal) => quit());
  try {
    then(check);
    await ended;
  } finally {
    stopped.abort();
    clearTimeout(timer);
    watcher.close();
    stopKeys();
    stopSignals();
  }
}

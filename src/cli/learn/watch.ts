import { dirname, join } from 'node:path';
import { FileContentError, SystemError } from '../../core/errors.js';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { HINT_STEPS } from '../../dojo/hints.js';
import { pollFile } from '../../node/filePoll.js';
import { checkFile, type ExerciseReport } from '../../node/learner/run.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { errorLines, widthOf, wrapText } from '../terminal/format.js';
import { shortPath } from '../terminal/io.js';
import { canRedraw, ERASE } from '../terminal/whileShowing.js';
import { type ExerciseContext, type ExerciseOptions, printStatus, proposalsIn, showStatus } from './exerciseActions.js';
import { ENDLESS, reportLines } from './exerciseReport.js';
import { firstOpenLine, showHint } from './hint.js';
import { learnerFile } from './learnerFolder.js';

const KEYS = 'h hint   n next exercise   l list   r run again   q quit';
const CLEAR = '\x1b[2J\x1b[H';
const CHECKING = 'checking…';
/** Lines around the report and the keys: the name of the file, an empty line, and the line of the cursor. */
const AROUND = 3;
/** Lines that the file prints, for drawing the screen again. */
const MAX_PRINTED = 1_000;

/**
 * Checks an exercise at every save, until a key or a signal ends it. Keys need a terminal.
 * @returns the exit code: 0 for a key, the signal's code for a signal
 */
export async function watchExercise(number: ExerciseNumber, { dir }: ExerciseOptions, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const folder = dirname(learnerFile(number, dir, io));
  const session = new WatchSession(number, folder, context);
  const ended = new AbortController();
  const listeners = [
    io.onKey((key) => session.press(key)),
    io.onStop((signal) => session.quit(EXIT_SIGNAL[signal])),
    io.onRedraw(() => session.redraw()),
  ];
  try {
    for (const one of EXERCISE_NUMBERS) watchFile(one, join(folder, exerciseFile(one)), session, context, ended.signal);
    return await session.ended;
  } finally {
    session.stop();
    ended.abort();
    for (const stopListening of listeners) stopListening();
  }
}

/**
 * All files are watched, so that no change is lost when the session moves to the next exercise. The first check waits for the first look: a save
 * between the two would be missed.
 */
function watchFile(number: ExerciseNumber, file: string, session: WatchSession, { io }: ExerciseContext, signal: AbortSignal): void {
  const check = () => {
    if (session.exercise === number) session.press('r');
  };
  const onSilence = (milliseconds: number) => {
    if (session.exercise !== number) return;
    io.stderr.write(`note: ${shortPath(file, io)} cannot be read: no answer for ${milliseconds / 1_000} s; still waiting\n`);
  };
  pollFile(file, { onStart: check, onChange: check, onSilence, signal }).catch((error: unknown) => session.fail(error));
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
  readonly #onScreen: boolean;
  /** The last report: hints are for it. */
  #report: ExerciseReport | undefined;
  #hintStep = 0;
  /** For drawing the screen again: what the file printed, and what was shown after the report. */
  #printed: string[] = [];
  #after: (() => void)[] = [];
  #state: 'checking' | 'shown' | 'failed' = 'failed';
  /** The running action, followed by those that wait. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Aborts the running check and those that wait. */
  #cancel = new AbortController();

  constructor(exercise: ExerciseNumber, folder: string, context: ExerciseContext) {
    this.exercise = exercise;
    this.#folder = folder;
    this.#context = context;
    this.#onScreen = canRedraw(context.io.stdout, context.io) && !context.json;
    this.ended = new Promise((resolve, reject) => {
      this.quit = resolve;
      this.fail = reject;
    });
  }

  press(key: string): void {
    const actions: Record<string, (signal: AbortSignal) => Promise<void> | void> = {
      h: () => this.#hint(),
      n: (signal) => this.#check(signal),
      l: (signal) => this.#list(signal),
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

  /** Draws the screen again, after its size changed or another program used it. */
  redraw(): void {
    void this.#context.paint().then((painted) => this.#draw(painted));
  }

  /** In one go: a second one may follow at once. */
  #draw(painted: Paint): void {
    if (!this.#onScreen || this.#state === 'failed') return;
    const { stdout, stderr } = this.#context.io;
    stdout.write(CLEAR);
    this.#begin();
    for (const line of this.#printed) stderr.write(`${line}\n`);
    if (this.#state === 'checking') stdout.write(CHECKING);
    else {
      this.#showReport(painted);
      for (const show of this.#after) show();
    }
  }

  async #check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { io, json, paint, printJson } = this.#context;
    const { stdout, stderr } = io;
    const painted = await paint();
    this.#state = 'failed';
    this.#hintStep = 0;
    this.#after = [];
    this.#printed = [];
    if (this.#onScreen) stdout.write(CLEAR);
    const file = learnerFile(this.exercise, this.#folder, io);
    this.#state = 'checking';
    if (!json) this.#begin();
    if (this.#onScreen) stdout.write(CHECKING);
    const onPrint = (line: string) => {
      if (this.#printed.length < MAX_PRINTED) this.#printed.push(line);
      if (this.#onScreen) stdout.write(ERASE);
      stderr.write(`${line}\n`);
    };
    try {
      this.#report = await checkFile(file, this.exercise, { signal, train: true, onPrint });
      this.#state = 'shown';
    } finally {
      if (this.#onScreen) stdout.write(ERASE);
      if (this.#state !== 'shown') this.#state = 'failed';
    }
    if (json) printJson({ ok: this.#report.ok, exercises: [this.#report] });
    else this.#showReport(painted);
  }

  /** The line above everything else. */
  #begin(): void {
    const { io } = this.#context;
    const file = shortPath(join(this.#folder, exerciseFile(this.exercise)), io);
    io.stdout.write(`${file}, checked at every save\n`);
  }

  #showReport(painted: Paint): void {
    if (!this.#report) return;
    const { io } = this.#context;
    const { stdout, hasKeys } = io;
    const width = widthOf(stdout);
    const keys = hasKeys ? wrapText(KEYS, width) : [];
    const page = this.#onScreen ? { width, height: stdout.rows - keys.length - AROUND } : { ...ENDLESS, width };
    const lines = reportLines(this.#report, painted, page, { ...proposalsIn(this.#folder, io), keys: hasKeys });
    stdout.write(`${[...lines, '', ...keys].join('\n')}\n`);
  }

  /** Shows the next step of a hint. */
  #hint(): void {
    if (!this.#report) return;
    const isLast = this.#hintStep === HINT_STEPS.length;
    if (!isLast) this.#hintStep++;
    const { exercise } = this.#report;
    const [line, step] = [firstOpenLine(this.#report), this.#hintStep];
    const show = () => showHint(exercise, line, { from: step, to: step, more: () => 'h again' }, this.#context);
    if (!isLast) this.#after.push(show);
    show();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const reports = await showStatus({ dir: this.#folder, signal }, this.#context);
    const painted = await this.#context.paint();
    this.#after.push(() => printStatus(reports, painted, this.#context.io));
  }

  /** Prints an error of the system or of the file: a missing file can come back. Any other error ends the watch. */
  #tell(error: unknown): void {
    const { io } = this.#context;
    if (error instanceof SystemError || error instanceof FileContentError)
      io.stderr.write(`${errorLines(error, io.stderr, io).join('\n')}\n`);
    else this.fail(error);
  }
}

import { dirname, join } from 'node:path';
import type { ExerciseReport } from '../../dojo/exerciseReport.js';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { HINT_STEPS } from '../../dojo/hints.js';
import { pollFile } from '../../node/filePoll.js';
import { checkFile } from '../../node/learner/run.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { widthOf, wrapText } from '../terminal/format.js';
import { shortPath } from '../terminal/io.js';
import { QUIT_KEYS, type WatchedCheck, WatchLoop } from '../terminal/watchLoop.js';
import { type ExerciseContext, type ExerciseOptions, printStatus, proposalsIn, showStatus } from './exerciseActions.js';
import { ENDLESS, type Proposals, reportLines } from './exerciseReport.js';
import { firstOpenLine, showHint } from './hint.js';
import { learnerFile } from './learnerFolder.js';

const KEYS = { hint: 'h hint', next: 'n next exercise', list: 'l list', again: 'r run again', quit: 'q quit' } as const;
/** Lines around the report and the keys: the name of the file, an empty line, and the line of the cursor. */
const AROUND = 3;

/** What is watched: the exercises of a folder, or one file. */
export interface Watched {
  /** The exercises that the keys lead to, and their files. */
  files: readonly (readonly [ExerciseNumber, file: string])[];
  /** The exercise to begin with. */
  first: ExerciseNumber;
  /** @throws SystemError or FileContentError if the file cannot be checked */
  prepare(exercise: ExerciseNumber): void;
  check(exercise: ExerciseNumber, signal: AbortSignal, onPrint: (line: string) => void): Promise<ExerciseReport>;
  /** Shows how many lines of each exercise are right; only where there are several. */
  list?(signal: AbortSignal): Promise<ExerciseReport[]>;
  proposals: Proposals;
  /** More to show below the report on an exercise, and the JSON document, where there is more. */
  more?(paint: Paint, width: number): string[];
  document?(): object;
}

/**
 * Checks an exercise at every save, until a key or a signal ends it. Keys need a terminal.
 * @returns the exit code: 0 for a key, the signal's code for a signal
 */
export async function watchExercise(number: ExerciseNumber, { dir }: ExerciseOptions, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const folder = dirname(learnerFile(number, dir, io));
  return watch(
    {
      files: EXERCISE_NUMBERS.map((one) => [one, join(folder, exerciseFile(one))]),
      first: number,
      prepare: (exercise) => void learnerFile(exercise, folder, io),
      check: (exercise, signal, onPrint) => checkFile(join(folder, exerciseFile(exercise)), exercise, { signal, train: true, onPrint }),
      list: (signal) => showStatus({ dir: folder, signal }, context),
      proposals: proposalsIn(folder, io),
    },
    context,
  );
}

/** @returns the exit code: 0 for a key, the signal's code for a signal */
export async function watch(watched: Watched, context: ExerciseContext): Promise<number> {
  const { io } = context;
  const session = new WatchSession(watched, context);
  const { loop } = session;
  const ended = new AbortController();
  const listeners = [
    io.onKey((key) => session.press(key)),
    io.onStop((signal) => loop.quit(EXIT_SIGNAL[signal])),
    io.onRedraw(() => loop.redraw()),
  ];
  try {
    for (const [number, file] of watched.files) watchFile(number, file, session, context, ended.signal);
    return await loop.ended;
  } finally {
    loop.stop();
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
  pollFile(file, { onStart: check, onChange: check, onSilence, signal }).catch((error: unknown) => session.loop.fail(error));
}

/** What the keys do, and the check of the exercise. */
class WatchSession implements WatchedCheck {
  exercise: ExerciseNumber;
  readonly loop: WatchLoop;
  readonly #watched: Watched;
  readonly #context: ExerciseContext;
  /** The last report: hints are for it. */
  #report: ExerciseReport | undefined;
  #hintStep = 0;

  constructor(watched: Watched, context: ExerciseContext) {
    this.exercise = watched.first;
    this.#watched = watched;
    this.#context = context;
    this.loop = new WatchLoop(this, context);
  }

  /** Its name, as the user would type it. */
  get #file(): string {
    const [, file] = this.#watched.files.find(([number]) => number === this.exercise) as readonly [ExerciseNumber, string];
    return shortPath(file, this.#context.io);
  }

  press(key: string): void {
    if (QUIT_KEYS.includes(key)) this.loop.quit(0);
    const { list } = this.#watched;
    if (list && key === 'n') this.exercise = EXERCISE_NUMBERS[this.exercise % EXERCISE_NUMBERS.length];
    if (key === 'r' || (list && key === 'n')) this.loop.restart();
    if (key === 'h') this.loop.run(() => this.#hint());
    if (list && key === 'l') {
      this.loop.stop();
      this.loop.run((signal) => this.#list(signal, list));
    }
  }

  prepare(): void {
    this.#hintStep = 0;
    this.#watched.prepare(this.exercise);
  }

  begin(): void {
    this.#context.io.stdout.write(`${this.#file}, checked at every save\n`);
  }

  async check(signal: AbortSignal, onPrint: (line: string) => void): Promise<void> {
    this.#report = await this.#watched.check(this.exercise, signal, onPrint);
  }

  print(): void {
    const { document } = this.#watched;
    if (this.#report) this.#context.printJson(document ? document() : { ok: this.#report.ok, exercises: [this.#report] });
  }

  show(painted: Paint): void {
    if (!this.#report) return;
    const { io } = this.#context;
    const { stdout, hasKeys } = io;
    const width = widthOf(stdout);
    const { list, proposals, more } = this.#watched;
    const below = more ? more(painted, width) : [];
    const known = [KEYS.hint, ...(list ? [KEYS.next, KEYS.list] : []), KEYS.again, KEYS.quit];
    const keys = hasKeys ? wrapText(known.join('   '), width) : [];
    const page = this.loop.onScreen ? { width, height: stdout.rows - keys.length - below.length - AROUND } : { ...ENDLESS, width };
    // Everything may be below.
    const isEmpty = below.length > 0 && this.#report.lines.length === 0 && this.#report.broken === undefined;
    const lines = isEmpty ? [] : reportLines(this.#report, painted, page, { ...proposals, keys: hasKeys }, this.#file);
    stdout.write(`${[...lines, ...below, '', ...keys].join('\n')}\n`);
  }

  /** Shows the next step of a hint. */
  #hint(): void {
    if (!this.#report) return;
    const isLast = this.#hintStep === HINT_STEPS.length;
    if (!isLast) this.#hintStep++;
    const { exercise } = this.#report;
    const [line, step] = [firstOpenLine(this.#report), this.#hintStep];
    const show = () => showHint(exercise, line, { from: step, to: step, more: () => 'h again' }, this.#context);
    if (!isLast) this.loop.showAfter(show);
    show();
  }

  async #list(signal: AbortSignal, list: NonNullable<Watched['list']>): Promise<void> {
    const reports = await list(signal);
    const painted = await this.#context.paint();
    this.loop.showAfter(() => printStatus(reports, painted, this.#context.io));
  }
}

import { FileContentError, SystemError } from '../../core/errors.js';
import type { CommandContext } from '../command.js';
import type { Paint } from './colors.js';
import { errorLines } from './format.js';
import type { IO } from './io.js';
import { canRedraw, ERASE } from './whileShowing.js';

const CLEAR = '\x1b[2J\x1b[H';
const CHECKING = 'checking…';
/** Lines that the watched files print, for drawing the screen again. */
const MAX_PRINTED = 1_000;

/** What is checked at every save. */
export interface WatchedCheck {
  /** Finds the files. What it throws takes the place of a result. */
  prepare(): void;
  /** Writes the line above everything else. */
  begin(): void;
  check(signal: AbortSignal, onPrint: (line: string) => void): Promise<void>;
  /** Writes the result of the last check; on a screen it is drawn again. */
  show(painted: Paint): void;
  /** Prints it as JSON. */
  print(): void;
}

/** Runs a check again and again, and draws the screen: one action at a time. A new check ends the running one. */
export class WatchLoop {
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  quit: (exitCode: number) => void = () => {};
  fail: (error: unknown) => void = () => {};
  readonly onScreen: boolean;
  readonly #checked: WatchedCheck;
  readonly #io: IO;
  readonly #json: boolean;
  readonly #paint: () => Promise<Paint>;
  /** For drawing the screen again: what the files printed, and what was shown after the result. */
  #printed: string[] = [];
  #after: (() => void)[] = [];
  #state: 'checking' | 'shown' | 'failed' = 'failed';
  /** The running action, followed by those that wait. */
  #queue: Promise<unknown> = Promise.resolve();
  /** Aborts the running check and those that wait. */
  #cancel = new AbortController();

  constructor(checked: WatchedCheck, { io, json, paint }: Pick<CommandContext, 'io' | 'json' | 'paint'>) {
    this.#checked = checked;
    this.#io = io;
    this.#json = json;
    this.#paint = paint;
    this.onScreen = canRedraw(io.stdout, io) && !json;
    this.ended = new Promise((resolve, reject) => {
      this.quit = resolve;
      this.fail = reject;
    });
  }

  /** Checks again: a running check is about an older version of the files. */
  restart(): void {
    this.stop();
    this.run((signal) => this.#check(signal));
  }

  /** Runs an action after those that wait. */
  run(action: (signal: AbortSignal) => Promise<void> | void): void {
    const { signal } = this.#cancel;
    this.#queue = this.#queue.then(() => action(signal)).catch((error: unknown) => !signal.aborted && this.#tell(error));
  }

  /** Shows something after the result, also when the screen is drawn again. */
  showAfter(show: () => void): void {
    this.#after.push(show);
  }

  /** Ends the running check and those that wait. */
  stop(): void {
    this.#cancel.abort();
    this.#cancel = new AbortController();
  }

  /** Draws the screen again, after its size changed or another program used it. */
  redraw(): void {
    void this.#paint().then((painted) => this.#draw(painted));
  }

  /** In one go: a second one may follow at once. */
  #draw(painted: Paint): void {
    if (!this.onScreen || this.#state === 'failed') return;
    const { stdout, stderr } = this.#io;
    stdout.write(CLEAR);
    this.#checked.begin();
    for (const line of this.#printed) stderr.write(`${line}\n`);
    if (this.#state === 'checking') stdout.write(CHECKING);
    else {
      this.#checked.show(painted);
      for (const show of this.#after) show();
    }
  }

  async #check(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { stdout, stderr } = this.#io;
    const painted = await this.#paint();
    this.#state = 'failed';
    this.#after = [];
    this.#printed = [];
    if (this.onScreen) stdout.write(CLEAR);
    this.#checked.prepare();
    this.#state = 'checking';
    if (!this.#json) this.#checked.begin();
    if (this.onScreen) stdout.write(CHECKING);
    const onPrint = (line: string) => {
      if (this.#printed.length < MAX_PRINTED) this.#printed.push(line);
      if (this.onScreen) stdout.write(ERASE);
      stderr.write(`${line}\n`);
    };
    try {
      await this.#checked.check(signal, onPrint);
      this.#state = 'shown';
    } finally {
      if (this.onScreen) stdout.write(ERASE);
      if (this.#state !== 'shown') this.#state = 'failed';
    }
    if (this.#json) this.#checked.print();
    else this.#checked.show(painted);
  }

  /** Prints an error of the system or of the file: a missing file can come back. Any other error ends the watch. */
  #tell(error: unknown): void {
    const { stderr } = this.#io;
    if (error instanceof SystemError || error instanceof FileContentError) {
      stderr.write(`${errorLines(error, stderr, this.#io).join('\n')}\n`);
    } else this.fail(error);
  }
}

/** Keys that end a watch: Ctrl-C and Ctrl-D too, because a terminal that sends single keys does not act on them. */
export const QUIT_KEYS: readonly string[] = ['q', '\x03', '\x04'];

/** `grad-check --watch`: checks layers at every save. */
import { resolve } from 'node:path';
import { showPath } from '../../core/text.js';
import { pollFile } from '../../node/filePoll.js';
import { importsOf } from '../../node/layers/importsOf.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { errorLines, widthOf } from '../terminal/format.js';
import { QUIT_KEYS, type WatchedCheck, WatchLoop } from '../terminal/watchLoop.js';
import {
  type CheckedLayers,
  checkFiles,
  documentOf,
  fileLines,
  type LayerOptions,
  type LayersContext,
  printEnd,
  printLines,
} from './gradCheckLayers.js';
import { layerFile } from './layerFiles.js';
import { layerLines } from './layerTables.js';

const KEYS = 'r run again   q quit';

/**
 * Checks at every save of a file, or of a file that it imports, until a key or a signal ends it. Keys need a terminal.
 * @returns the exit code: 0 for a key, the signal's code for a signal
 */
export async function watchLayers(files: readonly string[], options: LayerOptions, context: LayersContext): Promise<number> {
  const { io } = context;
  for (const file of files) layerFile(file, io.cwd);
  const session = new WatchedLayers(files, options, context);
  const { loop } = session;
  const listeners = [
    io.onKey((key) => session.press(key)),
    io.onStop((signal) => loop.quit(EXIT_SIGNAL[signal])),
    io.onRedraw(() => loop.redraw()),
  ];
  try {
    // A save before the first look at a file would be missed.
    void session.watchFiles().then(() => loop.restart());
    return await loop.ended;
  } finally {
    loop.stop();
    session.stopWatching();
    for (const stopListening of listeners) stopListening();
  }
}

class WatchedLayers implements WatchedCheck {
  readonly loop: WatchLoop;
  readonly #files: readonly string[];
  readonly #options: LayerOptions;
  readonly #context: LayersContext;
  /** The watched files. */
  readonly #watched = new Map<string, AbortController>();
  #checked: CheckedLayers = { reports: [], errors: [] };
  #seconds = 0;

  constructor(files: readonly string[], options: LayerOptions, context: LayersContext) {
    this.#files = files;
    this.#options = options;
    this.#context = context;
    this.loop = new WatchLoop(this, context);
  }

  press(key: string): void {
    if (QUIT_KEYS.includes(key)) this.loop.quit(0);
    if (key === 'r') this.loop.restart();
  }

  stopWatching(): void {
    for (const watching of this.#watched.values()) watching.abort();
  }

  prepare(): void {
    void this.watchFiles();
    for (const file of this.#files) layerFile(file, this.#context.io.cwd);
  }

  begin(): void {
    const [file] = this.#files;
    const what = this.#files.length === 1 ? showPath(file) : `${this.#files.length} files`;
    this.#context.io.stdout.write(`${what}, checked at every save\n`);
  }

  async check(signal: AbortSignal, onPrint: (line: string) => void): Promise<void> {
    const { io } = this.#context;
    const start = io.now();
    this.#checked = await checkFiles(this.#files, this.#options, { io, signal, onPrint });
    this.#seconds = (io.now() - start) / 1_000;
  }

  print(): void {
    const { reports, errors } = this.#checked;
    this.#context.printJson(documentOf(reports, errors));
    this.#tellErrors();
  }

  show(painted: Paint): void {
    const { io } = this.#context;
    const { reports } = this.#checked;
    for (const [i, file] of [...new Set(reports.map((report) => report.file))].entries()) {
      const own = reports.filter((report) => report.file === file);
      const head = this.#files.length > 1 ? fileLines(file, i === 0, painted) : [];
      printLines([...head, ...own.flatMap((report) => layerLines(report, painted, widthOf(io.stdout)))], io);
    }
    if (reports.length > 0) printEnd(reports, this.#seconds, painted, io);
    this.#tellErrors();
    if (io.hasKeys) printLines(['', KEYS], io);
  }

  #tellErrors(): void {
    const { io } = this.#context;
    for (const error of this.#checked.errors) io.stderr.write(`${errorLines(error, io.stderr, io).join('\n')}\n`);
  }

  /** Watches the files and what they import now, and no others. It waits for the first look at each. */
  async watchFiles(): Promise<void> {
    const { cwd } = this.#context.io;
    const paths = new Set(this.#files.flatMap((file) => importsOf(resolve(cwd, file))));
    for (const [path, watching] of this.#watched) {
      if (paths.has(path)) continue;
      watching.abort();
      this.#watched.delete(path);
    }
    await Promise.all([...paths].filter((path) => !this.#watched.has(path)).map((path) => this.#watch(path)));
  }

  #watch(path: string): Promise<void> {
    const watching = new AbortController();
    this.#watched.set(path, watching);
    return new Promise((onStart) => {
      const onChange = () => this.loop.restart();
      pollFile(path, { onStart, onChange, signal: watching.signal }).catch((error: unknown) => this.loop.fail(error));
    });
  }
}

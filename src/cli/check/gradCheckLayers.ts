/** `grad-check` with files: checks the layers that they export. */
import { readFileSync } from 'node:fs';
import { FileContentError, UsageError } from '../../core/errors.js';
import { closest } from '../../core/spelling.js';
import { quoteName, showPath, showText } from '../../core/text.js';
import type { LayerReport } from '../../gradCheck/anyLayer/report.js';
import { LayerFile } from '../../node/layers/layerFile.js';
import { lackText } from '../../node/layers/noLayer.js';
import { LAYER_EXAMPLE } from '../../node/paths.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import type { CommandContext } from '../command.js';
import type { Paint } from '../terminal/colors.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { errorLines, widthOf } from '../terminal/format.js';
import type { IO } from '../terminal/io.js';
import { canRedraw, ERASE, whileShowing } from '../terminal/whileShowing.js';
import { layerFile } from './layerFiles.js';
import { endLines, layerLines } from './layerTables.js';

export interface LayerOptions {
  only?: readonly string[];
  seed?: number;
  float32?: boolean;
}

/** What the checks use of their context. */
export type LayersContext = Pick<CommandContext, 'io' | 'json' | 'paint' | 'printJson'>;

export interface FileReport extends LayerReport {
  /** The file as it was typed. */
  file: string;
}

/** The layers that were checked, and what is wrong with files or options. */
export interface CheckedLayers {
  reports: FileReport[];
  errors: Error[];
}

/** Names that a message lists. */
const MAX_LISTED = 20;

/**
 * Checks the layers of files, and prints each as soon as it is checked.
 * @returns the exit code
 */
export async function checkLayers(files: readonly string[], options: LayerOptions, context: LayersContext): Promise<number> {
  const { io, json, paint, printJson } = context;
  for (const file of files) layerFile(file, io.cwd);
  const start = io.now();
  const styles = await paint();
  let first = true;
  const onFile = (file: string) => {
    if (!json && files.length > 1) printLines(fileLines(file, first, styles), io);
    first = false;
  };
  const onReport = (report: FileReport) => {
    if (!json) printLines(layerLines(report, styles, widthOf(io.stdout)), io);
  };
  const { reports, errors } = await checkFiles(files, options, { io, onFile, onReport });
  if (reports.length > 0) {
    if (json) printJson(documentOf(reports, errors));
    else printEnd(reports, (io.now() - start) / 1_000, styles, io);
  }
  for (const error of errors.slice(0, -1)) io.stderr.write(`${errorLines(error, io.stderr, io).join('\n')}\n`);
  if (errors.length > 0) throw errors[errors.length - 1];
  return reports.every(({ ok }) => ok) ? 0 : EXIT_NO;
}

export function documentOf(reports: readonly FileReport[], errors: readonly Error[]): object {
  const layers = reports.map(({ file, name, ok, precision, refused, inputs, properties }) => ({
    file,
    name,
    ok,
    precision,
    refused,
    inputs,
    properties,
  }));
  return { ok: errors.length === 0 && reports.every(({ ok }) => ok), layers };
}

/** The line above the layers of a file, one of several. */
export function fileLines(file: string, first: boolean, paint: Paint): string[] {
  return [...(first ? [] : ['']), paint.bold(showPath(file))];
}

export function printLines(lines: readonly string[], { stdout }: IO): void {
  stdout.write(lines.map((line) => `${line}\n`).join(''));
}

export function printEnd(reports: readonly FileReport[], seconds: number, paint: Paint, io: IO): void {
  printLines(['', ...endLines(reports, { seconds, paint, width: widthOf(io.stdout) })], io);
}

interface Hooks {
  io: IO;
  /** Called before the layers of a file. */
  onFile?(file: string): void;
  onReport?(report: FileReport): void;
  onPrint?(line: string): void;
  signal?: AbortSignal;
}

/**
 * Checks file by file. One that cannot be loaded does not end the check.
 * @throws SystemError if a file is missing; the signal's reason if it ends the check early
 */
export async function checkFiles(files: readonly string[], options: LayerOptions, hooks: Hooks): Promise<CheckedLayers> {
  const checked: CheckedLayers = { reports: [], errors: [] };
  const names: string[] = [];
  for (const file of files) {
    try {
      names.push(...(await checkFile(file, options, hooks, (report) => checked.reports.push(report))));
    } catch (error) {
      if (!(error instanceof FileContentError)) throw error;
      checked.errors.push(error);
    }
  }
  if (names.length > 0) checked.errors.push(...unknownNames(options.only ?? [], names, files));
  return checked;
}

/** @returns the names of all layers of the file */
async function checkFile(file: string, options: LayerOptions, hooks: Hooks, add: (report: FileReport) => void): Promise<readonly string[]> {
  const { io, onFile, onReport, signal } = hooks;
  const { only, seed, float32 = false } = options;
  const onPrint = (line: string) => {
    if (canRedraw(io.stdout, io)) io.stdout.write(ERASE);
    (hooks.onPrint ?? ((text) => io.stderr.write(`${text}\n`)))(line);
  };
  const path = layerFile(file, io.cwd);
  const showing = <T>(name: string, work: () => Promise<T>) =>
    hooks.onPrint ? work() : whileShowing(`checking ${showText(name)}…`, io.stdout, io, work);
  const opened = await showing(file, () =>
    LayerFile.open(path, { shownAs: file, ...(seed !== undefined && { seed }), float32, onPrint, signal }),
  );
  try {
    for (const other of opened.others) if (other.functions?.includes('inputs')) onPrint(`note: not a layer: ${lackText(other)}`);
    const names = opened.names.filter((name) => only?.includes(name) ?? true);
    if (names.length > 0) onFile?.(file);
    for (const name of names) {
      const report = { file, ...(await showing(name, () => opened.check(name))) };
      add(report);
      onReport?.(report);
    }
    return opened.names;
  } finally {
    opened.stop();
  }
}

/** An error for each name that no file has. */
function unknownNames(only: readonly string[], names: readonly string[], files: readonly string[]): UsageError[] {
  const where = files.length === 1 ? showPath(files[0]) : 'these files';
  const listed = names.slice(0, MAX_LISTED).map((one) => quoteName(one));
  const more = names.length > listed.length ? `, and ${names.length - listed.length} more` : '';
  const list = `layer${names.length === 1 ? '' : 's'} there: ${listed.join(', ')}${more}`;
  return only
    .filter((name) => !names.includes(name))
    .map((name) => {
      const similar = closest(name, names);
      const hint = similar === undefined ? list : `did you mean ${quoteName(similar)}? (${list})`;
      return new UsageError(`there is no layer ${quoteName(name, "'")} in ${where}`, { hint });
    });
}

/** Prints a specification to start from. */
export function printExample({ io, json, printJson }: LayersContext): void {
  const code = withSystemErrors('read', LAYER_EXAMPLE, () => readFileSync(LAYER_EXAMPLE, 'utf8'));
  if (json) printJson({ code });
  else io.stdout.write(code);
}

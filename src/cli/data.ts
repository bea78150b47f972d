import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { FileContentError, SystemError, UsageError } from '../core/errors.js';
import { shellWord, showCharacters, showPath } from '../core/text.js';
import { createDataset, type Dataset, type DatasetOptions, SPLITS } from '../data/dataset.js';
import type { NameList } from '../data/nameList.js';
import { describeTable, describeTidied } from '../data/namesNotes.js';
import { findOddities, severalPerLine } from '../data/oddities.js';
import { type NamesOptions, STANDARD_INPUT_NAME } from '../data/parseNames.js';
import { vocabularyIndex } from '../data/vocabulary.js';
import { keptNames } from '../node/keptNames.js';
import { type NamesFile, type NamesStream, readNamesFile, STANDARD_INPUT } from '../node/namesFile.js';
import { BUNDLED_NAMES } from '../node/paths.js';
import { readRunFile } from '../node/runDirectory.js';
import type { Checkpoint } from '../run/checkpoint.js';
import { dataDifferences } from '../run/resume.js';
import { formatBytes, formatCountOf } from './terminal/format.js';
import { type IO, nearPath } from './terminal/io.js';

export interface LoadedData {
  /** Absolute; `-` for standard input. */
  path: string;
  sha256: string;
  /** Names, including repeats. */
  names: number;
  /** The bytes of a pipe, which cannot be read again. */
  bytes?: Uint8Array;
  /** The path for messages, as the user typed it. */
  shownAs: string;
  dataset: Dataset;
}

/** How a data set is read and split. */
export type DataOptions = NamesOptions & DatasetOptions;

/** Reads and splits a data set; notes on stderr say what was dropped, and what is odd. */
export function loadData(file: string | undefined, options: DataOptions, io: IO): LoadedData {
  return splitData(readData(file, options, io), options);
}

/** A data set before its split. */
interface ReadData extends Pick<NamesFile, 'names' | 'sha256' | 'bytes'> {
  path: string;
  /** The path as the user typed it, and as messages show it. */
  typed: string;
  shownAs: string;
}

/** A larger file is announced: 16 MiB take some seconds until training begins. */
const LARGE_FILE = 2 ** 24;

function readData(file: string | undefined, { column, normalize }: NamesOptions, io: IO): ReadData {
  const path = file === undefined ? BUNDLED_NAMES : file === STANDARD_INPUT ? file : resolve(io.cwd, file);
  // A path from run.json is absolute; a user would not type it so.
  const typed = file === undefined || file === path ? nearPath(path, io) : file;
  const shownAs = file === STANDARD_INPUT ? STANDARD_INPUT_NAME : showPath(typed);
  const note = (text: string) => io.stderr.write(`note: ${text}\n`);
  const onWait = (stream: NamesStream) => note(describeWait(stream, shownAs));
  const onFile = (size: number) => {
    if (size > LARGE_FILE) note(`reading ${shownAs}, ${formatBytes(size)}`);
  };
  const { names, sha256, bytes, tidied, table } = readNamesFile(path, { column, normalize, shownAs: typed, onWait, onFile });
  if (table) note(`${shownAs}: ${describeTable(table, names.at(0) as string)}`);
  const dropped = describeTidied(tidied);
  if (dropped) note(`${shownAs}: ${dropped}`);
  for (const { text, hint } of findOddities(names, table)) {
    const wayOut = hint === undefined ? [] : [withFile(hint, typed)];
    note(`${shownAs}: ${[text, ...wayOut].join(text.endsWith('?') ? ' ' : '; ')}`);
  }
  return { path, typed, shownAs, sha256, names, ...(bytes ? { bytes } : {}) };
}

/** A command with the path of the data set; standard input has none. */
function withFile(hint: string, typed: string): string {
  return typed === STANDARD_INPUT ? hint : hint.replaceAll('FILE', shellWord(typed, 'file'));
}

function describeWait(stream: NamesStream, shownAs: string): string {
  if (stream === 'a terminal') return 'waiting for names on standard input: one per line; Ctrl-D at the start of a line ends them';
  return stream === 'a pipe' ? `waiting for names from ${shownAs}` : 'reading names from standard input';
}

function splitData({ path, typed, shownAs, sha256, names, bytes }: ReadData, options: DatasetOptions): LoadedData {
  const dataset = createDataset(names, options);
  const empty = SPLITS.find((split) => dataset.parts[split].length === 0);
  if (empty) {
    const several = severalPerLine(names);
    if (several)
      throw new FileContentError(`${shownAs}: ${several.text}`, several.hint === undefined ? {} : { hint: withFile(several.hint, typed) });
    const count = SPLITS.reduce((sum, split) => sum + dataset.parts[split].length, 0);
    throw new UsageError(
      `${shownAs} has ${formatCountOf(count, options.unique ? 'different name' : 'name')}, too few to split 80/10/10: the ${empty} part is empty`,
      { hint: 'give --data a file with at least 6' },
    );
  }
  return { path, shownAs, sha256, names: names.length, dataset, ...(bytes ? { bytes } : {}) };
}

/**
 * The data set of a run: the one that its run.json names, or the given file.
 * @param path the checkpoint's path
 * @param file the value of --data
 * @param another whether that file may differ from the run's data set; the run's own file never may
 * @throws FileContentError that lists the differences
 */
export function loadRunData(
  path: string,
  checkpoint: Checkpoint,
  file: string | undefined,
  another: 'may be another' | 'must be the same',
  io: IO,
): LoadedData {
  const data = readKnownData(path, checkpoint, { file, another, names: checkpoint.config }, io);
  if (data.sha256 !== checkpoint.dataSha256) io.stderr.write('note: this is not the data set of the run\n');
  return splitData(data, checkpoint.config);
}

/**
 * A list as it is, repeated names and all: of the given file, or of the run's data set before its split.
 * @param column the value of --column; without one, each line of the given file is a name
 * @throws FileContentError as {@link loadRunData} does
 */
export function loadWholeList(
  path: string,
  checkpoint: Checkpoint,
  { file, column }: { file: string | undefined; column: string | undefined },
  io: IO,
): NameList {
  const { config } = checkpoint;
  const names = { normalize: config.normalize, column: file === undefined ? config.column : column };
  return readKnownData(path, checkpoint, { file, another: 'may be another', names }, io).names;
}

/**
 * The data set of a run before its split, repeated names and all; null if it is the list of names that comes with the program.
 * @param file as in {@link loadRunData}
 * @throws FileContentError unless it is the run's data set
 */
export function loadOwnNames(path: string, checkpoint: Checkpoint, file: string | undefined, io: IO): NameList | null {
  if (isBundled(checkpoint.dataSha256)) return null;
  return readKnownData(path, checkpoint, { file, another: 'must be the same', names: checkpoint.config }, io).names;
}

/** Whether a data set is the list of names that comes with the program. */
export function isBundled(sha256: string): boolean {
  return sha256 === readNamesFile(BUNDLED_NAMES).sha256;
}

/** Which file {@link readKnownData} reads, and how: see {@link loadRunData}. */
interface KnownData {
  file: string | undefined;
  another: 'may be another' | 'must be the same';
  names: NamesOptions;
}

/** Reads the data set of a run, or another one whose characters the network knows. */
function readKnownData(path: string, { vocabulary, dataSha256 }: Checkpoint, { file, another, names }: KnownData, io: IO): ReadData {
  const found = file ?? ownData(path);
  if (found === undefined)
    throw new UsageError(`no run.json next to ${showPath(path)}, so its data set is unknown`, { hint: 'name it with --data' });
  const data = readRunData(found, file !== undefined, names, io);
  const differences = dataDifferences({ dataSha256, vocabulary }, data);
  if (differences.length > 0 && (file === undefined || another === 'must be the same')) {
    throw new FileContentError(`${data.shownAs} is not the data set of the run: ${differences.join('; ')}`, {
      hint: 'restore it, or name the right file with --data',
    });
  }
  checkKnown(data.shownAs, vocabulary, data.names.vocabulary);
  return data;
}

/** The data file that run.json names. Names that a run kept are found where the run is, even if it was moved. */
function ownData(checkpoint: string): string | undefined {
  const path = readRunFile(checkpoint)?.data.path;
  return path === undefined || existsSync(path) ? path : (keptNames(dirname(checkpoint)) ?? path);
}

/** If a file from run.json cannot be read, it may have been moved. */
function readRunData(file: string, named: boolean, options: NamesOptions, io: IO): ReadData {
  try {
    return readData(file, options, io);
  } catch (error) {
    if (!(error instanceof SystemError) || named) throw error;
    throw new SystemError(error.message, { hint: 'if the data set was moved, name it with --data', cause: error });
  }
}

/** The network has no embedding for other characters. */
function checkKnown(shownAs: string, vocabulary: readonly string[], found: readonly string[]): void {
  const known = vocabularyIndex(vocabulary);
  const unknown = found.filter((character) => !known.has(character));
  if (unknown.length === 0) return;
  throw new FileContentError(
    `${shownAs} has characters that the network does not know: ${showCharacters(unknown, 'all')}; it knows ${showCharacters(vocabulary)}`,
  );
}

import { resolve } from 'node:path';
import { FileContentError, SystemError, UsageError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';
import { createDataset, createVocabulary, type Dataset, type DatasetOptions, SPLITS, vocabularyIndex } from '../data/dataset.js';
import { type NamesFile, readNamesFile } from '../node/namesFile.js';
import { BUNDLED_NAMES } from '../node/paths.js';
import { readRunFile } from '../node/runDirectory.js';
import type { Checkpoint } from '../run/checkpoint.js';
import { formatCountOf } from './terminal/format.js';
import type { IO } from './terminal/io.js';

export interface LoadedData {
  /** Absolute. */
  path: string;
  sha256: string;
  /** Names, including repeats. */
  names: number;
  dataset: Dataset;
}

/** Reads and splits a data set; a note on stderr says what was dropped. */
export function loadData(file: string | undefined, options: DatasetOptions, io: IO): LoadedData {
  return splitData(readData(file, io), options);
}

/** A data set before its split. */
interface ReadData {
  path: string;
  /** The path as the user typed it. */
  shownAs: string;
  sha256: string;
  names: readonly string[];
}

function readData(file: string | undefined, io: IO): ReadData {
  const path = file === undefined ? BUNDLED_NAMES : resolve(io.cwd, file);
  const shownAs = showPath(file ?? path);
  const { names, sha256, tidied } = readNamesFile(path);
  const note = describeTidied(tidied);
  if (note) io.stderr.write(`note: ${shownAs}: ${note}\n`);
  return { path, shownAs, sha256, names };
}

function splitData({ path, shownAs, sha256, names }: ReadData, options: DatasetOptions): LoadedData {
  const dataset = createDataset(names, options);
  const empty = SPLITS.find((split) => dataset.parts[split].length === 0);
  if (empty) {
    const count = SPLITS.reduce((sum, split) => sum + dataset.parts[split].length, 0);
    throw new UsageError(
      `${shownAs} has ${formatCountOf(count, options.unique ? 'different name' : 'name')}, too few to split 80/10/10: the ${empty} part is empty`,
      { hint: 'give --data a file with at least 6' },
    );
  }
  return { path, sha256, names: names.length, dataset };
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
  { config, vocabulary, dataSha256 }: Checkpoint,
  file: string | undefined,
  another: 'may be another' | 'must be the same',
  io: IO,
): LoadedData {
  const found = file ?? readRunFile(path)?.data.path;
  if (found === undefined)
    throw new UsageError(`no run.json next to ${showPath(path)}, so its data set is unknown`, { hint: 'name it with --data' });
  const data = readRunData(found, file !== undefined, io);
  const differences = [
    ...(data.sha256 === dataSha256 ? [] : [`SHA-256 ${data.sha256}, expected ${dataSha256}`]),
    ...vocabularyDifferences(vocabulary, createVocabulary(data.names)),
  ];
  if (differences.length > 0 && (file === undefined || another === 'must be the same')) {
    throw new FileContentError(`${showPath(found)} is not the data set of the run: ${differences.join('; ')}`, {
      hint: 'restore it, or name the right file with --data',
    });
  }
  checkKnown(found, vocabulary, createVocabulary(data.names));
  if (data.sha256 !== dataSha256) io.stderr.write('note: this is not the data set of the run\n');
  return splitData(data, config);
}

/** If a file from run.json cannot be read, it may have been moved. */
function readRunData(file: string, named: boolean, io: IO): ReadData {
  try {
    return readData(file, io);
  } catch (error) {
    if (!(error instanceof SystemError) || named) throw error;
    throw new SystemError(error.message, { hint: 'if the data set was moved, name it with --data', cause: error });
  }
}

function vocabularyDifferences(stored: readonly string[], found: readonly string[]): string[] {
  const without = (list: readonly string[], others: readonly string[]) => {
    const known = vocabularyIndex(others);
    return list.filter((character) => !known.has(character));
  };
  const show = (title: string, list: string[]) => (list.length === 0 ? [] : [`${title} ${showText(list.slice(0, 10).join(' '))}`]);
  return [...show('new characters', without(found, stored)), ...show('missing characters', without(stored, found))];
}

/** The network has no embedding for other characters. */
function checkKnown(path: string, vocabulary: readonly string[], found: readonly string[]): void {
  const known = vocabularyIndex(vocabulary);
  const unknown = found.filter((character) => !known.has(character));
  if (unknown.length === 0) return;
  throw new FileContentError(
    `${showPath(path)} has characters that the network does not know: ${showText(unknown.slice(0, 10).join(' '))}; it knows ${vocabulary.join('')}`,
  );
}

function describeTidied({ byteOrderMark, carriageReturns, surroundingBlanks, blankLines }: NamesFile['tidied']): string {
  const notes = [
    byteOrderMark > 0 ? 'a byte order mark' : '',
    carriageReturns > 0 ? formatCountOf(carriageReturns, 'CRLF line ending') : '',
    surroundingBlanks > 0 ? `blanks around ${formatCountOf(surroundingBlanks, 'name')}` : '',
    blankLines > 0 ? formatCountOf(blankLines, 'blank line') : '',
  ].filter((text) => text !== '');
  return notes.length > 0 ? `dropped ${notes.join(', ')}` : '';
}

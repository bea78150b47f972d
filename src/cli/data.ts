import { join, resolve } from 'node:path';
import { FileContentError, SystemError, UsageError } from '../core/errors.js';
import { showPath, showText } from '../core/text.js';
import { createDataset, createVocabulary, type Dataset, type DatasetOptions, SPLITS, vocabularyIndex } from '../data/dataset.js';
import { readMetrics } from '../node/metricsFile.js';
import { type NamesFile, readNamesFile } from '../node/namesFile.js';
import { BUNDLED_NAMES } from '../node/paths.js';
import { METRICS_FILE, readRunFile } from '../node/runDirectory.js';
import type { Checkpoint } from '../run/checkpoint.js';
import type { MetricsRecord } from '../run/records.js';
import { formatCount } from './terminal/format.js';
import { type IO, shortPath } from './terminal/io.js';

export interface LoadedData {
  /** Absolute. */
  path: string;
  sha256: string;
  /** Lines with a name, repeats included. */
  names: number;
  dataset: Dataset;
}

/** Reads and splits a data set; what had to be tidied is noted on stderr. */
export function loadData(file: string | undefined, options: DatasetOptions, io: IO): LoadedData {
  return splitData(readData(file, io), options);
}

/** A data set that is read, and not split yet. */
interface ReadData {
  path: string;
  /** As the user named it. */
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
      `${shownAs} has ${count} ${options.unique ? 'different ' : ''}names, too few to split 80/10/10: ` +
        `the ${empty} part is empty; give --data a file with at least 6`,
    );
  }
  return { path, sha256, names: names.length, dataset };
}

/**
 * The data set of a run: the one that its run.json names, or the file given.
 * @param path of the checkpoint
 * @param file what --data names
 * @param another whether that file may hold other names than the run was begun with; its own may never
 * @throws FileContentError that lists what differs
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
    throw new UsageError(`no run.json beside ${showPath(path)} says what data it was trained on; name it with --data`);
  const data = readRunData(found, file !== undefined, io);
  const differences = [
    ...(data.sha256 === dataSha256 ? [] : [`SHA-256 ${data.sha256}, expected ${dataSha256}`]),
    ...vocabularyDifferences(vocabulary, createVocabulary(data.names)),
  ];
  if (differences.length > 0 && (file === undefined || another === 'must be the same')) {
    throw new FileContentError(
      `${showPath(found)} is not what the run was trained on: ${differences.join('; ')}; bring it back, or name the right file with --data`,
    );
  }
  checkKnown(found, vocabulary, createVocabulary(data.names));
  if (data.sha256 !== dataSha256) io.stderr.write('note: this is not the data set that the run was trained on\n');
  return splitData(data, config);
}

/** A run's records; lines that are none are noted on stderr. */
export function readRunMetrics(directory: string, io: IO): MetricsRecord[] {
  const path = join(directory, METRICS_FILE);
  const { records, skipped } = readMetrics(path);
  if (skipped.length > 0) io.stderr.write(`note: ${shortPath(path, io)}: line ${skipped.join(', ')} is no whole record; skipped\n`);
  return records;
}

/** A file that cannot be read, and that nobody named on the command line, may have been moved. */
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
  const strange = found.filter((character) => !known.has(character));
  if (strange.length === 0) return;
  throw new FileContentError(
    `${showPath(path)} has characters that the network does not know: ${showText(strange.slice(0, 10).join(' '))}; it knows ${vocabulary.join('')}`,
  );
}

function describeTidied({ byteOrderMark, carriageReturns, surroundingBlanks, blankLines }: NamesFile['tidied']): string {
  const notes = [
    byteOrderMark > 0 ? 'a byte order mark' : '',
    carriageReturns > 0 ? `${formatCount(carriageReturns)} CRLF line ends` : '',
    surroundingBlanks > 0 ? `blanks around ${formatCount(surroundingBlanks)} names` : '',
    blankLines > 0 ? `${formatCount(blankLines)} blank lines` : '',
  ].filter((text) => text !== '');
  return notes.length > 0 ? `dropped ${notes.join(', ')}` : '';
}

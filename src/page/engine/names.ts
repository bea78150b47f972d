/** The data sets that the engine knows: the bundled names, and the list of the reader. */
import bundledText from 'bundled:names';
import { FileContentError } from '../../core/errors.js';
import { countOf } from '../../core/text.js';
import { countExamples, createDataset, type Dataset, type DatasetOptions, DEFAULT_SPLIT, SPLITS } from '../../data/dataset.js';
import type { NameList } from '../../data/nameList.js';
import { describeTable, describeTidied } from '../../data/namesNotes.js';
import { findOddities, severalPerLine } from '../../data/oddities.js';
import { type NamesOptions, parseNames } from '../../data/parseNames.js';

/** A list of names: null for the bundled ones, a number for a list that was read. */
export type NamesId = number | null;

/** What a list consists of, for its reader. */
export interface NamesSummary {
  id: number;
  /** Names, with repeats. */
  count: number;
  /** Examples of the training split. */
  examples: number;
  vocabulary: readonly string[];
  first: readonly string[];
  /** What was tidied, which column was read, and what is odd. */
  notes: readonly string[];
}

/** Names that a summary shows. */
const FIRST = 12;

let bundled: Dataset | undefined;
/** The latest list of the reader. */
let own: { id: number; dataset: Dataset; file: NamesFile } | undefined;

/** A list as a file, for a training: its bytes, and how they are read. */
export interface NamesFile {
  bytes: Uint8Array;
  /** What errors call it. */
  shownAs: string;
  options: NamesOptions;
}

/** The names that come with the program. */
export function bundledNames(): NameList {
  const { bytes, shownAs } = bundledFile();
  return parseNames(bytes, shownAs).names;
}

function bundledFile(): NamesFile {
  return { bytes: new TextEncoder().encode(bundledText), shownAs: 'names.txt', options: {} };
}

/** The data set of a list. Only the latest list is kept. */
export function datasetOf(id: NamesId): Dataset {
  if (id !== null) return ownList(id).dataset;
  bundled ??= createDataset(bundledNames(), DEFAULT_SPLIT);
  return bundled;
}

/** The file of a list. */
export function namesFileOf(id: NamesId): NamesFile {
  return id === null ? bundledFile() : ownList(id).file;
}

function ownList(id: number): NonNullable<typeof own> {
  if (own?.id !== id) throw new RangeError(`the engine does not have list ${id} of names`);
  return own;
}

export const namesMethods = {
  /**
   * Reads a list, as `--data` does, and keeps it.
   * @throws FileContentError with line and byte if a line is not a name, or if there are too few; UsageError if there is no such column
   */
  readNames(bytes: Uint8Array, id: number, options: NamesOptions): NamesSummary {
    const file = { bytes, shownAs: 'your list', options };
    const { names, tidied, table } = parseNames(bytes, file.shownAs, options, 'column');
    const dataset = createSplit(names, DEFAULT_SPLIT);
    own = { id, dataset, file };
    return {
      id,
      count: names.length,
      examples: countExamples(dataset.parts.train),
      vocabulary: dataset.vocabulary,
      first: names.slice(0, FIRST),
      notes: [
        ...(table ? [describeTable(table, names.at(0) as string)] : []),
        describeTidied(tidied),
        ...findOddities(names, table).map(({ text }) => text),
      ].filter((note) => note !== ''),
    };
  },
};

/** @throws FileContentError if there are too few names for three splits */
export function createSplit(names: NameList, options: DatasetOptions): Dataset {
  const dataset = createDataset(names, options);
  if (SPLITS.some((split) => dataset.parts[split].length === 0)) throw tooFew(names, options.unique);
  return dataset;
}

function tooFew(names: NameList, unique: boolean): FileContentError {
  const several = severalPerLine(names);
  if (several) return new FileContentError(several.text);
  const count = unique ? new Set(names).size : names.length;
  const found = countOf(count, unique ? 'different name' : 'name');
  return new FileContentError(`${found} ${count === 1 ? 'is' : 'are'} too few to split 80/10/10`, {
    hint: 'give at least 6, one per line',
  });
}

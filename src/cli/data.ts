import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDataset, type Dataset, type DatasetOptions, SPLITS } from '../dataset.js';
import { showPath, UsageError } from '../errors.js';
import { type NamesFile, readNamesFile } from '../namesFile.js';
import { formatCount } from './format.js';
import type { IO } from './io.js';

export interface LoadedData {
  /** Absolute. */
  path: string;
  sha256: string;
  /** Lines with a name, repeats included. */
  names: number;
  dataset: Dataset;
}

/** The data set that comes with the program. */
function bundledNames(): string {
  return fileURLToPath(new URL('../../data/names.txt', import.meta.url));
}

/** Reads and splits a data set; what had to be tidied is noted on stderr. */
export function loadData(file: string | undefined, options: DatasetOptions, io: IO): LoadedData {
  const path = file === undefined ? bundledNames() : resolve(io.cwd, file);
  const { names, sha256, tidied } = readNamesFile(path);
  const note = describeTidied(tidied);
  if (note) io.stderr.write(`note: ${showPath(file ?? path)}: ${note}\n`);
  const dataset = createDataset(names, options);
  const empty = SPLITS.find((split) => dataset.parts[split].length === 0);
  if (empty) {
    const count = SPLITS.reduce((sum, split) => sum + dataset.parts[split].length, 0);
    throw new UsageError(
      `${showPath(file ?? path)} has ${count} ${options.unique ? 'different ' : ''}names, too few to split 80/10/10: ` +
        `the ${empty} part is empty; give --data a file with at least 6`,
    );
  }
  return { path, sha256, names: names.length, dataset };
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

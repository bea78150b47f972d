import { join, resolve } from 'node:path';
import { FileContentError, UsageError } from '../../core/errors.js';
import { SPLITS } from '../../data/dataset.js';
import type { NameList } from '../../data/nameList.js';
import { parseNames } from '../../data/parseNames.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { makeDirectory } from '../../node/makeDirectory.js';
import { checkOutput, writeOutput } from '../../node/outputFile.js';
import { findCheckpoint, refuseNoDirectory } from '../../node/runDirectory.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import { loadRunData } from '../data.js';
import { formatCountOf } from '../terminal/format.js';
import { shortPath } from '../terminal/io.js';
import { type ExportContext, inputsOf } from './exportOptions.js';

/** Writes the names of each part of a run's data, one per line, in the order of the part, with repeats. */
export function exportSplit({ io, json, options, printJson }: ExportContext, folder: string, run?: string): number {
  if (folder === '') throw new UsageError('--split needs the name of a directory', { hint: '--split . is this one' });
  const path = findCheckpoint(io.cwd, run);
  const checkpoint = loadCheckpoint(path);
  const directory = resolve(io.cwd, folder);
  withSystemErrors('write in', directory, () => refuseNoDirectory(directory));
  const files = SPLITS.map((split) => ({ split, file: join(directory, `${split}.txt`) }));
  const inputs = inputsOf(path, options.data, io);
  const { dataset } = loadRunData(path, checkpoint, options.data, 'must be the same', io);
  withSystemErrors('write in', directory, () => makeDirectory(directory));
  for (const { file } of files) checkOutput(file, { option: `--split ${folder}:`, force: options.force ?? false, inputs });
  for (const { split, file } of files) {
    const names = dataset.parts[split];
    const bytes = names.toUtf8();
    writeOutput(file, bytes);
    if (!readsBack(names, bytes, `${split}.txt`)) {
      io.stderr.write(`note: ${shortPath(file, io)} is one name per line, but this program would read it as another kind of list\n`);
    }
  }
  const { splitSeed, unique } = checkpoint.config;
  const written = files.map(({ split, file }) => ({ split, file, names: dataset.parts[split].length }));
  if (json) printJson({ checkpoint: path, splitSeed, unique, files: written });
  else for (const { file, names } of written) io.stdout.write(`${shortPath(file, io)}: ${formatCountOf(names, 'name')}\n`);
  return 0;
}

/** Whether the list, read as a data set, gives the same names. A column of a table may hold anything. */
function readsBack(names: NameList, bytes: Uint8Array, file: string): boolean {
  try {
    const text = parseNames(bytes, file).names.textIn(names.vocabulary);
    return text.length === names.text.length && text.every((index, i) => index === names.text[i]);
  } catch (error) {
    if (error instanceof FileContentError) return false;
    throw error;
  }
}

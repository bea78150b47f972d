/** The files of layers that a command line names. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FileContentError, SystemError } from '../../core/errors.js';
import { RECOGNISABLE_BYTES, recognise } from '../../core/recognise.js';
import { shellWord, showPath } from '../../core/text.js';
import { PARTS } from '../../gradCheck/options.js';
import { startOfFile } from '../../node/readFile.js';
import { withSystemErrors } from '../../node/systemErrors.js';

const SOURCE = /\.[cm]?[jt]sx?$/i;

/**
 * The path of a file of layers.
 * @param file as typed
 * @throws SystemError if it does not exist, is no file, or cannot be read; FileContentError if it is no source code
 */
export function layerFile(file: string, cwd: string): string {
  const path = resolve(cwd, file);
  const shown = showPath(file);
  const status = withSystemErrors('read', file, () => statSync(path, { throwIfNoEntry: false }));
  if (!status) {
    const isPart = PARTS.some((part) => part === file);
    const meant = isPart ? { hint: "for that part of the program's own gradients", command: `grad-check --part ${file}` } : {};
    throw new SystemError(`there is no file ${shown}`, meant);
  }
  if (status.isDirectory()) throw new SystemError(`${shown} is a directory`, { hint: 'name the files in it that export layers' });
  const other = recognise(startOfFile(path, RECOGNISABLE_BYTES, file));
  if (other?.group === 'safetensors') {
    const command = `grad-check --against ${shellWord(file, 'file')}`;
    throw new FileContentError(`${shown}: this is ${other.kind}; expected TypeScript or JavaScript`, {
      hint: 'to check gradients in it',
      command,
    });
  }
  if (other?.group === 'binary' || other?.kind.startsWith('text in')) {
    throw new FileContentError(`${shown}: this is ${other.kind}; expected TypeScript or JavaScript`);
  }
  if (!SOURCE.test(file)) {
    throw new FileContentError(`${shown}: expected TypeScript or JavaScript`, {
      hint: 'its name must end with .ts, .js, .mts, .mjs, .cts or .cjs',
    });
  }
  return path;
}

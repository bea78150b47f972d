/** Finds a learner's folder and the files in it. */

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { FileContentError, SystemError } from '../../core/errors.js';
import { RECOGNISABLE_BYTES, recognise } from '../../core/recognise.js';
import { EXERCISE_NUMBERS, type ExerciseNumber, exerciseFile } from '../../dojo/exercises.js';
import { makeDirectory } from '../../node/makeDirectory.js';
import { LEARNER_TYPES } from '../../node/paths.js';
import { startOfFile } from '../../node/readFile.js';
import { refuseNoDirectory } from '../../node/runDirectory.js';
import { createsNew, withSystemErrors } from '../../node/systemErrors.js';
import { commandName, type IO, shellPath, shortPath } from '../terminal/io.js';

const DEFAULT_DIRECTORY = 'dojo';

/** The option that a command needs for this folder; undefined if the command finds the folder by itself. */
export function dirOption(folder: string, io: IO): string | undefined {
  const isFound = folder === resolve(io.cwd, DEFAULT_DIRECTORY) || (folder === io.cwd && !existsSync(join(folder, DEFAULT_DIRECTORY)));
  return isFound ? undefined : `--dir ${shellPath(folder, io)}`;
}

/** An exercise command to type for this folder. */
export function exerciseCommand(folder: string, io: IO, ...words: readonly (string | number)[]): string {
  const option = dirOption(folder, io);
  return [commandName(io), 'exercise', ...words, ...(option === undefined ? [] : [option])].join(' ');
}

/** The given folder. Without one, dojo/, or the current directory if that holds the exercises and there is no dojo/. */
export function folderOf(dir: string | undefined, { cwd }: IO): string {
  if (dir !== undefined) return resolve(cwd, dir);
  const folder = resolve(cwd, DEFAULT_DIRECTORY);
  const isHere = !existsSync(folder) && EXERCISE_NUMBERS.some((number) => existsSync(join(cwd, exerciseFile(number))));
  return isHere ? cwd : folder;
}

/** The path of each exercise. All of them must exist before the first is checked. */
export function learnerFiles(numbers: readonly ExerciseNumber[], dir: string | undefined, io: IO): [ExerciseNumber, string][] {
  return numbers.map((number) => [number, learnerFile(number, dir, io)]);
}

/** @throws SystemError if the file does not exist, is not a file, or cannot be read; FileContentError if it is no source code */
export function learnerFile(number: ExerciseNumber, dir: string | undefined, io: IO): string {
  const path = join(folderOf(dir, io), exerciseFile(number));
  const shown = shortPath(path, io);
  const status = withSystemErrors('read', shown, () => statSync(path, { throwIfNoEntry: false }));
  if (!status) {
    throw new SystemError(`there is no ${shown}`, {
      hint: 'name the folder with --dir, or create it',
      command: startCommand(dirname(path), io),
    });
  }
  const anew = { hint: 'move it away, and create it anew', command: startCommand(dirname(path), io) };
  if (!status.isFile()) {
    throw new SystemError(`${shown} is not a file`, anew);
  }
  const other = recognise(startOfFile(path, RECOGNISABLE_BYTES, shown));
  if (other && other.group !== 'source') {
    const wayOut =
      other.hint === undefined
        ? anew
        : { hint: other.hint, ...(other.shell !== undefined && { shell: other.shell.replaceAll('FILE', shellPath(path, io)) }) };
    throw new FileContentError(`${shown}: this is ${other.kind}; expected TypeScript`, wayOut);
  }
  return path;
}

/** The command that creates this folder, or the missing files in it. */
function startCommand(folder: string, io: IO): string {
  const isDefault = folder === resolve(io.cwd, DEFAULT_DIRECTORY);
  return `exercise start${isDefault ? '' : ` ${folder === io.cwd ? '.' : shellPath(folder, io)}`}`;
}

/** Writes a file unless it exists. Returns whether it is new. */
export function writeNew(path: string, text: string): boolean {
  const folder = dirname(path);
  return withSystemErrors('write', path, () => {
    refuseNoDirectory(folder);
    makeDirectory(folder);
    return createsNew(() => writeFileSync(path, text, { flag: 'wx' }));
  });
}

/** Writes the files that do not exist. Existing files stay unchanged. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): { written: string[]; kept: string[] } {
  const written: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of Object.entries(files)) (writeNew(join(folder, name), text) ? written : kept).push(name);
  return { written, kept };
}

export function keptNote(kept: readonly string[]): string {
  return `note: kept ${kept.join(', ')}, which existed already`;
}

/** A name for the old version of a file: exercise1.old1.txt, or the next free number. */
export function freeName(path: string): string {
  for (let number = 1; ; number++) {
    const name = `${path.slice(0, -'.ts'.length)}.old${number}.txt`;
    if (!existsSync(name)) return name;
  }
}

/** A tsconfig.json that lets an editor find the types, wherever this program is installed. */
export function tsconfigText(folder: string): string {
  const path = relative(folder, LEARNER_TYPES);
  const types = path.startsWith('.') ? path : `./${path}`;
  return `${JSON.stringify(
    {
      compilerOptions: {
        target: 'es2023',
        module: 'esnext',
        moduleResolution: 'bundler',
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        types: [],
        paths: { 'backprop-ninja': [types], 'backprop-ninja/dojo': [types] },
      },
      include: ['*.ts'],
    },
    null,
    2,
  )}\n`;
}

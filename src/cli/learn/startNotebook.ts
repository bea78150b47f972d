import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { notebookOf } from '../../dojo/notebook.js';
import { BUNDLED_NAMES, NINJA_PY, NOTEBOOK_PY } from '../../node/paths.js';
import { readIfThere, SETTINGS_LIMIT } from '../../node/readFile.js';
import { withSystemErrors } from '../../node/systemErrors.js';
import type { CommandContext } from '../command.js';
import { listCommands, say, widthOf } from '../terminal/format.js';
import { type IO, shellPath, shortPath } from '../terminal/io.js';
import { keptNote, writeFiles } from './learnerFolder.js';

const NINJA = 'ninja.py';
const NOTEBOOK = 'backprop_ninja.ipynb';
const SCRIPT = 'backprop_ninja.py';

const read = (path: string): string => withSystemErrors('read', path, () => readFileSync(path, 'utf8'));

/** Writes the exercises for PyTorch into a folder: a notebook, the same as a script, and what they need. Existing files stay unchanged. */
export function startNotebook(directory: string, { io, json, printJson }: Pick<CommandContext, 'io' | 'json' | 'printJson'>): void {
  const folder = resolve(io.cwd, directory);
  const script = read(NOTEBOOK_PY);
  const ninja = read(NINJA_PY);
  const files = { [NINJA]: ninja, [NOTEBOOK]: notebookOf(script), [SCRIPT]: script, 'names.txt': read(BUNDLED_NAMES) };
  const { written, kept } = writeFiles(folder, files);
  if (json) {
    printJson({ folder, written, kept });
    return;
  }
  if (kept.length > 0) say(io.stderr, keptNote(kept));
  if (kept.includes(NINJA) && readIfThere(join(folder, NINJA), SETTINGS_LIMIT)?.toString('utf8') !== ninja)
    say(io.stderr, otherNinja(folder, io));
  const here = folder === io.cwd ? '' : `cd ${shellPath(folder, io)} && `;
  say(
    io.stdout,
    `${shortPath(folder, io)} is ready. The exercises need PyTorch. Open the notebook, or edit the script, which is the same, and run it:`,
  );
  const commands = [
    [`${here}jupyter notebook ${NOTEBOOK}`, 'or open it in your editor'],
    [`${here}python3 ${SCRIPT}`, 'without a notebook'],
  ] as const;
  io.stdout.write(`\n${listCommands(commands, widthOf(io.stdout)).join('\n')}\n`);
}

function otherNinja(folder: string, io: IO): string {
  return `note: ${shortPath(join(folder, NINJA), io)} is not the one of this version; to get it, move yours away and run the same command again`;
}

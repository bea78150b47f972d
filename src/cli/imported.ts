import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { UsageError } from '../core/errors.js';
import { shellWord } from '../core/text.js';
import { BUNDLED_NAMES } from '../node/paths.js';
import { CHECKPOINT_FILE, readRunFile } from '../node/runDirectory.js';
import type { Checkpoint } from '../run/checkpoint.js';
import { type IO, shellPath, shortPath } from './terminal/io.js';

/**
 * Refuses a run that was imported, where a training is needed.
 * @param path the checkpoint's path
 * @throws UsageError with the command that trains from its weights
 */
export function refuseImported(path: string, { config }: Checkpoint, what: 'resume' | 'replay' | 'trace', io: IO): void {
  if (!config.imported) return;
  const data = readRunFile(path)?.data.path;
  const named = data === undefined || data === BUNDLED_NAMES ? '' : ` --data ${shellWord(data, 'file')}`;
  const run = basename(path) === CHECKPOINT_FILE ? realpathSync(dirname(path)) : path;
  throw new UsageError(`${shortPath(run, io)} was imported: there is no training to ${what}`, {
    hint: 'train from its weights',
    command: `train --init ${shellPath(run, io)}${named}`,
  });
}

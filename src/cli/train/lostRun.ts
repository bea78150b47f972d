/** What others do to the files of a run while it trains. */
import { fullMessage, SystemError } from '../../core/errors.js';
import type { LostDirectoryError } from '../../node/lock.js';
import { createSibling } from '../../node/runDirectory.js';
import type { Session } from '../../node/session.js';
import { formatCount } from '../terminal/format.js';
import { type IO, shellPath, shortPath } from '../terminal/io.js';
import type { Progress } from '../terminal/progress.js';

/** Shows what was noticed about the run's files. */
export function showNotices({ files }: Session, io: IO, progress?: Progress): void {
  for (const notice of files.notices.splice(0)) {
    progress?.clear();
    io.stderr.write(`note: ${notice}\n`);
  }
}

/** Saves a run whose directory was lost in another one. @returns the error that says so */
export function saveElsewhere(lost: LostDirectoryError, session: Session, directory: string, io: IO): SystemError {
  const saved = lost.movedTo ?? createSibling(directory);
  try {
    session.saveElsewhere(saved);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return new SystemError(`${lost.message}; the run cannot be saved in ${shortPath(saved, io)}: ${fullMessage(error)}`, { cause: error });
  }
  const place = lost.movedTo === undefined ? `in ${shortPath(saved, io)}` : 'there';
  return new SystemError(`${lost.message}; the run is saved ${place} after step ${formatCount(session.step)}`, {
    hint: 'resume with',
    command: `train --resume ${shellPath(saved, io)}`,
    cause: lost,
  });
}

import { statfsSync } from 'node:fs';
import { SystemError } from '../core/errors.js';
import { showPath } from '../core/text.js';
import { withSystemErrors } from './systemErrors.js';

/** @throws SystemError unless the disk that holds the directory has room for that many bytes */
export function checkDiskSpace(directory: string, bytes: number): void {
  const { bavail, bsize } = withSystemErrors('look at', directory, () => statfsSync(directory));
  const free = bavail * bsize;
  const megabytes = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  if (free < bytes) {
    throw new SystemError(
      `not enough disk space in ${showPath(directory)}: the run needs ${megabytes(bytes)}, ${megabytes(free)} are free`,
      {
        hint: 'name a directory on another disk with --out',
      },
    );
  }
}

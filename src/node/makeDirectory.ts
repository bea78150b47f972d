import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createsNew } from './systemErrors.js';

/**
 * Creates a directory, and those above it that are missing. With mkdir's own option for that, Node says "no such file or directory" where a
 * read-only file system is the reason.
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) {
    // Refused if it is no directory.
    mkdirSync(path, { recursive: true });
    return;
  }
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  createsNew(() => mkdirSync(path));
}

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new empty directory. The caller removes it. */
export function makeDirectory(): string {
  return mkdtempSync(join(realpathSync(tmpdir()), 'backprop-ninja-'));
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** A new empty directory, removed at the end of the running test. */
export function tempDirectory(): string {
  const path = makeDirectory();
  onTestFinished(() => removeDirectory(path));
  return path;
}

/** Writes a file and creates its parent directories. Returns its path. */
export function put(directory: string, name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** All files below a directory with their bytes (latin1), and all else, such as directories and sockets, with an empty text. */
export function snapshot(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(directory, name);
      return [name, statSync(path).isFile() ? readFileSync(path, 'latin1') : ''];
    }),
  );
}

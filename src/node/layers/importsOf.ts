/** The files that a file imports by a relative path, and those that they import, as far as the text of the files shows. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]+)\1/g;
const ENDINGS = ['', '.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '.tsx', '.jsx', '.json', '/index.ts', '/index.js'];
/** Files that are followed: watching more would cost more than it gives. */
const MAX_FILES = 100;
/** Bytes of a file that is searched for imports. */
const MAX_READ = 1_000_000;

/** @param path a file; it is in the result, first */
export function importsOf(path: string): string[] {
  const files = new Set([path]);
  for (const file of files) {
    for (const [, , target] of textOf(file).matchAll(IMPORT)) {
      const found = fileAt(resolve(dirname(file), target));
      if (found !== undefined && files.size < MAX_FILES) files.add(found);
    }
  }
  return [...files];
}

/** TypeScript imports a.ts as './a.js' or './a'. */
function fileAt(path: string): string | undefined {
  const stem = /\.[cm]?jsx?$/.test(path)
    ? [path, path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2')]
    : ENDINGS.map((ending) => `${path}${ending}`);
  return stem.find((one) => isFile(one));
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return statSync(path).size > MAX_READ ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

import { readFileSync } from 'node:fs';

const SRC = new URL('../../src/', import.meta.url);

/** The modules that a source file imports at run time, itself included, as paths in src/; packages by name. */
export function graphOf(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const code = readFileSync(new URL(path, SRC), 'utf8');
  for (const [, clause, from] of code.matchAll(/^(?:import|export) (?:([^;]*?) ?from )?'([^']+)';$/gms)) {
    if (clause?.startsWith('type ')) continue;
    if (from.startsWith('.')) graphOf(new URL(from.replace(/\.js$/, '.ts'), new URL(path, SRC)).href.slice(SRC.href.length), seen);
    else seen.add(from);
  }
  return seen;
}

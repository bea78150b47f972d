import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { BUNDLED_NAMES } from '../../src/node/paths.js';

/** Numbers from 0 to below a limit, the same in each run. */
function numbers(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const LINES_PER_WRITE = 100_000;

function writeLines(path: string, count: number, lineOf: () => string): void {
  const file = openSync(path, 'w');
  for (let left = count; left > 0; left -= LINES_PER_WRITE) {
    const lines = Array.from({ length: Math.min(left, LINES_PER_WRITE) }, lineOf);
    writeSync(file, `${lines.join('\n')}\n`);
  }
  closeSync(file);
}

/** Writes a file of names, each the first half of a bundled name and the second half of another. */
export function writeManyNames(path: string, count: number): void {
  const names = readFileSync(BUNDLED_NAMES, 'latin1').trim().split('\n');
  const draw = numbers();
  const firsts = names.map((name) => name.slice(0, (name.length + 1) >> 1));
  const seconds = names.map((name) => name.slice(name.length >> 1));
  writeLines(path, count, () => firsts[draw(names.length)] + seconds[draw(names.length)]);
}

/** Writes a file of names of 6 characters out of a vocabulary of V, the boundary included. All characters occur if there are names enough. */
export function writeNamesOf(path: string, V: number, count: number): void {
  const draw = numbers();
  const first = V > 27 ? 0x4e00 : 0x61;
  let next = 0;
  const character = () => first + (next < V - 1 ? next++ : draw(V - 1));
  writeLines(path, count, () => String.fromCodePoint(...Array.from({ length: 6 }, character)));
}

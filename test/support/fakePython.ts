import { chmodSync } from 'node:fs';
import { put } from './tempDirectory.js';

/**
 * An executable that passes for Python, for tests of what the program does with one. It runs the body of a .py file as JavaScript, with
 * `directory` (of the cases), `gradient`, `fs` and `say(name, content)`, which writes a file into the directory.
 * @returns its path
 */
export function fakePython(directory: string, name = 'bin/python3'): string {
  return executable(
    directory,
    name,
    `#!${process.execPath}
const fs = require('node:fs');
if (process.argv[2] === '-c') process.stdout.write('python 3 12');
else {
  const [, , , directory, file, gradient] = process.argv;
  const say = (name, content) => fs.writeFileSync(directory + '/' + name, typeof content === 'string' ? content : JSON.stringify(content));
  new Function('fs', 'directory', 'gradient', 'say', fs.readFileSync(file, 'utf8'))(fs, directory, gradient, say);
}
`,
  );
}

/** An executable file. Returns its path. */
export function executable(directory: string, name: string, content: string): string {
  const path = put(directory, name, content);
  chmodSync(path, 0o755);
  return path;
}

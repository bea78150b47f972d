import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MAIN } from '../support/child.js';
import { runPython } from '../support/python.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(ROOT, 'docs/notebook.md');

interface Block {
  kind: 'python' | 'shell' | 'restart';
  code: string;
  /** What the page shows below it. */
  shown: string | null;
  line: number;
}

/** Python, commands and what they print, in the order of the page. A comment `<!-- a new notebook -->` forgets all variables. */
function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const pattern = /^```(\w*)\n([\s\S]*?)^```$|^((?: {4}\S.*\n)+)|^<!-- a new notebook -->$|^(?=\S)/gm;
  let last: Block | null = null;
  for (const { 0: all, 1: language, 2: fenced, 3: indented, index } of page.matchAll(pattern)) {
    const line = page.slice(0, index).split('\n').length;
    if (language === '' && last !== null) last.shown = fenced;
    if (language === 'python') blocks.push({ kind: 'python', code: fenced, shown: null, line });
    for (const command of indented?.trimEnd().split('\n') ?? []) {
      const code = command.trim().replace(/ {2,}.*/, '');
      // Installed it is; the test brings its own npx.
      if (!code.startsWith('npm ')) blocks.push({ kind: 'shell', code, shown: null, line });
    }
    if (all.startsWith('<!--')) blocks.push({ kind: 'restart', code: '', shown: null, line });
    last = language === 'python' || indented !== undefined ? (blocks.at(-1) ?? null) : null;
  }
  return blocks;
}

/** Whether a text is what the page shows, where … means anything, and rounding errors and ULPs differ from machine to machine. */
function fits(printed: string, shown: string): boolean {
  const steady = (text: string) =>
    text
      .trimEnd()
      .replace(/\d\.\de-(?:0?[6-9]|\d\d)|(?<= )[\d,]+$/gm, '~')
      .replace(/ +/g, ' ')
      .replace(/ $/gm, '');
  const parts = steady(shown)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*?')}$`).test(steady(printed));
}

/** A directory where `npx backprop-ninja` is this checkout's program, with a list of names. */
function workplace(): { directory: string; path: string } {
  const directory = tempDirectory();
  mkdirSync(join(directory, 'bin'));
  const npx = put(directory, 'bin/npx', `#!/bin/sh\n[ "$1" = --no-install ] && shift\nshift\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(npx, 0o755);
  copyFileSync(join(ROOT, 'data/names.txt'), join(directory, 'names.txt'));
  return { directory, path: [join(directory, 'bin'), process.env.PATH].join(delimiter) };
}

it('docs/notebook.md runs from top to bottom, and shows what is printed', async () => {
  const blocks = blocksOf(readFileSync(PAGE, 'utf8'));
  expect(blocks.length).toBeGreaterThan(25);
  const { directory, path } = workplace();
  put(directory, 'blocks.json', JSON.stringify(blocks));
  const script = `import sys\nsys.stdin = open('blocks.json')\n${readFileSync(join(import.meta.dirname, 'runBlocks.py'), 'utf8')}`;
  const { stdout, stderr, exitCode } = await runPython(directory, script, {
    env: { PATH: path, BACKPROP_NINJA: undefined, PYTHONPATH: undefined },
  });
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  const printed: string[] = JSON.parse(stdout);
  const wrong = blocks.flatMap(({ code, shown, line }, i) => {
    if (shown === null ? !/Traceback|^error:/m.test(printed[i]) : fits(printed[i], shown)) return [];
    return [`line ${line}: ${code}\nprints\n${printed[i]}\nthe page shows\n${shown}`];
  });
  expect(wrong.join('\n\n')).toBe('');
});

// The documents of the repository: their links, and the files, scripts and commands that they name.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli } from './support/fakeIO.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Folders with documents, besides the repository's own directory. */
const FOLDERS = ['docs', 'data', 'bench', 'test'];
const DOCUMENTS = [
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`)),
]
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.md') && !path.includes('node_modules'));

/** The scripts of the package, and those of a package in a folder that the document changes to: cd bench. */
function scriptsFor(document: string): string[] {
  const folders = [...read(document).matchAll(/\bcd ([\w/-]+)/g)].map(([, folder]) => folder);
  const packages = ['.', ...folders].map((folder) => join(ROOT, folder, 'package.json')).filter((path) => existsSync(path));
  return packages.flatMap((path) => Object.keys(JSON.parse(readFileSync(path, 'utf8')).scripts ?? {}));
}

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/** The text without its code blocks. */
function prose(document: string): string {
  return read(document)
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/^ {4}.*$/gm, '');
}

/** The targets of links and pictures. */
function linksOf(document: string): string[] {
  return [...prose(document).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target);
}

/** The anchors that GitHub gives to a document's headings. */
function anchorsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

describe.each(DOCUMENTS)('%s', (document) => {
  it('has no broken links', () => {
    const broken = linksOf(document).filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path, anchor] = target.split('#');
      const file = path === '' ? join(ROOT, document) : resolve(ROOT, dirname(document), path);
      return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('names files that exist', () => {
    // Paths of folders and files in the repository, such as src/lesson/, test/long/kill.test.ts, docs/cli.md.
    const named = prose(document).match(/(?<![\w./-])(?:src|test|docs|bench|data|scripts)\/[\w./-]*(?:\/|\.\w+)(?![\w/…])/g) ?? [];
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('names scripts that exist', () => {
    const named = [...read(document).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
    const known = scriptsFor(document);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

/** The commands in code blocks, each with its options. */
function commandsIn(document: string): { command: string[]; options: string[] }[] {
  const lines = [...read(document).matchAll(/^(?: {4})?npx backprop-ninja ([a-z].*?)(?: {2,}.*| [|>] .*)?$/gm)].map(([, line]) =>
    line.split(' '),
  );
  return lines.flatMap((words) => {
    const command = words.slice(0, words[0] === 'exercise' ? 2 : 1);
    const dashes = words.indexOf('--');
    const own = dashes === -1 ? words : words.slice(0, dashes);
    // After the dashes follow options of train.
    const shared = dashes === -1 ? [] : words.slice(dashes + 1);
    return [
      { command, options: own.filter((word) => word.startsWith('--')) },
      { command: ['train'], options: shared.filter((word) => word.startsWith('--')) },
    ];
  });
}

describe('commands in documents', () => {
  it('have the options shown', async () => {
    const commands = DOCUMENTS.flatMap(commandsIn);
    expect(commands.length).toBeGreaterThan(20);
    const helps = new Map<string, string>();
    for (const { command, options } of commands) {
      const name = command.join(' ');
      if (!helps.has(name)) helps.set(name, (await runCli(ROOT, [...command, '--help'])).stdout);
      expect(helps.get(name), name).toContain(`backprop-ninja ${name} [`);
      for (const option of options) expect(helps.get(name), name).toContain(`  ${option} `);
    }
  });
});

describe('docs/promises.md', () => {
  it('lists cases that are the titles of tests', () => {
    let cases = 0;
    for (const section of read('docs/promises.md').split('\n## ')) {
      const [, test] = /\]\(\.\.\/(test\/faults\/\w+\.test\.ts)\)/.exec(section) ?? [];
      if (test === undefined) continue;
      for (const [, text] of section.matchAll(/^- (.*(?:\n {2}.*)*)/gm)) {
        expect(read(test)).toContain(text.replace(/\n +/g, ' '));
        cases++;
      }
    }
    expect(cases).toBeGreaterThan(30);
  });
});

describe('README.md', () => {
  it('is short, and has the two commands', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(111);
    expect(read('README.md')).toContain('\n    npm ci && npm start\n');
    expect(read('README.md')).toContain('\n    npm cit\n');
  });

  it('shows pictures that exist', () => {
    const pictures = linksOf('README.md').filter((target) => target.endsWith('.svg'));
    expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures) expect(statSync(join(ROOT, picture)).size).toBeGreaterThan(1_000);
  });
});

/**
 * Bundles src/page/ into one file that loads nothing: dist/page.html. The engine, with the kernels and the names in it, is a string in the
 * page's script, because a worker of a page from file:// can only start from a Blob. Run: npm run page, after the kernels are built.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { mistakeTexts } from './mistakeTexts.js';

const inPackage = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(inPackage(path), 'utf8');

/** Modules that hold a text: `bundled:names` and others of src/page/bundled.d.ts. */
function bundled(texts: Readonly<Record<string, string>>): Plugin {
  const prefix = 'bundled:';
  return {
    name: 'bundled',
    resolveId: (id) => (id.startsWith(prefix) ? id : undefined),
    load: (id) => (id.startsWith(prefix) ? `export default ${JSON.stringify(texts[id.slice(prefix.length)])};` : undefined),
  };
}

/** A module and what it imports as one classic script. A warning, such as that of an unresolved import, is an error. */
async function script(input: string, texts: Readonly<Record<string, string>>): Promise<string> {
  const build = await rolldown({
    input: inPackage(input),
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.ts', '.tsx', '.js'] } },
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    plugins: [bundled(texts)],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  try {
    const { output } = await build.generate({ format: 'iife', minify: true });
    return output[0].code;
  } finally {
    await build.close();
  }
}

/** The styles of the page: one file per subject, in the order of their paths. */
function styles(): string {
  const files = readdirSync(inPackage('src/page'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.css'));
  return files
    .sort()
    .map((file) => read(join('src/page', file)))
    .join('\n');
}

/** The source of a hash in a Content-Security-Policy. */
function cspHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** The text with each of these parts replaced. */
function filled(text: string, parts: Readonly<Record<string, string>>): string {
  let out = text;
  for (const [empty, full] of Object.entries(parts)) {
    if (out.split(empty).length !== 2) throw new Error(`src/page/index.html must have ${empty} once`);
    out = out.replace(empty, () => full);
  }
  return out;
}

/** The page as one file. */
async function page(): Promise<string> {
  const engine = await script('src/page/engine/worker.ts', {
    kernels: readFileSync(inPackage('dist/kernels.wasm')).toString('base64'),
    names: read('data/names.txt'),
  });
  const learner = await script('src/page/learner/worker.ts', {});
  // An HTML parser ends a script at the text </script, wherever it is.
  const main = (await script('src/page/main.tsx', { engine, learner, mistakes: JSON.stringify(mistakeTexts()) }))
    .replaceAll('</script', '<\\/script')
    .replaceAll('<!--', '<\\!--');
  const style = styles();
  const csp = [
    "default-src 'none'",
    `script-src ${cspHash(main)} 'wasm-unsafe-eval'`,
    `style-src ${cspHash(style)}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return filled(read('src/page/index.html'), {
    'content="default-src \'none\'"': `content="${csp}"`,
    '<style></style>': `<style>${style}</style>`,
    '<script></script>': `<script>${main}</script>`,
  });
}

const html = await page();
writeFileSync(inPackage('dist/page.html'), html);

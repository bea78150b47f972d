/**
 * Bundles src/page/ into two files that load nothing: dist/page.html, and dist/report.html, which takes the data of runs. The engine, with the
 * kernels and the names in it, is a string in the page's script, because a worker of a page from file:// can only start from a Blob.
 * Run: npm run page, after the kernels are built.
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

/** The styles in these files and folders of src/page: one file per subject, in the order of their paths. */
function styles(wanted: (file: string) => boolean): string {
  const files = readdirSync(inPackage('src/page'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.css'));
  return files
    .map((file) => file.replaceAll('\\', '/'))
    .filter(wanted)
    .sort()
    .map((file) => read(join('src/page', file)))
    .join('\n');
}

/** The source of a hash in a Content-Security-Policy. */
function cspHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** What fills a template. */
interface Parts {
  style: string;
  code: string;
  /** What its Content-Security-Policy allows more than the style and the code. */
  scripts?: string;
  workers?: string;
}

/** The template with its style, script and Content-Security-Policy. */
function assemble(template: string, { style, code, scripts, workers }: Parts): string {
  // An HTML parser ends a script at the text </script, wherever it is.
  const main = code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const csp = [
    "default-src 'none'",
    `script-src ${cspHash(main)}${scripts ? ` ${scripts}` : ''}`,
    `style-src ${cspHash(style)}`,
    ...(workers ? [`worker-src ${workers}`] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const slots = {
    'content="default-src \'none\'"': `content="${csp}"`,
    '<style></style>': `<style>${style}</style>`,
    '<script></script>': `<script>${main}</script>`,
  };
  return Object.entries(slots).reduce((text, [empty, full]) => {
    if (text.split(empty).length !== 2) throw new Error(`${template} must have ${empty} once`);
    return text.replace(empty, () => full);
  }, read(template));
}

/** The page as one file. */
async function page(): Promise<string> {
  const engine = await script('src/page/engine/worker.ts', {
    kernels: readFileSync(inPackage('dist/kernels.wasm')).toString('base64'),
    names: read('data/names.txt'),
    version: (JSON.parse(read('package.json')) as { version: string }).version,
  });
  const learner = await script('src/page/learner/worker.ts', {});
  return assemble('src/page/index.html', {
    style: styles((file) => !file.startsWith('report/')),
    code: await script('src/page/main.tsx', { engine, learner, mistakes: JSON.stringify(mistakeTexts()) }),
    scripts: "'wasm-unsafe-eval'",
    workers: 'blob:',
  });
}

/** The report as one file, without runs. */
async function report(): Promise<string> {
  return assemble('src/page/report/index.html', {
    style: styles((file) => !file.startsWith('views/')),
    code: await script('src/page/report/main.tsx', {}),
  });
}

writeFileSync(inPackage('dist/page.html'), await page());
writeFileSync(inPackage('dist/report.html'), await report());

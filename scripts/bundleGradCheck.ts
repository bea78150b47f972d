/**
 * Bundles `./gradcheck` for require(): dist/gradcheck.cjs, with its declarations. jest on Node 20 loads CommonJS only.
 * Run: npm run build:gradcheck
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { build } from 'rolldown';

const FILE = 'dist/gradcheck.cjs';

await build({
  input: 'src/gradcheck.ts',
  platform: 'neutral',
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  output: { file: FILE, format: 'cjs', strict: true },
});

// The types are those of the ES module, so that a layer made by one is a layer for the other.
const values = Object.keys(createRequire(import.meta.url)(resolve(FILE)) as object).sort();
const module = "'./gradcheck.js' with { 'resolution-mode': 'import' }";
writeFileSync(
  FILE.replace(/cjs$/, 'd.cts'),
  [
    `import type * as gradcheck from ${module};`,
    `export type * from ${module};`,
    ...values.map((name) => `export declare const ${name}: typeof gradcheck.${name};`),
    '',
  ].join('\n'),
);

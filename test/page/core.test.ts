// The core in a browser: bundled, loaded in a worker of headless Chromium, and trained on the kernels.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { type OutputChunk, rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as core from '../../src/index.js';
import { sha256 } from '../../src/node/sha256.js';
import { launchChromium } from '../support/browser.js';
import { inProject } from '../support/inProject.js';
import { type TrainingResult, trainLesson } from './trainLesson.js';

/** Bundles a module for browsers into one file. A warning, such as that of an unresolved import, is an error. */
async function bundle(input: string): Promise<OutputChunk> {
  const build = await rolldown({
    input: inProject(input),
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.js', '.ts'] } },
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  try {
    const { output } = await build.generate({ format: 'es' });
    expect(output).toHaveLength(1);
    return output[0];
  } finally {
    await build.close();
  }
}

const kernels = readFileSync(inProject('dist/kernels.wasm'));
const names = readFileSync(inProject('data/names.txt'));
let coreBundle: OutputChunk;
let files: Record<string, { type: string; content: string | Uint8Array }>;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  coreBundle = await bundle('dist/index.js');
  const script = (content: string) => ({ type: 'text/javascript', content });
  files = {
    '/': { type: 'text/html', content: '<!doctype html><title>core</title>' },
    '/index.js': script(coreBundle.code),
    '/worker.js': script((await bundle('test/page/worker.ts')).code),
    '/kernels.wasm': { type: 'application/wasm', content: kernels },
    '/names.txt': { type: 'text/plain', content: names },
  };
  server = createServer(({ url = '' }, response) => {
    const file = files[url];
    if (file) response.writeHead(200, { 'content-type': file.type }).end(file.content);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  browser = await launchChromium();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** Runs worker.js in a page and returns the message that it posts. As text, because it is a browser's code. */
const RUN_WORKER = `new Promise((resolve, reject) => {
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message, filename, lineno }) => reject(new Error(message + ' at ' + filename + ':' + lineno));
})`;

describe('the bundled core', () => {
  it('imports nothing and holds no shim of Node', () => {
    expect(coreBundle.imports).toEqual([]);
    expect(coreBundle.dynamicImports).toEqual([]);
    expect(coreBundle.code).not.toMatch(/["'`]node:|__require|browser-external|\bprocess\.|\bBuffer\b|__dirname|import\.meta/);
  });

  it('trains in a worker of Chromium to the same parameters and loss as in Node', async () => {
    const page = await browser.newPage();
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await page.goto(`${origin}/`);
    const found: TrainingResult = await page.evaluate(RUN_WORKER);
    const expected = trainLesson(core, new WebAssembly.Module(kernels), names, sha256);
    expect(Object.keys(expected.hashes)).toEqual(['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2']);
    expect(expected.valLoss).toBeLessThan(2.4);
    expect(found).toEqual(expected);
  });
});

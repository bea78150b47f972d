import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

describe('a file that is no source code is named (3):', () => {
  it.each([
    ['a gzip archive', (text: string) => gzipSync(text), 'this is a gzip archive; expected TypeScript; unpack it with gunzip'],
    ['UTF-16', (text: string) => Buffer.from(text, 'utf16le'), 'iconv -f UTF-16LE -t UTF-8 dojo/exercise1.ts > utf8.txt'],
    ['an error page', () => '404: Not Found', "this is an error message, '404: Not Found'"],
    ['a web page', () => '<!DOCTYPE html>', 'this is a web page (HTML)'],
    [
      'a notebook',
      () => '{"cells": []}',
      'this is a JSON file; expected TypeScript; move it away, and create it anew: backprop-ninja exercise start',
    ],
  ])('%s', async (_, change, says) => {
    const cwd = tempDirectory();
    await runCli(cwd, ['exercise', 'start']);
    put(cwd, 'dojo/exercise1.ts', change(readFileSync(join(cwd, 'dojo/exercise1.ts'), 'utf8')));
    expectRefusal(await runCli(cwd, ['exercise', 'check', '1']), 3, 'dojo/exercise1.ts: ', says);
  });

  it('but every file that `exercise start` writes is taken', async () => {
    const cwd = tempDirectory();
    await runCli(cwd, ['exercise', 'start']);
    for (const number of ['1', '2', '3', '4']) {
      expect((await runCli(cwd, ['exercise', 'solution', number, '--force'])).exitCode).toBe(0);
      expect((await runCli(cwd, ['exercise', 'reset', number])).exitCode).toBe(0);
    }
  });
});

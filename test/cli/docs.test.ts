import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cliDocs } from '../../scripts/cliDocs.js';

describe('docs/cli.md', () => {
  it('is up to date: after a change of commands or options, run npm run docs', async () => {
    expect(readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')).toBe(await cliDocs());
  });
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readNamesFile } from '../../src/node/namesFile.js';

const path = fileURLToPath(new URL('../../data/names.txt', import.meta.url));
const bytes = readFileSync(path);
const readme = readFileSync(new URL('../../data/README.md', import.meta.url), 'utf8');

describe('data/names.txt', () => {
  const { names, sha256, tidied } = readNamesFile(path);

  it('has the SHA-256 given in data/README.md', () => {
    const [, stated] = /^- SHA-256: `([0-9a-f]{64})`$/m.exec(readme) ?? [];
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(stated);
    expect(sha256).toBe(stated);
  });

  it('has 32,178 lines, each with a newline at its end', () => {
    expect(bytes.toString('latin1').split('\n')).toHaveLength(32_178 + 1);
    expect(bytes.at(-1)).toBe(0x0a);
    expect(names).toHaveLength(32_178);
    expect(readme).toContain('- Lines: 32,178 ');
  });

  it('needs no tidying', () => {
    expect(Object.values(tidied).filter((count) => count > 0)).toEqual([]);
  });

  it('has names of 2 to 15 letters a to z, and so 27 characters including the boundary', () => {
    expect([...names].filter((name) => !/^[a-z]{2,15}$/.test(name))).toEqual([]);
    expect(names.vocabulary.join('')).toBe('.abcdefghijklmnopqrstuvwxyz');
  });

  it('has 29,619 distinct names, 2,559 of them twice', () => {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    expect(counts.size).toBe(29_619);
    expect([...counts.values()].filter((count) => count === 2)).toHaveLength(2559);
    expect(Math.max(...counts.values())).toBe(2);
  });
});

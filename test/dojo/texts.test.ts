import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dojoTexts, TEXTS_FILE } from '../../scripts/makeDojoTexts.js';
import { EXERCISES } from '../../src/dojo/exercises.js';
import { SOLUTION_TEXTS } from '../../src/dojo/texts.js';

describe('the texts of the dojo', () => {
  it('are current: npm run build:texts changes nothing', () => {
    expect(readFileSync(TEXTS_FILE, 'utf8')).toBe(dojoTexts());
  });

  it('hold the solution of every line', () => {
    for (const { lines } of Object.values(EXERCISES)) {
      for (const { name, source } of lines) expect(SOLUTION_TEXTS[source][name], `${source} ${name}`).toBeDefined();
    }
  });
});

import { describe, expect, it } from 'vitest';
import { formatTable, wrapText } from '../../../src/cli/terminal/format.js';
import { displayWidth, loadWidths } from '../../../src/cli/terminal/width.js';

describe('the width of a text', () => {
  it.each([
    ['anna', 4],
    ['zoé ñ ß', 7],
    ['— “a” … ✓ ×', 11],
    ['漢字', 4],
    ['ｗｉｄｅ', 8],
    ['한국', 4],
    ['カタカナ', 8],
    ['ｶﾅ', 2],
    ['e\u0301a', 2],
    ['สวัสดี', 4],
    ['😀', 2],
    ['👩\u200d🚀', 2],
    ['👍🏽a', 3],
    ['🇩🇪', 2],
    ['em\u200bma', 4],
    ['שלום', 4],
  ])('%s is %i columns', async (text, width) => {
    await loadWidths(text);
    expect(displayWidth(text)).toBe(width);
  });

  it('aligns columns', async () => {
    const names = ['漢字', 'e\u0301', '😀a', 'anna'];
    await loadWidths(...names);
    const rows = formatTable(
      names.map((name) => [name, 'new']),
      ['left', 'left'],
    );
    expect(rows).toEqual(['漢字  new', 'e\u0301     new', '😀a   new', 'anna  new']);
  });

  it('wraps lines, and breaks no letter from its marks', async () => {
    await loadWidths('漢');
    expect(wrapText('漢字 漢字 ab', 6)).toEqual(['漢字', '漢字', 'ab']);
    expect(wrapText('漢字漢字漢', 5)).toEqual(['漢字', '漢字', '漢']);
    expect(wrapText('e\u0301e\u0301e\u0301', 2)).toEqual(['e\u0301e\u0301', 'e\u0301']);
  });
});

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { notebookOf } from '../../src/dojo/notebook.js';
import { NOTEBOOK_PY } from '../../src/node/paths.js';

interface Notebook {
  nbformat: number;
  nbformat_minor: number;
  metadata: { kernelspec: { name: string } };
  cells: { cell_type: string; id: string; metadata: object; source: string[]; execution_count?: null; outputs?: [] }[];
}

const parse = (percent: string) => JSON.parse(notebookOf(percent)) as Notebook;

it('makes a cell of each part', () => {
  const { cells } = parse('# %% [markdown]\n# # Title\n#\n# Some text.\n\n# %%\nx = 1\n\n\ndef f():\n    return x  # %% no marker\n');
  expect(cells).toEqual([
    { cell_type: 'markdown', id: 'cell-1', metadata: {}, source: ['# Title\n', '\n', 'Some text.'] },
    {
      cell_type: 'code',
      id: 'cell-2',
      metadata: {},
      execution_count: null,
      outputs: [],
      source: ['x = 1\n', '\n', '\n', 'def f():\n', '    return x  # %% no marker'],
    },
  ]);
});

it('is a notebook of nbformat 4.5 for Python 3', () => {
  expect(parse('# %%\n1\n')).toMatchObject({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'python3' } } });
});

it("holds the exercises' script, all of it, with an id per cell", () => {
  const script = readFileSync(NOTEBOOK_PY, 'utf8');
  const { cells } = parse(script);
  const ids = cells.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[\w-]{1,64}$/);
  const again = cells.map(({ cell_type, source }) => {
    const text = source.join('');
    if (cell_type === 'code') return `# %%\n${text}\n`;
    return `# %% [markdown]\n${text.replace(/^/gm, '# ').replace(/ +$/gm, '')}\n`;
  });
  // Before a function, a script has two lines more.
  expect(again.join('\n')).toBe(script.replaceAll('\n\n\n# %%', '\n\n# %%'));
});

/** A notebook from a Python file in the percent format: `# %%` begins a cell of code, `# %% [markdown]` one of text. */

const MARKER = /^# %%(?: \[(markdown)\])?$/;

interface Cell {
  kind: 'markdown' | 'code';
  lines: string[];
}

/**
 * A Jupyter notebook, as the text of an .ipynb file (nbformat 4.5).
 * @param percent begins with a cell; a line of a text cell begins with `# `
 */
export function notebookOf(percent: string): string {
  const notebook = {
    cells: cellsOf(percent).map(jupyterCell),
    metadata: {
      kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' },
      language_info: { name: 'python' },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

function cellsOf(percent: string): Cell[] {
  const cells: Cell[] = [];
  for (const line of percent.split('\n')) {
    const marker = MARKER.exec(line);
    if (marker) cells.push({ kind: marker[1] === undefined ? 'code' : 'markdown', lines: [] });
    else cells.at(-1)?.lines.push(line);
  }
  return cells;
}

function jupyterCell({ kind, lines }: Cell, index: number): object {
  const text = (kind === 'markdown' ? lines.map((line) => line.replace(/^# ?/, '')) : lines).join('\n').trim();
  const source = text.split(/(?<=\n)/);
  const head = { cell_type: kind, id: `cell-${index + 1}`, metadata: {} };
  return kind === 'markdown' ? { ...head, source } : { ...head, execution_count: null, outputs: [], source };
}

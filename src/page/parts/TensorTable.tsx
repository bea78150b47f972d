/** The entries of a tensor as a table, for those who do not see the picture. A large tensor shows a part of itself. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { indexAt } from '../../core/numbers.js';
import type { TensorData } from '../engine/pass.js';
import { gridOf, positionOf, showNumber, showSizes } from './numbers.js';

/** The most rows and columns that are shown at once. */
const WINDOW = 32;

interface TensorTableProps {
  name: string;
  tensor: TensorData;
  /** Index of the entry that is marked, and shown at first. */
  cursor?: readonly number[] | null | undefined;
}

export function TensorTable({ name, tensor: { data, shape }, cursor }: TensorTableProps) {
  const [rows, columns] = gridOf(shape);
  const marked = cursor ? positionOf(cursor, shape) : undefined;
  const start = (index: number) => Math.floor(index / WINDOW) * WINDOW;
  const [from, setFrom] = useState({ row: start(Math.floor((marked ?? 0) / columns)), column: start((marked ?? 0) % columns) });
  const scroll = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (marked !== undefined) setFrom({ row: start(Math.floor(marked / columns)), column: start(marked % columns) });
  }, [marked, columns]);
  useLayoutEffect(() => {
    const [box, cell] = [scroll.current, scroll.current?.querySelector<HTMLElement>('[aria-current]')];
    if (box && cell) box.scrollTo(cell.offsetLeft - box.clientWidth / 2, cell.offsetTop - box.clientHeight / 2);
  }, [marked, from.row, from.column]);
  const [shownRows, shownColumns] = [indices(from.row, rows), indices(from.column, columns)];
  return (
    <div class="tensor-table">
      <Parts what="Rows" from={from.row} size={rows} onChange={(row) => setFrom({ ...from, row })} />
      <Parts what="Columns" from={from.column} size={columns} onChange={(column) => setFrom({ ...from, column })} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the arrow keys */}
      <section ref={scroll} class="tensor-table-scroll" aria-label={`${name} as a table`} tabIndex={0}>
        <table>
          <caption class="unseen">
            {name} {showSizes(shape)}
          </caption>
          <thead>
            <tr>
              <th scope="col">{shape.length < 2 ? 'index' : 'row'}</th>
              {shownColumns.map((column) => (
                <th key={column} scope="col">
                  {columnText(column, shape)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shownRows.map((row) => (
              <tr key={row}>
                <th scope="row">{shape.length < 2 ? name : row}</th>
                {shownColumns.map((column) => (
                  <td key={column} aria-current={row * columns + column === marked || undefined}>
                    {showNumber(data[row * columns + column] as number)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

/** The part that is shown of a dimension, with buttons to the others; nothing if all of it is shown. */
function Parts({ what, from, size, onChange }: { what: string; from: number; size: number; onChange: (from: number) => void }) {
  if (size <= WINDOW) return null;
  return (
    <p class="tensor-table-parts">
      <button type="button" disabled={from === 0} onClick={() => onChange(from - WINDOW)} aria-label={`${what} before`}>
        ←
      </button>
      {what} {from} to {Math.min(size, from + WINDOW) - 1} of 0 to {size - 1}
      <button type="button" disabled={from + WINDOW >= size} onClick={() => onChange(from + WINDOW)} aria-label={`${what} after`}>
        →
      </button>
    </p>
  );
}

function indices(from: number, size: number): number[] {
  return Array.from({ length: Math.min(WINDOW, size - from) }, (_, k) => from + k);
}

/** The index in the dimensions that are columns: 17, or 2,7 for [n,T,E]. */
function columnText(column: number, shape: readonly number[]): string {
  return indexAt(column, shape.slice(Math.min(1, shape.length - 1))).join(',');
}

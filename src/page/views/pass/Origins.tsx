/** On a map of an equation: the entries that make the entry of the result under the mouse, or else the chosen one. */
import { cellAt, type Region, rowAndColumn } from '../../parts/grid.js';
import { positionOf } from '../../parts/numbers.js';
import { pass } from '../../state.js';
import type { MapBlock, Part } from './equation.js';
import { inspected } from './inspected.js';
import { gridOfMap } from './layout.js';
import { pointed } from './Readout.js';

interface OriginsProps {
  map: MapBlock;
  result: MapBlock;
  part: Part;
  pixel: number;
  /** On the copies of the map: the copy that is used. */
  onCopies?: true;
}

export function Origins({ map, result, part, pixel, onCopies }: OriginsProps) {
  const entry = inspected.value;
  const under = pointed.value;
  // Heat maps of tensors of the pass outline what the chosen entry is made of by themselves.
  const chosen = entry?.name === result.name && (map.name === undefined || onCopies) ? entry?.at : undefined;
  const at = under ? (under.tensor === result.tensor ? under.at : undefined) : chosen;
  if (!at) return null;
  return (
    <>
      {areasOf(map, result, onCopies ? 'cell' : part, at, onCopies).map(({ row, column, rows, columns }) => (
        <span
          key={`${row} ${column}`}
          class={under ? 'equation-mark' : 'heat-map-outline'}
          style={{ left: `${column * pixel}px`, top: `${row * pixel}px`, width: `${columns * pixel}px`, height: `${rows * pixel}px` }}
        />
      ))}
    </>
  );
}

function areasOf(map: MapBlock, result: MapBlock, part: Part, at: readonly number[], onCopies: true | undefined): Region[] {
  const [rows, columns] = gridOfMap(map);
  const [, resultColumns] = gridOfMap(result);
  const position = positionOf(at, result.tensor.shape);
  const [row, column] = rowAndColumn(position, resultColumns);
  // A row or column that is broadcast has one entry for all copies.
  const within = onCopies ? cellAt(row, column) : cellAt(Math.min(row, rows - 1), Math.min(column, columns - 1));
  switch (part) {
    case 'cell':
      return [within];
    case 'row':
      return [{ ...within, column: 0, columns }];
    case 'column':
      return [{ ...within, row: 0, rows }];
    case 'viewed':
      return [cellAt(...rowAndColumn(position, columns))];
    case 'gathered':
      return looked((i, t) => (i === at[0] && t === at[1] ? cellAt(indexAtPlace(i, t), at[2] as number) : undefined));
    case 'scattered': {
      const [, , E = 1] = map.tensor.shape;
      return looked((i, t) => (indexAtPlace(i, t) === at[0] ? cellAt(i, t * E + (at[1] as number)) : undefined));
    }
    case 'all':
      return [];
  }
}

/** The character at a position of the batch's contexts. */
function indexAtPlace(i: number, t: number): number {
  const { Xb } = pass.value?.batch ?? { Xb: undefined };
  return Xb ? (Xb.data[i * (Xb.shape[1] as number) + t] as number) : 0;
}

/** What a function finds at the positions of the batch's contexts. */
function looked(find: (i: number, t: number) => Region | undefined): Region[] {
  const [n = 0, T = 0] = pass.value?.batch.Xb.shape ?? [];
  return Array.from({ length: n * T }, (_, k) => find(Math.floor(k / T), k % T)).filter((area) => area !== undefined);
}

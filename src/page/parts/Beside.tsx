/** A gradient with a mistake in it beside the right one, and their difference: heat maps with one cursor. */
import { useState } from 'preact/hooks';
import { entryText } from '../../lesson/entry.js';
import type { TensorData } from '../engine/pass.js';
import { state } from '../state.js';
import { largestFinite } from './colors.js';
import { isIn, positionOf, showNumber } from './numbers.js';
import { TensorFigure } from './TensorFigure.js';
import { TensorTable } from './TensorTable.js';

interface BesideProps {
  name: string;
  /** What the first one is. */
  title: string;
  found: TensorData;
  right: TensorData;
  /** found - right; undefined if the shapes differ. */
  difference: TensorData | undefined;
  /** Whether they are the same but for rounding. */
  agrees: boolean;
  /** The strongest colour of all three, if they share it with other maps. */
  most?: number | undefined;
  cursor: readonly number[] | null;
  onMove: (at: number[]) => void;
}

export function Beside({ name, title: first, found, right, difference, agrees, most: common, cursor, onMove }: BesideProps) {
  const { sameScale } = state.value;
  const [table, setTable] = useState(false);
  const both = Math.max(largestFinite(found.data), largestFinite(right.data));
  const off = difference ? largestFinite(difference.data) : 0;
  const shared = common ?? (sameScale ? Math.max(both, off) : both);
  const shown = [
    { title: first, tensor: found, most: shared },
    { title: 'Right', tensor: right, most: shared },
    ...(difference ? [{ title: 'Difference', tensor: difference, most: common !== undefined || sameScale || agrees ? shared : off }] : []),
  ];
  const at = cursor && shown.every(({ tensor }) => isIn(cursor, tensor.shape)) ? cursor : null;
  return (
    <div class="beside">
      <div class="beside-maps">
        {shown.map(({ title, tensor, most }) => (
          <TensorFigure
            key={title}
            title={title}
            name={`${name}, ${title.toLowerCase()}`}
            tensor={tensor}
            most={most}
            hasShape={tensor.shape.join() !== right.shape.join()}
            cursor={cursor}
            onMove={onMove}
          />
        ))}
      </div>
      {difference && (
        <p class="beside-entry number" aria-live="polite">
          {at
            ? `${entryText(name, at)}: ${shown.map(({ title, tensor: { data, shape } }) => `${title.toLowerCase()} ${showNumber(data[positionOf(at, shape)] as number)}`).join(', ')}`
            : 'Choose an entry to see its numbers.'}
        </p>
      )}
      <button type="button" class="beside-button" aria-expanded={table} onClick={() => setTable(!table)}>
        {table ? 'Hide the table' : `Show ${difference ? 'the difference' : 'it'} as a table`}
      </button>
      {table && <TensorTable key={name} name={difference ? `${name}, difference` : name} tensor={difference ?? found} cursor={at} />}
    </div>
  );
}

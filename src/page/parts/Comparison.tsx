/** A gradient with a mistake in it beside the right one, and their difference: heat maps with one cursor. */
import { entryText } from '../../lesson/entry.js';
import type { TensorData } from '../engine/pass.js';
import { state } from '../state.js';
import { largestFinite } from './colors.js';
import { HeatMap } from './HeatMap.js';
import { gridOf, isIn, positionOf, showNumber, showSizes } from './numbers.js';

interface ComparisonProps {
  name: string;
  /** What the first one is. */
  title: string;
  found: TensorData;
  right: TensorData;
  /** found - right; undefined if the shapes differ. */
  difference: TensorData | undefined;
  cursor: readonly number[] | null;
  onMove: (at: number[]) => void;
}

export function Comparison({ name, title: first, found, right, difference, cursor, onMove }: ComparisonProps) {
  const { sameScale, log } = state.value;
  const both = Math.max(largestFinite(found.data), largestFinite(right.data));
  const shown = [
    { title: first, tensor: found, most: both },
    { title: 'Right', tensor: right, most: both },
    ...(difference ? [{ title: 'Difference', tensor: difference, most: sameScale ? both : largestFinite(difference.data) }] : []),
  ];
  const at = cursor && isIn(cursor, right.shape) ? cursor : null;
  return (
    <div class="comparison">
      <div class="comparison-maps">
        {shown.map(({ title, tensor, most }) => (
          <figure key={title}>
            <figcaption>
              {title} <span class="range">±{showNumber(most)}</span>
              {tensor.shape.join() !== right.shape.join() && <span class="shape"> {showSizes(tensor.shape)}</span>}
            </figcaption>
            <div style={pictureSize(tensor.shape)} class="comparison-map">
              <HeatMap
                name={`${name}, ${title.toLowerCase()}`}
                tensor={tensor}
                scale={{ most, log }}
                cursor={at && isIn(at, tensor.shape) ? at : null}
                onMove={onMove}
                onPick={onMove}
              />
            </div>
          </figure>
        ))}
      </div>
      {difference && (
        <p class="comparison-entry number" aria-live="polite">
          {at
            ? `${entryText(name, at)}: ${shown.map(({ title, tensor: { data, shape } }) => `${title.toLowerCase()} ${showNumber(data[positionOf(at, shape)] as number)}`).join(', ')}`
            : 'Choose an entry to see its numbers.'}
        </p>
      )}
    </div>
  );
}

/** At most 240 x 256 pixels, in whole pixels per entry; a single row or column is drawn thicker. */
function pictureSize(shape: readonly number[]): { width: string; height: string } {
  const [rows, columns] = gridOf(shape);
  const cell = Math.max(1, Math.min(10, Math.floor(240 / columns), Math.floor(256 / rows)));
  return { width: `${Math.max(16, columns * cell)}px`, height: `${Math.max(16, rows * cell)}px` };
}

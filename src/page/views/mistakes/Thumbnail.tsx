/** A difference as a small picture, for a list. */
import type { TensorData } from '../../engine/pass.js';
import type { Scale } from '../../parts/colors.js';
import { gridOf } from '../../parts/numbers.js';
import { Picture } from '../../parts/Picture.js';

/** CSS pixels of an entry, at most, and of the picture; a row or a column alone is thicker. */
const CELL = 2;
const HIGHEST = 64;
const THINNEST = 8;

export function Thumbnail({ tensor, scale }: { tensor: TensorData; scale: Scale }) {
  const [rows, columns] = gridOf(tensor.shape);
  const cell = Math.min(CELL, HIGHEST / rows);
  return (
    <span class="thumbnail" style={{ width: `${Math.max(THINNEST, columns * cell)}px`, height: `${Math.max(THINNEST, rows * cell)}px` }}>
      <Picture tensor={tensor} scale={scale} />
    </span>
  );
}

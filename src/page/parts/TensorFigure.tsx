/** A heat map with a caption, of a size that fits beside others. */
import type { TensorData } from '../engine/pass.js';
import { state } from '../state.js';
import { HeatMap } from './HeatMap.js';
import { UnusualWords } from './Marks.js';
import { gridOf, showNumber, showSizes } from './numbers.js';

interface TensorFigureProps {
  title: string;
  /** What the heat map is called. */
  name: string;
  tensor: TensorData;
  /** The magnitude of the strongest colour. */
  most: number;
  hasShape: boolean;
  /** By default the heat map keeps its own cursor. */
  cursor?: readonly number[] | null | undefined;
  onMove?: ((at: number[]) => void) | undefined;
  /** Pixels for the picture: width and height. */
  room?: readonly [number, number];
}

export function TensorFigure({ title, name, tensor, most, hasShape, cursor, onMove, room = [240, 256] }: TensorFigureProps) {
  const { log } = state.value;
  return (
    <figure class="tensor-figure">
      <figcaption>
        <b>{title}</b> {hasShape && <span class="shape">{showSizes(tensor.shape)}</span>} <span class="range">±{showNumber(most)}</span>{' '}
        <UnusualWords data={tensor.data} />
      </figcaption>
      <div style={pictureSize(tensor.shape, room)}>
        <HeatMap name={name} tensor={tensor} scale={{ most, log }} cursor={cursor} onMove={onMove} onPick={onMove} />
      </div>
    </figure>
  );
}

/** In whole pixels per entry, at least one; a single row or column is drawn thicker. */
function pictureSize(shape: readonly number[], [width, height]: readonly [number, number]): { width: string; height: string } {
  const [rows, columns] = gridOf(shape);
  const cell = Math.max(1, Math.min(10, Math.floor(width / columns), Math.floor(height / rows)));
  return { width: `${Math.max(16, columns * cell)}px`, height: `${Math.max(16, rows * cell)}px` };
}

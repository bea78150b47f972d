/** A tensor as a picture: one pixel per entry, enlarged. Focused, arrows move a cursor over its entries. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { indexAt } from '../../core/numbers.js';
import type { TensorData } from '../engine/pass.js';
import { largestFinite, paint, palette, type Scale } from './colors.js';
import { entryName, gridOf, positionOf, showNumber, showSizes } from './numbers.js';

interface HeatMapProps {
  name: string;
  tensor: TensorData;
  /** By default its own: the strongest colour is its largest magnitude. */
  scale?: Scale | undefined;
  /** Index of the entry under the cursor. */
  cursor?: readonly number[] | null | undefined;
  onMove?: ((at: number[]) => void) | undefined;
  /** A click or Enter on an entry. */
  onPick?: ((at: number[]) => void) | undefined;
}

const STEPS: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function HeatMap({ name, tensor, scale, cursor, onMove, onPick }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [rows, columns] = gridOf(tensor.shape);
  const own = scale ?? { most: largestFinite(tensor.data), log: false };
  const colors = palette.value;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const image = context.createImageData(columns, rows);
    paint(image.data, tensor.data, own, colors);
    context.putImageData(image, 0, 0);
  }, [tensor, own.most, own.log, colors, rows, columns]);
  const position = cursor ? positionOf(cursor, tensor.shape) : undefined;
  const atPosition = (row: number, column: number) => indexAt(row * columns + column, tensor.shape);
  const entryUnder = (event: MouseEvent) => {
    const box = (canvas.current as HTMLCanvasElement).getBoundingClientRect();
    const within = (share: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
    return atPosition(within((event.clientY - box.top) / box.height, rows), within((event.clientX - box.left) / box.width, columns));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const from = position ?? 0;
    const [row, column] = [Math.floor(from / columns), from % columns];
    const step = STEPS[event.key];
    if (step && !event.altKey && !event.ctrlKey && !event.metaKey) {
      const to = [row + step[0], column + step[1]] as const;
      if (to[0] >= 0 && to[0] < rows && to[1] >= 0 && to[1] < columns) onMove?.(atPosition(...to));
      event.preventDefault();
    } else if (event.key === 'Enter' || event.key === ' ') {
      onPick?.(atPosition(row, column));
      event.preventDefault();
    }
  };
  const value = position === undefined || cursor === null || cursor === undefined ? undefined : tensor.data[position];
  const label = `${name} ${showSizes(tensor.shape)}, from ${showNumber(least(tensor.data))} to ${showNumber(most(tensor.data))}`;
  return (
    <div
      class="heat-map"
      role="application"
      aria-roledescription="heat map"
      aria-label={value === undefined ? label : `${label}. ${entryName(name, cursor ?? [])} is ${showNumber(value)}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move its cursor
      tabIndex={0}
      data-tensor={name}
      onKeyDown={onKeyDown}
      onClick={(event) => onPick?.(entryUnder(event))}
    >
      <canvas ref={canvas} width={columns} height={rows} />
      {position !== undefined && (
        <span
          class="heat-map-cursor"
          style={{
            left: `${(100 * (position % columns)) / columns}%`,
            top: `${(100 * Math.floor(position / columns)) / rows}%`,
            width: `${100 / columns}%`,
            height: `${100 / rows}%`,
          }}
        />
      )}
    </div>
  );
}

function least(data: ArrayLike<number>): number {
  return Array.from(data).reduce((a, b) => Math.min(a, b));
}

function most(data: ArrayLike<number>): number {
  return Array.from(data).reduce((a, b) => Math.max(a, b));
}

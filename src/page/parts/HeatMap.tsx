/** A tensor as a picture: one pixel per entry, enlarged to fill its container. Focused, keys move a cursor over its entries. */
import { useMemo, useState } from 'preact/hooks';
import { indexAt } from '../../core/numbers.js';
import type { TensorData } from '../engine/pass.js';
import { finiteRange, largestFinite, type Scale } from './colors.js';
import { cellAt, entryUnder, movedBy, type Region, regionsOf, rowAndColumn } from './grid.js';
import { hasUnusual, Marks } from './Marks.js';
import { gridOf, isIn, positionOf, showNumber, showSizes } from './numbers.js';
import { Picture } from './Picture.js';

interface HeatMapProps {
  name: string;
  tensor: TensorData;
  /** By default its own: the strongest colour is its largest magnitude. */
  scale?: Scale | undefined;
  /** Index of the entry under the cursor, null for none. By default the heat map keeps its own cursor. */
  cursor?: readonly number[] | null | undefined;
  /** Positions of the entries to outline. */
  outlined?: Iterable<number> | undefined;
  onMove?: ((at: number[]) => void) | undefined;
  /** A click or Enter on an entry. */
  onPick?: ((at: number[], by: 'mouse' | 'keyboard') => void) | undefined;
  /** Whether the value under the mouse is beside it, which is the default. */
  readout?: boolean;
  /** Whether the Tab key leads to it, which is the default. */
  isStop?: boolean;
}

/** The entry under the mouse, and where the mouse is. */
interface Hovered {
  position: number;
  x: number;
  y: number;
}

export function HeatMap({ name, tensor, scale, cursor, outlined = [], onMove, onPick, readout = true, isStop = true }: HeatMapProps) {
  const { shape, data } = tensor;
  const grid = gridOf(shape);
  const [, columns] = grid;
  const [own, setOwn] = useState<readonly number[] | null>(null);
  const [hovered, setHovered] = useState<Hovered | undefined>(undefined);
  const [said, setSaid] = useState('');
  const label = useMemo(() => labelOf(name, tensor), [name, tensor]);
  const isMarked = useMemo(() => hasUnusual(data), [data]);
  const at = cursor === undefined ? own : cursor;
  const position = at && isIn(at, shape) ? positionOf(at, shape) : undefined;
  const valueText = (entry: number) =>
    `${shape.length === 0 ? '' : `${showSizes(indexAt(entry, shape))} `}${showNumber(data[entry] as number)}`;
  const move = (to: number) => {
    setOwn(indexAt(to, shape));
    onMove?.(indexAt(to, shape));
  };
  const pick = (entry: number, by: 'mouse' | 'keyboard') => {
    setOwn(indexAt(entry, shape));
    onPick?.(indexAt(entry, shape), by);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.metaKey) return;
    const to = movedBy(event.key, event.ctrlKey, position, grid);
    if (to !== undefined) {
      move(to);
      setSaid(valueText(to));
    } else if (event.key === 'Enter' || event.key === ' ') pick(position ?? 0, 'keyboard');
    else return;
    event.preventDefault();
  };
  const point = (event?: PointerEvent & { currentTarget: HTMLElement }) => {
    const under = event?.pointerType === 'mouse' ? entryUnder(event, grid) : undefined;
    setHovered(event && under !== undefined ? { position: under, x: event.clientX, y: event.clientY } : undefined);
  };
  // A mouse at rest is where it was when another tensor comes under it.
  const under = hovered && hovered.position < data.length ? hovered : undefined;
  return (
    <div
      class="heat-map"
      role="application"
      aria-roledescription="heat map"
      aria-label={`${label}${position === undefined ? '' : `. Cursor: ${valueText(position)}`}`}
      tabIndex={isStop ? 0 : -1}
      data-tensor={name}
      onKeyDown={onKeyDown}
      onClick={(event) => pick(entryUnder(event, grid), 'mouse')}
      onPointerMove={point}
      onPointerLeave={() => point()}
    >
      <Picture tensor={tensor} scale={scale ?? { most: largestFinite(data), log: false }} />
      {isMarked && <Marks data={data} grid={grid} />}
      {under && <Crosshair position={under.position} grid={grid} />}
      {regionsOf(outlined, columns).map((region) => (
        <Box key={`${region.row},${region.column}`} class="heat-map-outline" region={region} grid={grid} />
      ))}
      {position !== undefined && <Box class="heat-map-cursor" region={cellAt(...rowAndColumn(position, columns))} grid={grid} />}
      {under && readout && <Readout text={valueText(under.position)} {...under} />}
      <span class="unseen" role="status">
        {said}
      </span>
    </div>
  );
}

/** What a screen reader says of the whole: dh [32,64], from −0.01046 to 0.009310. */
function labelOf(name: string, { data, shape }: TensorData): string {
  const range = finiteRange(data);
  const notFinite = data.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  const parts = [
    `${name} ${showSizes(shape)}`,
    ...(range ? [`from ${showNumber(range[0])} to ${showNumber(range[1])}`] : []),
    ...(notFinite > 0 ? [`${notFinite} NaN or infinite`] : []),
  ];
  return parts.join(', ');
}

/** A rectangle over some entries. */
function Box({ class: name, region, grid: [rows, columns] }: { class: string; region: Region; grid: readonly [number, number] }) {
  const style = {
    left: `${(100 * region.column) / columns}%`,
    top: `${(100 * region.row) / rows}%`,
    width: `${(100 * region.columns) / columns}%`,
    height: `${(100 * region.rows) / rows}%`,
  };
  return <span class={name} style={style} />;
}

/** The row and the column of an entry. */
function Crosshair({ position, grid }: { position: number; grid: readonly [number, number] }) {
  const [rows, columns] = grid;
  const [row, column] = rowAndColumn(position, columns);
  return (
    <>
      {rows > 1 && <Box class="heat-map-line" region={{ row, column: 0, rows: 1, columns }} grid={grid} />}
      {columns > 1 && <Box class="heat-map-line" region={{ row: 0, column, rows, columns: 1 }} grid={grid} />}
    </>
  );
}

/** The value under the mouse, beside it: in a place of its own, so that nothing moves. */
function Readout({ text, x, y }: Hovered & { text: string }) {
  const left = x > innerWidth / 2;
  return (
    <span class="heat-map-readout" aria-hidden="true" data-left={left || undefined} style={{ left: `${x}px`, top: `${y}px` }}>
      {text}
    </span>
  );
}

/** An equation as heat maps of one pixel size, rows and columns aligned. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { indexAt } from '../../../core/numbers.js';
import type { TensorData } from '../../engine/pass.js';
import { largestFinite, type Scale } from '../../parts/colors.js';
import { UnusualWords } from '../../parts/Marks.js';
import { gridOf, showNumber, showSizes } from '../../parts/numbers.js';
import { Picture } from '../../parts/Picture.js';
import { state } from '../../state.js';
import type { Block, BranchesBlock, Item, MapBlock, MatmulBlock, ReducedBlock } from './equation.js';
import { gridOfMap, isTall, type Layout, layoutOf, signWidth } from './layout.js';
import { PassTensor } from './PassTensor.js';
import { pointed } from './Readout.js';

interface Place {
  layout: Layout;
  /** The magnitude of the strongest colour of all maps; without it, each has its own. */
  most: number | undefined;
}

/** The width that an element has. */
function useWidth(initial: number) {
  const element = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(initial);
  useLayoutEffect(() => {
    const seen = element.current;
    if (!seen) return;
    setWidth(seen.clientWidth);
    const observer = new ResizeObserver(() => setWidth(seen.clientWidth));
    observer.observe(seen);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

interface EquationProps {
  items: readonly Item[];
  most: number | undefined;
  label: string;
  /** The height that it should have at most, if entries can still be told apart. */
  height: number;
}

export function Equation({ items, most, label, height }: EquationProps) {
  const { element, width } = useWidth(856);
  const layout = layoutOf(items, width, height);
  return (
    <section ref={element} class="equation" aria-label={label} style={{ '--pixel': `${layout.pixel}px` }}>
      <Line items={items} place={{ layout, most }} />
    </section>
  );
}

function Line({ items, place }: { items: readonly Item[]; place: Place }) {
  const tall = isTall(items, place.layout.mode);
  const strip = !tall && items.some(({ block }) => block.kind === 'map' && block.copies?.along === 'rows');
  const signs = tall ? Math.max(...items.map(({ sign }) => signWidth(sign))) : undefined;
  const ends = items.some(({ block }) => block.kind === 'matmul');
  return (
    <div class="equation-line" data-tall={tall || undefined} data-strip={strip || undefined} data-ends={ends || undefined}>
      {items.map(({ sign, block }, i) => (
        <div key={i} class="equation-item">
          {(sign !== '' || signs !== undefined) && (
            <span class="equation-sign" style={{ width: `${signs ?? signWidth(sign)}px` }}>
              {sign}
            </span>
          )}
          <BlockPicture block={block} place={place} />
        </div>
      ))}
    </div>
  );
}

function BlockPicture({ block, place }: { block: Block; place: Place }) {
  switch (block.kind) {
    case 'map':
      return <MapFigure map={block} place={place} />;
    case 'matmul':
      return <Matmul block={block} place={place} />;
    case 'reduced':
      return <Reduced block={block} place={place} />;
    case 'branches':
      return <Branches block={block} place={place} />;
  }
}

function Matmul({ block: { left, right, result }, place }: { block: MatmulBlock; place: Place }) {
  return (
    <div class="equation-matmul">
      <p class="equation-note">
        each entry: a row of {left.text} · a column of {right.text}
      </p>
      <MapFigure map={right} place={place} />
      <MapFigure map={left} place={place} />
      <MapFigure map={result} place={place} />
    </div>
  );
}

function Reduced({ block: { of, result, over, text }, place }: { block: ReducedBlock; place: Place }) {
  return (
    <div class="equation-reduced" data-over={over}>
      <MapFigure map={of} place={place} />
      <p class="equation-arrow">
        {over === 'batch' ? '↓' : ''} {text} {over === 'batch' ? '' : '→'}
      </p>
      <MapFigure map={result} place={place} />
    </div>
  );
}

function Branches({ block: { branches, result }, place }: { block: BranchesBlock; place: Place }) {
  return (
    <div class="equation-branches" data-mode={place.layout.mode}>
      <div class="equation-uses">
        {branches.map(({ label, items }) => (
          <div key={label} class="equation-use">
            <p class="equation-label">{label}</p>
            <Line items={items} place={place} />
          </div>
        ))}
      </div>
      <div class="equation-joint" data-uses={branches.length}>
        <span>+</span>
      </div>
      <MapFigure map={result} place={place} />
    </div>
  );
}

/** A heat map with its name, shape and range. That of a tensor of the pass can be inspected. */
function MapFigure({ map, place }: { map: MapBlock; place: Place }) {
  const { tensor, text, name, transposed, copies, isResult } = map;
  const { log } = state.value;
  const { pixel } = place.layout;
  const own = largestFinite(tensor.data);
  const scale: Scale = { most: place.most ?? own, log };
  const [rows, columns] = gridOfMap(map);
  const shown = transposed ? transposedOf(tensor) : tensor;
  return (
    <figure class="equation-map" data-result={isResult || undefined}>
      <figcaption>
        <b>{text}</b>
        <span>
          <span class="shape">{showSizes(shown.shape)}</span> <span class="range">±{showNumber(own)}</span>{' '}
          <UnusualWords data={tensor.data} />
        </span>
      </figcaption>
      <div class="equation-grid" data-copies={copies?.along}>
        <div
          style={{ width: `${columns * pixel}px`, height: `${rows * pixel}px` }}
          onPointerMove={(event) => {
            pointed.value = {
              ...map,
              tensor: shown,
              letters: transposed ? [...map.letters].reverse() : map.letters,
              at: entryUnder(event, shown.shape),
            };
          }}
          onPointerLeave={() => {
            pointed.value = undefined;
          }}
        >
          {name === undefined ? (
            <Picture tensor={tensor} scale={scale} label={`${text} ${showSizes(tensor.shape)}`} />
          ) : (
            <PassTensor name={name} label={text} tensor={shown} transposed={transposed} scale={scale} />
          )}
        </div>
        {copies && (
          <div
            class="equation-copies"
            title={`${copies.count} copies of ${text}`}
            style={{
              width: `${(copies.along === 'rows' ? columns : copies.count) * pixel}px`,
              height: `${(copies.along === 'rows' ? copies.count : rows) * pixel}px`,
            }}
          >
            <Picture tensor={tensor} scale={scale} label={`${copies.count} copies`} />
          </div>
        )}
      </div>
    </figure>
  );
}

/** The entry of a picture under the mouse. */
function entryUnder(
  { currentTarget, clientX, clientY }: PointerEvent & { currentTarget: HTMLElement },
  shape: readonly number[],
): number[] {
  const [rows, columns] = gridOf(shape);
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  const place = (share: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(share * size)));
  return indexAt(place((clientY - top) / height, rows) * columns + place((clientX - left) / width, columns), shape);
}

/** The transposes that were drawn: a heat map paints again only for another tensor. */
const TRANSPOSES = new WeakMap<TensorData, TensorData>();

function transposedOf(tensor: TensorData): TensorData {
  const known = TRANSPOSES.get(tensor);
  if (known) return known;
  const [rows, columns] = gridOf(tensor.shape);
  const data = Float64Array.from(tensor.data, (_, k) => tensor.data[(k % rows) * columns + Math.floor(k / rows)] as number);
  const transposed = { data, shape: [columns, rows] };
  TRANSPOSES.set(tensor, transposed);
  return transposed;
}

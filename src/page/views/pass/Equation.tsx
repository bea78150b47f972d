/** An equation as heat maps of one pixel size, rows and columns aligned. */
import { useWidth } from '../../parts/useWidth.js';
import type { Block, BranchesBlock, Item, MapBlock, MatmulBlock, Part, ReducedBlock } from './equation.js';
import { isTall, layoutOf, signWidth, tallSignWidth } from './layout.js';
import { MapFigure, type Place } from './MapFigure.js';

interface EquationProps {
  items: readonly Item[];
  most: number | undefined;
  label: string;
  /** The height that it should have at most, if entries can still be told apart. */
  height: number;
}

export function Equation({ items, most, label, height }: EquationProps) {
  const { element, width } = useWidth<HTMLElement>(856);
  const layout = layoutOf(items, width, height);
  return (
    <section ref={element} class="equation" aria-label={label} style={{ '--pixel': `${layout.pixel}px` }}>
      <Line items={items} place={{ layout, most, result: resultOf(items), part: 'cell' }} />
    </section>
  );
}

/** The map of what the line computes. */
function resultOf(items: readonly Item[]): MapBlock | undefined {
  const last = items[items.length - 1]?.block;
  const map = last?.kind === 'map' ? last : last?.result;
  return map?.isResult ? map : undefined;
}

function Line({ items, place: outer }: { items: readonly Item[]; place: Place }) {
  const reduced = items.find(({ block }) => block.kind === 'reduced')?.block as ReducedBlock | undefined;
  const place = reduced ? { ...outer, part: PARTS[reduced.over] } : outer;
  const tall = isTall(items, place.layout.mode);
  const strip = !tall && items.some(({ block }) => block.kind === 'map' && block.copies?.along === 'rows');
  const column = tall ? tallSignWidth(items) : undefined;
  const ends = items.some(({ block }) => block.kind === 'matmul');
  return (
    <div class="equation-line" data-tall={tall || undefined} data-strip={strip || undefined} data-ends={ends || undefined}>
      {items.map(({ sign, block }, i) => (
        <div key={i} class="equation-item">
          {(column ?? signWidth(sign, i)) > 0 && (
            <span class="equation-sign" style={{ width: `${column ?? signWidth(sign, i)}px` }}>
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
      <MapFigure map={right} place={{ ...place, part: 'column' }} />
      <MapFigure map={left} place={{ ...place, part: 'row' }} />
      <MapFigure map={result} place={place} />
    </div>
  );
}

/** What is summed for an entry of the result. */
const PARTS: Record<ReducedBlock['over'], Part> = { batch: 'column', row: 'row', all: 'all' };

function Reduced({ block: { of, result, over, text }, place }: { block: ReducedBlock; place: Place }) {
  return (
    <div class="equation-reduced" data-over={over}>
      <MapFigure map={of} place={place} />
      <p class="equation-arrow">
        {over === 'batch' ? '↓' : ''} {text} {over === 'batch' ? '' : '→'}
      </p>
      <MapFigure map={result} place={{ ...place, part: 'cell' }} />
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

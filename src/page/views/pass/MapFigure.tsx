/** A tensor of an equation: its name, shape, range and heat map, its copies, and the entries that make an entry of the result. */
import { indexAt } from '../../../core/numbers.js';
import type { TensorData } from '../../engine/pass.js';
import { largestFinite, type Scale } from '../../parts/colors.js';
import { entryUnder } from '../../parts/grid.js';
import { UnusualWords } from '../../parts/Marks.js';
import { gridOf, showNumber, showSizes } from '../../parts/numbers.js';
import { Picture } from '../../parts/Picture.js';
import { state } from '../../state.js';
import type { MapBlock, Part } from './equation.js';
import { gridOfMap, type Layout } from './layout.js';
import { Origins } from './Origins.js';
import { PassTensor } from './PassTensor.js';
import { pointed } from './Readout.js';

/** What holds for all maps of an equation, or of a part of it. */
export interface Place {
  layout: Layout;
  /** The magnitude of the strongest colour of all maps; without it, each has its own. */
  most: number | undefined;
  /** What the line computes. */
  result: MapBlock | undefined;
  /** Which entries make an entry of the result. */
  part: Part;
}

/** That of a tensor of the pass can be inspected. */
export function MapFigure({ map, place }: { map: MapBlock; place: Place }) {
  const { tensor, text, name, transposed, copies, isResult, isAgain } = map;
  const { log } = state.value;
  const { pixel } = place.layout;
  const own = largestFinite(tensor.data);
  const scale: Scale = { most: place.most ?? own, log };
  const [rows, columns] = gridOfMap(map);
  const shown = transposed ? transposedOf(tensor) : tensor;
  const marks = place.result && <Origins map={map} result={place.result} part={map.part ?? place.part} pixel={pixel} />;
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
          class="equation-cells"
          style={{ width: `${columns * pixel}px`, height: `${rows * pixel}px` }}
          onPointerMove={(event) => {
            pointed.value = {
              ...map,
              tensor: shown,
              letters: transposed ? [...map.letters].reverse() : map.letters,
              at: indexAt(entryUnder(event, gridOf(shown.shape)), shown.shape),
            };
          }}
          onPointerLeave={() => {
            pointed.value = undefined;
          }}
        >
          {name === undefined ? (
            <Picture tensor={tensor} scale={scale} label={`${text} ${showSizes(tensor.shape)}`} />
          ) : (
            <PassTensor name={name} label={text} tensor={shown} transposed={transposed} scale={scale} isStop={!isAgain} />
          )}
          {marks}
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
            {place.result && <Origins map={map} result={place.result} part="cell" pixel={pixel} onCopies />}
          </div>
        )}
      </div>
    </figure>
  );
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

/** The characters in the plane in which their embeddings differ most. Under the mouse, a character shows those closest to it. */
import { useMemo, useState } from 'preact/hooks';
import { extentOf } from '../../core/numbers.js';
import { embeddingMap, type EmbeddingMap as Places } from '../../evaluation/embeddingMap.js';
import { showNumber, showSizes } from '../parts/numbers.js';
import { useWidth } from '../parts/useWidth.js';
import { characterText } from './characterText.js';
import { percent } from './Distributions.js';

interface EmbeddingMapProps {
  vocabulary: readonly string[];
  /** C [V,E], row-major. */
  C: ArrayLike<number>;
  /** E */
  embedding: number;
}

/** The height in CSS pixels, and the room for letters at the edges. */
const HEIGHT = 360;
const EDGE = 20;
/** Characters that are named as the closest ones. */
const CLOSEST = 3;
/** The number of characters from which letters are small. */
const MANY = 60;

export function EmbeddingMap({ vocabulary, C, embedding }: EmbeddingMapProps) {
  const V = vocabulary.length;
  const map = useMemo(() => embeddingMap(C, V, embedding), [C, V, embedding]);
  const [at, setAt] = useState<number | undefined>(undefined);
  const { element, width } = useWidth<HTMLDivElement>(480);
  const places = placesOf(map, width);
  const closest = at === undefined ? [] : closestTo(at, C, V, embedding);
  const point = ({ offsetX, offsetY }: PointerEvent) => setAt(nearest(places.slice(0, V), [offsetX, offsetY]));
  const [first, second] = map.explained;
  return (
    <figure class="embedding-map">
      <figcaption>
        The rows of <code>C</code> {showSizes([V, embedding])} in the plane in which they differ most: it has {percent(first)} and{' '}
        {percent(second)} of their variance. Close characters are alike to the network.
      </figcaption>
      <div ref={element} onPointerMove={point} onPointerDown={point} onPointerLeave={() => setAt(undefined)}>
        <svg width={width} height={HEIGHT} role="img" aria-label="The map of the characters; its numbers are in the table below">
          <path class="axis" d={`M0,${places[V][1]}H${width}M${places[V][0]},0V${HEIGHT}`} />
          {at !== undefined &&
            closest.map((other) => <line key={other} x1={places[at][0]} y1={places[at][1]} x2={places[other][0]} y2={places[other][1]} />)}
          {vocabulary.map((character, v) => (
            <text
              key={character}
              x={places[v][0]}
              y={places[v][1]}
              data-small={V > MANY || undefined}
              data-state={v === at ? 'at' : closest.includes(v) ? 'close' : at === undefined ? undefined : 'far'}
            >
              {characterText(character, v)}
            </text>
          ))}
        </svg>
      </div>
      <p class="embedding-said" aria-hidden="true">
        {at === undefined ? 'Point at a character to see which are closest to it.' : closestText(at, closest, vocabulary)}
      </p>
      <MapTable map={map} vocabulary={vocabulary} C={C} embedding={embedding} />
    </figure>
  );
}

/** The pixel of each character, and of the mean of all at last. Both axes have one scale, so that distances can be compared. */
function placesOf({ points }: Places, width: number): [x: number, y: number][] {
  const ends = ([0, 1] as const).map((k) => extentOf(points.map((point) => point[k])));
  const [x, y] = ends.map(([least, most], k) => ((k === 0 ? width : HEIGHT) - 2 * EDGE) / (most - least));
  const scale = Math.min(x, y);
  const placed = (value: number, k: 0 | 1) => (Number.isFinite(scale) ? (value - (ends[k][0] + ends[k][1]) / 2) * scale : 0);
  return [...points, [0, 0] as const].map((point) => [width / 2 + placed(point[0], 0), HEIGHT / 2 - placed(point[1], 1)]);
}

/** Pixels within which a character is pointed at. */
const REACH = 32;

function nearest(places: readonly (readonly [number, number])[], [x, y]: readonly [number, number]): number | undefined {
  const distances = places.map((place) => Math.hypot(place[0] - x, place[1] - y));
  const least = Math.min(...distances);
  return least <= REACH ? distances.indexOf(least) : undefined;
}

/** The closest characters by all E numbers, not by the plane. */
function closestTo(v: number, C: ArrayLike<number>, V: number, E: number): number[] {
  const distance = (other: number) => {
    let sum = 0;
    for (let e = 0; e < E; e++) sum += (C[v * E + e] - C[other * E + e]) ** 2;
    return sum;
  };
  return Array.from({ length: V }, (_, other) => ({ other, far: distance(other) }))
    .filter(({ other }) => other !== v)
    .sort((a, b) => a.far - b.far || a.other - b.other)
    .slice(0, CLOSEST)
    .map(({ other }) => other);
}

function closestText(at: number, closest: readonly number[], vocabulary: readonly string[]): string {
  const named = (v: number) => characterText(vocabulary[v], v);
  return closest.length === 0 ? named(at) : `Closest to ${named(at)} in all of C: ${closest.map(named).join(', ')}.`;
}

/** The map as numbers; the table is made when it is opened. */
function MapTable({ map, vocabulary, C, embedding }: EmbeddingMapProps & { map: Places }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="curve-numbers" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>The map as numbers</summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the arrow keys
        <section class="curve-scroll" aria-label="The map, as numbers" tabIndex={0}>
          <table>
            <thead>
              <tr>
                {['Character', 'First axis', 'Second axis', 'Closest'].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {vocabulary.map((character, v) => (
                <tr key={character}>
                  <th scope="row">{characterText(character, v)}</th>
                  {map.points[v].map((value, axis) => (
                    <td key={axis === 0 ? 'x' : 'y'}>{showNumber(Number(value.toPrecision(3)))}</td>
                  ))}
                  <td>
                    {closestTo(v, C, vocabulary.length, embedding)
                      .map((other) => characterText(vocabulary[other], other))
                      .join(', ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}

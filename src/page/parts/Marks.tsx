/** Marks on the entries of a heat map that are not finite, so that they differ by more than their colour: × NaN, ▲ infinity, ▼ −infinity. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { UNUSUAL, type Unusual, unusual } from './colors.js';
import { palette } from './palette.js';

/** Pixels of the canvas along a side of an entry. */
const SIDE = 12;

/** The strokes of a mark, in a square of side 1. */
const STROKES: Record<Unusual, readonly (readonly [number, number])[][]> = {
  NaN: [
    [
      [0.25, 0.25],
      [0.75, 0.75],
    ],
    [
      [0.25, 0.75],
      [0.75, 0.25],
    ],
  ],
  infinity: [
    [
      [0.2, 0.75],
      [0.5, 0.25],
      [0.8, 0.75],
    ],
  ],
  '−infinity': [
    [
      [0.2, 0.25],
      [0.5, 0.75],
      [0.8, 0.25],
    ],
  ],
};

export function hasUnusual(data: Float64Array): boolean {
  return data.some((value) => !Number.isFinite(value));
}

export function Marks({ data, grid: [rows, columns] }: { data: Float64Array; grid: readonly [number, number] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [red, green, blue] = palette.value.zero;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, columns * SIDE, rows * SIDE);
    context.strokeStyle = `rgb(${red},${green},${blue})`;
    context.lineWidth = SIDE / 6;
    data.forEach((value, position) => {
      const word = unusual(value);
      if (word) drawMark(context, word, position % columns, Math.floor(position / columns));
    });
  }, [data, rows, columns, red, green, blue]);
  return <canvas ref={canvas} class="heat-map-marks" width={columns * SIDE} height={rows * SIDE} />;
}

function drawMark(context: CanvasRenderingContext2D, word: Unusual, column: number, row: number): void {
  for (const points of STROKES[word]) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo((column + x) * SIDE, (row + y) * SIDE);
    context.stroke();
  }
}

const EXAMPLES: Record<Unusual, number> = { NaN: Number.NaN, infinity: Number.POSITIVE_INFINITY, '−infinity': Number.NEGATIVE_INFINITY };

/** What the marks on a heat map mean; nothing for a tensor that is finite. */
export function UnusualWords({ data }: { data: Float64Array }) {
  if (!hasUnusual(data)) return null;
  const words = new Set(Array.from(data, unusual));
  const background = `rgb(${palette.value.notFinite.join(',')})`;
  return (
    <span class="marks-words">
      {UNUSUAL.filter((word) => words.has(word)).map((word) => (
        <span key={word}>
          <span class="marks-swatch" style={{ background }}>
            <Marks data={Float64Array.of(EXAMPLES[word])} grid={[1, 1]} />
          </span>{' '}
          {word}
        </span>
      ))}
    </span>
  );
}

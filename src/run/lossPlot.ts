/** Loss curves as an SVG that needs no script: the colours are those of the page's style, by class. */
import { type Html, html } from '../core/html.js';
import { extentOf } from '../core/numbers.js';
import { formatCount } from '../core/text.js';

export interface PlottedCurve {
  /** The number of its colour, from 1. */
  color: number;
  /** Whether it is one of several that are compared, or its faint companion. */
  faint?: boolean;
  points: readonly (readonly [step: number, loss: number])[];
}

/** A loss to compare with. */
export interface PlottedLevel {
  name: string;
  loss: number;
}

export interface LossPlot {
  /** What a screen reader says. */
  label: string;
  curves: readonly PlottedCurve[];
  levels: readonly PlottedLevel[];
}

/** A look for each number of curves; after the last colour, lines are dashed. */
export const CURVE_COLORS = 6;
/** Pixels of text are those of the page: the picture is drawn once for wide and once for narrow screens. */
const WIDTHS = { wide: 960, narrow: 340 } as const;
const HEIGHT = 300;
const MARGIN = { left: 44, right: 108, top: 12, bottom: 32 } as const;
/** Lines of text are at least this far apart. */
const LINE = 15;
/** A curve has at most this many points. */
const MOST_POINTS = 160;

/** The plot, for wide and for narrow screens; empty if there is no point. */
export function lossPlot(plot: LossPlot): Html[] {
  const points = plot.curves.flatMap((curve) => curve.points);
  if (points.length === 0) return [];
  return (['wide', 'narrow'] as const).map((width) => drawing(plot, width));
}

function drawing({ label, curves, levels }: LossPlot, size: keyof typeof WIDTHS): Html {
  const width = WIDTHS[size];
  const steps = curves.flatMap(({ points }) => points.map(([step]) => step));
  const end = Math.max(1, ...steps);
  const [low, high] = rangeOf(curves, levels);
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const x = (step: number) => round(MARGIN.left + (step / end) * (right - MARGIN.left));
  const y = (loss: number) => round(MARGIN.top + ((high - Math.min(high, Math.max(low, loss))) / (high - low)) * (bottom - MARGIN.top));
  const rows = ticks(low, high, 5).map(
    (loss) =>
      html`<line class="plot-grid" x1="${MARGIN.left}" x2="${right}" y1="${y(loss)}" y2="${y(loss)}"/><text x="${MARGIN.left - 8}" y="${y(loss) + 4}" text-anchor="end">${loss.toFixed(1)}</text>`,
  );
  const columns = ticks(0, end, size === 'wide' ? 5 : 2).map(
    (step) => html`<text x="${x(step)}" y="${HEIGHT - 10}" text-anchor="${step === 0 ? 'start' : 'middle'}">${formatCount(step)}</text>`,
  );
  const shown = levels.filter(({ loss }) => loss >= low && loss <= high);
  const places = spread(shown.map(({ loss }) => y(loss)));
  const lines = shown.map(
    ({ name, loss }, i) =>
      html`<line class="plot-level" x1="${MARGIN.left}" x2="${right}" y1="${y(loss)}" y2="${y(loss)}"/><text x="${right + 6}" y="${places[i] + 4}">${name} ${loss.toFixed(2)}</text>`,
  );
  return html`<svg class="plot plot-${size}" viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-label="${label}" fill="currentColor" font-size="12">${rows}${columns}<text x="${right + 30}" y="${HEIGHT - 10}">steps</text>${lines}${curves.map((curve) => line(curve, x, y))}</svg>`;
}

function line({ color, faint = false, points }: PlottedCurve, x: (step: number) => number, y: (loss: number) => number): Html {
  const path = averaged(points, MOST_POINTS)
    .map(([step, loss]) => `${x(step)},${y(loss)}`)
    .join(' ');
  const dashes = Math.floor((color - 1) / CURVE_COLORS);
  const classes = `plot-line curve-color-${((color - 1) % CURVE_COLORS) + 1}${faint ? ' plot-faint' : ''}${dashes > 0 ? ` plot-dash-${Math.min(2, dashes)}` : ''}`;
  if (points.length > 1) return html`<polyline class="${classes}" fill="none" stroke="currentColor" points="${path}"/>`;
  return html`${points.map(([step, loss]) => html`<circle class="${classes}" cx="${x(step)}" cy="${y(loss)}" r="3"/>`)}`;
}

/** Losses far above all levels, as at the beginning, would press the rest together: they are drawn at the edge. */
function rangeOf(curves: readonly PlottedCurve[], levels: readonly PlottedLevel[]): [low: number, high: number] {
  const [least, most] = extentOf(curves.flatMap(({ points }) => points.map(([, loss]) => loss)));
  const [lowest, highest] = levels.length > 0 ? extentOf(levels.map(({ loss }) => loss)) : [least, most];
  // Large losses have no digit for a small room.
  const room = Math.max(0.05, 1e-6 * Math.abs(least));
  const low = Math.min(least, lowest) - room;
  const top = levels.length > 0 && least < highest ? Math.min(most, highest) : most;
  return [low, Math.max(top, highest, low + 4 * room) + 2 * room];
}

/** Round numbers in a range, `about` of them or a few more. */
export function ticks(from: number, to: number, about: number): number[] {
  const rough = (to - from) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step + 1e-9) - first + 1) }, (_, i) => round((first + i) * step, 6));
}

/** The places of labels, moved apart so that they do not overlap. */
function spread(places: readonly number[]): number[] {
  const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
  const moved = [...places];
  for (let k = 1; k < order.length; k++) moved[order[k]] = Math.max(moved[order[k]], moved[order[k - 1]] + LINE);
  const excess = Math.max(0, (moved[order[order.length - 1]] ?? 0) - (HEIGHT - MARGIN.bottom - 4));
  return moved.map((place) => place - excess);
}

/** The points, with neighbours averaged where there are more than `most`. Each mean has the last step of its points. */
export function averaged<P extends readonly [step: number, value: number, ...rest: number[]]>(points: readonly P[], most: number): P[] {
  const share = Math.ceil(points.length / most);
  if (share <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / share) }, (_, i) => {
    const part = points.slice(i * share, (i + 1) * share);
    const [step, , ...rest] = part[part.length - 1];
    return [step, part.reduce((sum, [, value]) => sum + value, 0) / part.length, ...rest] as unknown as P;
  });
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** Draws curves with uPlot into an element, and follows the mouse. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { CurveChartProps } from './CurveChart.js';
import { type Level, smoothed, valueRange, valuesAt } from './curves.js';
import { palette } from './palette.js';

interface PlotProps extends Pick<CurveChartProps, 'curves' | 'end' | 'height' | 'highest' | 'least' | 'below'> {
  levels: readonly Level[];
  steps: readonly number[];
  log: boolean;
  /** Where the cursor is; undefined for none. */
  at: number | undefined;
  /** The legend, whose lines have the colours of the curves: an item for the step, then one per curve. */
  legend: RefObject<HTMLElement | null>;
  onHover: (step: number | undefined) => void;
}

const HEIGHT = 280;
const FONT = '12px system-ui, sans-serif';

export function usePlot(props: PlotProps): RefObject<HTMLDivElement | null> {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { curves, log, at, end, levels } = props;
  const colors = palette.value;
  const shape = JSON.stringify([curves.map(({ name, color, dashed, smooth }) => [name, color, dashed, smooth]), log, levels]);
  useLayoutEffect(() => {
    const [element, key] = [box.current, props.legend.current];
    if (!element || !key) return undefined;
    const chart = new uPlot(optionsOf(lookOf(element, key), latest), dataOf(latest.current), element);
    plot.current = chart;
    showCursor(chart, latest.current.at);
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: latest.current.height ?? HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [shape, colors]);
  useLayoutEffect(() => plot.current?.setData(dataOf(latest.current)), [curves, end]);
  useLayoutEffect(() => {
    if (plot.current) showCursor(plot.current, at);
  }, [at, curves, end]);
  return box;
}

/** Of each smooth curve first the one that it is, so that it is drawn behind. */
function dataOf({ curves, steps }: PlotProps): uPlot.AlignedData {
  const series = curves.flatMap(({ points, smooth }) => (smooth ? [points, smoothed(points, smooth)] : [points]));
  return [[...steps], ...series.map((points) => valuesAt(steps, points))] as uPlot.AlignedData;
}

/** The line at a step; beside the chart for none. */
function showCursor(chart: uPlot, at: number | undefined): void {
  chart.setCursor({ left: at === undefined ? -10 : chart.valToPos(at, 'x'), top: 0 }, false);
}

interface Look {
  lines: { color: string; line: string }[];
  text: string;
  grid: string;
  width: number;
}

function lookOf(element: HTMLElement, legend: HTMLElement): Look {
  const lines = Array.from(legend.querySelectorAll<HTMLElement>('.curve-line'), (swatch) => ({
    color: getComputedStyle(swatch).color,
    line: swatch.dataset.line ?? 'solid',
  }));
  const { color, borderTopColor } = getComputedStyle(element);
  return { lines, text: color, grid: borderTopColor, width: element.clientWidth };
}

/** Distances of the marks on the axis of steps: 1, 2, 5, 10, 20, … */
const WHOLE = Array.from({ length: 48 }, (_, i) => [1, 2, 5][i % 3] * 10 ** Math.floor(i / 3));

const DASHES: Readonly<Record<string, number[]>> = { dashed: [6, 4], dotted: [2, 3] };

function optionsOf(look: Look, latest: { current: PlotProps }): uPlot.Options {
  const { curves, log, levels, height = HEIGHT, below = levels } = latest.current;
  const labelled = levels.length > 0 ? levels : below;
  const axis: uPlot.Axis = {
    stroke: look.text,
    font: FONT,
    grid: { stroke: look.grid, width: 1 },
    ticks: { stroke: look.grid, width: 1 },
  };
  const series = curves.flatMap(({ smooth }, i): uPlot.Series[] => {
    const { color, line } = look.lines[i];
    const own = { stroke: color, width: 2, dash: DASHES[line] ?? [], points: { show: isAlone } };
    return smooth ? [{ stroke: color, width: 1, alpha: 0.35, points: { show: false } }, own] : [own];
  });
  return {
    width: look.width,
    height,
    padding: [null, labelled.length > 0 ? marginOf(labelled) : null, null, null],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: (_, least, most) => stepRange(least, most, latest.current.end) },
      y: { distr: log ? 3 : 1, range: () => valueRange(latest.current.curves, latest.current.levels, log, latest.current) },
    },
    axes: [
      { ...axis, incrs: WHOLE },
      { ...axis, size: 52 },
    ],
    series: [{}, ...series],
    hooks: {
      draw: [(chart) => drawLevels(chart, latest.current.levels, look)],
      ready: [(chart) => followMouse(chart, latest)],
    },
  };
}

/** Not by uPlot's hook of its cursor, which new data and the keys call, too. */
function followMouse(chart: uPlot, latest: { current: PlotProps }): void {
  chart.over.addEventListener('mousemove', ({ offsetX }) => latest.current.onHover(chart.data[0][chart.posToIdx(offsetX)]));
  chart.over.addEventListener('mouseleave', () => latest.current.onHover(undefined));
}

/** A curve of a single point has no line. */
function isAlone({ data }: uPlot, series: number): boolean {
  return (data[series] as (number | null | undefined)[]).filter((value) => value !== null && value !== undefined).length === 1;
}

function stepRange(least: number | null, most: number | null, end: number | undefined): [number, number] {
  const from = Math.min(0, least ?? 0);
  return [from, Math.max(end ?? most ?? 1, from + 1)];
}

/** Pixels between the names of two levels. */
const LABEL_HEIGHT = 14;

/** Pixels on the right for the names of the levels. */
function marginOf(levels: readonly Level[]): number {
  const context = document.createElement('canvas').getContext('2d');
  if (!context) return 0;
  context.font = FONT;
  return Math.ceil(Math.max(...levels.map(({ name }) => context.measureText(name).width))) + 8;
}

/** Lines across the plot, with their names beside it. Names that would overlap move apart, upwards. */
function drawLevels(chart: uPlot, levels: readonly Level[], { text }: Look): void {
  const { ctx, bbox } = chart;
  const pixels = devicePixelRatio;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.font = FONT.replace('12', String(12 * pixels));
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  ctx.strokeStyle = text;
  ctx.fillStyle = text;
  ctx.lineWidth = pixels;
  ctx.setLineDash([2 * pixels, 4 * pixels]);
  let above = Number.POSITIVE_INFINITY;
  for (const { name, value } of levels.toSorted((a, b) => a.value - b.value)) {
    const y = chart.valToPos(value, 'y', true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(right, y);
    ctx.stroke();
    above = Math.min(y, above - LABEL_HEIGHT * pixels);
    ctx.fillText(name, right + 6 * pixels, above);
  }
  ctx.restore();
}

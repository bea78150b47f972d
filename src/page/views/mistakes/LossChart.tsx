/** Two loss curves: smoothed as a line, and as they are as a faint one. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { LossPoint } from '../../../dojo/mutantTraining.js';
import { palette } from '../../parts/palette.js';
import { smoothed } from './smoothed.js';
import { NETWORKS } from './training.js';

interface LossChartProps {
  points: readonly [right: readonly LossPoint[], wrong: readonly LossPoint[]];
  /** The end of the axis. */
  steps: number;
}

const HEIGHT = 280;

export function LossChart({ points, steps }: LossChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const colors = palette.value;
  useEffect(() => {
    const [element, key] = [box.current, legend.current];
    if (!element || !key) return undefined;
    const [right, wrong] = Array.from(key.children, (child) => getComputedStyle(child).color);
    const { color, borderTopColor } = getComputedStyle(element);
    const chart = new uPlot(
      optionsOf({ right, wrong, text: color, grid: borderTopColor, width: element.clientWidth }, steps),
      dataOf(points),
      element,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [steps, colors]);
  useEffect(() => plot.current?.setData(dataOf(points)), [points]);
  return (
    <figure class="loss-chart">
      <figcaption>
        <span>Loss in nats per character, by step: smoothed, and faint as it is</span>
        <span ref={legend} class="loss-key">
          <span class="loss-right">{NETWORKS[0]}</span>
          <span class="loss-wrong">{NETWORKS[1]}</span>
        </span>
      </figcaption>
      <div ref={box} class="loss-box" role="img" aria-label="The loss curves; their numbers are in the table below" />
    </figure>
  );
}

/** Points on both sides of one that are averaged for the smooth curve. */
const REACH = 7;

/** The steps, the two curves as they are, and smoothed. The curve of a network that stopped ends earlier. */
function dataOf([right, wrong]: LossChartProps['points']): uPlot.AlignedData {
  const steps = right.length >= wrong.length ? right : wrong;
  const values = (points: readonly LossPoint[]) => points.map(({ mean }) => mean);
  const padded = (curve: readonly number[]) => [...curve, ...new Array<null>(steps.length - curve.length).fill(null)];
  const raw = [values(right), values(wrong)];
  return [steps.map(({ step }) => step), ...raw.map(padded), ...raw.map((curve) => padded(smoothed(curve, REACH)))];
}

interface Look {
  right: string | undefined;
  wrong: string | undefined;
  text: string;
  grid: string;
  width: number;
}

/** A curve that diverges is cut off at this multiple of the first loss: the other one stays readable. */
const HIGHEST = 1.5;

function optionsOf({ right = '', wrong = '', text, grid, width }: Look, steps: number): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: text,
    font: '12px system-ui, sans-serif',
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
  };
  const points = { show: false };
  const dash = [6, 4];
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [0, steps] },
      y: { range: (plot, least, most) => yRange(plot.data, least, most) },
    },
    axes: [axis, { ...axis, size: 48 }],
    series: [
      {},
      { stroke: right, alpha: 0.35, width: 1, points },
      { stroke: wrong, alpha: 0.35, width: 1, points },
      { stroke: right, width: 2, points },
      { stroke: wrong, width: 2, dash, points },
    ],
  };
}

function yRange([, ...series]: uPlot.AlignedData, least: number | null, most: number | null): [number, number] {
  if (least === null || most === null) return [2, 4];
  const first = series[0]?.[0] ?? most;
  return [least - 0.05, Math.max(least + 0.1, Math.min(most + 0.05, HIGHEST * first))];
}

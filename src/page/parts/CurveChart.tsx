/**
 * Curves over the steps of a training, with levels to compare them with. Above it are the values at a step: the last one, or the one under the
 * mouse or the keys. The same numbers are in a table.
 */
import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { formatCount } from '../../core/text.js';
import { CurveTable } from './CurveTable.js';
import { type Curve, isPositive, isWide, type Level, pointUpTo, stepsOf, valueText } from './curves.js';
import { showNumber } from './numbers.js';
import { usePlot } from './usePlot.js';

export interface CurveChartProps {
  /** What the values are, with their unit. */
  title: string;
  curves: readonly Curve[];
  levels?: readonly Level[];
  /** The end of the horizontal axis. Default: the last step. */
  end?: number;
  /** Pixels. */
  height?: number;
  /** A value that the axis shows in any case. */
  least?: number;
  /** Values above are cut off, except on a logarithmic axis. */
  highest?: number;
  /** The levels of a chart above this one, to be as wide as that. */
  below?: readonly Level[];
  /** Offers a logarithmic axis. It begins with it if the values need it and are not cut off. */
  log?: boolean;
  /** A value as the chart writes it. */
  format?: (value: number) => string;
  /** The step whose values are shown at rest, with a line. Default: the last one, without. */
  rest?: number | undefined;
  /** The step under the mouse or the keys; undefined for none. */
  onHover?: (step: number | undefined) => void;
  /** A click on a step, or Enter. */
  onPick?: (step: number) => void;
  children?: ComponentChildren;
}

/** The same array in each rendering. */
const NO_LEVELS: readonly Level[] = [];

/** Curves of this many colours; those after them are dashed, then dotted. */
const COLORS = 6;

export function CurveChart(props: CurveChartProps) {
  const {
    title,
    curves,
    levels = NO_LEVELS,
    highest,
    log: offersLog = false,
    format = showNumber,
    rest,
    onHover,
    onPick,
    children,
  } = props;
  const steps = useMemo(() => stepsOf(curves), [curves]);
  const [hovered, setOwn] = useState<number | undefined>(undefined);
  const setHovered = (step: number | undefined) => {
    setOwn(step);
    onHover?.(step);
  };
  const [chosenLog, setLog] = useState<boolean | undefined>(undefined);
  const canLog = offersLog && isPositive(curves, levels);
  const log = canLog && (chosenLog ?? (highest === undefined && isWide(curves)));
  const legend = useRef<HTMLUListElement>(null);
  const at = hovered ?? rest;
  const box = usePlot({ ...props, levels, steps, log, at, legend, onHover: setHovered });
  const last = steps[steps.length - 1] ?? 0;
  const shown = at ?? last;
  const move = (by: number | 'first' | 'last') => {
    const here = steps.findLastIndex((step) => step <= shown);
    const to = by === 'first' ? 0 : by === 'last' ? steps.length - 1 : Math.min(steps.length - 1, Math.max(0, here + by));
    setHovered(steps[to]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const by = KEYS[event.key];
    if (by !== undefined) move(by);
    else if (event.key === 'Escape') setHovered(undefined);
    else if (event.key === 'Enter' && onPick) onPick(shown);
    else return;
    event.preventDefault();
  };
  return (
    <figure class="curve-chart">
      <figcaption>
        <span class="curve-title">{title}</span>
        {canLog && (
          <label class="curve-log">
            <input type="checkbox" checked={log} onChange={() => setLog(!log)} /> Logarithmic scale
          </label>
        )}
        {children}
      </figcaption>
      <ul ref={legend} class="curve-legend">
        <li class="curve-step">step {formatCount(shown)}</li>
        {curves.map((curve, i) => (
          <LegendItem key={curve.name} curve={curve} at={shown} number={i} format={format} />
        ))}
      </ul>
      <div
        ref={box}
        class="curve-box"
        role="slider"
        aria-label={`${title}, by step`}
        aria-valuemin={steps[0] ?? 0}
        aria-valuemax={last}
        aria-valuenow={shown}
        aria-valuetext={spoken(curves, shown, format)}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onBlur={() => setHovered(undefined)}
        onClick={() => hovered !== undefined && onPick?.(hovered)}
      />
      <CurveTable title={title} curves={curves} steps={steps} format={format} />
    </figure>
  );
}

/** Steps to the right, of those that have a point. */
const KEYS: Readonly<Record<string, number | 'first' | 'last'>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: 'first',
  End: 'last',
};

interface LegendItemProps {
  curve: Curve;
  at: number;
  /** Its place among the curves. */
  number: number;
  format: (value: number) => string;
}

function LegendItem({ curve: { name, points, color, dashed }, at, number, format }: LegendItemProps) {
  const point = pointUpTo(points, at);
  const turn = Math.floor(number / COLORS);
  const line = dashed || turn % 3 === 1 ? 'dashed' : turn % 3 === 2 ? 'dotted' : 'solid';
  // The step of a point is of interest where the curve has ended.
  const ended = point !== undefined && points.length > 0 && at > points[points.length - 1][0];
  return (
    <li>
      <span class="curve-line" data-line={line} style={{ color: color ?? `var(--curve-${(number % COLORS) + 1})` }} />
      {name}{' '}
      <span class="number">
        {point ? valueText(point[1], format) : '–'}
        {ended && <span class="curve-ended"> at {formatCount(point[0])}</span>}
      </span>
    </li>
  );
}

function spoken(curves: readonly Curve[], at: number, format: (value: number) => string): string {
  const parts = curves.map(({ name, points }) => {
    const point = pointUpTo(points, at);
    return `${name} ${point ? valueText(point[1], format) : 'no value'}`;
  });
  return `step ${formatCount(at)}: ${parts.join(', ')}`;
}

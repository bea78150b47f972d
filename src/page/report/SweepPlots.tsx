import { useState } from 'preact/hooks';
import type { ReportData } from '../../run/reportData.js';
import { useWidth } from '../parts/useWidth.js';
import { lossText } from './levels.js';

type SweepSummary = NonNullable<ReportData['sweep']>;
type Result = SweepSummary['results'][number];
type OptionSummary = SweepSummary['options'][number];

/** All runs of a sweep as dots: a plot for each option. */
export function SweepPlots({ sweep }: { sweep: SweepSummary }) {
  const [at, setAt] = useState<Result | undefined>(undefined);
  const range = rangeOf(sweep);
  return (
    <section class="sweep-dots" aria-label="Every run">
      <p>{legendOf(sweep, range[1])}</p>
      <div class="sweep-plots">
        {sweep.options.map((option) => (
          <SweepPlot key={option.option} option={option} results={sweep.results} range={range} at={at} onPoint={setAt} />
        ))}
      </div>
      <p class="sweep-said" aria-hidden="true">
        {at ? resultText(at) : 'Point at a run to find it in all plots.'}
      </p>
    </section>
  );
}

const HEIGHT = 240;
const LEFT = 52;
const TOP = 24;
const BOTTOM = 200;
/** Losses further above the best one than this multiple of the middle half's distance are beyond the plot. */
const BEYOND = 4;

/** From the best loss to the worst one, unless it is far beyond the middle half. */
function rangeOf({ results }: SweepSummary): [least: number, most: number] {
  const losses = results.flatMap(({ valLoss }) => valLoss ?? []).sort((a, b) => a - b);
  if (losses.length === 0) return [0, 1];
  const [least, most] = [losses[0], losses[losses.length - 1]];
  const upper = losses[Math.floor((3 * (losses.length - 1)) / 4)];
  const end = Math.min(most, least + BEYOND * Math.max(upper - least, 0.01));
  const room = 0.05 * (end - least) || 0.01;
  return [least - room, end + room];
}

function legendOf({ results }: SweepSummary, most: number): string {
  const isBeyond = results.some(({ valLoss }) => valLoss !== null && valLoss > most);
  return [
    'A dot is a run, a line the median of a value.',
    ...(isBeyond ? ['A triangle is a run with a loss above the plot.'] : []),
    ...(results.some(({ valLoss }) => valLoss === null) ? ['A cross is a run that diverged.'] : []),
  ].join(' ');
}

interface SweepPlotProps {
  option: OptionSummary;
  results: readonly Result[];
  range: readonly [least: number, most: number];
  at: Result | undefined;
  onPoint: (result: Result | undefined) => void;
}

function SweepPlot({ option: { option, values }, results, range, at, onPoint }: SweepPlotProps) {
  const { element, width } = useWidth<HTMLDivElement>(340);
  const column = (width - LEFT) / values.length;
  const centre = (k: number) => LEFT + (k + 0.5) * column;
  const y = (loss: number | null) =>
    loss === null || loss > range[1] ? TOP - 10 : BOTTOM - ((loss - range[0]) / (range[1] - range[0])) * (BOTTOM - TOP);
  const dots = results.flatMap((result) => {
    const k = result.places[option];
    if (k === undefined) return [];
    return [{ result, x: centre(k) + spreadOf(result, results, option) * Math.min(column / 3, 40), y: y(result.valLoss) }];
  });
  const point = ({ offsetX, offsetY }: PointerEvent) => {
    const near = dots.reduce((best, dot) => (far(dot, offsetX, offsetY) < far(best, offsetX, offsetY) ? dot : best), dots[0]);
    onPoint(near && far(near, offsetX, offsetY) < 24 ? near.result : undefined);
  };
  return (
    <figure class="sweep-plot">
      <figcaption>
        <code>--{option}</code>
      </figcaption>
      <div ref={element} onPointerMove={point} onPointerDown={point} onPointerLeave={() => onPoint(undefined)}>
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`Validation losses by --${option}; the numbers are in the table of the options`}
        >
          {[0, 0.5, 1].map((part) => {
            const loss = range[0] + part * (range[1] - range[0]);
            return (
              <g key={part}>
                <path class="plot-grid" d={`M${LEFT},${y(loss)}H${width}`} />
                <text class="end" x={LEFT - 6} y={y(loss) + 4}>
                  {loss.toFixed(3)}
                </text>
              </g>
            );
          })}
          {values.map(({ value, median }, k) => (
            <g key={value}>
              {median !== null && median <= range[1] && (
                <path class="sweep-median" d={`M${centre(k) - column / 3},${y(median)}H${centre(k) + column / 3}`} />
              )}
              <text class="middle" x={centre(k)} y={BOTTOM + 20}>
                {shortened(value, column)}
              </text>
            </g>
          ))}
          {dots.map(({ result, x, y: height }) => (
            <path
              key={result.run}
              d={markOf(kindOf(result, range[1]), x, height, result === at ? 6 : 4)}
              data-mark={kindOf(result, range[1])}
              data-at={result === at || undefined}
            />
          ))}
        </svg>
      </div>
    </figure>
  );
}

function kindOf({ valLoss }: Result, most: number): 'dot' | 'beyond' | 'diverged' {
  if (valLoss === null) return 'diverged';
  return valLoss > most ? 'beyond' : 'dot';
}

/** A dot in the plot; above it, a triangle that points up, or a cross. */
function markOf(kind: ReturnType<typeof kindOf>, x: number, y: number, r: number): string {
  if (kind === 'diverged') return `M${x - r},${y - r}l${2 * r},${2 * r}m0,${-2 * r}l${-2 * r},${2 * r}`;
  if (kind === 'beyond') return `M${x - r},${y + r}h${2 * r}l${-r},${-2 * r}z`;
  return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
}

const far = (dot: { x: number; y: number }, x: number, y: number) => Math.hypot(dot.x - x, dot.y - y);

/** Dots of one value lie beside each other, from -1 to 1, in the order of the runs. */
function spreadOf({ run, places }: Result, results: readonly Result[], option: string): number {
  const names = results
    .filter((result) => result.places[option] === places[option])
    .map((result) => result.run)
    .sort();
  return names.length < 2 ? 0 : (2 * names.indexOf(run)) / (names.length - 1) - 1;
}

/** A text of 12 px, cut to the width of its column in pixels. */
function shortened(value: string, column: number): string {
  const fits = Math.max(3, Math.floor(column / 7));
  return value.length <= fits ? value : `${value.slice(0, fits - 1)}…`;
}

function resultText({ run, options, valLoss }: Result): string {
  const chosen = Object.entries(options).map(([option, value]) => `--${option} ${value}`);
  return `${run}: ${chosen.join(' ')}, ${valLoss === null ? 'diverged' : `validation loss ${lossText(valLoss)}`}`;
}

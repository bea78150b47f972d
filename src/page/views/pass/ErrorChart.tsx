/** The error of the difference quotient by ε, in both precisions, on logarithmic axes; the chosen ε is marked. */
import type { ErrorCurve, Quotient } from '../../../gradCheck/entryProof.js';
import type { Curves, Nudged } from '../../engine/proof.js';
import { useWidth } from '../../parts/useWidth.js';
import { showEps } from './proofTexts.js';

/** The picture in CSS pixels, and the place of the axes in it. Its width is that of its surroundings, so that its text keeps its size. */
const HEIGHT = 216;
const LEFT = 44;
const TOP = 24;
const BOTTOM = 176;
/** Exponents of ten at the ends of the axes. */
const EPS = [-12, 0] as const;
const ERROR = [-16, 2] as const;

const within = (value: number, [least, most]: readonly [number, number]) => Math.min(most, Math.max(least, value));
/** The horizontal axis, up to its right end. */
interface Horizontal {
  right: number;
  xOf: (eps: number) => number;
}

function horizontal(right: number): Horizontal {
  return { right, xOf: (eps) => LEFT + ((within(Math.log10(eps), EPS) - EPS[0]) / (EPS[1] - EPS[0])) * (right - LEFT) };
}

/** An error of 0 lies at the bottom. */
const yOf = (error: number) =>
  BOTTOM - ((within(error === 0 ? ERROR[0] : Math.log10(error), ERROR) - ERROR[0]) / (ERROR[1] - ERROR[0])) * (BOTTOM - TOP);

/** The points as a path, broken where a loss is not finite. */
function pathOf(points: readonly Quotient[], axis: Horizontal): string {
  let pen = 'M';
  return points
    .map(({ eps, error }) => {
      if (!Number.isFinite(error)) {
        pen = 'M';
        return '';
      }
      const part = `${pen}${axis.xOf(eps).toFixed(1)},${yOf(error).toFixed(1)}`;
      pen = 'L';
      return part;
    })
    .join('');
}

interface ErrorChartProps {
  /** Undefined until the engine has computed them. */
  curves: Curves | undefined;
  /** The errors with the chosen ε. */
  nudged: Nudged | undefined;
  eps: number;
}

export function ErrorChart({ curves, nudged, eps }: ErrorChartProps) {
  const { element, width } = useWidth<HTMLDivElement>(360);
  const axis = horizontal(width - 8);
  const x = axis.xOf(eps);
  return (
    <div ref={element} class="error-plot">
      <svg width={width} height={HEIGHT} role="img" aria-label="The error of the difference quotient by ε, in float64 and float32">
        {curves && <Regions curve={curves.float32} axis={axis} />}
        <Axes axis={axis} />
        {curves && <path class="curve-float32" d={pathOf(curves.float32.points, axis)} />}
        {curves && <path class="curve-float64" d={pathOf(curves.float64.points, axis)} />}
        <line class="chosen" x1={x} x2={x} y1={TOP} y2={BOTTOM} />
        {nudged && <Point quotient={nudged.float32} axis={axis} class="point-float32" />}
        {nudged && <Point quotient={nudged.float64} axis={axis} class="point-float64" />}
        <text x={x} y={TOP - 6} class={x > axis.right - 24 ? 'end' : 'middle'}>
          {showEps(eps)}
        </text>
      </svg>
    </div>
  );
}

function Point({ quotient: { eps, error }, axis, class: name }: { quotient: Quotient; axis: Horizontal; class: string }) {
  return Number.isFinite(error) ? <circle class={name} cx={axis.xOf(eps)} cy={yOf(error)} r={4} /> : null;
}

/** Where rounding in float32 hides the change of the loss, and where the loss bends: on both sides of the least error of float32. */
function Regions({ curve: { noiseBelow, curvatureAbove }, axis }: { curve: ErrorCurve; axis: Horizontal }) {
  return (
    <>
      {noiseBelow !== undefined && (
        <>
          <rect class="region" x={LEFT} y={TOP} width={axis.xOf(noiseBelow) - LEFT} height={BOTTOM - TOP} />
          <text x={LEFT + 6} y={BOTTOM - 8}>
            float32 noise
          </text>
        </>
      )}
      {curvatureAbove !== undefined && (
        <>
          <rect class="region" x={axis.xOf(curvatureAbove)} y={TOP} width={axis.right - axis.xOf(curvatureAbove)} height={BOTTOM - TOP} />
          <text x={axis.right - 6} y={BOTTOM - 8} class="end">
            curvature
          </text>
        </>
      )}
    </>
  );
}

function Axes({ axis }: { axis: Horizontal }) {
  const decades = [-12, -9, -6, -3, 0];
  const errors = [-16, -12, -8, -4, 0];
  return (
    <>
      <path class="axis" d={`M${LEFT},${TOP}V${BOTTOM}H${axis.right}`} />
      {decades.map((power) => (
        <text key={power} x={axis.xOf(10 ** power)} y={BOTTOM + 16} class={power === 0 ? 'end' : power === -12 ? undefined : 'middle'}>
          {showEps(10 ** power)}
        </text>
      ))}
      {errors.map((power) => (
        <text key={power} x={LEFT - 6} y={yOf(10 ** power) + 4} class="end">
          {showEps(10 ** power)}
        </text>
      ))}
      <text x={(LEFT + axis.right) / 2} y={HEIGHT - 6} class="middle">
        ε
      </text>
    </>
  );
}

/** The error of the difference quotient by ε, in both precisions, on logarithmic axes; the chosen ε is marked. */
import type { ErrorCurve, Quotient } from '../../../gradCheck/entryProof.js';
import type { Curves, Nudged } from '../../engine/proof.js';
import { showEps } from './proofTexts.js';

/** The picture in CSS pixels, and the place of the axes in it. */
const WIDTH = 360;
const HEIGHT = 216;
const LEFT = 44;
const RIGHT = 352;
const TOP = 24;
const BOTTOM = 176;
/** Exponents of ten at the ends of the axes. */
const EPS = [-12, 0] as const;
const ERROR = [-16, 2] as const;

const within = (value: number, [least, most]: readonly [number, number]) => Math.min(most, Math.max(least, value));
const xOf = (eps: number) => LEFT + ((within(Math.log10(eps), EPS) - EPS[0]) / (EPS[1] - EPS[0])) * (RIGHT - LEFT);
/** An error of 0 lies at the bottom. */
const yOf = (error: number) =>
  BOTTOM - ((within(error === 0 ? ERROR[0] : Math.log10(error), ERROR) - ERROR[0]) / (ERROR[1] - ERROR[0])) * (BOTTOM - TOP);

/** The points as a path, broken where a loss is not finite. */
function pathOf(points: readonly Quotient[]): string {
  let pen = 'M';
  return points
    .map(({ eps, error }) => {
      if (!Number.isFinite(error)) {
        pen = 'M';
        return '';
      }
      const part = `${pen}${xOf(eps).toFixed(1)},${yOf(error).toFixed(1)}`;
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
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="The error of the difference quotient by ε, in float64 and float32">
      {curves && <Regions curve={curves.float32} />}
      <Axes />
      {curves && <path class="curve-float32" d={pathOf(curves.float32.points)} />}
      {curves && <path class="curve-float64" d={pathOf(curves.float64.points)} />}
      <line class="chosen" x1={xOf(eps)} x2={xOf(eps)} y1={TOP} y2={BOTTOM} />
      {nudged && <Point quotient={nudged.float32} class="point-float32" />}
      {nudged && <Point quotient={nudged.float64} class="point-float64" />}
      <text x={xOf(eps)} y={TOP - 6} class={xOf(eps) > RIGHT - 24 ? 'end' : 'middle'}>
        {showEps(eps)}
      </text>
    </svg>
  );
}

function Point({ quotient: { eps, error }, class: name }: { quotient: Quotient; class: string }) {
  return Number.isFinite(error) ? <circle class={name} cx={xOf(eps)} cy={yOf(error)} r={4} /> : null;
}

/** Where rounding in float32 hides the change of the loss, and where the loss bends: on both sides of the least error of float32. */
function Regions({ curve: { noiseBelow, curvatureAbove } }: { curve: ErrorCurve }) {
  return (
    <>
      {noiseBelow !== undefined && (
        <>
          <rect class="region" x={LEFT} y={TOP} width={xOf(noiseBelow) - LEFT} height={BOTTOM - TOP} />
          <text x={LEFT + 6} y={BOTTOM - 8}>
            float32 noise
          </text>
        </>
      )}
      {curvatureAbove !== undefined && (
        <>
          <rect class="region" x={xOf(curvatureAbove)} y={TOP} width={RIGHT - xOf(curvatureAbove)} height={BOTTOM - TOP} />
          <text x={RIGHT - 6} y={BOTTOM - 8} class="end">
            curvature
          </text>
        </>
      )}
    </>
  );
}

function Axes() {
  const decades = [-12, -9, -6, -3, 0];
  const errors = [-16, -12, -8, -4, 0];
  return (
    <>
      <path class="axis" d={`M${LEFT},${TOP}V${BOTTOM}H${RIGHT}`} />
      {decades.map((power) => (
        <text key={power} x={xOf(10 ** power)} y={BOTTOM + 16} class={power === 0 ? 'end' : power === -12 ? undefined : 'middle'}>
          {showEps(10 ** power)}
        </text>
      ))}
      {errors.map((power) => (
        <text key={power} x={LEFT - 6} y={yOf(10 ** power) + 4} class="end">
          {showEps(10 ** power)}
        </text>
      ))}
      <text x={(LEFT + RIGHT) / 2} y={HEIGHT - 6} class="middle">
        ε
      </text>
    </>
  );
}

/** Two loss curves: smoothed as a line, and as they are as a faint one. */
import { useMemo } from 'preact/hooks';
import type { LossPoint } from '../../../dojo/mutantTraining.js';
import { CurveChart } from '../../parts/CurveChart.js';
import type { Curve } from '../../parts/curves.js';
import { NETWORKS } from './training.js';

interface LossChartProps {
  points: readonly [right: readonly LossPoint[], wrong: readonly LossPoint[]];
  /** The end of the axis. */
  steps: number;
}

/** A curve that diverges is cut off at this multiple of the first loss: the other one stays readable. */
const HIGHEST = 1.5;
/** Points on both sides of one that are averaged for the smooth curve. */
const REACH = 7;

export function LossChart({ points, steps }: LossChartProps) {
  const curves = useMemo(() => points.map((course, i) => curveOf(course, i)), [points]);
  const first = points[0][0]?.mean;
  return (
    <CurveChart
      title="Loss in nats per character: smoothed, and faint as it is"
      curves={curves}
      end={steps}
      {...(first === undefined ? {} : { highest: HIGHEST * first })}
      format={(loss) => loss.toFixed(4)}
    />
  );
}

function curveOf(course: readonly LossPoint[], network: number): Curve {
  return {
    name: NETWORKS[network],
    points: course.map(({ step, mean }) => [step, mean]),
    smooth: REACH,
    ...(network === 0 ? { color: 'var(--accent)' } : { color: 'var(--wrong)', dashed: true }),
  };
}

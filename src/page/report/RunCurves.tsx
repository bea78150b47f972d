import { useMemo, useState } from 'preact/hooks';
import type { ReportRun } from '../../run/reportData.js';
import { CurveChart } from '../parts/CurveChart.js';
import type { Curve } from '../parts/curves.js';
import { levelsOf, lossText } from './levels.js';

/** The losses of one run, and below them its learning rate, read at the same step. */
export function RunCurves({ run }: { run: ReportRun }) {
  const [at, setAt] = useState<number | undefined>(undefined);
  const levels = useMemo(() => levelsOf(run.result), [run]);
  const losses = useMemo(() => lossCurves(run), [run]);
  const rates = useMemo<Curve[]>(
    () => [{ name: 'rate', color: 'var(--curve-6)', points: run.losses.map(([step, , rate]) => [step, rate]) }],
    [run],
  );
  return (
    <>
      <CurveChart title="Nats per character" curves={losses} levels={levels} log format={lossText} rest={at} onHover={setAt} />
      <CurveChart title="Learning rate" curves={rates} below={levels} least={0} height={120} rest={at} onHover={setAt} />
    </>
  );
}

function lossCurves({ losses, valLosses }: ReportRun): Curve[] {
  return [
    { name: 'training, mean of its batches', points: losses.map(([step, loss]) => [step, loss]) },
    ...(valLosses.length > 0 ? [{ name: 'validation', points: valLosses }] : []),
  ];
}

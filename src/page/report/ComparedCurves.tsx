import { useMemo, useState } from 'preact/hooks';
import type { ReportRun } from '../../run/reportData.js';
import { CurveChart } from '../parts/CurveChart.js';
import type { Curve, CurvePoint, Level } from '../parts/curves.js';
import { levelsOf, lossText } from './levels.js';

const KINDS = ['Validation', 'Training', 'Learning rate'] as const;
type Kind = (typeof KINDS)[number];

const POINTS: Readonly<Record<Kind, (run: ReportRun) => CurvePoint[]>> = {
  Validation: ({ valLosses }) => valLosses,
  Training: ({ losses }) => losses.map(([step, loss]) => [step, loss]),
  'Learning rate': ({ losses }) => losses.map(([step, , rate]) => [step, rate]),
};

/** The curves of several runs: of one kind at a time, so that each run keeps one colour. */
export function ComparedCurves({ runs }: { runs: readonly ReportRun[] }) {
  const [kind, setKind] = useState<Kind>(runs.some(({ valLosses }) => valLosses.length > 1) ? 'Validation' : 'Training');
  const curves = useMemo(() => curvesOf(runs, kind), [runs, kind]);
  const levels = useMemo(() => (kind === 'Learning rate' ? [] : sharedLevels(runs)), [runs, kind]);
  const limit = kind === 'Learning rate' ? undefined : limitOf(runs, curves);
  return (
    <>
      <fieldset class="report-kinds">
        <legend class="unseen">Curves</legend>
        {KINDS.map((choice) => (
          <label key={choice}>
            <input type="radio" name="curves" checked={choice === kind} onChange={() => setKind(choice)} /> {choice}
          </label>
        ))}
      </fieldset>
      <CurveChart
        title={kind === 'Learning rate' ? kind : `Nats per character${limit === undefined ? '' : `, up to ${limit.toFixed(1)}`}`}
        curves={curves}
        levels={levels}
        height={360}
        log
        {...(limit === undefined ? {} : { highest: limit })}
        {...(kind === 'Learning rate' ? {} : { format: lossText })}
      />
    </>
  );
}

/** What simple models lose, if that is the same for all runs. */
function sharedLevels(runs: readonly ReportRun[]): Level[] {
  const results = runs.flatMap(({ result }) => result ?? []);
  const isShared = new Set(results.map(({ baselines }) => JSON.stringify(baselines))).size === 1;
  return isShared ? levelsOf(results[0]) : [];
}

/** Runs with losses above this multiple of ln V, that of equal probabilities, do not press the others together. */
const FAR = 1.25;

/** Where to cut off curves; undefined if all are below, or all are above. */
function limitOf(runs: readonly ReportRun[], curves: readonly Curve[]): number | undefined {
  const limit = FAR * Math.log(Math.max(...runs.map(({ vocabulary }) => vocabulary.length)));
  const isAbove = ([, value]: CurvePoint) => value !== null && value > limit;
  const all = curves.flatMap(({ points }) => points);
  return all.some(isAbove) && !all.every(isAbove) ? limit : undefined;
}

function curvesOf(runs: readonly ReportRun[], kind: Kind): Curve[] {
  return runs.map((run) => ({ name: run.name, points: POINTS[kind](run) }));
}

/**
 * What a network looked like from inside while it trained, as part 3 of the lectures plots it: over time how far updates move the weights and
 * how much of h is saturated, and at one step the distributions of activations and gradients.
 */
import { useMemo, useState } from 'preact/hooks';
import { countOf, formatCount } from '../../core/text.js';
import { isMatrix } from '../../network/parameters.js';
import type { Diagnostics, DiagnosticsRecord } from '../../training/diagnostics.js';
import { CurveChart } from '../parts/CurveChart.js';
import type { Curve } from '../parts/curves.js';
import { withMinus } from '../parts/numbers.js';
import { Distributions, percent, type Row } from './Distributions.js';

interface DiagnosticsPlotsProps {
  /** In the order of the steps. */
  records: readonly DiagnosticsRecord[];
  /** The step whose distributions are shown. Default: chosen here, first the last one. */
  step?: number | undefined;
  onStep?: (step: number) => void;
}

export function DiagnosticsPlots({ records, step, onStep }: DiagnosticsPlotsProps) {
  const [own, setOwn] = useState<number | undefined>(undefined);
  const chosen = step ?? own;
  const found = chosen === undefined ? -1 : records.findLastIndex((record) => record.step <= chosen);
  const at = found === -1 ? records.length - 1 : found;
  const record = records[at];
  const choose = (to: number) => {
    setOwn(to);
    onStep?.(to);
  };
  if (!record) return <p class="waiting">No diagnostics have been recorded.</p>;
  return (
    <div class="diagnostics">
      <OverTime records={records} step={record.step} onStep={choose} />
      <StepSlider records={records} at={at} onStep={choose} />
      <AtStep diagnostics={record.diagnostics} />
    </div>
  );
}

const UPDATE_LEVELS = [{ name: '−3', value: -3 }];
const exponent = (value: number) => withMinus(value.toFixed(2));
/** Curves in a chart: more cannot be told apart. */
const MOST_CURVES = 18;

interface OverTimeProps {
  records: readonly DiagnosticsRecord[];
  step: number;
  onStep: (step: number) => void;
}

function OverTime({ records, step, onStep }: OverTimeProps) {
  const updates = useMemo(() => updateCurves(records), [records]);
  const saturated = useMemo(() => saturatedCurves(records), [records]);
  return (
    <div class="diagnostics-pair">
      <CurveChart
        title="Update : data, log10 of their deviations; −3 is the rule of thumb"
        curves={updates}
        levels={UPDATE_LEVELS}
        height={220}
        format={exponent}
        rest={step}
        onPick={onStep}
      />
      <CurveChart
        title="Saturated, |h| > 0.97, in % of h"
        curves={saturated}
        height={220}
        least={0}
        format={(value) => `${value.toFixed(1)} %`}
        rest={step}
        onPick={onStep}
      />
    </div>
  );
}

function updateCurves(records: readonly DiagnosticsRecord[]): Curve[] {
  const names = Object.keys(records[0]?.diagnostics.parameters ?? {}).filter(isMatrix);
  return names.slice(0, MOST_CURVES).map((name) => ({
    name,
    points: records.flatMap(({ step, diagnostics }) => {
      const ratio = diagnostics.parameters[name]?.updateToData ?? null;
      // Weights that did not move have no logarithm.
      return ratio === 0 ? [] : [[step, ratio === null ? null : Math.log10(ratio)] as const];
    }),
  }));
}

function saturatedCurves(records: readonly DiagnosticsRecord[]): Curve[] {
  const blocks = records[0]?.diagnostics.blocks ?? [];
  return blocks.map((_, k) => ({
    name: `block ${k + 1}`,
    points: records.map(({ step, diagnostics }) => [step, 100 * (diagnostics.blocks[k]?.saturated ?? Number.NaN)]),
  }));
}

interface StepSliderProps {
  records: readonly DiagnosticsRecord[];
  at: number;
  onStep: (step: number) => void;
}

/** One stop per record: the arrow keys go from one to the next. */
function StepSlider({ records, at, onStep }: StepSliderProps) {
  const text = `step ${formatCount(records[at].step)}`;
  const of = `${at + 1} of ${countOf(records.length, 'step')} looked at`;
  return (
    <p class="step-slider">
      <label>
        <span>
          At <strong>{text}</strong>
        </span>
        <input
          type="range"
          min={0}
          max={records.length - 1}
          value={at}
          disabled={records.length === 1}
          aria-label="Step whose distributions are shown"
          aria-valuetext={text}
          onInput={({ currentTarget }) => onStep(records[Number(currentTarget.value)].step)}
        />
      </label>
      <span class="waiting">{of}</span>
    </p>
  );
}

function AtStep({ diagnostics: { blocks, parameters, gradientNorm, clipped } }: { diagnostics: Diagnostics }) {
  const ofBlocks = (rowOf: (block: Diagnostics['blocks'][number]) => Omit<Row, 'name'>): Row[] =>
    blocks.map((block, k) => ({ name: `block ${k + 1}`, ...rowOf(block) }));
  const weights = Object.entries(parameters).filter(([name]) => isMatrix(name));
  return (
    <div class="diagnostics-pair">
      <Distributions
        title="Activations"
        tensor="h"
        facts={['saturated', 'dead units']}
        saturation
        rows={ofBlocks(({ h, saturated, dead, units }) => ({
          spread: h,
          facts: [percent(saturated), `${formatCount(dead)} of ${formatCount(units)}`],
        }))}
      />
      <Distributions title="What tanh gets" tensor="hpreact" rows={ofBlocks(({ hpreact }) => ({ spread: hpreact }))} />
      <Distributions title="Gradients of the activations" tensor="dh" rows={ofBlocks(({ dh }) => ({ spread: dh }))} />
      <Distributions
        title="Gradients of the weights"
        note={gradientNorm === null ? '' : `norm of all gradients ${gradientNorm.toPrecision(3)}${clipped ? ', clipped' : ''}`}
        facts={['gradient : data']}
        rows={weights.map(([name, { gradient, gradientToData }]) => ({
          name: `d${name}`,
          spread: gradient,
          facts: [gradientToData === null ? '–' : gradientToData.toPrecision(2)],
        }))}
      />
    </div>
  );
}

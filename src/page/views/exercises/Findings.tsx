/** What the check says of a line: the verdict and its sentence, the figures, and yours beside the right one. */
import type { LineReport } from '../../../dojo/check.js';
import { worstText } from '../../../dojo/worstEntry.js';
import type { JudgedLine } from '../../engine/exercises.js';
import type { CheckedLine } from '../../learner/checkLine.js';
import { largestFinite } from '../../parts/colors.js';
import { HeatMap } from '../../parts/HeatMap.js';
import { gridOf, showNumber, showSizes } from '../../parts/numbers.js';
import { VERDICTS } from './LineList.js';

interface FindingsProps {
  checked: CheckedLine | undefined;
  busy: boolean;
  /** Whether the line is still the stub. */
  untouched: boolean;
  onCheck(): void;
}

export function Findings({ checked, busy, untouched, onCheck }: FindingsProps) {
  const verdict = untouched ? 'todo' : (checked?.report.verdict ?? 'open');
  const { mark, word } = VERDICTS[verdict];
  return (
    <div class="findings" data-busy={busy || undefined} data-checked={checked ? '' : undefined}>
      <div class="verdict-row">
        <p class={`verdict ${verdict}`} role="status">
          <span aria-hidden="true">{busy && !checked ? '…' : mark}</span> {busy && !checked ? 'checking' : word}
        </p>
        {checked && !untouched && <Figures report={checked.report} />}
        <button type="button" onClick={onCheck} title="Ctrl+Enter" disabled={untouched}>
          Check now
        </button>
      </div>
      {checked && !untouched && (
        <>
          <Sentences report={checked.report} />
          {checked.printed.length > 0 && (
            <section class="printed" aria-label="What the line printed">
              <pre>{checked.printed.join('\n')}</pre>
            </section>
          )}
          {checked.shown && <Maps verdict={checked.report.verdict} shown={checked.shown} name={checked.report.name} />}
        </>
      )}
    </div>
  );
}

function Sentences({ report: { problem, worst, note, verdict } }: { report: LineReport }) {
  const texts = [verdict === 'todo' ? undefined : problem, worst && worstText(worst), note];
  const said = texts.filter((text) => text !== undefined);
  return said.length === 0 ? null : (
    <div class="problem" role="status">
      {said.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </div>
  );
}

function Figures({ report: { figures } }: { report: LineReport }) {
  if (!figures) return null;
  const { exact, close, maxDiff, maxUlps } = figures;
  const rows = [
    ['exact', exact ? 'yes' : 'no', 'The same bits as the solution, in float32.'],
    ['close', close ? 'yes' : 'no', 'torch.allclose would accept it.'],
    ['max diff', maxDiff === 0 ? '0' : maxDiff.toExponential(1), 'The largest difference of an entry.'],
    ['ULPs', maxUlps < 1e6 ? `${maxUlps}` : '>1e6', 'The largest distance in float32 numbers: neighbours are 1 apart.'],
  ] as const;
  return (
    <dl class="figures">
      {rows.map(([name, value, title]) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A right line needs no comparison: it is shown alone. */
function Maps({ verdict, shown, name }: { verdict: LineReport['verdict']; shown: NonNullable<JudgedLine['shown']>; name: string }) {
  const { yours, right, difference } = shown;
  const most = Math.max(largestFinite(yours.data), largestFinite(right.data));
  const maps =
    verdict === 'right'
      ? ([[name, yours, most]] as const)
      : ([
          [`yours`, yours, most],
          [`right`, right, most],
          [`difference`, difference, largestFinite(difference.data)],
        ] as const);
  return (
    <div class="comparison">
      {maps.map(([label, tensor, scale]) => (
        <figure key={label}>
          <figcaption>
            <b>{label}</b> <span class="shape">{showSizes(tensor.shape)}</span> <span class="range">±{showNumber(scale)}</span>
          </figcaption>
          <div class="comparison-map" style={{ aspectRatio: `${proportion(tensor.shape)}` }}>
            <HeatMap name={label === name ? name : `${label} ${name}`} tensor={tensor} scale={{ most: scale, log: false }} />
          </div>
        </figure>
      ))}
      <p class="quiet">On the lesson’s batch of 32.</p>
    </div>
  );
}

/** Width over height: that of the tensor, unless it is a thin strip. */
function proportion(shape: readonly number[]): number {
  const [rows, columns] = gridOf(shape);
  return Math.min(8, Math.max(0.9, columns / rows));
}

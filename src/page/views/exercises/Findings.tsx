/** What the check says of a line: the verdict and its sentence, the figures, and yours beside the right one. */
import { useState } from 'preact/hooks';
import type { LineReport } from '../../../dojo/check.js';
import { worstText } from '../../../dojo/worstEntry.js';
import type { JudgedLine } from '../../engine/exercises.js';
import type { CheckedLine } from '../../learner/checkLine.js';
import { Beside } from '../../parts/Beside.js';
import { largestFinite } from '../../parts/colors.js';
import { Legend } from '../../parts/Legend.js';
import { TensorFigure } from '../../parts/TensorFigure.js';
import { VERDICTS } from './LineList.js';

interface FindingsProps {
  /** The result for the text. */
  checked: CheckedLine | undefined;
  /** The result before: it keeps its room, out of sight, until the one for the text is there. */
  latest: CheckedLine | undefined;
  busy: boolean;
  /** Whether the line is still the stub. */
  untouched: boolean;
  onCheck(): void;
}

export function Findings({ checked, latest, busy, untouched, onCheck }: FindingsProps) {
  const verdict = untouched ? 'todo' : (checked?.report.verdict ?? 'open');
  const { mark, word } = VERDICTS[verdict];
  const shown = untouched ? undefined : (checked ?? latest);
  return (
    <div class="findings" data-busy={busy || undefined} data-checked={checked ? '' : undefined} data-stale={checked ? undefined : ''}>
      <div class="verdict-row">
        <p class={`verdict ${verdict}`} role="status">
          <span aria-hidden="true">{mark}</span> {busy && !checked ? 'checking' : word}
        </p>
        {shown && <Figures report={shown.report} />}
        <button type="button" onClick={onCheck} title="Ctrl+Enter" disabled={untouched}>
          Check now
        </button>
      </div>
      {shown && (
        <div class="of-text">
          <Sentences report={shown.report} />
          {shown.printed.length > 0 && (
            <section class="printed" aria-label="What the line printed">
              <pre>{shown.printed.join('\n')}</pre>
            </section>
          )}
          {shown.shown && <Maps verdict={shown.report.verdict} shown={shown.shown} name={shown.report.name} />}
          {shown.report.figures && <Meanings />}
        </div>
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

const MEANINGS = {
  exact: 'The same bits as the solution, in float32.',
  close: 'torch.allclose would accept it.',
  'max diff': 'The largest difference of an entry.',
  ULPs: 'The largest distance in float32 numbers: neighbours are 1 apart.',
};

function Figures({ report: { figures } }: { report: LineReport }) {
  if (!figures) return null;
  const { exact, close, maxDiff, maxUlps } = figures;
  const rows = [
    ['exact', exact ? 'yes' : 'no'],
    ['close', close ? 'yes' : 'no'],
    ['max diff', maxDiff === 0 ? '0' : maxDiff.toExponential(1)],
    ['ULPs', maxUlps < 1e6 ? `${maxUlps}` : '>1e6'],
  ] as const;
  return (
    <dl class="figures of-text">
      {rows.map(([name, value]) => (
        <div key={name} title={MEANINGS[name]}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Meanings() {
  return (
    <details class="figure-meanings">
      <summary>What the figures mean</summary>
      <dl>
        {Object.entries(MEANINGS).map(([name, meaning]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** A right line needs no comparison: it is shown alone. */
function Maps({ verdict, shown, name }: { verdict: LineReport['verdict']; shown: NonNullable<JudgedLine['shown']>; name: string }) {
  const { yours, right, difference } = shown;
  const [cursor, setCursor] = useState<readonly number[] | null>(null);
  return (
    <>
      {verdict === 'right' ? (
        <TensorFigure title="Yours" name={name} tensor={yours} most={largestFinite(yours.data)} hasShape />
      ) : (
        <Beside
          name={name}
          title="Yours"
          found={yours}
          right={right}
          difference={difference}
          agrees={false}
          cursor={cursor}
          onMove={setCursor}
        />
      )}
      <Legend most={undefined} />
      <p class="quiet">On the lesson’s batch of 32.</p>
    </>
  );
}

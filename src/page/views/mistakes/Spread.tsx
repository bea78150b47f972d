/** How the mistake spreads: the 26 gradients as differences, and one of them beside the right one. */
import { EXERCISES } from '../../../dojo/exercises.js';
import { spreadText } from '../../../dojo/spread.js';
import { GRADIENT_NAMES } from '../../../lesson/exercise1.js';
import type { GradientName } from '../../../lesson/values.js';
import type { MistakeData, SpreadData } from '../../engine/mistakes.js';
import { Beside } from '../../parts/Beside.js';
import { largestFinite } from '../../parts/colors.js';
import { UnusualWords } from '../../parts/Marks.js';
import { showNumber, showSizes } from '../../parts/numbers.js';
import { OneOf } from '../../parts/OneOf.js';
import { set, state } from '../../state.js';
import { Controls } from '../pass/Controls.js';
import { isOfSubject, mutant } from './mistake.js';
import { Thumbnail } from './Thumbnail.js';

/** Gradients that are 0 in every backward pass. */
const ZERO = new Set(EXERCISES[1].lines.filter(({ knowledge }) => knowledge.zeroEndToEnd).map(({ name }) => name));

const STATES: Record<SpreadData['state'], { text: string; class: string }> = {
  right: { text: '✓ right', class: 'right' },
  wrong: { text: '✗ the mistake', class: 'wrong' },
  reached: { text: '✗ also wrong', class: 'wrong' },
  failed: { text: '✗ fails', class: 'wrong' },
  unknown: { text: '? not comparable', class: '' },
};

export function Spread({ data }: { data: MistakeData }) {
  const { tensor, sameScale } = state.value;
  const rows = new Map(data.gradients.map((row) => [row.name, row]));
  const chosen = rows.get(tensor as GradientName) ?? (rows.get(data.first ?? mutant.value.line) as SpreadData);
  const shown = [...data.gradients.map(({ difference }) => difference), chosen.found, chosen.right];
  const most = sameScale ? Math.max(...shown.map((one) => (one ? largestFinite(one.data) : 0))) : undefined;
  return (
    <section class="mistakes-spread" aria-labelledby="mistakes-spread" aria-busy={!isOfSubject(data)}>
      <h3 id="mistakes-spread">How it spreads</h3>
      <p class="mistakes-sentence">{spreadText(data)}</p>
      <Controls most={most} />
      <OneOf
        label="The 26 gradients in backward order"
        class="spread"
        items={GRADIENT_NAMES}
        chosen={chosen.name}
        onChoose={(name) => set({ tensor: name as GradientName, entry: null })}
      >
        {(name) => <Card row={rows.get(name as GradientName)} most={most} />}
      </OneOf>
      <Chosen row={chosen} most={most} />
    </section>
  );
}

/** A gradient of the list: its state, and its difference as a small picture. */
function Card({ row, most }: { row: SpreadData | undefined; most: number | undefined }) {
  const { log } = state.value;
  if (!row) return null;
  const { name, difference, state: verdict, shape } = row;
  const own = difference ? largestFinite(difference.data) : 0;
  return (
    <>
      <code>{name}</code> <span class={STATES[verdict].class}>{STATES[verdict].text}</span>
      {difference && <Thumbnail tensor={difference} scale={{ most: scaleOf(row, most ?? own), log }} />}{' '}
      <span class="range">
        {verdict !== 'right' && verdict !== 'unknown' && difference && `±${showNumber(own)}`}
        {shape && showSizes(shape)}
      </span>
      {difference && <UnusualWords data={difference.data} />}
    </>
  );
}

/** A right gradient differs by rounding at most, which is no difference. */
function scaleOf({ state: verdict }: SpreadData, most: number): number {
  return verdict === 'right' ? Number.POSITIVE_INFINITY : most;
}

/** The gradient that is looked at, beside the right one. */
function Chosen({ row, most }: { row: SpreadData; most: number | undefined }) {
  const { name, state: verdict, right, found, difference, problem, shape } = row;
  return (
    <section class="spread-chosen" aria-labelledby="spread-chosen">
      <h4 id="spread-chosen">
        <code>{name}</code> <span class="shape">{showSizes(right.shape)}</span>{' '}
        <span class={STATES[verdict].class}>{STATES[verdict].text}</span>
      </h4>
      {problem !== undefined && <p>It fails: {problem}.</p>}
      {verdict === 'unknown' && <p>{name} is NaN or infinite even without the mistake, so the two cannot be compared.</p>}
      {verdict === 'right' && ZERO.has(name) && <p>{name} is 0 with or without the mistake: what you see is rounding.</p>}
      {shape && (
        <p>
          Its shape is {showSizes(shape)}, expected {showSizes(right.shape)}.
        </p>
      )}
      {found && (
        <Beside
          name={name}
          title="With the mistake"
          found={found}
          right={right}
          difference={difference}
          agrees={verdict === 'right'}
          most={most}
          cursor={state.value.entry}
          onMove={(entry) => set({ tensor: name, entry })}
        />
      )}
    </section>
  );
}

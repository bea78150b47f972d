/** How the mistake spreads: the 26 gradients as differences, and one of them beside the right one. */
import { countOf } from '../../../core/text.js';
import { EXERCISES } from '../../../dojo/exercises.js';
import { GRADIENT_NAMES } from '../../../lesson/exercise1.js';
import type { GradientName } from '../../../lesson/values.js';
import type { MistakeData, SpreadData } from '../../engine/mistakes.js';
import { Beside } from '../../parts/Beside.js';
import { largestFinite } from '../../parts/colors.js';
import { showNumber, showSizes } from '../../parts/numbers.js';
import { OneOf } from '../../parts/OneOf.js';
import { pass, set, state } from '../../state.js';
import { Controls } from '../pass/Controls.js';
import { mutant } from './mistake.js';
import { Thumbnail } from './Thumbnail.js';

/** Gradients that are 0 in every backward pass. */
const ZERO = new Set(EXERCISES[1].lines.filter(({ knowledge }) => knowledge.zeroEndToEnd).map(({ name }) => name));

const STATES: Record<SpreadData['state'], { text: string; class: string }> = {
  right: { text: '✓ right', class: 'right' },
  wrong: { text: '✗ the mistake', class: 'wrong' },
  reached: { text: '✗ wrong, too', class: 'wrong' },
  failed: { text: '✗ fails', class: 'wrong' },
};

export function Spread({ data }: { data: MistakeData }) {
  const { tensor, sameScale } = state.value;
  const rows = new Map(data.gradients.map((row) => [row.name, row]));
  const chosen = rows.get(tensor as GradientName) ?? rows.get(data.first ?? mutant.value.line);
  const most = Math.max(...data.gradients.map(({ difference }) => (difference ? largestFinite(difference.data) : 0)));
  return (
    <section class="mistakes-spread" aria-labelledby="mistakes-spread">
      <h3 id="mistakes-spread">How it spreads</h3>
      <p class="mistakes-sentence">{sentence(data)}</p>
      <Controls most={sameScale ? most : undefined} />
      <OneOf
        label="The 26 gradients in backward order"
        class="spread"
        items={GRADIENT_NAMES}
        chosen={chosen?.name ?? data.name}
        onChoose={(name) => set({ tensor: name as GradientName, entry: null })}
      >
        {(name) => <Card row={rows.get(name as GradientName)} most={most} />}
      </OneOf>
      {chosen && <Chosen row={chosen} />}
    </section>
  );
}

/** A gradient of the list: its state, and its difference as a small picture. */
function Card({ row, most }: { row: SpreadData | undefined; most: number }) {
  const { sameScale, log } = state.value;
  if (!row) return null;
  const { name, difference, state: verdict, shape } = row;
  const own = difference ? largestFinite(difference.data) : 0;
  return (
    <>
      <code>{name}</code> <span class={STATES[verdict].class}>{STATES[verdict].text}</span>
      {difference && <Thumbnail tensor={difference} scale={{ most: scaleOf(row, sameScale ? most : own), log }} />}{' '}
      <span class="range">
        {verdict !== 'right' && difference && `±${showNumber(own)}`}
        {shape && showSizes(shape)}
      </span>
    </>
  );
}

/** A right gradient differs by rounding at most, which is no difference. */
function scaleOf({ state: verdict }: SpreadData, most: number): number {
  return verdict === 'right' ? Number.POSITIVE_INFINITY : most;
}

/** The gradient that is looked at, beside the right one. */
function Chosen({ row: { name, state: verdict, found, difference, problem, shape } }: { row: SpreadData }) {
  const right = pass.value?.tensors[name];
  if (!right) return null;
  return (
    <section class="spread-chosen" aria-labelledby="spread-chosen">
      <h4 id="spread-chosen">
        <code>{name}</code> <span class="shape">{showSizes(right.shape)}</span>{' '}
        <span class={STATES[verdict].class}>{STATES[verdict].text}</span>
      </h4>
      {problem !== undefined && <p>It fails: {problem}.</p>}
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
          cursor={state.value.entry}
          onMove={(entry) => set({ tensor: name, entry })}
        />
      )}
    </section>
  );
}

/** Which gradient is wrong first, and how many read it. */
function sentence({ gradients, first }: MistakeData): string {
  const count = (one: SpreadData['state']) => gradients.filter(({ state: verdict }) => verdict === one).length;
  if (first === undefined) return 'On this batch, all 26 gradients are right: the mistake does not show.';
  const firstRow = gradients.find(({ name }) => name === first);
  const [reached, right] = [count('reached'), count('right')];
  const itFails = firstRow?.state === 'failed';
  const failed = count('failed') - (itFails ? 1 : 0);
  const others = [
    ...(reached > 0 ? [`${countOf(reached, 'gradient')} computed from it ${reached === 1 ? 'is' : 'are'} wrong, too`] : []),
    ...(failed > 0 ? [`${countOf(failed, 'other')} cannot be computed`] : []),
    `${right} ${right === 1 ? 'is' : 'are'} right`,
  ];
  const last = others.pop();
  return `${first} is wrong first${itFails ? ': it fails' : ''}. ${others.length > 0 ? `${others.join(', ')}, and ${last}` : `The other ${last}`}.`;
}

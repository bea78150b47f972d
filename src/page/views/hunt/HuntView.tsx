/** The hunt: one line of a backward pass is wrong. Which one, with as few probes as possible? */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { capitalised, countOf } from '../../../core/text.js';
import { EXERCISES } from '../../../dojo/exercises.js';
import { PROBE_COST } from '../../../dojo/hunt.js';
import { HUNT_TEXTS, probeResult } from '../../../dojo/huntTexts.js';
import { GRADIENT_NAMES } from '../../../lesson/exercise1.js';
import type { GradientName } from '../../../lesson/values.js';
import type { HuntData, HuntMove } from '../../engine/hunt.js';
import { Beside } from '../../parts/Beside.js';
import { Legend } from '../../parts/Legend.js';
import { showSizes } from '../../parts/numbers.js';
import { OneOf } from '../../parts/OneOf.js';
import { set } from '../../state.js';
import { jumpTo } from '../pass/jump.js';
import { followHunt, game, lastMove, play, playAgain } from './game.js';

/** The gradient that is looked at, and the entry under the cursor. */
const chosen = signal<GradientName>(GRADIENT_NAMES[0] as GradientName);
const cursor = signal<number[] | null>(null);

function choose(name: GradientName): void {
  chosen.value = name;
  cursor.value = null;
}

const FORMULAS = new Map(EXERCISES[1].lines.map(({ name, knowledge }) => [name, knowledge.formula]));

export function HuntView() {
  useEffect(followHunt, []);
  const data = game.value;
  const title = useFocusForNext(data?.seed);
  if (!data) return <p class="waiting">Hiding a mistake …</p>;
  return (
    <div class="hunt">
      <div class="hunt-head">
        <h2 ref={title} tabIndex={-1}>
          Hunt {data.seed}
        </h2>
        <p class="hunt-score">
          <b class="number">{data.score}</b> points, {countOf(data.probes.length, 'probe')}
        </p>
        <p class="hunt-task">{capitalised(HUNT_TEXTS.task)}</p>
      </div>
      <div class="hunt-lines">
        <OneOf
          label="The 26 gradients in backward order"
          items={GRADIENT_NAMES}
          chosen={chosen.value}
          onChoose={choose}
          onEnter={(name) => play({ kind: 'probe', name })}
        >
          {(name) => <Line name={name} data={data} />}
        </OneOf>
        <p class="hunt-hint">
          If a gradient agrees, everything that it is computed from is right. If it differs, the mistake is there or above. Arrows choose,
          Enter probes.
        </p>
      </div>
      {data.answer ? <End data={data} /> : data.line ? <Choices data={data} /> : <Moves data={data} />}
      <Maps data={data} />
    </div>
  );
}

/** A gradient of the list, with what is known about it. */
function Line({ name, data }: { name: GradientName; data: HuntData }) {
  const probe = data.probes.find((one) => one.name === name);
  const isFound = data.line === name || data.answer?.line === name;
  return (
    <span class="hunt-line">
      <code>{name}</code>
      {isFound ? (
        <span class="wrong">✗ the mistake</span>
      ) : data.rightLines.includes(name) ? (
        <span class="right">✓ line is right</span>
      ) : probe ? (
        <span class={probe.agrees ? 'right' : 'wrong'}>{probe.agrees ? '✓ agrees' : '✗ differs'}</span>
      ) : null}
    </span>
  );
}

/** What the last move has shown, in the words of the terminal. */
function said(data: HuntData, move: HuntMove | undefined): string {
  if (!move) return '';
  if (move.kind === 'probe') {
    const probe = data.probes.find(({ name }) => name === move.name);
    return probe ? `${probe.agrees ? '✓' : '✗'} ${probe.name}: ${probeResult(probe)}` : '';
  }
  return move.kind === 'guess' ? HUNT_TEXTS.otherLine(move.name, data.score) : '';
}

/** The line that is looked at, and what can be done with it. */
function Moves({ data }: { data: HuntData }) {
  const name = chosen.value;
  const isProbed = data.probes.some((one) => one.name === name);
  return (
    <section class="card hunt-now hunt-probing" aria-labelledby="hunt-chosen">
      <h3 id="hunt-chosen">
        <code>{name}</code>
      </h3>
      <code class="line">{FORMULAS.get(name)}</code>
      <div class="hunt-moves">
        <Move move={{ kind: 'probe', name }} made={isProbed}>
          Probe {name} ({PROBE_COST} points)
        </Move>
        <Move move={{ kind: 'guess', name }} made={data.rightLines.includes(name)}>
          It is this line
        </Move>
        <button type="button" class="plain" onClick={() => play({ kind: 'give-up' })}>
          Give up
        </button>
      </div>
      <p class="hunt-said" role="status">
        {said(data, lastMove.value)}
      </p>
    </section>
  );
}

/** The button of a move. One that was made stays, and keeps the focus. */
function Move({ move, made, children }: { move: HuntMove; made: boolean; children: ComponentChildren }) {
  return (
    <button type="button" aria-disabled={made} onClick={() => made || play(move)}>
      {children}
    </button>
  );
}

/** What a probe of the gradient has shown. */
function Maps({ data }: { data: HuntData }) {
  const name = chosen.value;
  const probe = data.probes.find((one) => one.name === name);
  if (!probe) return null;
  return (
    <section class="hunt-maps" aria-labelledby="hunt-maps">
      <h3 id="hunt-maps">
        <code>{name}</code> <span class="shape">{showSizes(probe.right.shape)}</span>
      </h3>
      <Beside
        name={name}
        title="In this pass"
        found={probe.found}
        right={probe.right}
        difference={probe.difference}
        agrees={probe.agrees}
        cursor={cursor.value}
        onMove={(at) => {
          cursor.value = at;
        }}
      />
      <Legend most={undefined} />
    </section>
  );
}

/** The mistakes of the line, of which one is hidden. */
function Choices({ data }: { data: HuntData }) {
  const heading = useFocusOnce();
  return (
    <section class="card hunt-now hunt-choices" aria-labelledby="hunt-question">
      <h3 id="hunt-question" ref={heading} tabIndex={-1}>
        {data.line && HUNT_TEXTS.found(data.line)} {HUNT_TEXTS.question}
      </h3>
      <ol>
        {data.choices.map((mistake, index) => (
          <li key={mistake}>
            <Move move={{ kind: 'choose', index }} made={data.wrongChoices.includes(index)}>
              {data.wrongChoices.includes(index) && '✗ '}
              {mistake}
            </Move>
          </li>
        ))}
      </ol>
      <p class="hunt-said" role="status">
        {data.wrongChoices.length > 0 && HUNT_TEXTS.otherMistake(data.score)}
      </p>
      <button type="button" class="plain" onClick={() => play({ kind: 'give-up' })}>
        Give up
      </button>
    </section>
  );
}

/** The end: the mistake, the score, and what to do next. */
function End({ data }: { data: HuntData }) {
  const heading = useFocusOnce();
  const { answer, line, score, seed } = data;
  if (!answer) return null;
  return (
    <section class="card hunt-now hunt-end" aria-labelledby="hunt-end">
      <h3 id="hunt-end" ref={heading} tabIndex={-1}>
        {line ? `${HUNT_TEXTS.score(score)}, with ${countOf(data.probes.length, 'probe')}.` : 'Given up.'}
      </h3>
      <p>{HUNT_TEXTS.answer(answer.line, answer.mistake)}</p>
      <div class="hunt-moves">
        <button type="button" onClick={playAgain}>
          Play again
        </button>
        <button type="button" onClick={() => set({ view: 'mistakes', mistake: answer.name, tensor: null, entry: null }, 'push')}>
          See what the mistake does
        </button>
        <button type="button" onClick={() => jumpTo(answer.line)}>
          Show the line in the pass
        </button>
      </div>
      <p>
        The same hunt for a friend: <a href={`#view=hunt&hunt=${seed}`}>the link to this hunt</a>, or in the terminal{' '}
        <code>backprop-ninja hunt --seed {seed}</code>
      </p>
    </section>
  );
}

/** Focuses a heading when it appears: what the keyboard comes to next is below it. */
function useFocusOnce() {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return heading;
}

/** A heading that takes the focus when the hunt changes, if nothing has it: the button that was pressed is gone. */
function useFocusForNext(seed: number | undefined) {
  const heading = useRef<HTMLHeadingElement>(null);
  const last = useRef(seed);
  useLayoutEffect(() => {
    if (last.current !== undefined && last.current !== seed && document.activeElement === document.body) heading.current?.focus();
    last.current = seed;
  }, [seed]);
  return heading;
}

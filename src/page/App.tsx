/** The frame of the page: its name, its views, and the one that is open. */
import type { ComponentChildren, ComponentType } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { countOf } from '../core/text.js';
import { isAnswered, type RefusedError } from './engine/client.js';
import { failure } from './failures.js';
import { ownNames } from './ownNames.js';
import { damagedRun, pageRun } from './pageRun.js';
import { addressOf, noticeOf, type PageState, VIEWS, type View } from './properties.js';
import { pass, refused, set, state, unreadable } from './state.js';
import { ViewBoundary } from './ViewBoundary.js';
import { ExercisesView } from './views/exercises/ExercisesView.js';
import { HuntView } from './views/hunt/HuntView.js';
import { MistakesView } from './views/mistakes/MistakesView.js';
import { NamesView } from './views/names/NamesView.js';
import { PassView } from './views/pass/PassView.js';
import { live } from './views/train/live.js';
import { TrainView } from './views/train/TrainView.js';

const TITLES: Record<View, string> = {
  pass: 'The pass',
  train: 'Train',
  mistakes: 'Plant a mistake',
  hunt: 'Hunt',
  exercises: 'Exercises',
  names: 'Your names',
};

const CONTENTS: Record<View, ComponentType> = {
  pass: PassView,
  train: TrainView,
  mistakes: MistakesView,
  hunt: HuntView,
  exercises: ExercisesView,
  names: NamesView,
};

/** What the browser's tab and history say: the step, the line or the view. */
function titleOf({ view, step, exercise, line }: PageState): string {
  if (view === 'pass') return step;
  return view === 'exercises' ? `Exercise ${exercise}${line === null ? '' : `, ${line}`}` : TITLES[view];
}

export function App() {
  const { view } = state.value;
  const Content = CONTENTS[view];
  const title = `${titleOf(state.value)} · Backprop Ninja`;
  useLayoutEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <header class="top">
        <h1>Backprop Ninja</h1>
        <nav aria-label="Views">
          {VIEWS.map((one) => (
            <button key={one} type="button" aria-current={one === view ? 'page' : undefined} onClick={() => set({ view: one }, 'push')}>
              {TITLES[one]}
              {one === 'train' && one !== view && <TrainingShare />}
            </button>
          ))}
        </nav>
        <NetworkChoice />
      </header>
      <Main>
        <Notices />
        <ViewBoundary address={addressOf(state.value)}>
          <Content />
        </ViewBoundary>
      </Main>
    </>
  );
}

/** What is shown, with data-ready while it is all that the address asks for. It changes often, and its children not with it. */
function Main({ children }: { children: ComponentChildren }) {
  const isReady = (pass.value || refused.value) && isAnswered.value;
  return <main data-ready={isReady ? '' : undefined}>{children}</main>;
}

/** How far a training has come that goes on in the background. */
function TrainingShare() {
  const { value: run } = live;
  return run?.phase === 'training' ? ` ${Math.floor((100 * run.step) / run.info.config.steps)} %` : null;
}

/** Which parameters the pass has, where the page's file holds a run. */
function NetworkChoice() {
  const run = pageRun.value;
  if (!run) return null;
  const onChange = (event: { currentTarget: HTMLSelectElement }) => set({ network: event.currentTarget.value as 'start' | 'run' }, 'push');
  return (
    <label class="network">
      Network{' '}
      <select value={ownNames.value ? 'start' : state.value.network} disabled={ownNames.value !== undefined} onChange={onChange}>
        <option value="run">
          {run.name}, after {countOf(run.step, 'step')}
        </option>
        <option value="start">at the start of a training</option>
      </select>
    </label>
  );
}

/** What is said of an address; the rest of it is likely to be of the same kind. */
const MOST_UNREADABLE = 5;

/** What the address asked for and does not exist, and what the engine refused. */
function Notices() {
  const errors = [damagedRun.value, refused.value, failure.value].filter((one) => one !== undefined);
  const byMessage = new Map(errors.map((error) => [error.message, error]));
  return (
    <div class="notices" role="status">
      {unreadable.value.slice(0, MOST_UNREADABLE).map((one, i) => (
        <p key={i}>{noticeOf(one)}</p>
      ))}
      {[...byMessage.values()].map((error) => (
        <Refusal key={error.message} error={error} />
      ))}
    </div>
  );
}

function Refusal({ error: { message, hint, command } }: { error: RefusedError }) {
  return (
    <p>
      {message}
      {hint !== undefined && `; ${hint}`}
      {command !== undefined && (
        <>
          : <code>npx backprop-ninja {command}</code>
        </>
      )}
    </p>
  );
}

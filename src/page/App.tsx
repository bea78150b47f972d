/** The frame of the page: its name, its views, and the one that is open. */
import type { ComponentType } from 'preact';
import { VIEWS, type View } from './properties.js';
import { pass, refused, set, state, unreadable } from './state.js';
import { NamesView } from './views/names/NamesView.js';
import { PassView } from './views/pass/PassView.js';

/** The views in the order of the navigation. */
const TITLES: Record<View, string> = {
  pass: 'The pass',
  mistakes: 'Plant a mistake',
  hunt: 'Hunt',
  exercises: 'Exercises',
  names: 'Your names',
};

const CONTENTS: Partial<Record<View, ComponentType>> = { pass: PassView, names: NamesView };

export function App() {
  const { view } = state.value;
  const Content = CONTENTS[view] ?? PassView;
  return (
    <>
      <header class="top">
        <h1>Backprop Ninja</h1>
        <nav aria-label="Views">
          {VIEWS.filter((one) => CONTENTS[one]).map((one) => (
            <button key={one} type="button" aria-current={one === view ? 'page' : undefined} onClick={() => set({ view: one }, 'push')}>
              {TITLES[one]}
            </button>
          ))}
        </nav>
      </header>
      <main data-ready={pass.value || refused.value ? '' : undefined}>
        <Notices />
        <Content />
      </main>
    </>
  );
}

/** What the address asked for and does not exist, and what the engine refused. */
function Notices() {
  const error = refused.value;
  return (
    <div class="notices" role="status">
      {unreadable.value.map(({ key, text, expected }) => (
        <p key={key}>
          The address has {key}={text}. Expected {expected}; the page shows its default.
        </p>
      ))}
      {error && (
        <p>
          {error.message}
          {error.hint !== undefined && `; ${error.hint}`}
        </p>
      )}
    </div>
  );
}

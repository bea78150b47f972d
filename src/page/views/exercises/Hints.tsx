/** The hints for a line, each when you ask for it; after the last one, the solution. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask } from '../../engine/client.js';
import type { ExerciseEntry, LineEntry } from '../../engine/exercises.js';
import { openHint, openHints } from './progress.js';

const ASK = ['Give me a hint', 'Tell me the rule', 'Show the formula'];

interface HintsProps {
  exercise: ExerciseEntry;
  line: LineEntry;
  /** What else can be done with the line. */
  children: ComponentChildren;
}

export function Hints({ exercise: { number }, line, children }: HintsProps) {
  const open = openHints(number, line.name);
  return (
    <section class="hints" aria-label="Hints">
      {open > 0 && (
        <ol aria-live="polite">
          {line.hints.slice(0, open).map((hint, i) => (
            <li key={hint}>{i === 2 ? <code>{hint}</code> : hint}</li>
          ))}
        </ol>
      )}
      <div class="line-actions">
        {open < line.hints.length ? (
          <button type="button" onClick={() => openHint(number, line.name, open + 1, line.stub)}>
            {ASK[open]}
          </button>
        ) : (
          <Solution number={number} line={line} />
        )}
        {children}
      </div>
    </section>
  );
}

function Solution({ number, line }: { number: ExerciseEntry['number']; line: LineEntry }) {
  const [state, setState] = useState<'closed' | 'asked' | { text: string }>('closed');
  if (typeof state === 'object') {
    return (
      <figure class="solution">
        <figcaption>The lesson’s line</figcaption>
        <pre>{state.text}</pre>
      </figure>
    );
  }
  if (state === 'closed') {
    return (
      <button type="button" onClick={() => setState('asked')}>
        Show the solution
      </button>
    );
  }
  const show = async () => setState({ text: await ask('solution', number, line.name) });
  return (
    <p class="question">
      Show the lesson’s line? You learn more from one more try.{' '}
      <button type="button" onClick={show}>
        Show it
      </button>{' '}
      <button type="button" onClick={() => setState('closed')}>
        Not yet
      </button>
    </p>
  );
}

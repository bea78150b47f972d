/** The lines of an exercise with their states. */
import { useEffect, useRef } from 'preact/hooks';
import type { Verdict } from '../../../dojo/check.js';
import type { ExerciseEntry, LineEntry } from '../../engine/exercises.js';
import { set } from '../../state.js';
import { textOf, verdictOf } from './progress.js';

/** What each verdict looks like: a mark and a word. */
export const VERDICTS: Readonly<Record<Verdict | 'open', { mark: string; word: string }>> = {
  right: { mark: '✓', word: 'right' },
  wrong: { mark: '✗', word: 'wrong' },
  failed: { mark: '✗', word: 'cannot run' },
  todo: { mark: '·', word: 'not written yet' },
  open: { mark: '…', word: 'not checked' },
};

export function LineList({ exercise: { number, lines }, line }: { exercise: ExerciseEntry; line: LineEntry }) {
  const current = useRef<HTMLButtonElement>(null);
  // Keeps the current line in sight, without moving the page.
  useEffect(() => {
    const list = current.current?.closest('ol');
    const button = current.current;
    if (!list || !button) return;
    list.scrollTop = Math.max(0, button.offsetTop - list.offsetTop - list.clientHeight / 2);
    list.scrollLeft = Math.max(0, button.offsetLeft - list.offsetLeft - list.clientWidth / 2);
  }, [number, line.name]);
  return (
    <nav class="lines" aria-label={`Lines of Exercise ${number}`}>
      <ol>
        {lines.map(({ name, shape }) => {
          const verdict = textOf(number, name) === undefined ? 'todo' : (verdictOf(number, name) ?? 'open');
          const { mark, word } = VERDICTS[verdict];
          const open = name === line.name;
          return (
            <li key={name}>
              <button
                ref={open ? current : null}
                type="button"
                class={`line-entry ${verdict}`}
                aria-current={open ? 'step' : undefined}
                onClick={() => set({ line: name }, 'push')}
              >
                <span class="mark" aria-hidden="true">
                  {mark}
                </span>
                {name}
                <span class="unseen">, {word}</span> <span class="shape">{shape}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

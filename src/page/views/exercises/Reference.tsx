/** Beside the editor: the names that a line may read, with their shapes, and the methods of a tensor. */
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { LineEntry, ScopeEntry } from '../../engine/exercises.js';
import { FUNCTIONS, type ReferenceRow, TENSOR_METHODS, TENSOR_STATICS } from '../../learner/tensorReference.js';

/** Inserts a name at the cursor of the editor. */
export const inserter = signal<((name: string) => void) | undefined>(undefined);

/** Whether the editor was left for the one of another line, with a key: then that one takes the focus. */
export const moved = signal(false);

type Subject = 'Names' | 'Methods';

export function Reference({ line: { scope }, letters }: { line: LineEntry; letters: string }) {
  const [subject, setSubject] = useState<Subject>('Names');
  return (
    <aside class="reference" aria-label="Names and methods">
      <div class="subjects">
        {(['Names', 'Methods'] as const).map((one) => (
          <button key={one} type="button" aria-pressed={one === subject} onClick={() => setSubject(one)}>
            {one}
          </button>
        ))}
      </div>
      {subject === 'Names' ? (
        <Scope scope={scope} letters={letters} />
      ) : (
        <Methods rows={[...TENSOR_METHODS, ...TENSOR_STATICS, ...FUNCTIONS]} />
      )}
    </aside>
  );
}

function Scope({ scope, letters }: { scope: readonly ScopeEntry[]; letters: string }) {
  const gradients = scope.filter(({ kind }) => kind === 'gradient');
  return (
    <>
      <h3>Gradients above this line</h3>
      {gradients.length === 0 ? <p class="quiet">None: this is the first line.</p> : <Names entries={gradients} />}
      <h3>Values</h3>
      <Names entries={scope.filter(({ kind }) => kind !== 'gradient')} />
      <p class="quiet">{letters}</p>
      <p class="quiet">Ctrl+Enter checks at once, Alt+↑ and Alt+↓ change the line, Tab leaves the editor.</p>
    </>
  );
}

function Names({ entries }: { entries: readonly ScopeEntry[] }) {
  return (
    <ul class="scope">
      {entries.map(({ name, shape }) => (
        <li key={name}>
          <button type="button" title={`Insert ${name}`} onClick={() => inserter.value?.(name)}>
            {name} <span class="shape">{shape}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Methods({ rows }: { rows: readonly ReferenceRow[] }) {
  return (
    <dl class="methods">
      {rows.map(({ call, text }) => (
        <div key={call}>
          <dt>
            <code>{call}</code>
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

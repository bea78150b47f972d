/** The reader's own names in the place of the bundled ones. */
import { useSignal } from '@preact/signals';
import { countOf, showCharacters } from '../../../core/text.js';
import type { NamesOptions } from '../../../data/parseNames.js';
import { RefusedError } from '../../engine/client.js';
import type { NamesSummary } from '../../engine/names.js';
import { ownNames, store, stored, useBundledNames, useNames } from '../../ownNames.js';

interface Problem {
  message: string;
  hint?: string | undefined;
}

export function NamesView() {
  const text = useSignal(ownNames.value ? (stored()?.text ?? '') : '');
  const column = useSignal('');
  const compose = useSignal(false);
  const problem = useSignal<Problem | undefined>(undefined);
  const note = useSignal('');

  const read = async (bytes: Uint8Array) => {
    const options: NamesOptions = {
      ...(column.value !== '' && { column: column.value }),
      ...(compose.value && { normalize: 'nfc' as const }),
    };
    problem.value = undefined;
    note.value = '';
    try {
      await useNames(bytes, options);
      const kept = store({ text: new TextDecoder().decode(bytes), ...options });
      if (!kept) note.value = 'Your browser does not keep this list: give it again after the page is closed.';
    } catch (error) {
      problem.value = error instanceof RefusedError ? { message: error.message, hint: error.hint } : { message: String(error) };
    }
  };
  const readFile = async (file: File | undefined) => {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    text.value = file.size < 1_000_000 ? new TextDecoder().decode(bytes) : '';
    await read(bytes);
  };

  return (
    <section
      class="names"
      aria-labelledby="names-title"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void readFile(event.dataTransfer?.files[0]);
      }}
    >
      <h2 id="names-title">Your names</h2>
      <p>
        The network learns from a list of names. Give it yours: names of your class, cities, dinosaurs. One per line, at least 6. The list
        stays in this browser, and a link that you share does not carry it.
      </p>
      <label for="names-text">Paste the list, or drop a file here</label>
      <textarea
        id="names-text"
        rows={10}
        spellcheck={false}
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      <details>
        <summary>How to read it</summary>
        <div class="names-options">
          <label>
            Column of a table, by number or name{' '}
            <input type="text" size={12} value={column.value} onInput={(event) => (column.value = event.currentTarget.value)} />
          </label>
          <label>
            <input type="checkbox" checked={compose.value} onChange={(event) => (compose.value = event.currentTarget.checked)} /> A letter
            with its marks is one character (Unicode NFC)
          </label>
        </div>
      </details>
      <div class="names-buttons">
        <button type="button" disabled={text.value.trim() === ''} onClick={() => read(new TextEncoder().encode(text.value))}>
          Use these names
        </button>
        <label class="button">
          Choose a file
          <input type="file" accept=".txt,.csv,.tsv,text/*" onChange={(event) => readFile(event.currentTarget.files?.[0])} />
        </label>
        {ownNames.value && (
          <button type="button" onClick={useBundledNames}>
            Back to the bundled names
          </button>
        )}
      </div>
      <div role="status">
        {problem.value && <Refused {...problem.value} />}
        {note.value !== '' && <p>{note.value}</p>}
        {!problem.value && <InUse summary={ownNames.value} />}
      </div>
    </section>
  );
}

function Refused({ message, hint }: Problem) {
  // A hint may be an option or a command, which a page does not have.
  const forTerminal = hint !== undefined && /--|FILE/.test(hint);
  return (
    <p class="names-problem">
      <b>✗ Not used:</b> {message}
      {hint !== undefined && (forTerminal ? `. In the terminal: ${hint}` : `; ${hint}`)}.
    </p>
  );
}

function InUse({ summary }: { summary: NamesSummary | undefined }) {
  if (!summary) return <p class="names-used">In use: the bundled names.</p>;
  const { count, examples, vocabulary, first, notes } = summary;
  return (
    <div class="names-used">
      <p>
        <b>✓ In use:</b> {countOf(count, 'name')}, {vocabulary.length} characters with the boundary, {countOf(examples, 'example')} to train
        on.
      </p>
      <p class="names-first">{first.join(', ')}</p>
      <p>Characters: {showCharacters(vocabulary.slice(0, 200))}</p>
      {notes.map((note) => (
        <p key={note}>Note: {note}</p>
      ))}
    </div>
  );
}

/** The reader's own names in the place of the bundled ones. */
import { useSignal } from '@preact/signals';
import { countOf, quoteText, showCharacters } from '../../../core/text.js';
import type { NamesOptions } from '../../../data/parseNames.js';
import { RefusedError } from '../../engine/client.js';
import type { NamesSummary } from '../../engine/names.js';
import { given, ownNames, useBundledNames, useNames } from '../../ownNames.js';
import { FileButton } from '../../parts/FileButton.js';
import { useDroppedFiles } from '../../parts/useDroppedFiles.js';

/** A longer text is used, and not shown. */
const MOST_SHOWN = 1_000_000;
const shown = (text: string) => (text.length < MOST_SHOWN ? text : '');

export function NamesView() {
  const text = useSignal(shown(given.value?.text ?? ''));
  const column = useSignal(given.value?.column ?? '');
  const compose = useSignal(given.value?.normalize === 'nfc');
  const problem = useSignal<RefusedError | undefined>(undefined);
  const note = useSignal('');

  const read = async (bytes: Uint8Array) => {
    const options: NamesOptions = {
      ...(column.value !== '' && { column: column.value }),
      ...(compose.value && { normalize: 'nfc' as const }),
    };
    problem.value = undefined;
    note.value = '';
    try {
      const kept = await useNames(bytes, options);
      if (!kept) note.value = 'Your browser cannot store this list. Load it again next time.';
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      problem.value = error;
    }
  };
  const readFile = async (file: File | undefined) => {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    text.value = shown(new TextDecoder().decode(bytes));
    await read(bytes);
  };
  useDroppedFiles(([file]) => readFile(file));
  const goBack = () => {
    useBundledNames();
    problem.value = undefined;
    note.value = '';
  };

  return (
    <section class="names-view" aria-labelledby="names-title">
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
        <FileButton text="Choose a file" label="Choose a file" accept=".txt,.csv,.tsv,text/*" onFiles={([file]) => readFile(file)} />
        {given.value && (
          <button type="button" onClick={goBack}>
            Back to the bundled names
          </button>
        )}
      </div>
      <div role="status">
        {problem.value && <Refused error={problem.value} />}
        {note.value !== '' && <p>{note.value}</p>}
        {!problem.value && <InUse summary={ownNames.value} />}
      </div>
    </section>
  );
}

/** Without the option or the command that a terminal would be told: the page has its own fields. */
function Refused({ error: { message, hint } }: { error: RefusedError }) {
  return (
    <p class="names-problem">
      <b>✗ Not used:</b> {message}
      {hint !== undefined && `; ${hint}`}.
    </p>
  );
}

function InUse({ summary }: { summary: NamesSummary | undefined }) {
  if (!summary) return <p class="names-used">In use: the bundled names.</p>;
  const { count, examples, vocabulary, first, notes } = summary;
  return (
    <div class="names-used">
      <p>
        <b>✓ In use:</b> {countOf(count, 'name')}, {countOf(vocabulary.length, 'character')} with the boundary,{' '}
        {countOf(examples, 'example')} to train on.
      </p>
      <p class="names-first">{first.map(quoteText).join(', ')}</p>
      <p>Characters: {showCharacters(vocabulary)}</p>
      {notes.map((note) => (
        <p key={note}>Note: {note}</p>
      ))}
    </div>
  );
}

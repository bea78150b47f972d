/** The command that trains the same in a terminal. */
import { useRef, useState } from 'preact/hooks';
import { given, ownNames } from '../../ownNames.js';
import { choice } from './live.js';
import { commandOf } from './options.js';

export function CommandLine() {
  const text = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState('');
  const own = ownNames.value ? (given.value ?? {}) : undefined;
  const command = commandOf(choice.value, own);
  const copy = async () => setCopied((await copyText(command, text.current)) ? command : '');
  return (
    <section class="train-command" aria-labelledby="train-command">
      <h3 id="train-command">In a terminal</h3>
      <code ref={text}>{command}</code>
      <button type="button" onClick={copy}>
        Copy
      </button>
      <span role="status">{copied === command && 'Copied'}</span>
      {own && <p>names.txt is your list, saved as a file: the page keeps it in this browser only.</p>}
    </section>
  );
}

/** Copies a text; where the browser refuses, the text is selected, to be copied by hand. @returns whether it is copied */
async function copyText(command: string, element: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(command);
    return true;
  } catch {
    if (element) getSelection()?.selectAllChildren(element);
    return false;
  }
}

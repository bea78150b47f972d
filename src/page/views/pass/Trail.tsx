/** The way from the entry that the reader chose to the one that is inspected; each entry leads back. */
import { entryText } from '../../../lesson/entry.js';
import { goTo, trail } from './inspected.js';

export function Trail() {
  const way = trail.value;
  if (way.length < 2) return null;
  return (
    <nav class="trail" aria-label="The way here">
      <ol>
        {way.map((entry, k) => {
          const text = entryText(entry.name, entry.at);
          return (
            <li key={text}>
              {k === way.length - 1 ? (
                <span aria-current="true">{text}</span>
              ) : (
                <button type="button" class="entry-link" onClick={() => goTo(entry)}>
                  {text}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

/** The entry under the mouse, or else the chosen one: its value, and what its row and column are. */
import { signal } from '@preact/signals';
import { indicesMeaning } from '../../../dojo/entryMeaning.js';
import { entryText } from '../../../lesson/entry.js';
import type { PassData, TensorData } from '../../engine/pass.js';
import { positionOf, showNumber } from '../../parts/numbers.js';
import { focusInspector } from './focus.js';
import { inspected, namedBatch } from './inspected.js';
import { lettersOf } from './steps.js';

/** An entry of a heat map. */
interface Pointed {
  text: string;
  tensor: TensorData;
  letters: readonly (string | number)[];
  at: readonly number[];
}

/** The entry under the mouse. */
export const pointed = signal<Pointed | undefined>(undefined);

export function Readout({ data }: { data: PassData }) {
  const entry = inspected.value;
  const chosen = entry && { text: entry.name, tensor: data.tensors[entry.name], letters: lettersOf(entry.name), at: entry.at };
  const shown = pointed.value ?? chosen;
  if (!shown) {
    return <p class="readout">Point at an entry to see its value, its example and its character.</p>;
  }
  const { text, at, letters } = shown;
  const meaning = indicesMeaning(letters, at, namedBatch(data));
  return (
    <p class="readout">
      <code>
        {entryText(/\W/.test(text) && !text.endsWith('ᵀ') ? `(${text})` : text, at)} ={' '}
        {showNumber(shown.tensor.data[positionOf(at, shown.tensor.shape)] as number)}
      </code>{' '}
      {meaning}
      {shown === chosen && (
        <button type="button" class="readout-why" onClick={focusInspector}>
          Why?
        </button>
      )}
    </p>
  );
}

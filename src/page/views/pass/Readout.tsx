/** The entry under the mouse, or else the chosen one: its value, and what its row and column are. */
import { signal } from '@preact/signals';
import { entryText } from '../../../lesson/entry.js';
import type { PassData, TensorData } from '../../engine/pass.js';
import { isIn, positionOf, showNumber } from '../../parts/numbers.js';
import { state } from '../../state.js';
import { meaningOf } from './axes.js';
import { focusInspector } from './focus.js';
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
  const { tensor, step, entry } = state.value;
  const name = tensor ?? step;
  const chosen = entry && { text: name, tensor: data.tensors[name], letters: lettersOf(name), at: entry };
  const shown = pointed.value ?? chosen;
  if (!shown || !isIn(shown.at, shown.tensor.shape)) {
    return <p class="readout">Point at an entry to see its value, its example and its character.</p>;
  }
  const { text, at, letters } = shown;
  const meaning = meaningOf(letters, at, data);
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

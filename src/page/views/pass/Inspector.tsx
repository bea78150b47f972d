/** One entry of a tensor: its value. */
import type { PassData } from '../../engine/pass.js';
import { entryName, isIn, positionOf, showNumber } from '../../parts/numbers.js';
import { state } from '../../state.js';

export function Inspector({ data }: { data: PassData }) {
  const { tensor, step, entry } = state.value;
  const name = tensor ?? step;
  const { shape, data: entries } = data.tensors[name];
  if (entry === null) return <aside class="inspector">Choose an entry of a heat map, with the mouse or with the arrow keys.</aside>;
  if (!isIn(entry, shape)) return <aside class="inspector">{entryName(name, entry)} is outside the tensor.</aside>;
  return (
    <aside class="inspector" aria-live="polite">
      <h2>{entryName(name, entry)}</h2>
      <p class="number">{showNumber(entries[positionOf(entry, shape)] as number)}</p>
    </aside>
  );
}

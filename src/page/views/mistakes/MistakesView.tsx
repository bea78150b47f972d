/** A mistake of the bank in the backward pass: its line, what notices it, how it spreads, and what it does to training. */
import { useEffect } from 'preact/hooks';
import { Choice } from './Choice.js';
import { Line } from './Line.js';
import { followMistake, mutant, spread } from './mistake.js';
import { Spread } from './Spread.js';
import { Training } from './Training.js';
import { Verdicts } from './Verdicts.js';

export function MistakesView() {
  useEffect(followMistake, []);
  const data = spread.value;
  if (!data) return <p class="waiting">Planting the mistake …</p>;
  return (
    <div class="mistakes">
      <Choice />
      <Line mutant={mutant.value} />
      <Verdicts />
      <Spread data={data} />
      <Training />
    </div>
  );
}

/** Names that the network invents, from its first step on. */
import { formatCount, showText } from '../../../core/text.js';
import { showLoss } from '../../parts/numbers.js';
import { course, type Drawn } from './live.js';

/** Draws that are shown, besides the first one. */
const ROWS = 5;

/** Where a name that is not new occurs. */
const ORIGINS: Readonly<Record<string, string>> = { training: 'known', 'held out': 'held out' };

export function SamplesView() {
  const { drawn, val } = course.value;
  const losses = new Map(val);
  const latest = drawn.slice(0, ROWS);
  const first = drawn.at(-1);
  return (
    <section class="train-samples" aria-labelledby="train-samples">
      <h3 id="train-samples">Names that it invents</h3>
      <ol class="train-drawn">
        {latest.map((one) => (
          <Names key={one.step} drawn={one} loss={losses.get(one.step)} />
        ))}
        {first && !latest.includes(first) && <Names drawn={first} loss={losses.get(first.step)} />}
      </ol>
    </section>
  );
}

/** A network that has learned nothing ends its names late. */
const LONGEST = 24;

function shortName(name: string): string {
  const characters = [...showText(name)];
  return characters.length <= LONGEST ? characters.join('') : `${characters.slice(0, LONGEST - 1).join('')}…`;
}

/** @param loss over the validation names, where it was measured */
function Names({ drawn: { step, samples }, loss }: { drawn: Drawn; loss: number | undefined }) {
  return (
    <li>
      <span class="train-drawn-at">
        step {formatCount(step)}
        {loss !== undefined && `, loss ${showLoss(loss)}`}
      </span>
      <span>
        {samples.map(({ name, origin }, i) => (
          <span key={i} class="train-sample" data-origin={origin}>
            {shortName(name)} {origin !== 'new' && <span class="train-known">{ORIGINS[origin]}</span>}
          </span>
        ))}
      </span>
    </li>
  );
}

/** A closed form beside the lines that it replaces: its terms, what cancels, and that both give the same numbers. */
import { showNumber } from '../../parts/numbers.js';
import { Names } from './Names.js';
import type { StepPicture } from './stepPicture.js';

export function ClosedForm({ closed: { name, terms, difference } }: { closed: NonNullable<StepPicture['closed']> }) {
  return (
    <div class="closed">
      <dl class="neighbours">
        <Names title={`One expression for ${terms.atomic.length} lines`} names={terms.atomic} none="" />
      </dl>
      <p>
        {name} by the closed form and by the atomic lines differ by at most <span class="number">{showNumber(difference)}</span>.
      </p>
      <h3>The terms</h3>
      <dl class="closed-terms">
        {terms.terms.map(({ label, formula, text }) => (
          <div key={label}>
            <dt>
              {label}: <code>{formula}</code>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <h3>What cancels</h3>
      <dl class="closed-terms">
        {terms.vanishes.map(({ formula, text, largest, largestEntry }) => (
          <div key={formula}>
            <dt>
              <code>{formula}</code>
            </dt>
            <dd>
              {text} Largest sum here: <span class="number">{showNumber(largest)}</span>, of entries up to{' '}
              <span class="number">{showNumber(largestEntry)}</span>.
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

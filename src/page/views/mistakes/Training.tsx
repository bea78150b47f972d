/** The loss with and without the mistake: trained here, from the same seed, on the same batches. */
import { capitalised, formatCount } from '../../../core/text.js';
import { pass } from '../../state.js';
import { LossChart } from './LossChart.js';
import { LossTable } from './LossTable.js';
import { cancel, isRunning, type Run, run, STEPS, steps, train } from './training.js';

export function Training() {
  const { value: now } = run;
  const running = now && isRunning(now) ? now : undefined;
  const source = pass.value?.source;
  return (
    <section class="mistakes-training" aria-labelledby="mistakes-training">
      <h3 id="mistakes-training">What training shows</h3>
      <p>
        Two networks learn from the same batches of {source?.n} examples, from seed {source?.seed}: one with the right gradients, one with
        the mistake.
      </p>
      <div class="training-controls">
        <fieldset>
          <legend>Steps</legend>
          {STEPS.map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name="steps"
                checked={choice === steps.value}
                onChange={() => {
                  steps.value = choice;
                }}
              />
              {formatCount(choice)}
            </label>
          ))}
        </fieldset>
        {/* One button, so that it keeps the focus. */}
        <button type="button" class={running ? undefined : 'strong'} onClick={running ? cancel : train}>
          {running ? 'Cancel' : now ? 'Train again' : 'Train both'}
        </button>
        {running && (
          <label>
            <progress max={running.steps} value={running.step} /> step {formatCount(running.step)} of {formatCount(running.steps)}
          </label>
        )}
      </div>
      {now && <LossChart points={now.points} steps={now.steps} />}
      <p role="status" class="training-said">
        {now && said(now)}
      </p>
      {now && <LossTable run={now} />}
    </section>
  );
}

function said({ end, problem }: Run): string {
  const text = end?.said ?? problem;
  return text === undefined ? '' : `${capitalised(text)}.`;
}

/** The loss with and without the mistake: trained here, from the same seed, on the same batches. */
import { pass } from '../../state.js';
import { LossChart } from './LossChart.js';
import { LossTable } from './LossTable.js';
import { cancel, isRunning, type Run, run, STEPS, steps, train } from './training.js';

const count = new Intl.NumberFormat('en-US');

export function Training() {
  const { value: now } = run;
  const source = pass.value?.source;
  return (
    <section class="mistakes-training" aria-labelledby="mistakes-training">
      <h3 id="mistakes-training">What training shows</h3>
      <p>
        Two networks learn from the same batches of {source?.n} names, from seed {source?.seed}: one with the right gradients, one with the
        mistake.
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
              {count.format(choice)}
            </label>
          ))}
        </fieldset>
        {now && isRunning(now) ? (
          <>
            <button type="button" onClick={cancel}>
              Cancel
            </button>
            <label class="training-progress">
              <progress max={now.steps} value={now.step} /> step {count.format(now.step)} of {count.format(now.steps)}
            </label>
          </>
        ) : (
          <button type="button" class="strong" onClick={train}>
            {now ? 'Train again' : 'Train both'}
          </button>
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
  if (end) return `${end.said.slice(0, 1).toUpperCase()}${end.said.slice(1)}.`;
  return problem === undefined ? '' : `${problem.slice(0, 1).toUpperCase()}${problem.slice(1)}.`;
}

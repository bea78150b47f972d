/** How far the run has come: drawn often, said seldom. */
import { countOf, formatCount, quoteText } from '../../../core/text.js';
import { ownNames } from '../../ownNames.js';
import { showLoss } from '../../parts/numbers.js';
import { begin, choice, course, type Live, live, refusal } from './live.js';

export function Progress() {
  const { value: run } = live;
  const { value: error } = refusal;
  return (
    <div class="train-progress">
      {error && (
        <p class="train-refused" role="alert">
          <b>✗</b> {error.message}
          {error.hint !== undefined && `; ${error.hint}`}.
        </p>
      )}
      {run && <Steps run={run} />}
      {run && <Differs run={run} />}
    </div>
  );
}

function Steps({ run }: { run: Live }) {
  const { step, stepsPerSecond, smoothedLoss, phase, info } = run;
  const { steps } = info.config;
  const left = (steps - step) / stepsPerSecond;
  return (
    <div class="train-steps">
      <p class="train-said" role="status">
        {said(run)}
      </p>
      <span class="number">
        step {formatCount(step)} of {formatCount(steps)}
      </span>
      <span class="number">{smoothedLoss !== null && `smoothed loss ${showLoss(smoothedLoss)}`}</span>
      <span class="number">{stepsPerSecond > 0 && `${formatCount(Math.round(stepsPerSecond))} steps/s`}</span>
      <span class="number">{phase === 'training' && Number.isFinite(left) && `${timeText(left)} left`}</span>
      <progress aria-label="Steps done" max={steps} value={step} />
    </div>
  );
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** A sentence that changes when the run begins, stops or ends. */
function said({ phase, step, info, problem, file }: Live): string {
  const last = course.value.val.at(-1);
  if (phase === 'failed') return `✗ ${problem?.message}${problem?.hint === undefined ? '' : `; ${problem.hint}`}.`;
  if (phase === 'training') return 'Training.';
  if (phase === 'done') return `Done: ${countOf(info.config.steps, 'step')}${last ? `, validation loss ${showLoss(last[1])}` : ''}.`;
  if (file !== undefined && step === info.step) return `${quoteText(file)} is open, after step ${formatCount(step)}.`;
  return step === 0 ? 'Ready: the network is as initialised.' : `Paused after ${countOf(step, 'step')}.`;
}

/** What is chosen now and is not what the run has. */
function Differs({ run }: { run: Live }) {
  const isOther = JSON.stringify(run.choice) !== JSON.stringify(choice.value);
  const hasOtherNames = run.names !== (ownNames.value?.id ?? null);
  if (!isOther && !hasOtherNames) return null;
  return (
    <p class="train-differs">
      {isOther ? 'You have changed options' : 'The names are others'} since this run began. It keeps what it began with.{' '}
      <button type="button" onClick={() => begin()}>
        Start a new run
      </button>
    </p>
  );
}

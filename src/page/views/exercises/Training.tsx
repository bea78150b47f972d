/** The end of Exercise 4: training with your 13 lines. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { countOf, formatCount } from '../../../core/text.js';
import type { TrainingReport } from '../../../dojo/training.js';
import type { ExerciseEntry } from '../../engine/exercises.js';
import { trainWithLines } from '../../learner/trainWithLines.js';
import { written } from './checks.js';
import { textOf, verdictOf } from './progress.js';

type State =
  | { kind: 'idle' }
  | { kind: 'running'; step: number }
  | { kind: 'done'; report: TrainingReport }
  | { kind: 'failed'; problem: string };

export function Training({ exercise: { number, lines, trainingSteps } }: { exercise: ExerciseEntry }) {
  const [state, setState] = useState<State>({ kind: 'idle' });
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const ready = lines.every(({ name }) => verdictOf(number, name) === 'right');
  const train = async () => {
    const controller = new AbortController();
    running.current = controller;
    setState({ kind: 'running', step: 0 });
    const texts = lines.map((line) => [line.name, written(number, line)] as const);
    const result = await trainWithLines(textOf(number, 'top') ?? '', texts, controller.signal, (step) =>
      setState({ kind: 'running', step }),
    );
    if (!result) setState({ kind: 'idle' });
    else setState('problem' in result ? { kind: 'failed', ...result } : { kind: 'done', report: result });
  };
  return (
    <section class="training" aria-label="Training with your lines">
      <h3>Train with your gradients</h3>
      {state.kind === 'running' ? (
        <p>
          <progress value={state.step} max={trainingSteps} aria-label="Training steps" /> Step {state.step} of {formatCount(trainingSteps)}{' '}
          <button type="button" onClick={() => running.current?.abort()}>
            Cancel
          </button>
        </p>
      ) : (
        <p>
          <button type="button" disabled={!ready} onClick={train}>
            Train {countOf(trainingSteps, 'step')}
          </button>{' '}
          {!ready && <span class="quiet">When all {lines.length} lines are right.</span>}
        </p>
      )}
      <div role="status">
        {state.kind === 'done' && <Outcome report={state.report} />}
        {state.kind === 'failed' && <p class="problem">The training has stopped: {state.problem}</p>}
      </div>
    </section>
  );
}

function Outcome({ report: { steps, firstLoss, lastLoss } }: { report: TrainingReport }) {
  return (
    <p>
      Trained {formatCount(steps)} steps with your gradients: loss <b class="number">{firstLoss.toFixed(4)}</b>{' '}
      <span aria-hidden="true">→</span> <b class="number">{lastLoss.toFixed(4)}</b> (mean of the last 100).
    </p>
  );
}

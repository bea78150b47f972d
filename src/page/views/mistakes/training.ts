/** The training of two networks, with and without the mistake. It lives outside the view: another view does not end it. */
import { effect, signal } from '@preact/signals';
import { countOf } from '../../../core/text.js';
import type { LossPoint } from '../../../dojo/mutantTraining.js';
import { start } from '../../engine/client.js';
import type { MistakeTraining, TrainingEnd } from '../../engine/mistakes.js';
import { subject } from './mistake.js';

export const STEPS = [200, 1_000, 5_000] as const;

/** The two networks. */
export const NETWORKS = ['Right gradients', 'With the mistake'] as const;

export interface Run {
  steps: number;
  /** Steps done. */
  step: number;
  /** Points so far: with the right gradients, and with the mistake. */
  points: readonly [right: readonly LossPoint[], wrong: readonly LossPoint[]];
  /** Set at the end. */
  end?: TrainingEnd;
  /** Why there is no result. */
  problem?: string;
}

export const run = signal<Run | undefined>(undefined);
export const steps = signal<(typeof STEPS)[number]>(STEPS[1]);

let cancelRunning: (() => void) | undefined;

/** Ends the training. What it has shown so far is kept. */
export function cancel(): void {
  cancelRunning?.();
  cancelRunning = undefined;
  const value = run.peek();
  if (value && isRunning(value))
    run.value = value.step > 0 ? { ...value, problem: `cancelled after ${countOf(value.step, 'step')}` } : undefined;
}

export function train(): void {
  cancel();
  const asked = subject.peek();
  if (asked === undefined) return;
  const request: MistakeTraining = { ...JSON.parse(asked), steps: steps.peek() };
  run.value = { steps: request.steps, step: 0, points: [[], []] };
  const update = (change: Partial<Run>) => {
    if (run.value) run.value = { ...run.value, ...change };
  };
  const running = start('trainMistake', [request], ({ step, points: [right, wrong] }) => {
    const [rightSoFar, wrongSoFar] = run.value?.points ?? [[], []];
    update({
      step,
      points: [
        [...rightSoFar, ...right],
        [...wrongSoFar, ...wrong],
      ],
    });
  });
  cancelRunning = running.cancel;
  running.result.then(
    (end) => {
      cancelRunning = undefined;
      update({ step: request.steps, points: [end.courses[0].points, end.courses[1].points], end });
    },
    (error: Error) => {
      cancelRunning = undefined;
      update({ problem: error.message });
    },
  );
}

/** Whether a training is under way. */
export function isRunning({ end, problem }: Run): boolean {
  return end === undefined && problem === undefined;
}

// The curves of another mistake or pass would be misread.
effect(() => {
  subject.value;
  cancel();
  run.value = undefined;
});

import { SAMPLINGS } from '../../src/data/batch.js';
import type { RunConfig } from '../../src/training/runConfig.js';
import { SCHEDULES } from '../../src/training/schedule.js';
import { OPTIMIZERS, type OptimizerConfig, type OptimizerName } from '../../src/training/updater.js';

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export const OPTIMIZER_CONFIGS: Readonly<Record<OptimizerName, OptimizerConfig>> = {
  sgd: { name: 'sgd' },
  momentum: { name: 'momentum', momentum: 0.9 },
  nesterov: { name: 'nesterov', momentum: 0.8 },
  adam: { name: 'adam', ...ADAM },
  adamw: { name: 'adamw', ...ADAM, weightDecay: 0.1 },
};

export type Recipe = Pick<RunConfig, 'optimizer' | 'clip' | 'schedule' | 'warmup' | 'sampling'>;

/** Every optimizer with every kind of sampling; schedules, warm-up and clipping vary too. */
export const RECIPES: readonly { name: string; recipe: Recipe }[] = OPTIMIZERS.flatMap((optimizer, i) =>
  SAMPLINGS.map((sampling, j) => {
    const schedule = SCHEDULES[(i + 2 * j) % SCHEDULES.length];
    const recipe: Recipe = {
      optimizer: OPTIMIZER_CONFIGS[optimizer],
      ...(i % 2 === j ? { clip: 0.5 } : {}),
      schedule: schedule === 'step' ? { name: schedule, switchStep: 12 } : { name: schedule },
      warmup: i === 2 ? 0 : 5,
      sampling,
    };
    return { name: `${optimizer}, ${schedule}, ${sampling}`, recipe };
  }),
);

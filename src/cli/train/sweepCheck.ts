/** Holds a run of a sweep against what the sweep gave it to do. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileContentError, SystemError } from '../../core/errors.js';
import { loadCheckpoint } from '../../node/checkpointFile.js';
import { CHECKPOINT_FILE, readRunFile } from '../../node/runDirectory.js';
import type { Checkpoint } from '../../run/checkpoint.js';
import { settingDifferences } from '../../run/compareCheckpoints.js';
import type { OptionValues, SweepResult } from '../../run/sweep.js';
import { formatCount } from '../terminal/format.js';
import type { SweepPlan } from './sweepPlan.js';

/** A run that is not the one that the sweep planned, and how it differs. Its losses are not ranked. */
export interface DifferingRun {
  run: string;
  options: OptionValues;
  problems: string[];
}

/** A run's name and values. */
export type PlannedRun = Pick<SweepResult, 'run' | 'options'>;

/** Compares runs with their plan. */
export class SweepCheck {
  readonly #directory: string;
  readonly #plan: SweepPlan;
  /** The programs that trained the runs. */
  readonly programs = new Set<string>();

  constructor(directory: string, plan: SweepPlan) {
    this.#directory = directory;
    this.#plan = plan;
  }

  /** What keeps a run that was begun from being resumed: it is another run. Nothing for a run without a checkpoint. */
  beforeStart(planned: PlannedRun): string[] {
    return existsSync(this.#checkpointPath(planned)) ? this.#read(planned, (checkpoint) => this.#differences(checkpoint, planned)) : [];
  }

  /** Separates the results of the planned runs from others. */
  async sort(results: readonly SweepResult[]): Promise<{ planned: SweepResult[]; differing: DifferingRun[] }> {
    const planned: SweepResult[] = [];
    const differing: DifferingRun[] = [];
    for (const result of results) {
      const problems = this.#afterEnd(result);
      if (problems.length === 0) planned.push(result);
      else differing.push({ run: result.run, options: result.options, problems });
      await nextTurn();
    }
    return { planned, differing };
  }

  #afterEnd(result: SweepResult): string[] {
    if (!existsSync(this.#checkpointPath(result))) return ['its directory holds no checkpoint, so it cannot be checked'];
    return this.#read(result, (checkpoint) => {
      this.programs.add(checkpoint.program);
      const { state, config } = checkpoint;
      const isShort = result.valLoss !== null && state.step < config.steps;
      return [
        ...this.#differences(checkpoint, result),
        ...(isShort ? [`its checkpoint is of step ${formatCount(state.step)}, expected ${formatCount(config.steps)}`] : []),
        ...this.#resultDifferences(result),
      ];
    });
  }

  #read(planned: PlannedRun, problemsOf: (checkpoint: Checkpoint) => string[]): string[] {
    try {
      return problemsOf(loadCheckpoint(this.#checkpointPath(planned)));
    } catch (error) {
      if (error instanceof FileContentError || error instanceof SystemError) return [error.message];
      throw error;
    }
  }

  /** Settings and data that are not the planned ones. The default of --eval-every depends on the data's split, and shapes no weights. */
  #differences({ config, dataSha256 }: Checkpoint, { options }: PlannedRun): string[] {
    const { sweep, expectedConfig } = this.#plan;
    const isGiven = 'eval-every' in options || sweep.train.some((word) => word.startsWith('--eval-every'));
    const settings = settingDifferences(config, expectedConfig(options)).filter(({ key }) => isGiven || key !== 'evalEvery');
    return [
      ...settings.map(({ option, values: [found, expected] }) => `${option} is ${found ?? 'none'}, expected ${expected ?? 'none'}`),
      ...(dataSha256 === sweep.dataSha256 ? [] : [`it was trained on other data: SHA-256 ${dataSha256}, expected ${sweep.dataSha256}`]),
    ];
  }

  /** Losses in runs.jsonl that are not those that the run itself wrote down. */
  #resultDifferences({ run, trainLoss, valLoss }: SweepResult): string[] {
    const result = readRunFile(join(this.#directory, run, CHECKPOINT_FILE))?.result;
    if (typeof result !== 'object' || result === null || valLoss === null) return [];
    const own = result as { trainLoss?: unknown; valLoss?: unknown };
    const named = [
      ['validation', valLoss, own.valLoss],
      ['training', trainLoss, own.trainLoss],
    ] as const;
    return named
      .filter(([, listed, found]) => listed !== found)
      .map(([name, listed, found]) => `its ${name} loss is ${listed} in runs.jsonl, but ${found} in its run.json`);
  }

  #checkpointPath({ run }: PlannedRun): string {
    return join(this.#directory, run, CHECKPOINT_FILE);
  }
}

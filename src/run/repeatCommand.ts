/** The command that repeats a run, for somebody who has the program and the run's data set. */
import type { DataSizes } from '../training/recipe.js';
import type { RunConfig } from '../training/runConfig.js';
import { defaultSwitchStep } from '../training/schedule.js';
import { chosenFor, trainCommand } from './trainCommand.js';

/** What is known of a run's data set. */
export interface KnownData {
  /** Whether it is the list of names that comes with the program. */
  isBundled: boolean;
  /** The numbers of its examples, which decide the default of --eval-every; undefined if they are not known. */
  sizes: DataSizes | undefined;
}

/** The command, as short as the presets make it. FILE is in the place of files. */
export function repeatCommand(config: RunConfig, { isBundled, sizes }: KnownData): string {
  if (config.imported) return 'backprop-ninja import FILE';
  const { preset, options } = chosenFor(config, sizes ?? { trainExamples: 0, valExamples: 0 });
  if (!sizes) options.evalEvery = config.evalEvery;
  if (config.init !== undefined) for (const key of ['context', 'embedding', 'hidden'] as const) delete options[key];
  return [
    `backprop-ninja ${trainCommand({ preset, options })}`,
    ...(config.init === undefined ? [] : ['--init FILE']),
    ...(isBundled ? [] : ['--data FILE']),
  ].join(' ');
}

/** Whether it was extended by more steps: its rate falls where it would have fallen with fewer. */
export function isExtended({ schedule, steps }: RunConfig): boolean {
  return schedule.name === 'step' && schedule.switchStep !== defaultSwitchStep(steps);
}

import type { Mistake } from './report.js';
import type { Experiment, Witness } from './witness.js';

/** The name of what is wrong with the gradient of an input, if one explains it everywhere. */
export async function nameMistake(_input: string, _witnesses: readonly Witness[], _experiment: Experiment): Promise<Mistake | null> {
  return null;
}

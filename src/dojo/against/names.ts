/** The names under which a file may hold tensors. */
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { lessonName, similarName } from '../../lesson/tensorNames.js';
import { INTERMEDIATE_NAMES } from '../../lesson/values.js';
import { LESSON_PARAMETER_NAMES } from '../../network/parameters.js';
import type { Safetensors, StoredTensor } from '../../run/safetensors.js';
import type { AgainstReport } from './report.js';

/** The parameters and the batch, which every file needs. */
export const INPUT_NAMES: readonly string[] = [...LESSON_PARAMETER_NAMES, 'Xb', 'Yb'];
const KNOWN_NAMES: readonly string[] = [...GRADIENT_NAMES, ...INPUT_NAMES, ...INTERMEDIATE_NAMES, 'loss'];

export function isKnown(name: string): boolean {
  return KNOWN_NAMES.includes(lessonName(name));
}

/** The tensors of the file that are this tensor of the lesson: under its own name first, then under the lecture's. */
export function tensorsNamed({ tensors }: Safetensors, own: string): { name: string; stored: StoredTensor }[] {
  const found = [...tensors].filter(([name]) => lessonName(name) === own).map(([name, stored]) => ({ name, stored }));
  if (found.length === 1) return [{ ...found[0], name: own }];
  return found.sort((a, b) => Number(b.name === own) - Number(a.name === own));
}

/** The tensors whose name says nothing, with what was probably meant, and those that the file holds under a second name. */
export function unclearNames({ tensors }: Safetensors): Pick<AgainstReport, 'unknown' | 'duplicate'> {
  const names = [...tensors.keys()];
  return {
    unknown: names.filter((name) => !isKnown(name)).map((name) => ({ name, suggestion: similarName(name, KNOWN_NAMES) ?? null })),
    duplicate: names
      .filter((name) => lessonName(name) !== name && tensors.has(lessonName(name)))
      .map((name) => ({ name, of: lessonName(name) })),
  };
}

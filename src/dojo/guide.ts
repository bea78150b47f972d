import { GUIDE_TEXT } from './texts.js';

/**
 * The README.md of a learner's folder: everything you need for the exercises.
 * @param option an option that each command needs, with a leading space; empty in the default folder
 */
export function guideText(option = ''): string {
  return GUIDE_TEXT.replaceAll('{dir}', option);
}

import { GUIDE_TEXT } from './texts.js';

/**
 * README.md of a learner's folder: everything that the exercises need.
 * @param option an option that each command needs, with a leading space; empty in the default folder
 */
export function guideText(option = ''): string {
  return GUIDE_TEXT.replaceAll('{dir}', option);
}

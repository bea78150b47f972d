import { quoteHidden } from '../../core/text.js';

/** A character as it is shown alone: the boundary, index 0, is the end of a name. */
export function characterText(character: string, index: number): string {
  if (index === 0) return 'end';
  return character === ' ' ? 'space' : quoteHidden(character);
}

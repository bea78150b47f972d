/** Draws a distribution, or a short curve, in a line of a terminal. */
const BARS = ' ▁▂▃▄▅▆▇█';

/**
 * A character per value, as high as the value, from 0 to the largest. What is not 0 is never drawn as empty.
 * @param most the value of a full bar; by default the largest
 */
export function drawBars(values: readonly number[], most: number = Math.max(...values)): string {
  const levels = BARS.length - 1;
  return values
    .map((value) => BARS[value > 0 && most > 0 ? Math.max(1, Math.min(levels, Math.round((value / most) * levels))) : 0])
    .join('');
}

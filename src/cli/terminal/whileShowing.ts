import type { IO, Output } from './io.js';

/** Returns to the beginning of the line, and clears it. */
export const ERASE = '\r\x1b[K';

/** Whether a stream is a terminal on which text can be drawn again. */
export function canRedraw({ isTTY }: Output, { env }: IO): boolean {
  return isTTY && env.TERM !== 'dumb';
}

/** Shows a text in a terminal while work is done. */
export async function whileShowing<T>(text: string, output: Output, io: IO, work: () => Promise<T>): Promise<T> {
  if (!canRedraw(output, io)) return work();
  output.write(text);
  try {
    return await work();
  } finally {
    output.write(ERASE);
  }
}

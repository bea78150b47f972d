import type { ColorSupportLevel } from 'chalk';
import type { IO, Output } from './io.js';

/** The styles of the output. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
}

const plain = (text: string) => text;
export const PLAIN: Paint = { bold: plain, dim: plain, red: plain, green: plain };

/** The styles for a stream. Chalk is loaded only if there are colours: it takes 5 ms. */
export async function paintFor(output: Output, env: IO['env'], flag = true): Promise<Paint> {
  const level = colorLevel(output, env, flag);
  if (level === 0) return PLAIN;
  const { Chalk } = await import('chalk');
  const { bold, dim, red, green } = new Chalk({ level });
  // Chalk joins all arguments, and map passes three.
  const one = (style: (text: string) => string) => (text: string) => style(text);
  return { bold: one(bold), dim: one(dim), red: one(red), green: one(green) };
}

/**
 * Whether a stream gets colours. In order of precedence: --no-color, FORCE_COLOR, NO_COLOR, TERM=dumb; by default, only a terminal does.
 */
export function colorLevel(output: Output, env: IO['env'], flag = true): ColorSupportLevel {
  if (!flag) return 0;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR === '0' || env.FORCE_COLOR === 'false' ? 0 : 1;
  if (env.NO_COLOR || env.TERM === 'dumb') return 0;
  return output.isTTY ? 1 : 0;
}

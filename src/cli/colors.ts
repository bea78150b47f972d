import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';
import type { IO, Output } from './io.js';

/**
 * Colours for one stream. A flag beats the environment, which beats the default: --no-color, FORCE_COLOR, NO_COLOR,
 * TERM=dumb, and colours only on a terminal.
 */
export function colorsFor(output: Output, env: IO['env'], flag = true): ChalkInstance {
  return new Chalk({ level: colorLevel(output, env, flag) });
}

function colorLevel(output: Output, env: IO['env'], flag: boolean): ColorSupportLevel {
  if (!flag) return 0;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR === '0' || env.FORCE_COLOR === 'false' ? 0 : 1;
  if (env.NO_COLOR || env.TERM === 'dumb') return 0;
  return output.isTTY ? 1 : 0;
}

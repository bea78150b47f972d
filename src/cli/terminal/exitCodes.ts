import type { StopSignal } from './io.js';

/** The command ran, and the answer is no. */
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;
export const EXIT_FILE = 3;
export const EXIT_SYSTEM = 4;
export const EXIT_NUMBERS = 5;

/** 128 plus the number of the signal, as shells report it. */
export const EXIT_SIGNAL: Record<StopSignal, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

import type { Backend } from '../../src/backend/backend.js';

/** Waits until that many threads compute the layers of a backend: threads take about 50 ms to start. */
export async function untilWorking({ floats, scale, threads }: Backend, count: number): Promise<void> {
  const one = floats(1);
  while (true) {
    scale(one, 1, 1);
    if (threads?.working === count) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

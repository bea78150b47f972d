// Layers that take too long or too much, checked by someone who runs the command.
import { describe, expect, it } from 'vitest';
import { checkText, reportsOn, squareLayer } from '../support/layerFiles.js';

describe('a limit of time or memory', () => {
  it('ends a layer that reaches it, and the others are judged', async () => {
    const heap = squareLayer('heap', { top: 'const all: unknown[] = []; for (;;) all.push({ all: [1, 2, 3, {}] });' });
    const memory = squareLayer('memory', { top: 'const all: unknown[] = []; for (;;) all.push(new Float64Array(1e6).fill(1));' });
    const { exitCode, layers } = await reportsOn(
      squareLayer('a') + heap + memory + squareLayer('time', { top: 'for (;;);' }) + squareLayer('z'),
    );
    expect(exitCode).toBe(1);
    const refusals = layers.map(({ name, refused }) => [name, refused?.id, refused?.text]);
    expect(refusals).toEqual([
      ['a', undefined, undefined],
      ['heap', 'memory', 'it uses more than 2 GB of memory'],
      ['memory', 'memory', 'it uses more than 2 GB of memory'],
      ['time', 'time', 'it did not finish within 30 s'],
      ['z', undefined, undefined],
    ]);
  });

  it('ends a file that does not finish loading (3)', async () => {
    const { exitCode, stderr } = await checkText('for (;;);');
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: 'error: layer.ts cannot be loaded: it did not finish within 30 s\n' });
  });
});

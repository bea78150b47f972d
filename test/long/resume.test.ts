import { describe, expect, it } from 'vitest';
import { OPTIMIZERS } from '../../src/training/updater.js';
import { computed, finished, lasting, ok, RESUME, trainAndStop } from '../support/resume.js';
import { snapshot, tempDirectory } from '../support/tempDirectory.js';

describe.each(OPTIMIZERS)('a stopped run with %s, in epochs', (optimizer) => {
  const RECIPE = [
    '--optimizer',
    optimizer,
    '--lr',
    '0.02',
    '--sampling',
    'epochs',
    '--schedule',
    'linear',
    '--warmup',
    '3',
    '--clip',
    '0.6',
  ];

  it('ends with the bytes and the report of an uninterrupted one, wherever it was stopped, and replay reproduces it', async () => {
    const one = await finished(...RECIPE);
    const report = lasting(await ok(one, ...RESUME, '--json'));
    for (const step of [0, 1, 2, 3, 7, 10, 11, 17, 20, 21, 23]) {
      const cwd = tempDirectory();
      await trainAndStop(cwd, step, ...RECIPE);
      const before = snapshot(cwd);
      for (const command of ['sample', 'eval', 'replay']) await ok(cwd, command, 'run');
      expect(snapshot(cwd)).toEqual(before);
      const outcome = await ok(cwd, ...RESUME, '--json');
      expect(outcome.stderr).toMatch(
        new RegExp(`^${optimizer} 0\\.02[^\n]*, linear to 0, warm-up 3 steps, clip 0\\.6, shuffled epochs$`, 'm'),
      );
      expect(computed(cwd), `${step}`).toEqual(computed(one));
      expect(lasting(outcome)).toEqual(report);
      expect((await ok(cwd, 'replay', 'run')).stdout).toContain('the same: 24 steps repeated');
    }
  });
});

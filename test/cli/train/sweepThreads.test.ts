import { describe, expect, it } from 'vitest';
import { shareCores } from '../../../src/cli/train/sweepThreads.js';

describe('the cores of a sweep', () => {
  it.each<[jobs: number | undefined, threads: number | 'auto', runs: number, cores: number, width: number, each: number | 'auto']>([
    [undefined, 'auto', 10, 2, 2, 1],
    [undefined, 'auto', 10, 16, 10, 1],
    [undefined, 'auto', 3, 16, 3, 5],
    [undefined, 'auto', 1, 16, 1, 'auto'],
    [1, 'auto', 10, 16, 1, 'auto'],
    [4, 'auto', 10, 16, 4, 4],
    [undefined, 'auto', 10, 1, 1, 'auto'],
    [undefined, 4, 10, 16, 4, 4],
    [undefined, 3, 10, 16, 5, 3],
    [2, 4, 10, 16, 2, 4],
    [undefined, 1, 10, 16, 10, 1],
    [undefined, 2, 0, 2, 1, 2],
  ])('are shared: --jobs %s --threads %s, %i runs, %i cores', (jobs, threads, runs, cores, width, each) => {
    expect(shareCores({ jobs, threads }, runs, cores)).toEqual({ width, threads: each });
  });

  it.each<[jobs: number | undefined, threads: number | 'auto', runs: number, cores: number, width: number, each: number, note: string]>([
    [4, 'auto', 10, 2, 2, 1, '4 runs at a time would need 4 cores, and there are 2: 2 at a time'],
    [2, 2, 10, 2, 2, 1, '2 runs at a time with 2 threads each would need 4 cores, and there are 2: 2 at a time, with 1 thread each'],
    [
      undefined,
      4,
      10,
      2,
      1,
      2,
      '1 run at a time with 4 threads each would need 4 cores, and there are 2: 1 at a time, with 2 threads each',
    ],
    [undefined, 2, 1, 1, 1, 1, '1 run at a time with 2 threads each would need 2 cores, and there is 1: 1 at a time, with 1 thread each'],
    [3, 1, 10, 1, 1, 1, '3 runs at a time would need 3 cores, and there is 1: 1 at a time'],
  ])(
    'are never exceeded, and a note says what is reduced: --jobs %s --threads %s, %i runs, %i cores',
    (jobs, threads, runs, cores, width, each, note) => {
      expect(shareCores({ jobs, threads }, runs, cores)).toEqual({ width, threads: each, note });
    },
  );
});

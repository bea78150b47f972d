import { beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../../src/node/session.js';
import type { RunConfig } from '../../src/training/runConfig.js';
import { finish, recordsIn, resume, SESSION_CONFIG, start, wholeRun } from '../support/sessions.js';
import { snapshot, tempDirectory } from '../support/tempDirectory.js';

describe('a large run, abandoned between two parts of a step, an evaluation or a save', () => {
  // Large enough to be trained and evaluated in parts.
  const config: RunConfig = {
    ...SESSION_CONFIG,
    hidden: [750, 750],
    steps: 3,
    schedule: { name: 'constant' },
    sampling: 'epochs',
    evalEvery: 2,
  };
  let whole: Record<string, string>;

  beforeAll(() => {
    whole = wholeRun(config);
  });

  /** Does this many parts of the run. @returns whether it has ended before */
  function doParts(session: Session, count: number): boolean {
    let left = count;
    while (!session.done) {
      for (const job = session.advanceInParts(); !job.next().done; left--) {
        if (left > 0) continue;
        job.return();
        return false;
      }
    }
    return true;
  }

  it('ends with the same bytes, and repeats no record', () => {
    let isOver = false;
    let suspended = 0;
    for (let parts = 0; !isOver; parts += 5) {
      const directory = tempDirectory();
      const session = start(directory, config, 2);
      isOver = doParts(session, parts);
      session.suspend();
      session.close();
      if (isOver) break;
      suspended++;
      const second = resume(directory, 2);
      expect(second.missingSteps).toEqual([]);
      finish(second);
      expect(snapshot(directory), `${parts} parts`).toEqual(whole);
      expect(new Set(recordsIn(directory)).size).toBe(recordsIn(directory).length);
    }
    expect(suspended).toBeGreaterThan(10);
  });

  it('goes on in the same session with the same batch', () => {
    const directory = tempDirectory();
    const session = start(directory, config, 2);
    for (const parts of [1, 4, 9, 11, 30]) doParts(session, parts);
    finish(session);
    expect(snapshot(directory)).toEqual(whole);
  });
});

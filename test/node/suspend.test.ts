import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import type { Session } from '../../src/node/session.js';
import { readSafetensors } from '../../src/run/safetensors.js';
import { advanceTo, finish, resume, SAVE_EVERY, SESSION_CONFIG, start, wholeRun } from '../support/sessions.js';
import { snapshot, tempDirectory } from '../support/tempDirectory.js';

function checkpointIn(directory: string): ReturnType<typeof loadCheckpoint> {
  return loadCheckpoint(join(directory, 'checkpoint.safetensors'));
}

function suspend(session: Session): void {
  session.suspend();
  session.close();
}

describe('a suspended run', () => {
  it('ends with the same bytes as an uninterrupted one, whenever it was suspended', () => {
    const uninterrupted = wholeRun();
    for (let step = 0; step <= SESSION_CONFIG.steps; step++) {
      const directory = tempDirectory();
      suspend(advanceTo(start(directory), step));
      expect(checkpointIn(directory).state.step).toBe(step);
      const second = resume(directory);
      expect([second.step, second.done]).toEqual([step, step === SESSION_CONFIG.steps]);
      finish(second);
      expect(snapshot(directory), `${step}`).toEqual(uninterrupted);
    }
  });

  it('has a checkpoint without statistics, in a format of its own; a saved one has the first format', () => {
    const directory = tempDirectory();
    const session = advanceTo(start(directory), SAVE_EVERY + 1);
    const format = () => readSafetensors(readFileSync(join(directory, 'checkpoint.safetensors'))).metadata.formatVersion;
    expect([checkpointIn(directory).statistics, format()]).toEqual([undefined, '3']);
    session.suspend();
    const { statistics, tensors } = checkpointIn(directory);
    expect([statistics, format()]).toEqual(['missing', '4']);
    expect(new Set(tensors.get('bnmean'))).toEqual(new Set([0]));
    expect(new Set(tensors.get('bnvar'))).toEqual(new Set([1]));
    session.save();
    session.close();
    expect([checkpointIn(directory).statistics, format()]).toEqual([undefined, '3']);
  });

  it('has the same checkpoint, whether an evaluation came before or not', () => {
    const [a, b] = [tempDirectory(), tempDirectory()];
    suspend(advanceTo(start(a, { ...SESSION_CONFIG, evalEvery: 1000 }), 6));
    suspend(advanceTo(start(b, { ...SESSION_CONFIG, evalEvery: 1000 }, 3), 6));
    const [withoutSave, saved] = [a, b].map(checkpointIn);
    expect(withoutSave.statistics).toBe('missing');
    expect(saved.statistics).toBeUndefined();
    expect(withoutSave.tensors.get('W1')).toEqual(saved.tensors.get('W1'));
  });

  it('keeps the statistics if they are those of its step', () => {
    const directory = tempDirectory();
    const session = advanceTo(start(directory), SAVE_EVERY);
    const saved = snapshot(directory);
    suspend(session);
    expect(snapshot(directory)).toEqual(saved);
    suspend(resume(directory));
    expect(snapshot(directory)).toEqual(saved);
  });
});

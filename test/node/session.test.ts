import { beforeAll, describe, expect, it } from 'vitest';
import type { RunConfig } from '../../src/training/runConfig.js';
import { RECIPES } from '../support/recipes.js';
import {
  advanceTo,
  finish,
  killedAndFinished,
  recipeConfig,
  recordsIn,
  resume,
  SAVE_EVERY,
  SESSION_CONFIG,
  start,
  wholeRun,
} from '../support/sessions.js';
import { makeDirectory, removeDirectory, snapshot, tempDirectory } from '../support/tempDirectory.js';

const STEPS = Array.from({ length: SESSION_CONFIG.steps + 1 }, (_, step) => step);

let uninterrupted: Record<string, string>;

beforeAll(() => {
  uninterrupted = wholeRun();
});

describe('a run killed', () => {
  it.each(STEPS)('after step %i and resumed from its last save ends with the same bytes as an uninterrupted one', (step) => {
    const directory = tempDirectory();
    // Neither closed nor saved, like a killed process.
    const killed = advanceTo(start(directory), step);
    const saved = step === SESSION_CONFIG.steps ? step : step - (step % SAVE_EVERY);
    expect(killed.savedAt).toBe(saved);
    const second = resume(directory);
    expect(second.step).toBe(saved);
    finish(second);
    killed.close();
    expect(snapshot(directory)).toEqual(uninterrupted);
  });

  it('several times, with another save interval each time, ends with the same bytes', () => {
    const directory = tempDirectory();
    advanceTo(start(directory, SESSION_CONFIG, 4), 6).close();
    for (const [saveEvery, step] of [
      [3, 8],
      [1, 9],
      [100, 13],
      [5, 17],
    ] as const) {
      advanceTo(resume(directory, saveEvery), step).close();
    }
    finish(resume(directory));
    expect(snapshot(directory)).toEqual(uninterrupted);
  });

  it('between an evaluation and the next save repeats that evaluation once', () => {
    const directory = tempDirectory();
    advanceTo(start(directory), 6).close();
    expect(recordsIn(directory)).toEqual(['0 hashes', '5 evaluation']);
    const session = resume(directory);
    expect(recordsIn(directory)).toEqual(['0 hashes']);
    advanceTo(session, 6).close();
    expect(recordsIn(directory)).toEqual(['0 hashes', '5 evaluation']);
  });
});

describe.each(RECIPES)('a run with $name', ({ recipe }) => {
  const config = recipeConfig(recipe);
  let whole: Record<string, string>;

  beforeAll(() => {
    whole = wholeRun(config);
  });

  it.each([0, 9, 17])('killed after step %i ends with the same bytes as an uninterrupted one', (step) => {
    expect(killedAndFinished(config, step)).toEqual(whole);
  });

  it('saved and resumed after every step ends with the same bytes', () => {
    const directory = tempDirectory();
    start(directory, config).close();
    for (const step of STEPS) {
      const session = advanceTo(resume(directory, 10_000), step);
      session.save();
      session.close();
    }
    expect(snapshot(directory)).toEqual(whole);
  });
});

describe('a run of a thousand steps', () => {
  const LONG: RunConfig = { ...SESSION_CONFIG, steps: 1050, schedule: { name: 'step', switchStep: 525 }, evalEvery: 200 };
  let whole: string;

  beforeAll(() => {
    whole = makeDirectory();
    finish(start(whole, LONG, 300));
    return () => removeDirectory(whole);
  });

  it('records losses every 100 steps, hashes every 1000, evaluations as configured, and all of them at the end', () => {
    const losses = (from: number, to: number) => Array.from({ length: (to - from) / 100 + 1 }, (_, i) => `${from + 100 * i} loss`);
    const expected = [
      '0 hashes',
      ...losses(100, 200),
      '200 evaluation',
      ...losses(300, 400),
      '400 evaluation',
      ...losses(500, 600),
      '600 evaluation',
      ...losses(700, 800),
      '800 evaluation',
      ...losses(900, 1000),
      '1000 hashes',
      '1000 evaluation',
      '1050 loss',
      '1050 hashes',
      '1050 evaluation',
    ];
    expect(recordsIn(whole)).toEqual(expected);
  });

  it('saved and resumed at, before and after recorded steps ends with the same bytes', () => {
    const directory = tempDirectory();
    start(directory, LONG).close();
    for (const step of [99, 100, 101, 200, 524, 525, 526, 999, 1000, 1001, 1049]) {
      const session = advanceTo(resume(directory, 10_000), step);
      session.save();
      session.close();
    }
    finish(resume(directory));
    expect(snapshot(directory)).toEqual(snapshot(whole));
  });

  it('killed after recorded steps ends with the same bytes', () => {
    const directory = tempDirectory();
    advanceTo(start(directory, LONG, 90), 201).close();
    for (const step of [401, 1001, 1049]) advanceTo(resume(directory, 90), step).close();
    finish(resume(directory));
    expect(snapshot(directory)).toEqual(snapshot(whole));
  });

  it('resumes with the same smoothed loss', () => {
    const directory = tempDirectory();
    const first = advanceTo(start(directory, LONG), 130);
    first.save();
    first.close();
    const second = resume(directory);
    expect(second.smoothedLoss).toBe(first.smoothedLoss);
    second.close();
  });
});

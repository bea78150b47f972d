import { describe, expect, it } from 'vitest';
import { RECIPES } from '../support/recipes.js';
import { killedAndFinished, recipeConfig, wholeRun } from '../support/sessions.js';

describe.each(RECIPES)('a run with $name', ({ recipe }) => {
  it('killed after any step ends with the same bytes as an uninterrupted one', () => {
    const config = recipeConfig(recipe);
    const whole = wholeRun(config);
    for (let step = 0; step <= config.steps; step++) expect(killedAndFinished(config, step), `${step}`).toEqual(whole);
  });
});

import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { fromActivation } from '../../../src/gradCheck/anyLayer/adapters.js';
import { defineLayer } from '../../../src/gradCheck/anyLayer/layer.js';
import { assertGradients, gradientMatchers } from '../../../src/gradCheck/anyLayer/matchers.js';

expect.extend(gradientMatchers);

const right = fromActivation(Math.tanh, (y) => 1 - y * y, { of: 'output' });
const wrong = fromActivation(Math.tanh, (y) => 2 - 2 * y * y, { of: 'output' });
const random = defineLayer({
  inputs: (_, draw) => ({ x: draw.normal() }),
  forward: ({ x }) => x * Math.random(),
  backward: (dout) => dout,
});
const noLayer = { inputs: () => ({}), forward: () => 1 };

/** The message of a failed assertion. */
async function messageOf(assertion: Promise<void>): Promise<string> {
  return assertion.then(
    () => 'it passed',
    (error: Error) => error.message,
  );
}

describe('toHaveCorrectGradients', () => {
  it('passes for a right layer, and fails for a wrong one with its report', async () => {
    await expect(right).toHaveCorrectGradients();
    const message = await messageOf(expect(wrong).toHaveCorrectGradients());
    expect(message).toMatch(/^layer: dx is wrong\n {2}dx \(input x\): wrong at \[\d+\]: yours /);
  });

  it('takes the options of checkLayer', async () => {
    expect(await messageOf(expect(wrong).toHaveCorrectGradients({ name: 'tanh', seed: 3 }))).toMatch(/^tanh: dx is wrong/);
  });

  it('with .not passes for a wrong layer, and says of a right one that nothing is wrong', async () => {
    await expect(wrong).not.toHaveCorrectGradients();
    expect(await messageOf(expect(right).not.toHaveCorrectGradients())).toMatch(
      /^expected a wrong gradient, but none was found\n\nlayer: right/,
    );
  });

  it('fails with and without .not for a layer that was not judged', async () => {
    const text = 'layer: not judged\n  forward gives other numbers each time';
    expect(await messageOf(expect(random).toHaveCorrectGradients())).toContain(text);
    expect(await messageOf(expect(random).not.toHaveCorrectGradients())).toContain(text);
  });

  it('fails with and without .not for what is no layer', async () => {
    const text = 'expect(layer).toHaveCorrectGradients(): not a layer: backward is missing';
    expect(await messageOf(expect(noLayer).toHaveCorrectGradients())).toContain(text);
    expect(await messageOf(expect(noLayer).not.toHaveCorrectGradients())).toContain(text);
    expect(await messageOf(expect(undefined).toHaveCorrectGradients())).toContain('not a layer, but undefined');
  });
});

describe('assertGradients', () => {
  it('passes for a right layer', async () => {
    expect(await assertGradients(right)).toBeUndefined();
  });

  it('throws an error like those of node:assert, with the report', async () => {
    await assert.rejects(assertGradients(wrong, { name: 'tanh' }), {
      name: 'AssertionError',
      code: 'ERR_ASSERTION',
      message: /^tanh: dx is wrong\n/,
    });
    await assert.rejects(assertGradients(random), { name: 'AssertionError', message: /^layer: not judged\n/ });
  });

  it('throws a TypeError for what is no layer', async () => {
    await assert.rejects(assertGradients(noLayer as never), {
      name: 'TypeError',
      message: /^assertGradients: not a layer: backward is missing/,
    });
  });
});

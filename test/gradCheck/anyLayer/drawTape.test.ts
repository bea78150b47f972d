import { describe, expect, it } from 'vitest';
import { type DrawKey, startDraw } from '../../../src/gradCheck/anyLayer/draw.js';
import { restartDraw } from '../../../src/gradCheck/anyLayer/drawTape.js';
import type { Draw } from '../../../src/gradCheck/anyLayer/layer.js';

const key: DrawKey = { seed: 'any', mode: 'generic', precision: 'float64' };

/** What `create` draws, in some order. */
const create = (draw: Draw) => [draw.normal(2, 3), draw.near(1), draw.positive(2), draw.index(4, 3), draw.integer(9), draw.normal()];
const other = (draw: Draw) => [draw.normal(2, 3), draw.normal(), draw.positive(2)];

describe('a draw that is started again', () => {
  it('gives the numbers of the first one, however often', () => {
    const point = { key };
    for (let start = 0; start < 3; start++) expect(create(restartDraw(point))).toEqual(create(startDraw(key)));
  });

  it('gives arrays of its own', () => {
    const point = { key };
    restartDraw(point).normal(2).data.fill(7);
    expect(restartDraw(point).normal(2)).toEqual(startDraw(key).normal(2));
  });

  it('may be asked for less, more or something else', () => {
    const point = { key };
    restartDraw(point).normal(2, 3);
    for (const draws of [create, other, create, other]) expect(draws(restartDraw(point))).toEqual(draws(startDraw(key)));
  });

  it('does not mix points', () => {
    const [one, two] = [{ key }, { key: { ...key, seed: 'another' } }];
    expect(restartDraw(one).normal(3)).not.toEqual(restartDraw(two).normal(3));
    expect(restartDraw(one).normal(3)).toEqual(startDraw(key).normal(3));
  });
});

import { describe, expect, it } from 'vitest';
import { isLayer, type Layer } from '../../../src/gradCheck/anyLayer/layer.js';
import { located } from '../../../src/node/layers/located.js';

const FILE = '/project/layer.ts';

/** An error whose stack begins in a file. */
function errorIn(file: string): Error {
  const error = new TypeError('x is not a function');
  error.stack = `${error}\n    at forward (${file}:12:5)`;
  return error;
}

function failing(forward: () => unknown): Layer {
  return located({ inputs: () => ({}), forward, backward: () => ({}) }, { file: FILE });
}

const call = (layer: Layer) => layer.forward({} as never, {} as never);

describe('an error of a layer', () => {
  it('says its line in the file, also if the function is async', async () => {
    const says = { name: 'TypeError', message: 'x is not a function (line 12)' };
    expect(() =>
      call(
        failing(() => {
          throw errorIn(FILE);
        }),
      ),
    ).toThrow(expect.objectContaining(says));
    await expect(
      call(
        failing(async () => {
          throw errorIn(FILE);
        }),
      ),
    ).rejects.toMatchObject(says);
  });

  it('from elsewhere, and what is no error, stays as it is', () => {
    const elsewhere = errorIn('/project/other.ts');
    expect(() =>
      call(
        failing(() => {
          throw elsewhere;
        }),
      ),
    ).toThrow(elsewhere);
    let caught: unknown;
    try {
      call(
        failing(() => {
          throw 3;
        }),
      );
    } catch (thrown) {
      caught = thrown;
    }
    expect(caught).toBe(3);
  });
});

describe('a located layer', () => {
  it('is the layer otherwise, also one of a class or one that is frozen', () => {
    class Written {
      #gain = 2;
      sizes = { n: [3] };
      inputs = () => ({ x: this.#gain });
      forward({ x }: { x: number }) {
        return x * this.#gain;
      }
      backward() {
        return {};
      }
    }
    for (const layer of [new Written(), Object.freeze(new Written())]) {
      const same = located(layer as never, { file: FILE });
      expect(isLayer(same)).toBe(true);
      expect(same.sizes).toEqual({ n: [3] });
      expect(same.inputs({}, {} as never)).toEqual({ x: 2 });
      expect(same.forward({ x: 3 } as never, {} as never)).toBe(6);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { isLayer } from '../../../src/gradCheck/anyLayer/layer.js';
import { defineLayer } from '../../../src/gradcheck.js';

const parts = { inputs: () => ({ x: [1] }), forward: ({ x }: { x: number[] }) => x, backward: (dout: number[]) => ({ x: dout }) };

describe('defineLayer', () => {
  it('makes a layer, with the functions of a class too', () => {
    class Identity {
      inputs() {
        return parts.inputs();
      }
      forward(inputs: { x: number[] }) {
        return parts.forward(inputs);
      }
      backward(dout: number[]) {
        return parts.backward(dout);
      }
    }
    const layer = defineLayer(new Identity());
    expect(isLayer(layer)).toBe(true);
    expect(layer.inputs({}, undefined as never)).toEqual({ x: [1] });
  });

  it('refuses a specification without one of its functions, and says what was probably meant', () => {
    const { forward, ...without } = parts;
    expect(() => defineLayer(without as never)).toThrow(new TypeError('defineLayer: forward must be a function'));
    const text = 'defineLayer: forward must be a function; found foward: did you mean forward?';
    expect(() => defineLayer({ ...without, foward: forward } as never)).toThrow(new TypeError(text));
    expect(() => defineLayer(undefined as never)).toThrow('defineLayer: inputs must be a function');
  });
});

describe('isLayer', () => {
  it.each<[string, unknown, boolean]>([
    ['an object with the three functions', parts, true],
    ['a class with static functions', Object.assign(class {}, parts), true],
    ['an object without backward', { ...parts, backward: undefined }, false],
    ['a function', () => {}, false],
    ['null', null, false],
    ['text', 'layer', false],
  ])('of %s', (_, value, expected) => {
    expect(isLayer(value)).toBe(expected);
  });
});

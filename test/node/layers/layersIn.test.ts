import { describe, expect, it } from 'vitest';
import { defineLayer } from '../../../src/gradCheck/anyLayer/layer.js';
import { layersIn } from '../../../src/node/layers/layersIn.js';

const functions = { inputs: () => ({}), forward: () => 0, backward: () => ({}) };
const layer = () => defineLayer(functions);

class Written {
  inputs = () => ({});
  forward() {}
  backward() {}
}

/** The names of the layers. */
function namesIn(exports: object): string[] {
  return [...layersIn(exports).layers.keys()];
}

describe('the layers of a file', () => {
  const same = layer();
  it.each<[string, object, string[]]>([
    ['made by defineLayer', { a: layer(), b: layer() }, ['a', 'b']],
    ['objects with the three functions', { a: functions, b: new Written() }, ['a', 'b']],
    ['the default export', { default: layer() }, ['default']],
    ['in an object that is the default export', { default: { a: layer(), b: functions } }, ['a', 'b']],
    ['beside a default export of layers', { a: layer(), default: { b: layer() } }, ['a', 'b']],
    ['exported twice, as CommonJS does', { a: same, default: { a: same } }, ['a']],
    ['exported by name and by default', { a: same, default: same }, ['a']],
    ['among other exports', { SIZE: 3, add: () => 0, a: layer(), nothing: null, missing: undefined }, ['a']],
    ['a namespace of another module', { a: Object.assign(Object.create(null), functions) }, ['a']],
    ['none', {}, []],
  ])('are found: %s', (_, exports, names) => {
    expect(namesIn(exports)).toEqual(names);
  });

  it('are found beside an export that cannot be read', () => {
    const exports = Object.defineProperty({ a: layer() }, 'b', {
      enumerable: true,
      get: () => {
        throw new Error('not yet');
      },
    });
    expect(namesIn(exports)).toEqual(['a']);
  });
});

describe('exports that are no layers', () => {
  it('are described by their kind, and by their functions if they have one of a layer', () => {
    const { others } = layersIn({ SIZE: 3, add: () => 0, Norm: Written, half: { forward() {}, backwards() {}, size: 1 }, text: 'a' });
    expect(others).toEqual([
      { name: 'SIZE', kind: 'a number' },
      { name: 'add', kind: 'a function' },
      { name: 'Norm', kind: 'a class: see fromClass' },
      { name: 'half', kind: 'an object', functions: ['forward', 'backwards'] },
      { name: 'text', kind: 'a string' },
    ]);
  });

  it('have the methods of their class', () => {
    class Half {
      forward() {}
    }
    expect(layersIn({ half: new Half() }).others).toEqual([{ name: 'half', kind: 'an object', functions: ['forward'] }]);
  });

  it('are those in the default export, too', () => {
    expect(layersIn({ default: { SIZE: 3 } }).others).toEqual([{ name: 'SIZE', kind: 'a number' }]);
    expect(layersIn({ default: { forward() {} } }).others).toEqual([{ name: 'default', kind: 'an object', functions: ['forward'] }]);
  });
});

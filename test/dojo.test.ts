import { describe, expect, it } from 'vitest';
import * as dojo from '../src/dojo.js';
import { graphOf } from './support/moduleGraph.js';

describe('the entry for a learner', () => {
  it('exports the tensor, softmax and todo', () => {
    expect(Object.keys(dojo).sort()).toEqual(['ShapeError', 'Tensor', 'TodoError', 'softmax', 'todo']);
  });

  it('loads four small modules, without solutions and without Node', () => {
    expect([...graphOf('dojo.ts')].sort()).toEqual(['core/tensor.ts', 'dojo.ts', 'dojo/learnerFile.ts', 'lesson/softmax.ts']);
  });
});

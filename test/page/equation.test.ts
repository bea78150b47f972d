// The page imports texts that its bundler puts in.
/// <reference path="../../src/page/bundled.d.ts" />
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { createDataset } from '../../src/data/dataset.js';
import { parseNames } from '../../src/data/parseNames.js';
import { TENSOR_NAMES, type TensorName } from '../../src/lesson/entry.js';
import { backward, GRADIENT_NAMES } from '../../src/lesson/exercise1.js';
import { createNamesCase } from '../../src/lesson/namesCase.js';
import { STEP_INPUTS, STEP_NAMES } from '../../src/lesson/values.js';
import type { PassData } from '../../src/page/engine/pass.js';
import { type Block, equationOf, type Item, type MapBlock, mapsOf } from '../../src/page/views/pass/equation.js';
import { layoutOf } from '../../src/page/views/pass/layout.js';
import { networkMap } from '../../src/page/views/pass/mapLayout.js';
import { inProject } from '../support/inProject.js';

const STEPS: readonly TensorName[] = [...STEP_NAMES, ...GRADIENT_NAMES];
let data: PassData;

beforeAll(() => {
  const { names } = parseNames(readFileSync(inProject('data/names.txt')), 'names.txt');
  const dataset = createDataset(names, { splitSeed: 42, unique: false });
  const source = { seed: 1, batch: 0, n: 32, names: null };
  const { config, values } = createNamesCase(dataset, source);
  const pass = { ...values, ...backward(values) };
  const tensors = Object.fromEntries(TENSOR_NAMES.map((name) => [name, { data: pass[name].data, shape: pass[name].shape }]));
  data = { source, config, vocabulary: dataset.vocabulary, batch: values, tensors } as unknown as PassData;
});

const lastOf = (items: readonly Item[]): Block => (items.at(-1) as Item).block;

/** The map that a part ends in. */
function endOf(block: Block): MapBlock {
  return block.kind === 'map' ? block : block.result;
}

/** What a map shows, as a matrix. */
function matrix({ tensor: { data: entries, shape }, transposed }: MapBlock): Tensor {
  const [rows, ...others] = shape.length === 1 ? [1, shape[0] as number] : shape;
  const tensor = new Tensor(Float64Array.from(entries), [rows as number, others.reduce((a, b) => a * b, 1)]);
  return transposed ? tensor.T : tensor;
}

function expectClose(a: Tensor, b: Tensor): void {
  expect(a.shape).toEqual(b.shape);
  expect(Math.max(...a.sub(b).data.map(Math.abs))).toBeLessThan(1e-12);
}

describe('the equation of every step', () => {
  it.each(STEPS)('%s ends in its tensor', (step) => {
    const end = endOf(lastOf(equationOf(data, step)));
    expect(end).toMatchObject({ name: step, isResult: true });
    expect(end.tensor).toBe(data.tensors[step]);
  });

  it('has the numbers of the line: matrix products, sums over the batch or the row, and branches that add', () => {
    const seen = { matmul: 0, reduced: 0, branches: 0 };
    for (const step of GRADIENT_NAMES) {
      const block = lastOf(equationOf(data, step));
      if (block.kind === 'map') continue;
      seen[block.kind]++;
      if (block.kind === 'matmul') expectClose(matrix(block.left).matmul(matrix(block.right)), matrix(block.result));
      if (block.kind === 'reduced')
        expectClose(matrix(block.of).sum(block.over === 'batch' ? 0 : 1, { keepdim: true }), matrix(block.result));
      if (block.kind === 'branches') {
        const ends = block.branches.map(({ items }) => matrix(endOf(lastOf(items))));
        expectClose(
          ends.reduce((a, b) => a.add(b)),
          matrix(block.result),
        );
      }
    }
    // dh, dW2, dembact, dW1; six sums over the batch and two over the row; dcounts, dlogits, dbndiff, dhprebn.
    expect(seen).toEqual({ matmul: 4, reduced: 8, branches: 4 });
  });

  it.each([
    ['dcounts', ['through probs', 'through counts_sum']],
    ['dlogits', ['through norm_logits', 'through logit_maxes']],
    ['dbndiff', ['through bnraw', 'through bndiff2']],
    ['dhprebn', ['through bndiff', 'through bnmeani']],
  ] as const)('%s adds what comes through each use', (step, labels) => {
    const block = lastOf(equationOf(data, step));
    expect(block.kind === 'branches' && block.branches.map(({ label }) => label)).toEqual(labels);
  });

  it('shows as many copies of a tensor that is broadcast as the step uses', () => {
    const copies = (step: TensorName) =>
      equationOf(data, step).flatMap(({ block }) =>
        mapsOf(block).flatMap(({ text, copies: made }) => (made ? [`${text}: ${made.count}`] : [])),
      );
    expect(copies('hprebn')).toEqual(['b1: 32']);
    expect(copies('probs')).toEqual(['counts_sum_inv: 27']);
    expect(copies('dbnraw')).toEqual(['bngain: 32']);
    expect(copies('dhprebn')).toEqual(['1/n · dbnmeani: 32']);
    expect(copies('dh')).toEqual([]);
  });

  it.each([
    [856, 2.5],
    [342, 2],
  ])('%i pixels wide, has entries of at least %d pixels', (width, least) => {
    for (const step of STEPS) expect(layoutOf(equationOf(data, step), width, 370).pixel, step).toBeGreaterThanOrEqual(least);
  });
});

describe('the map of the network', () => {
  it('has every tensor once, arrows for all that is read, and fits 1216 pixels', () => {
    const { nodes, edges, width, height } = networkMap(1216);
    expect(nodes.map(({ name }) => name).sort()).toEqual([...TENSOR_NAMES].sort());
    const read = Object.values(STEP_INPUTS).flat().length;
    expect(edges).toHaveLength(2 * read);
    expect(width).toBeLessThanOrEqual(1216);
    expect(height).toBeLessThan(200);
  });

  it('has no two tensors that overlap', () => {
    const { nodes } = networkMap(1216);
    for (const a of nodes) {
      const over = nodes.filter(
        (b) => b !== a && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height,
      );
      expect(
        over.map(({ name }) => name),
        a.name,
      ).toEqual([]);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { LESSON_PARAMETER_NAMES, type ParameterName } from '../../src/network/parameters.js';
import { sha256 } from '../../src/node/sha256.js';
import { type HashRecord, type MetricsRecord, parameterHashes } from '../../src/run/records.js';
import { compareRuns, differingTensors, expectedHashes, hashRecords } from '../../src/run/replay.js';

/** Seven arrays with one number each: the given one, or 1. */
function parameters(some: Partial<Record<ParameterName, number>> = {}): Record<ParameterName, Float32Array> {
  return Object.fromEntries(LESSON_PARAMETER_NAMES.map((name) => [name, Float32Array.of(some[name] ?? 1)])) as Record<
    ParameterName,
    Float32Array
  >;
}

function record(step: number, some?: Partial<Record<ParameterName, number>>): HashRecord {
  return { step, hashes: parameterHashes(parameters(some), sha256) };
}

describe('parameter hashes', () => {
  it('are 16 hexadecimal digits each, under the names of the parameters', () => {
    const hashes = parameterHashes(parameters(), sha256);
    expect(Object.keys(hashes)).toEqual([...LESSON_PARAMETER_NAMES]);
    for (const hash of Object.values(hashes)) expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('differ for any two bit patterns, also 0 and -0, and are equal for equal ones', () => {
    const of = (x: number) => parameterHashes(parameters({ W1: x }), sha256).W1;
    expect(of(1)).toBe(of(1));
    expect(new Set([1, 1 + 2 ** -23, -1, 0, -0].map(of)).size).toBe(5);
  });

  it('cover only the part of the memory that belongs to the parameter', () => {
    const memory = Float32Array.of(7, 1, 7);
    expect(parameterHashes({ ...parameters(), b1: memory.subarray(1, 2) }, sha256)).toEqual(parameterHashes(parameters(), sha256));
  });
});

describe('differingTensors', () => {
  it('names the tensors in the order of the parameters', () => {
    expect(differingTensors(record(0).hashes, record(0, { b2: 2, C: 2, bngain: 2 }).hashes)).toEqual(['C', 'bngain', 'b2']);
    expect(differingTensors(record(0).hashes, record(0).hashes)).toEqual([]);
  });

  it('names blocks that only one network has, in the order of the deeper network', () => {
    const { C, W1, b1, bngain, bnbias, W2 } = parameters();
    const blocks = { 'blocks.2.W': C, 'blocks.2.b': C, 'blocks.2.bngain': C, 'blocks.2.bnbias': C };
    const deep = parameterHashes({ C, W1, b1, bngain, bnbias, ...blocks, W2, b2: Float32Array.of(2) }, sha256);
    const divergence = ['blocks.2.W', 'blocks.2.b', 'blocks.2.bngain', 'blocks.2.bnbias', 'b2'];
    expect(differingTensors(record(0).hashes, deep)).toEqual(divergence);
    expect(differingTensors(deep, record(0).hashes)).toEqual(divergence);
    expect(differingTensors(deep, deep)).toEqual([]);
  });
});

describe('compareRuns', () => {
  it('finds all steps and no divergence for equal runs', () => {
    const run = [record(0), record(1000, { C: 2 }), record(1500, { C: 3 })];
    expect(compareRuns(run, run)).toEqual({ steps: [0, 1000, 1500], divergence: undefined });
  });

  it('finds the first step after which the runs differ, and the tensors that differ', () => {
    const a = [record(0), record(1000), record(2000), record(3000)];
    const b = [record(0), record(1000), record(2000, { W2: 2 }), record(3000, { W2: 3, C: 3 })];
    expect(compareRuns(a, b)).toEqual({ steps: [0, 1000, 2000, 3000], divergence: { step: 2000, tensors: ['W2'] } });
    expect(compareRuns(b, a)).toEqual(compareRuns(a, b));
  });

  it('looks only at steps that both runs recorded', () => {
    const a = [record(0), record(700, { C: 5 }), record(1000)];
    const b = [record(0), record(800, { C: 6 }), record(1000), record(2000, { C: 7 })];
    expect(compareRuns(a, b)).toEqual({ steps: [0, 1000], divergence: undefined });
  });

  it('finds no steps for runs without a common one', () => {
    expect(compareRuns([record(0)], [record(1)])).toEqual({ steps: [], divergence: undefined });
    expect(compareRuns([], [])).toEqual({ steps: [], divergence: undefined });
  });
});

describe('hash records', () => {
  it('are picked out of all records', () => {
    const records: MetricsRecord[] = [record(0), { step: 100, loss: 2, rate: 0.1 }, { step: 100, valLoss: 2 }, record(1000)];
    expect(hashRecords(records)).toEqual([record(0), record(1000)]);
  });
});

describe('expected hashes', () => {
  it('are the recorded ones, and at the last step also those of the parameters', () => {
    const last = { C: 9 };
    const expected = expectedHashes([record(0), record(1000, { C: 2 }), record(1200, { C: 3 })], 1200, record(1200, last).hashes);
    expect([...expected]).toEqual([
      [0, [record(0).hashes]],
      [1000, [record(1000, { C: 2 }).hashes]],
      [1200, [record(1200, { C: 3 }).hashes, record(1200, last).hashes]],
    ]);
  });

  it('leave out records after the last step', () => {
    expect([...expectedHashes([record(0), record(1000)], 500, record(500).hashes).keys()]).toEqual([0, 500]);
  });
});

import { describe, expect, it } from 'vitest';
import { compareRecords, differingTensors, type RecordComparison } from '../../src/run/compareRecords.js';
import { type HashRecord, type MetricsRecord, parameterHashes, readRecord } from '../../src/run/records.js';
import { measure } from '../../src/training/diagnostics.js';
import { stepped } from '../support/steppedModel.js';

const NAMES = ['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2'] as const;

function hashes(step: number, changed: Partial<Record<(typeof NAMES)[number], number>> = {}): HashRecord {
  const parameters = Object.fromEntries(NAMES.map((name) => [name, Float32Array.of(changed[name] ?? 1)])) as never;
  return { step, hashes: parameterHashes(parameters, (bytes) => Buffer.from(bytes).toString('hex').padEnd(64, '0')) };
}
const loss = (step: number, value = 2): MetricsRecord => ({ step, loss: value, rate: 0.1 });
const diagnosis = (step: number, value = 4): MetricsRecord => ({
  step,
  diagnostics: { loss: value, gradientNorm: 1, clipped: false, blocks: [], parameters: {} },
});
const valLoss = (step: number, value = 3): MetricsRecord => ({ step, valLoss: value });

function compare(a: Iterable<MetricsRecord>, b: Iterable<MetricsRecord>, ends: [number, number] = [3000, 3000]): RecordComparison {
  const job = compareRecords(a, b, ends);
  for (;;) {
    const { done, value } = job.next();
    if (done) return value;
  }
}

describe('records of two runs', () => {
  it('that are equal are the same, and counted', () => {
    const run = [hashes(0), loss(100), valLoss(100), hashes(1000), loss(1000)];
    const { same, kinds, upTo, divergence, firstDifference } = compare(run, run);
    expect({ same, upTo, divergence, firstDifference }).toEqual({ same: true, upTo: 1000 });
    expect(kinds).toEqual({
      loss: { compared: 2, alone: 0, differing: 0 },
      valLoss: { compared: 1, alone: 0, differing: 0 },
      hashes: { compared: 2, alone: 0, differing: 0 },
      diagnostics: { compared: 0, alone: 0, differing: 0 },
    });
  });

  it('that diverge: the first step, its tensors, and the last step before it with equal hashes', () => {
    const a = [hashes(0), hashes(1000), hashes(2000), hashes(3000)];
    const b = [hashes(0), hashes(1000), hashes(2000, { W2: 2 }), hashes(3000, { W2: 3, C: 3 })];
    for (const found of [compare(a, b), compare(b, a)]) {
      expect(found).toMatchObject({ same: false, divergence: { step: 2000, tensors: ['W2'] }, lastEqual: 1000 });
      expect(found.kinds.hashes).toMatchObject({ compared: 4, differing: 2 });
    }
  });

  it.each<[string, MetricsRecord[], MetricsRecord[], object]>([
    ['a loss', [loss(100)], [loss(100, 2.5)], { kind: 'loss', step: 100, records: [loss(100), loss(100, 2.5)] }],
    ['a rate', [loss(100)], [{ step: 100, loss: 2, rate: 0.2 }], { kind: 'loss', step: 100 }],
    ['a validation loss', [valLoss(7)], [valLoss(7, 3.1)], { kind: 'valLoss', step: 7 }],
    ['a diagnosis', [diagnosis(7)], [diagnosis(7, 4.1)], { kind: 'diagnostics', step: 7 }],
    ['a diagnosis that one run has twice', [diagnosis(7)], [diagnosis(7), diagnosis(7)], { kind: 'diagnostics', step: 7 }],
    ['a record that one run lacks', [loss(100), loss(200)], [loss(200)], { kind: 'loss', step: 100, records: [loss(100), undefined] }],
    ['a record that one run has twice', [loss(100)], [loss(100), loss(100)], { kind: 'loss', step: 100, records: [undefined, loss(100)] }],
    ['records out of order', [loss(100), loss(200)], [loss(200), loss(100)], { kind: 'loss', step: 100 }],
    ['no records at all', [loss(100)], [], { kind: 'loss', step: 100, records: [loss(100), undefined] }],
  ])('that differ in %s', (_, a, b, first) => {
    for (const [left, right] of [
      [a, b],
      [b, a],
    ]) {
      const found = compare(left, right);
      expect(found.same).toBe(false);
      if (left === a) expect(Object.values(found.kinds).flatMap((kind) => kind.first ?? [])[0]).toMatchObject(first);
    }
  });

  it('are the same if the runs were diagnosed at different steps', () => {
    const found = compare([diagnosis(1), diagnosis(50), loss(100), diagnosis(150)], [diagnosis(1), loss(100), diagnosis(120)], [150, 150]);
    expect(found).toMatchObject({ same: true, kinds: { diagnostics: { compared: 1, alone: 0, differing: 0 } } });
  });

  it('of which one is longer are compared up to the end of the shorter one, whose last records may be its own', () => {
    const short = [hashes(0), loss(100), loss(150), valLoss(150), hashes(150)];
    const long = [hashes(0), loss(100), loss(200), hashes(1000, { C: 2 })];
    expect(compare(short, long, [150, 1000])).toMatchObject({ same: true, upTo: 100, later: 2 });
    expect(compare(short, long, [150, 150]).same).toBe(false);
  });

  it('are read as they are needed, and not kept', () => {
    function* many(): Generator<MetricsRecord> {
      for (let step = 1; step <= 200_000; step++) yield loss(step);
    }
    expect(compare(many(), many(), [200_000, 200_000]).kinds.loss.compared).toBe(200_000);
  });
});

describe('differingTensors', () => {
  it('names the parameters that differ, also those of blocks that one network alone has', () => {
    const deep = { ...hashes(0).hashes, 'blocks.2.W': 'x' };
    expect(differingTensors(hashes(0).hashes, hashes(0, { b1: 4, W2: 5 }).hashes)).toEqual(['b1', 'W2']);
    expect(differingTensors(hashes(0).hashes, deep)).toEqual(['blocks.2.W']);
    expect(differingTensors(deep, hashes(0).hashes)).toEqual(['blocks.2.W']);
  });
});

describe('a line of metrics.jsonl', () => {
  const { model, activations } = stepped([5, 2]);
  const measured = { step: 7, diagnostics: measure(model, activations) };

  it('that is a diagnosis has no unknown key, no key twice and no other value inside', () => {
    const text = JSON.stringify(measured);
    const changed = (from: string, to: string) => readRecord(text.replace(from, to));
    expect(changed('"saturated"', '"note":1,"saturated"')).toEqual({ flaw: 'it has an unknown key in diagnostics' });
    expect(changed('"clipped"', '"clipped":true,"clipped"')).toEqual({ flaw: 'it has a key twice' });
    expect(changed('"clipped":false', '"clipped":0')).toEqual({ flaw: 'a key is missing, or has a wrong value' });
  });

  it('that is nested as deeply as JSON allows is flawed, as any other', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const inside = JSON.stringify(measured).replace('"saturated"', `"note":${deep},"saturated"`);
    expect(readRecord(inside)).toEqual({ flaw: 'it is nested too deeply in diagnostics' });
    for (const line of [deep, `{"step":${deep}}`, `{"step":1,"loss":${deep},"rate":1}`]) expect(readRecord(line)).toHaveProperty('flaw');
  });

  it.each([loss(100), valLoss(100), hashes(0), measured])('that is a record has no flaw: %j', (record) => {
    expect(readRecord(JSON.stringify(record))).toEqual({ record });
  });

  it.each([
    ['{"step":1,"lss":2,"rate":0.1}', 'it has the unknown key lss; did you mean loss?'],
    ['{"step":1,"loss":2,"rate":0.1,"Rate":0.1}', 'it has the unknown key Rate; did you mean rate?'],
    ['{"stp":1,"valLoss":2}', 'it has the unknown key stp; did you mean step?'],
    ['{"step":1,"valLoss":2,"note":"mine"}', 'it has the unknown key note'],
    ['{"step":1,"valLoss":2,"loss":2,"rate":1}', 'it has the unknown key valLoss'],
    ['{"step":1,"loss":2}', 'a key is missing, or has a wrong value'],
    ['{"step":1.5,"valLoss":2}', 'a key is missing, or has a wrong value'],
    ['{"step":1,"valLoss":null}', 'a key is missing, or has a wrong value'],
    ['{"step":1,"valLoss":2,"valLoss":2}', 'it has a key twice'],
    ['{"step" : 1, "st\\u0065p":1,"valLoss":2}', 'it has a key twice'],
    ['hello', 'it is not a JSON object'],
    ['[]', 'it is not a JSON object'],
    ['null', 'it is not a JSON object'],
  ])('%s: %s', (text, flaw) => {
    expect(readRecord(text)).toEqual({ flaw });
  });
});

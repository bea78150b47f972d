import { describe, expect, it } from 'vitest';
import type { MetricsRecord } from '../../src/run/records.js';
import { RecordsKept } from '../../src/run/recordsKept.js';
import { diagnosedRun } from '../support/reports.js';

const [{ diagnostics }] = diagnosedRun().diagnostics;
const loss = (step: number): MetricsRecord => ({ step, loss: 2, rate: 0.1 });
const evaluation = (step: number): MetricsRecord => ({ step, valLoss: 2 });
const look = (step: number): MetricsRecord => ({ step, diagnostics });

/** What is kept of a run with as many evaluations as losses. */
function keptOf(steps: number): MetricsRecord[] {
  const kept = new RecordsKept({ losses: 10, diagnostics: 4 });
  for (let step = 1; step <= steps; step++) {
    kept.add(loss(step));
    kept.add(evaluation(step));
    kept.add(look(step));
    kept.add({ step, hashes: {} } as unknown as MetricsRecord);
  }
  return kept.records;
}

const stepsOf = (records: MetricsRecord[], key: string) => records.filter((record) => key in record).map(({ step }) => step);

describe('the records that are kept of a long run', () => {
  it('are all of a short one, in their order, without hashes', () => {
    expect(keptOf(2)).toEqual([loss(1), evaluation(1), look(1), loss(2), evaluation(2), look(2)]);
  });

  it.each([11, 12, 100, 1000, 1023])('are thinned kind by kind, and keep the first and the last of each: %i steps', (steps) => {
    const records = keptOf(steps);
    expect(records.map(({ step }) => step)).toEqual(records.map(({ step }) => step).toSorted((a, b) => a - b));
    for (const [key, most] of [
      ['loss', 10],
      ['valLoss', 10],
      ['diagnostics', 4],
    ] as const) {
      const found = stepsOf(records, key);
      expect(found.length, key).toBeGreaterThan(most / 2 - 1);
      expect(found.length, key).toBeLessThanOrEqual(most);
      expect([found[0], found.at(-1)], key).toEqual([1, steps]);
    }
  });

  it('are evenly spread, apart from the last', () => {
    const found = stepsOf(keptOf(1000), 'loss');
    expect(new Set(found.slice(1, -1).map((step, i) => step - found[i])).size).toBe(1);
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Probe {
  tanhOf(out: number, x: number, size: number): void;
  expOf(out: number, x: number, size: number): void;
  logOf(out: number, x: number, size: number): void;
}

const SIZE = 1 << 16;
const START = 4096;
const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 });
const x = new Float32Array(memory.buffer, START, SIZE);
const bits = new Int32Array(memory.buffer, START, SIZE);
const y = new Float32Array(memory.buffer, START + 4 * SIZE, SIZE);
let probe: Probe;
const directory = mkdtempSync(join(tmpdir(), 'backprop-ninja-'));

beforeAll(() => {
  const file = join(directory, 'probe.wasm');
  const options = ['--runtime', 'stub', '--importMemory', '-O3', '--noAssert', '--enable', 'simd', '--enable', 'bulk-memory'];
  execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', 'test/support/kernelProbe.ts', '-o', file, ...options]);
  const module = new WebAssembly.Module(readFileSync(file));
  probe = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Probe;
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The distance between neighbouring float32 numbers at a value. */
function ulpAt(value: number): number {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 23);
}

/**
 * Computes every 997th float32, or of these the ones in a domain: the largest error in ulps, and the inputs for which a result is infinite or NaN
 * and should not be, or vice versa.
 */
function sweep(
  compute: (out: number, x: number, size: number) => void,
  exact: (x: number) => number,
  isInDomain: (x: number) => boolean = () => true,
) {
  let worst = 0;
  const wrong: number[] = [];
  for (let pattern = 0; pattern < 2 ** 32; ) {
    for (let i = 0; i < SIZE; i++, pattern += 997) bits[i] = pattern | 0;
    compute(y.byteOffset, x.byteOffset, SIZE);
    for (let i = 0; i < SIZE; i++) {
      if (!isInDomain(x[i])) continue;
      const expected = exact(x[i]);
      if (Number.isFinite(Math.fround(expected)) && Number.isFinite(y[i])) {
        worst = Math.max(worst, Math.abs(y[i] - expected) / ulpAt(expected));
      } else if (!Object.is(y[i], Math.fround(expected))) wrong.push(x[i]);
    }
  }
  return { worst, wrong };
}

function valuesAt(compute: (out: number, x: number, size: number) => void, inputs: number[]): number[] {
  x.fill(0).set(inputs);
  compute(y.byteOffset, x.byteOffset, 32 * Math.ceil(inputs.length / 32));
  return Array.from(y.subarray(0, inputs.length));
}

describe('over all of float32', () => {
  it('tanh is within 7 ulps, and never above 1', () => {
    const { worst, wrong } = sweep(probe.tanhOf, Math.tanh);
    expect(wrong).toEqual([]);
    expect(worst).toBeLessThanOrEqual(7);
    expect(Math.max(...valuesAt(probe.tanhOf, [5, 7, 7.9, 7.91, 8, 9, 100, 3e38]))).toBe(1);
  });
  it('exp is within 1 ulp, including subnormal results', () => {
    const { worst, wrong } = sweep(probe.expOf, Math.exp);
    expect(wrong).toEqual([]);
    expect(worst).toBeLessThanOrEqual(1);
  });
  it('log is within 0.51 ulps for positive numbers, including subnormal ones, and NaN for NaN', () => {
    const { worst, wrong } = sweep(probe.logOf, Math.log, (value) => Number.isNaN(value) || (value > 0 && value < Infinity));
    expect(wrong).toEqual([]);
    expect(worst).toBeLessThanOrEqual(0.51);
  });
});

describe('at special values', () => {
  it('tanh is exact for 0, -0, Inf, -Inf and NaN', () => {
    expect(valuesAt(probe.tanhOf, [0, -0, Infinity, -Infinity, NaN])).toEqual([0, -0, 1, -1, NaN]);
  });
  it('exp is exact for 0, -0, Inf, -Inf and NaN, and overflows to Inf or underflows to 0', () => {
    expect(valuesAt(probe.expOf, [0, -0, Infinity, -Infinity, NaN, 88.73, -104, 3e38, -3e38])).toEqual([
      1,
      1,
      Infinity,
      0,
      NaN,
      Infinity,
      0,
      Infinity,
      0,
    ]);
  });
  it('log is exact for 1 and NaN', () => {
    expect(valuesAt(probe.logOf, [1, NaN, NaN, 1])).toEqual([0, NaN, NaN, 0]);
  });
});

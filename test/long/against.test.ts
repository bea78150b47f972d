import { describe, expect, it } from 'vitest';
import { Tensor } from '../../src/core/tensor.js';
import { checkAgainst } from '../../src/dojo/against/checkAgainst.js';
import type { Mistake } from '../../src/dojo/findings.js';
import { MUTANTS, type Mutant } from '../../src/dojo/mutants.js';
import { sentenceOf } from '../../src/dojo/sentences.js';
import { againstCase, fileOf, gradientsOf, planted } from '../support/against.js';

const TIMEOUT = 600_000;
/** Other true descriptions of a mistake: with the true gradients above, two expressions may be the same. */
const ALSO: Readonly<Record<string, RegExp>> = {
  'dbnbias-times-the-gain': /^you have dbnraw where dhpreact belongs/,
  'dbnmeani-sign-forgotten-shape-h-for-1-h': /^the sign is wrong$/,
  'db1-shape-1-h-for-h': /./,
  'batch-norm-path-through-the-mean-dropped': /^the branch through bnmeani is missing/,
  'batch-norm-mean-not-divided-by-n': /^in the branch through bnmeani, the division by n is missing/,
};

/** The mistake's own sentence, or one of two equal explanations. */
function isNamed({ name, expected }: Mutant, text: string): boolean {
  return text.includes(sentenceOf(expected as readonly Mistake[], 'python')) || (ALSO[name]?.test(text) ?? false);
}

describe.each([againstCase('float64'), againstCase('float32')])('the bank of mistakes as files in $dtype', (given) => {
  const judge = (mutants: readonly Mutant[]) => checkAgainst(fileOf(given, gradientsOf(given, planted(mutants))));
  /** Those that give gradients at all. */
  const runnable = MUTANTS.filter((mutant) => {
    try {
      return gradientsOf(given, planted([mutant])) !== undefined;
    } catch {
      return false;
    }
  });

  it('every mistake that shows is located as the only wrong line; at least 85 % have their name, none has another', {
    timeout: TIMEOUT,
  }, () => {
    const outcomes = runnable.map((mutant) => ({ mutant, report: judge([mutant]) }));
    const visible = outcomes.filter(({ report }) => report.culprits.length > 0);
    expect(
      outcomes
        .filter(({ report, mutant }) => !visible.some((one) => one.report === report) && !isHidden(mutant))
        .map(({ mutant }) => mutant.name),
    ).toEqual([]);
    expect(visible.filter(({ mutant, report }) => report.culprits.join() !== mutant.line).map(({ mutant }) => mutant.name)).toEqual([]);
    const named = visible.flatMap(({ mutant, report }) => {
      const text = report.tensors.find(({ name }) => name === mutant.line)?.mistake?.text;
      return text === undefined ? [] : [{ mutant, text }];
    });
    const misnamed = named.filter(({ mutant, text }) => mutant.expected.length > 0 && !isNamed(mutant, text));
    expect(misnamed.map(({ mutant, text }) => `${mutant.name}: ${text}`)).toEqual([]);
    expect(named.length / visible.length).toBeGreaterThan(0.85);
  });

  it.each([2, 4])('%i mistakes at once are all located', { timeout: TIMEOUT }, (count) => {
    const lines = [...new Set(runnable.filter((mutant) => !isHidden(mutant)).map(({ line }) => line))];
    for (let round = 0; round < 10; round++) {
      const set = Array.from({ length: count }, (_, k) => {
        const line = lines[(round * 7 + k * 5) % lines.length];
        const ofLine = runnable.filter((mutant) => mutant.line === line && !isHidden(mutant) && !changesShape(mutant));
        return ofLine[round % ofLine.length];
      });
      const { culprits } = judge(set);
      expect([...culprits].sort(), set.map(({ name }) => name).join(' ')).toEqual(set.map(({ line }) => line).sort());
    }
  });
});

describe('a file of the lesson', () => {
  const given = againstCase('float64');
  const right = gradientsOf(given);

  it.each(['dC', 'dW1', 'dhprebn', 'dembact'] as const)('with one wrong entry of %s has no other wrong row', (name) => {
    const { data, shape } = right[name];
    for (const wrong of [0, data.length - 1]) {
      const one = Tensor.of(
        data.map((x, i) => (i === wrong ? x + 0.001 : x)),
        shape,
        'float64',
      );
      expect(checkAgainst(fileOf(given, { ...right, [name]: one })).culprits).toEqual([name]);
    }
  });

  it('with another batch is asked about it', () => {
    const { metadata, tensors } = fileOf(given, right);
    const { data, shape } = given.values.Xb;
    const other = Int32Array.from(data, (x, i) => (x * x + i) % 27);
    const Xb = { dtype: 'I32', shape, bytes: new Uint8Array(other.buffer) } as const;
    const { ok, remarks } = checkAgainst({ metadata, tensors: new Map([...tensors, ['Xb', Xb]]) });
    expect(ok).toBe(false);
    expect(remarks).toEqual([{ id: 'inputs-doubted' }]);
  });
});

/** A mistake that the true gradients above hide, or a shape that is accepted with a remark. */
function isHidden({ name, invisibleEndToEnd }: Mutant): boolean {
  return invisibleEndToEnd !== undefined || /-shape-h-for-1-h$/.test(name);
}

function changesShape({ expected }: Mutant): boolean {
  return expected.some((one) => 'found' in one && Array.isArray(one.found));
}

describe('large batches', () => {
  /** Milliseconds of a core to judge right gradients and forward values: others may keep the machine busy. */
  const timeOf = (n: number): number => {
    const given = againstCase('float32', n);
    const file = fileOf(given, gradientsOf(given), { forward: true });
    const start = process.cpuUsage();
    expect(checkAgainst(file)).toMatchObject({ ok: true, culprits: [] });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };

  it('take time in proportion to their size', { timeout: TIMEOUT }, () => {
    timeOf(32);
    // 4 times the examples; a step that compares every example with every other would take 16 times as long.
    expect(timeOf(2_000) / timeOf(500)).toBeLessThan(9);
  });
});

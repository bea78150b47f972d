import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ONE_ERROR_LINE, runCli, SMALL, type Surroundings, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

async function trainMutant(name: string, more: readonly string[] = [], surroundings?: Surroundings) {
  const directory = tempDirectory();
  writeNames(directory);
  return { directory, ...(await runCli(directory, ['train', ...SMALL, '--mutant', name, ...more], surroundings)) };
}

describe('train --mutant', () => {
  it('trains both networks on the same batches, shows both curves and losses, and writes no run', async () => {
    const { directory, exitCode, stdout, stderr } = await trainMutant('dhpreact-1-minus-h-for-1-minus-h2');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('in the line of dhpreact, 1 - h instead of 1 - h²\n');
    expect(stdout).toMatch(/^ +└─+\n +step 1 +step 50$/m);
    expect(stdout).toMatch(/^· {2}right gradients +\d\.\d{4} +\d\.\d{4}$/m);
    expect(stdout).toMatch(/^x {2}dhpreact-1-minus-h-for-1-minus-h2 +\d\.\d{4} +\d\.\d{4}$/m);
    expect(stdout).toMatch(/\nit (trains,|ends|even ends) .*\n$/);
    expect(readdirSync(directory)).toEqual(['names.txt']);
  });

  it('prints losses and curves of both with --json; the first point is the same', async () => {
    const { stdout } = await trainMutant('dbnraw-gain-forgotten', ['--json']);
    const { mutant, steps, right, wrong } = JSON.parse(stdout);
    expect(mutant).toEqual({ name: 'dbnraw-gain-forgotten', line: 'dbnraw', mistake: 'gain forgotten' });
    expect(steps).toBe(50);
    expect(right.curve).toHaveLength(50);
    expect(wrong.curve[0]).toEqual(right.curve[0]);
    expect(wrong.valLoss).not.toBe(right.valLoss);
  });

  it('says if a mistake cannot be trained', async () => {
    const { exitCode, stdout } = await trainMutant('dW2-transposed');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^x {2}dW2-transposed +- +- {2}stopped in step 0: sub: shapes /m);
    expect(stdout).toMatch(/\ntraining fails: this mistake shows without a gradient check\n$/);
  });

  it('ends if the right gradients diverge too', async () => {
    const { exitCode, stdout } = await trainMutant('dh-sign', ['--lr', '1000', '--steps', '300', '--hidden', '16']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\n(the right gradients diverge too; try a lower --lr|.* ends .*)\n$/);
  });

  it.each([
    [['dW2-transpose'], "no mutant 'dW2-transpose'; there are dW2-averaged-over-the-batch, dW2-transposed"],
    [['nonsense'], "no mutant 'nonsense'; list them: backprop-ninja mutants"],
    [['dh-sign', '--out', 'x'], '--out cannot be used with --mutant'],
    [['dh-sign', '--save-every', '5'], '--save-every cannot be used with --mutant'],
    [['dh-sign', '--resume'], '--resume cannot be used with --mutant'],
    [['dh-sign', '--hidden', '8,4'], '--hidden 8,4 cannot be used with --mutant'],
  ])('refuses %j with exit 2', async ([name, ...more], message) => {
    const { exitCode, stdout, stderr } = await trainMutant(name, more);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(message);
  });

  it('ends at a signal with its exit code', async () => {
    const { exitCode, stdout, stderr } = await trainMutant('dh-sign', ['--steps', '100000'], { stop: { signal: 'SIGTERM', at: 200 } });
    expect(exitCode).toBe(143);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/SIGTERM: stopped after step [\d,]+; --mutant saves nothing\n$/);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { availableCores } from '../../src/node/cores.js';
import { ONE_ERROR_LINE, runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

const FILES = ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl'];
const CORES = availableCores();

function withNames(): string {
  const directory = tempDirectory();
  writeNames(directory);
  return directory;
}

async function train(directory: string, out: string, ...more: string[]) {
  const outcome = await runCli(directory, ['train', ...SMALL, '--out', out, ...more]);
  expect(outcome.exitCode, outcome.stderr).toBe(0);
  return { ...outcome, bytes: FILES.map((file) => readFileSync(join(directory, out, file), 'latin1')) };
}

describe('--threads', () => {
  it('changes no byte of a run, whatever it is, and is not kept with the run', async () => {
    const directory = withNames();
    const { bytes } = await train(directory, 'alone', '--threads', '1');
    for (const threads of ['2', '7', 'auto'])
      expect((await train(directory, `t${threads}`, '--threads', threads)).bytes, threads).toEqual(bytes);
    expect(readFileSync(join(directory, 't2', 'run.json'), 'utf8')).not.toContain('threads');
    const more = ['--steps', '700', '--schedule', 'constant'];
    const whole = await train(directory, 'whole', ...more, '--threads', '1');
    await train(directory, 'extended', '--schedule', 'constant', '--threads', '2');
    const resumed = await runCli(directory, ['train', '--resume', 'extended', '--steps', '700', '--threads', '1']);
    expect(resumed.exitCode, resumed.stderr).toBe(0);
    expect(readFileSync(join(directory, 'extended', FILES[0]), 'latin1')).toBe(whole.bytes[0]);
  });

  it('is at most the number of cores; a note says so', async () => {
    const directory = withNames();
    const { stderr } = await train(directory, 'many', '--threads', '1000');
    expect(stderr).toMatch(new RegExp(`^note: --threads 1000: there (is|are) ${CORES} cores?, so ${CORES} threads? computes?$`, 'm'));
    expect((await train(directory, 'one', '--threads', '1')).stderr).not.toContain('note');
    expect((await train(directory, 'auto')).stderr).not.toContain('note');
  });

  it('gives the same results in eval, replay, lr-find, doctor and report', async () => {
    const directory = withNames();
    await train(directory, 'run');
    for (const argv of [
      ['eval', 'run', '--json'],
      ['replay', 'run', '--json'],
      ['lr-find', '--data', 'names.txt', '--hidden', '8', '--steps', '100', '--json'],
      ['doctor', 'run', '--json'],
    ]) {
      const [one, two] = await Promise.all(['1', '2'].map((threads) => runCli(directory, [...argv, '--threads', threads])));
      expect(one.exitCode, one.stderr).toBe(0);
      expect(two.stdout, argv[0]).toBe(one.stdout);
    }
    const report = await runCli(directory, ['report', 'run', '--print', '--threads', '2']);
    expect(report.exitCode, report.stderr).toBe(0);
  });

  it.each([
    [
      'with --mutant, which computes without kernels',
      ['train', '--mutant', 'dbnraw-gain-forgotten', '--threads', '2'],
      '--threads cannot be used with --mutant',
    ],
    [
      'for the runs of a sweep: it is an option of the sweep',
      ['sweep', '--vary', 'seed=1/2', '--', '--threads', '2'],
      '--threads cannot be set for the runs of a sweep; give it to the sweep, before --',
    ],
    ['as a value to vary', ['sweep', '--vary', 'threads=1/2'], '--threads cannot be set for the runs of a sweep'],
  ])('is refused %s', async (_, argv, message) => {
    const { exitCode, stderr } = await runCli(tempDirectory(), argv);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
    expect(stderr).toContain(message);
  });
});

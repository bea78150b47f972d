import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ONE_ERROR_LINE, runCli, SMALL, trainSmall, writeNames } from '../../support/fakeIO.js';
import { tempDirectory } from '../../support/tempDirectory.js';

async function findings(cwd: string, ...argv: string[]) {
  const { exitCode, stdout, stderr } = await runCli(cwd, ['doctor', ...argv, '--json']);
  expect([exitCode, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

describe('doctor of a run', () => {
  it('without a finding says so, and draws activations and update:data', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['doctor', 'run']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('run/checkpoint.safetensors, step 50 of 50: no finding');
    expect(lines.filter((line) => line !== '').map((line) => line.split(/ {2,}/)[0])).toEqual([
      lines[0],
      'Activations after step 50',
      'block 1 h',
      'block 1 hpreact',
      'update:data: bars from 10^-6 (empty) to 10^0 (full)',
      'C',
      'W1',
      'W2',
    ]);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect((await runCli(cwd, ['doctor', 'run', '--strict'])).exitCode).toBe(0);
    expect(await findings(cwd, 'run')).toEqual({ ok: true, checkpoint: join(cwd, 'run', 'checkpoint.safetensors'), findings: [] });
  });

  it('is by default of the newest run, and exits with 0, or 1 with --strict', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, ['train', ...SMALL, '--init-output', '3']);
    const { exitCode, stdout } = await runCli(cwd, ['doctor'], { tty: true, env: { NO_COLOR: '1' } });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^runs\/latest\/checkpoint\.safetensors, step 50 of 50: 1 finding\n\n1\. confident-output, W2, before the first step\n {3}the loss begins at/,
    );
    expect(stdout.split('\n').every((line) => line.length <= 80)).toBe(true);
    expect((await runCli(cwd, ['doctor', '--strict'])).exitCode).toBe(1);
    const { ok, findings: found } = await findings(cwd);
    expect(ok).toBe(false);
    expect(Object.keys(found[0])).toEqual(['id', 'where', 'step', 'value', 'limit', 'option', 'text', 'source']);
  });

  it('needs no metrics.jsonl: the network is looked at as it began, and as it is, and a note says what is not judged', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--init-output', '3');
    rmSync(join(cwd, 'run', 'metrics.jsonl'));
    const { stdout, stderr } = await runCli(cwd, ['doctor', 'run', '--json']);
    expect(stderr).toBe(
      'note: losses in training, the rate and clipping are not judged: metrics.jsonl has no records of losses and diagnostics\n',
    );
    expect(JSON.parse(stdout).findings).toMatchObject([{ id: 'confident-output', step: 0 }]);
  });

  it('that is a sweep is refused, with the way to one of its runs', async () => {
    const cwd = tempDirectory();
    mkdirSync(join(cwd, 'sw'));
    writeFileSync(join(cwd, 'sw', 'sweep.json'), '{}');
    const { exitCode, stderr } = await runCli(cwd, ['doctor', 'sw']);
    expect([exitCode, stderr]).toEqual([4, 'error: no checkpoint in sw: it is a sweep; name one of its runs, such as sw/0001\n']);
  });

  it('whose data set is gone is diagnosed from its records, with a note', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd, '--init-output', '3');
    rmSync(join(cwd, 'names.txt'));
    const { exitCode, stdout, stderr } = await runCli(cwd, ['doctor', 'run', '--json']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: only the records are looked at: cannot read [^\n]+\n$/);
    expect(JSON.parse(stdout).findings).toMatchObject([{ id: 'confident-output', step: 1 }]);
    expect((await runCli(cwd, ['doctor', 'run', '--data', 'names.txt'])).exitCode).toBe(4);
  });

  it('whose last save is behind its records is diagnosed from all of them, with a note', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    appendFileSync(join(cwd, 'run', 'metrics.jsonl'), '{"step":120,"loss":9.5,"rate":0.1}\n');
    const { exitCode, stdout, stderr } = await runCli(cwd, ['doctor', 'run', '--json']);
    expect([exitCode, stderr]).toEqual([0, 'note: the records go to step 120, the last checkpoint is of step 50\n']);
    expect(JSON.parse(stdout).findings).toMatchObject([{ id: 'rate-high', step: 120, value: 9.5 }]);
  });

  it('skips an incomplete last line of metrics.jsonl, and refuses a damaged one', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    const metrics = join(cwd, 'run', 'metrics.jsonl');
    appendFileSync(metrics, '{"step":51,');
    const torn = await runCli(cwd, ['doctor', 'run']);
    expect([torn.exitCode, torn.stderr]).toEqual([0, expect.stringMatching(/^note: run\/metrics\.jsonl: skipped incomplete line \d+\n$/)]);
    writeFileSync(metrics, readFileSync(metrics, 'utf8').replace('"loss"', '"los"'));
    const damaged = await runCli(cwd, ['doctor', 'run']);
    expect(damaged.exitCode).toBe(3);
    expect(damaged.stderr).toMatch(
      /^note: [^\n]+\nerror: run\/metrics\.jsonl, line \d is damaged: .*; restore the file, or remove the damaged lines\n$/,
    );
  });

  it.each([
    ['no run yet', ['doctor'], 4],
    ['a run that is not there', ['doctor', 'missing'], 4],
    ['train options without --init', ['doctor', '--norm', 'none'], 2],
    ['a preset without --init', ['doctor', '--preset', 'fast'], 2],
    ['a run and --init', ['doctor', '--hidden', '8', 'run', '--init'], 2],
    ['options that contradict each other', ['doctor', '--hidden', '8', '--momentum', '0.9', '--init'], 2],
    ['an init file that is missing', ['doctor', '--init', 'missing.npz'], 4],
  ])('refuses %s', async (_, argv, code) => {
    const { exitCode, stdout, stderr } = await runCli(tempDirectory(), argv);
    expect([exitCode, stdout, stderr]).toEqual([code, '', expect.stringMatching(ONE_ERROR_LINE)]);
  });
});

describe('doctor --init', () => {
  it.each([[], ['--preset', 'fast'], ['--optimizer', 'adam', '--warmup', '100'], ['--norm', 'none']])(
    'has no finding with %j',
    async (...argv) => {
      expect(await findings(tempDirectory(), '--init', ...argv)).toEqual({ ok: true, checkpoint: null, findings: [] });
    },
  );

  it.each([
    ['a confident output', ['--init-output', '1'], ['confident-output', 'W2', '--init-output']],
    ['a saturated tanh', ['--norm', 'none', '--init-gain', '5.48'], ['saturated', 'block 1', '--init-gain']],
    ['a missing gain', ['--norm', 'none', '--init-gain', '1'], ['missing-gain', 'block 1', '--init-gain']],
    ['weights that batch norm hides', ['--init-gain', '16.7'], ['weight-scale', 'W1', '--init-gain']],
    ['a rate that is too high', ['--lr', '10'], ['rate-high', 'W2', '--lr']],
    ['a rate that is too low, with warm-up', ['--lr', '0.00001', '--warmup', '10'], ['rate-low', null, '--lr']],
  ])('finds %s, and nothing else', async (_, argv, [id, where, option]) => {
    const { findings: found } = await findings(tempDirectory(), '--init', ...(argv as string[]));
    expect(found).toMatchObject([{ id, where, option }]);
  });

  it('begins with the parameters of a file or a run', async () => {
    const cwd = tempDirectory();
    await trainSmall(cwd);
    expect((await findings(cwd, '--init', 'run', '--data', 'names.txt')).ok).toBe(true);
  });
});

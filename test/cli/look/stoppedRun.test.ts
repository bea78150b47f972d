import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../support/fakeIO.js';
import { checkpointOf, stopped, trainAndStop } from '../../support/resume.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const COMPUTED = /^note: the run was stopped before the statistics of batch norm were computed; computing them from \d+ examples\n$/;

describe('a run that was stopped, without statistics in its checkpoint', () => {
  it('is evaluated as if they had been saved', async () => {
    const cwd = await stopped();
    expect(checkpointOf(cwd).statistics).toBe('missing');
    const first = await runCli(cwd, ['eval', 'run', '--json']);
    expect([first.exitCode, first.stderr]).toEqual([0, expect.stringMatching(COMPUTED)]);
    const saved = tempDirectory();
    await trainAndStop(saved, 8, '--save-every', '8');
    expect(checkpointOf(saved).statistics).toBeUndefined();
    const second = await runCli(saved, ['eval', 'run', '--json']);
    expect(second.stderr).toBe('');
    expect(JSON.parse(first.stdout).loss).toBe(JSON.parse(second.stdout).loss);
  });

  it('is sampled from, and from another place of its data set with --data', async () => {
    const cwd = await stopped();
    const first = await runCli(cwd, ['sample', 'run', '--count', '3']);
    expect([first.exitCode, first.stderr]).toEqual([0, expect.stringMatching(COMPUTED)]);
    renameSync(join(cwd, 'names.txt'), join(cwd, 'moved.txt'));
    const lost = await runCli(cwd, ['sample', 'run', '--count', '3']);
    expect(lost).toMatchObject({ exitCode: 4, stdout: '' });
    expect(lost.stderr).toContain('name it with --data');
    expect(await runCli(cwd, ['sample', 'run', '--count', '3', '--data', 'moved.txt'])).toMatchObject({
      exitCode: 0,
      stdout: first.stdout,
    });
  });

  it.each(['eval', 'sample'])('a signal during their computation ends %s', async (command) => {
    const cwd = await stopped();
    const { exitCode, stdout } = await runCli(cwd, [command, 'run'], { tick: 50, stop: { signal: 'SIGTERM', at: 50 } });
    expect([exitCode, stdout]).toEqual([143, '']);
  });
});

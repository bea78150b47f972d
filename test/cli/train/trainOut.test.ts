import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NAMES, runCli, SMALL, writeNames } from '../../support/fakeIO.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';

const RUN_FILES = ['best.safetensors', 'checkpoint.safetensors', 'metrics.jsonl', 'run.json'];

describe('--out', () => {
  const train = (cwd: string, ...more: string[]) => runCli(cwd, ['train', ...SMALL, ...more]);

  it.each(['out', join('a', 'b', 'c'), 'mit Leerzeichen', 'zwei\nZeilen', '漢字'])('makes a new directory: %j', async (name) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stderr } = await train(cwd, '--out', name);
    expect(exitCode).toBe(0);
    expect(readdirSync(join(cwd, name)).sort()).toEqual(RUN_FILES);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
    expect(stderr.split('\n')).toHaveLength(4);
  });

  it('may be an empty directory', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    mkdirSync(join(cwd, 'out'));
    expect((await train(cwd, '--out', 'out')).exitCode).toBe(0);
    expect(readdirSync(join(cwd, 'out')).sort()).toEqual(RUN_FILES);
  });

  it('becomes runs/latest if it is in runs', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await train(cwd, '--out', join('runs', 'mine'));
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', 'mine'));
  });

  it('is refused before training if it is not empty, and stays unchanged (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, join('out', 'notes.txt'), 'mine');
    const before = snapshot(cwd);
    const { exitCode, stdout, stderr } = await train(cwd, '--out', 'out');
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: --out out exists and is not empty; --force replaces the run in it\n`);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('replaces only the four files of a run with --force', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await train(cwd, '--out', 'out', '--seed', '1');
    put(cwd, join('out', 'notes.txt'), 'mine');
    const before = snapshot(join(cwd, 'out'));
    expect((await train(cwd, '--out', 'out', '--seed', '2', '--force')).exitCode).toBe(0);
    const after = snapshot(join(cwd, 'out'));
    expect(Object.keys(after)).toEqual([...RUN_FILES, 'notes.txt'].sort());
    expect(after['notes.txt']).toBe('mine');
    for (const file of RUN_FILES) expect(after[file], file).not.toBe(before[file]);
  });

  it('is refused if it is a file, even with --force (4)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, 'out', 'mine');
    for (const force of [[], ['--force']]) {
      const { exitCode, stdout, stderr } = await train(cwd, '--out', 'out', ...force);
      expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
      expect(stderr).toBe(`error: cannot write in out: it is a file; name a directory\n`);
    }
    expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe('mine');
  });

  it('is refused if the run would overwrite its own data set, even with --force (2)', async () => {
    const cwd = tempDirectory();
    const data = writeNames(cwd, NAMES, join('out', 'metrics.jsonl'));
    const before = snapshot(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL.slice(2), '--data', data, '--out', 'out', '--force']);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(`error: --out out would overwrite --data out/metrics.jsonl; name another directory\n`);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('is refused if it is the data set (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    expect((await train(cwd, '--out', 'names.txt', '--force')).exitCode).toBe(2);
    expect(readFileSync(join(cwd, 'names.txt'), 'utf8')).toBe(`${NAMES.join('\n')}\n`);
  });

  it('replaces the newest run as runs/latest with --force, and that run stays the newest', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await train(cwd, '--seed', '1');
    const before = snapshot(join(cwd, 'runs', '0001'));
    const { exitCode, stderr } = await train(cwd, '--seed', '2', '--out', join('runs', 'latest'), '--force');
    expect(stderr).not.toContain('error:');
    expect(exitCode).toBe(0);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0001'));
    expect(readFileSync(join(cwd, 'runs', '0001', 'checkpoint.safetensors'), 'latin1')).not.toBe(before['checkpoint.safetensors']);
  });

  it('is refused as runs/latest if there is no run, and nothing is written (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stdout, stderr } = await train(cwd, '--out', join('runs', 'latest'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe(`error: --out runs/latest is the link to the newest run; name another directory\n`);
    expect(readdirSync(cwd)).toEqual(['names.txt']);
  });
});

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ONE_ERROR_LINE, runCli, SMALL, type Surroundings, trainSmall } from '../../support/fakeIO.js';
import { makeDirectory, put, removeDirectory } from '../../support/tempDirectory.js';

let cwd: string;

beforeAll(async () => {
  cwd = makeDirectory();
  await trainSmall(cwd, '--steps', '1000', '--eval-every', '200');
  await runCli(cwd, ['train', ...SMALL, '--steps', '500', '--eval-every', '100', '--out', 'other', '--lr', '0.3']);
  return () => removeDirectory(cwd);
});

async function plot(argv: readonly string[], surroundings?: Surroundings) {
  const { exitCode, stdout, stderr } = await runCli(cwd, ['plot', ...argv], surroundings);
  return { exitCode, lines: stdout.trimEnd().split('\n'), stdout, stderr };
}

describe('plot', () => {
  it('draws training and validation loss of a run, with their last and lowest values', async () => {
    const { exitCode, lines, stderr } = await plot(['run']);
    expect([exitCode, stderr]).toEqual([0, '']);
    const [title, ...rest] = lines;
    expect(title).toBe('loss in nats per character');
    expect(rest.filter((line) => line.includes('│'))).toHaveLength(19);
    expect(lines[21]).toMatch(/^ +step 100 +step 1,000$/);
    expect(lines.slice(-4, -1).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['run', 'curve', 'last', 'lowest', 'at step', 'steps'],
      ['·', 'run', 'training', ...Array(2).fill(expect.stringMatching(/^\d\.\d{4}$/)), expect.any(String), '1,000'],
      ['o', 'run', 'validation', ...Array(2).fill(expect.stringMatching(/^\d\.\d{4}$/)), expect.any(String), '1,000'],
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('draws the validation losses of several runs', async () => {
    const { lines } = await plot(['run', 'other']);
    expect(lines[0]).toBe('validation loss in nats per character');
    expect(lines.slice(-3, -1).map((line) => line.split(/ +/).slice(0, 3))).toEqual([
      ['·', 'run', 'validation'],
      ['o', 'other', 'validation'],
    ]);
  });

  it('draws their training losses if each has one validation loss only', async () => {
    for (const name of ['short', 'shorter']) await runCli(cwd, ['train', ...SMALL, '--steps', '400', '--eval-every', '400', '--out', name]);
    const { lines } = await plot(['short', 'shorter'], { tty: true });
    expect(lines[0]).toBe('\x1b[1mtraining loss in nats per character\x1b[22m');
  });

  it('names a run once, however often and by whatever path it is given', async () => {
    const { stdout } = await plot(['run', './run', join(cwd, 'run'), join('run', 'checkpoint.safetensors'), '--json']);
    expect(JSON.parse(stdout).runs).toHaveLength(1);
  });

  it('prints every point with --json', async () => {
    const { stdout } = await plot(['run', '--json', '--what', 'loss']);
    const { what, runs } = JSON.parse(stdout);
    expect(what).toBe('loss');
    expect(runs).toMatchObject([{ run: join(cwd, 'run'), name: 'run', steps: 1000, skippedLines: [] }]);
    const [training, validation] = runs[0].curves;
    expect(training.points.map(([step]: [number]) => step)).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(validation.points.map(([step]: [number]) => step)).toEqual([200, 400, 600, 800, 1000]);
    expect([training.name, validation.name]).toEqual(['training', 'validation']);
  });

  it('draws the learning rate, and begins at --from', async () => {
    const { stdout } = await plot(['run', '--json', '--what', 'rate', '--from', '500']);
    expect(JSON.parse(stdout).runs[0].curves).toEqual([
      { name: 'rate', points: [500, 600, 700, 800, 900, 1000].map((step) => [step, step > 500 ? expect.closeTo(0.01) : 0.1]) },
    ]);
    const { lines } = await plot(['run', '--what', 'rate', '--log']);
    expect(lines[0]).toBe('learning rate, logarithmic');
    expect(lines[1]).toMatch(/^ *0\.1 │ ·/);
  });

  it('draws the runs of a sweep, the lowest loss first, with their options', async () => {
    const { exitCode } = await runCli(cwd, ['plot', 'none']);
    expect(exitCode).toBe(4);
    for (const [i, steps] of ['300', '200'].entries()) {
      await runCli(cwd, ['train', ...SMALL, '--steps', steps, '--out', join('sweep', `000${i + 1}`)]);
    }
    const runs = [{ steps: '300' }, { steps: '200' }, { steps: '900' }];
    put(cwd, join('sweep', 'sweep.json'), JSON.stringify({ vary: [], random: null, seed: 1, train: [], dataSha256: 'x', runs }));
    const { lines } = await plot(['sweep']);
    const names = lines.slice(-3, -1).map((line) => line.split(/ {2,}/)[1]);
    expect(names.toSorted()).toEqual([join('sweep', '0001 steps=300'), join('sweep', '0002 steps=200')]);
    const losses = lines.slice(-3, -1).map((line) => Number(line.split(/ {2,}/)[3]));
    expect(losses[0]).toBeLessThan(losses[1]);
  });

  it.each([30, 40, 79, 200])('fits a terminal of %i columns', async (columns) => {
    const { lines } = await plot(['run'], { tty: true, columns, env: { NO_COLOR: '1' } });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('fits a terminal of 24 lines', async () => {
    expect((await plot(['run'], { tty: true })).lines.length).toBeLessThan(24);
  });
});

describe('plot of a run that', () => {
  it('is in training leaves out the line that is being written', async () => {
    const text = readFileSync(join(cwd, 'run', 'metrics.jsonl'), 'utf8');
    put(cwd, join('training', 'run.json'), readFileSync(join(cwd, 'run', 'run.json')));
    put(cwd, join('training', 'metrics.jsonl'), `${text.split('\n').slice(0, 6).join('\n')}\n{"step":900,"lo`);
    const { exitCode, lines, stderr } = await plot(['training']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(lines.join('\n')).toMatch(/ \d00 of 1,000$/m);
  });

  it('diverged says so', async () => {
    const about = { data: { path: 'names.txt', sha256: 'x' }, config: { steps: 5000 }, diverged: { step: 120, message: 'NaN' } };
    put(cwd, join('wild', 'run.json'), JSON.stringify(about));
    put(cwd, join('wild', 'metrics.jsonl'), '{"step":100,"loss":900,"rate":1000}\n');
    expect((await plot(['wild'])).lines.at(-1)).toMatch(/ 100 of 5,000, diverged$/);
    expect(JSON.parse((await plot(['wild', '--json'])).stdout).runs).toMatchObject([{ diverged: true, steps: 5000 }]);
  });

  it('has damaged lines says which, and draws the others', async () => {
    put(cwd, join('damaged', 'metrics.jsonl'), readFileSync(join(cwd, 'run', 'metrics.jsonl')));
    appendFileSync(join(cwd, 'damaged', 'metrics.jsonl'), 'what\n{"step":5000,"loss":null,"rate":0.1}\n');
    const { exitCode, stderr } = await plot(['damaged']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: damaged\/metrics\.jsonl: skipped 2 lines that cannot be read: \d+, \d+\n$/);
  });

  it('recorded nothing, or was imported, is refused with the reason (3), unless others can be drawn', async () => {
    writeFileSync(put(cwd, join('empty', 'metrics.jsonl'), ''), '');
    const { exitCode, stdout, stderr } = await plot(['empty']);
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toBe('error: empty: nothing is recorded yet for --what loss\n');
    const both = await plot(['empty', 'run']);
    expect([both.exitCode, both.stderr]).toEqual([0, 'note: empty: nothing is recorded yet for --what val\n']);
    rmSync(join(cwd, 'empty', 'metrics.jsonl'));
    expect(await plot(['empty'])).toMatchObject({ exitCode: 4, stderr: 'error: empty: there is no metrics.jsonl\n' });
    await runCli(cwd, ['import', join('run', 'checkpoint.safetensors'), '--data', 'names.txt', '--out', 'imported']);
    expect((await plot(['imported'])).stderr).toBe('error: imported: its weights were imported, so there is no training to draw\n');
  });

  it('ends before --from is a usage error (2), unless others can be drawn', async () => {
    const { exitCode, stderr } = await plot(['run', '--from', '99999']);
    expect([exitCode, stderr]).toEqual([2, 'error: run: --from is beyond step 1,000, the last one with --what loss\n']);
    const both = await plot(['other', 'run', '--from', '700']);
    expect([both.exitCode, both.stderr]).toEqual([0, 'note: other: --from is beyond step 500, the last one with --what val\n']);
  });

  it('diverged before its first record says so (3)', async () => {
    const about = { data: { path: 'names.txt', sha256: 'x' }, config: { steps: 5000 }, diverged: { step: 6, message: 'NaN' } };
    put(cwd, join('early', 'run.json'), JSON.stringify(about));
    put(cwd, join('early', 'metrics.jsonl'), '');
    const { exitCode, stderr } = await plot(['early']);
    expect([exitCode, stderr]).toEqual([3, 'error: early: its numbers diverged before anything was recorded for --what loss\n']);
  });

  it('is of a sweep with a damaged plan is refused with a way out that plot has (3)', async () => {
    put(cwd, join('broken', 'sweep.json'), '{');
    put(cwd, join('broken', '0001', 'run.json'), '{}');
    const { exitCode, stderr } = await plot(['broken']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/; name its runs\n$/);
  });

  it.each([
    ['--what', 'losses'],
    ['--from', '-1'],
  ])('is asked for %s %s is a usage error (2)', async (...options) => {
    const { exitCode, stderr } = await plot(['run', ...options]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(ONE_ERROR_LINE);
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, writeNames } from '../../support/fakeIO.js';
import { aboutOf, computed, finished, metricsOf, ok, RESUME, refusal, stopped, TRAIN, trainAndStop } from '../../support/resume.js';
import { tempDirectory } from '../../support/tempDirectory.js';

const EVERY_3 = ['--diagnose-every', '3'];
const NEVER = ['--diagnose-every', '0'];

const metricsIn = (cwd: string) => readFileSync(join(cwd, 'run', 'metrics.jsonl'), 'utf8');
const diagnosedSteps = (cwd: string) => metricsOf(cwd).flatMap((record) => ('diagnostics' in record ? [record.step] : []));

describe('--diagnose-every', () => {
  it.each([
    [[], [1, 24]],
    [EVERY_3, [1, 3, 6, 9, 12, 15, 18, 21, 24]],
    [
      ['--diagnose-every', '10'],
      [1, 10, 20, 24],
    ],
    [NEVER, []],
  ])('%j diagnoses the steps %j', async (options, steps) => {
    expect(diagnosedSteps(await finished(...options))).toEqual(steps);
  });

  it('changes no byte of checkpoints and of the other lines of metrics.jsonl', async () => {
    const never = computed(await finished(...NEVER));
    const often = computed(await finished('--diagnose-every', '1'));
    const lines = often['metrics.jsonl'].split(/(?<=\n)/).filter((line) => !line.includes('"diagnostics"'));
    expect({ ...often, 'metrics.jsonl': lines.join('') }).toEqual(never);
  });

  it('is kept in run.json when it is given, and only then', async () => {
    expect(aboutOf(await finished())).not.toHaveProperty('diagnoseEvery');
    expect(aboutOf(await finished(...NEVER)).diagnoseEvery).toBe(0);
  });
});

describe('a diagnosed run that is resumed', () => {
  it.each([1, 2, 3, 8, 13, 23])('after step %i has the same bytes as an uninterrupted one', async (step) => {
    const cwd = tempDirectory();
    await trainAndStop(cwd, step, ...EVERY_3);
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(computed(await finished(...EVERY_3)));
  });

  it('keeps its interval, unless another one is given', async () => {
    const cwd = await stopped(...EVERY_3);
    await ok(cwd, ...RESUME, '--diagnose-every', '8');
    expect(diagnosedSteps(cwd)).toEqual([1, 3, 6, 16, 24]);
    expect(aboutOf(cwd).diagnoseEvery).toBe(8);
  });

  it.each([['"three"'], ['-1'], ['1.5'], ['null']])(
    'with %s in the place of the interval is refused (3), and resumed with the option',
    async (value) => {
      const cwd = await stopped(...EVERY_3);
      const path = join(cwd, 'run', 'run.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"diagnoseEvery": 3', `"diagnoseEvery": ${value}`));
      const line = await refusal(cwd, 3, RESUME);
      expect(line).toContain(`run.json: diagnoseEvery is ${value}, expected a whole number from 0`);
      expect(line).toContain('--diagnose-every');
      await ok(cwd, ...RESUME, ...EVERY_3);
      expect(computed(cwd)).toEqual(computed(await finished(...EVERY_3)));
    },
  );
});

describe('a diagnosed run that is replayed', () => {
  it('is the same, with its diagnoses, also if it was extended with another interval', async () => {
    const cwd = await stopped(...EVERY_3);
    await ok(cwd, ...RESUME, '--diagnose-every', '7');
    await ok(cwd, ...RESUME, '--steps', '30', '--diagnose-every', '4');
    expect(diagnosedSteps(cwd)).toEqual([1, 3, 6, 14, 21, 24, 28, 30]);
    const { stdout } = await ok(cwd, 'replay', 'run');
    expect(stdout).toMatch(/^the same: 30 steps repeated/);
    expect(stdout).toContain('8 diagnoses');
  });

  it('is the same without diagnoses', async () => {
    expect((await ok(await finished(...NEVER), 'replay', 'run')).stdout).not.toContain('diagnos');
  });

  it('with another diagnosis is not (1)', async () => {
    const cwd = await finished(...EVERY_3);
    const changed = metricsIn(cwd).replace(/("step":6,"diagnostics":\{"loss":)[\d.]+/, '$19');
    writeFileSync(join(cwd, 'run', 'metrics.jsonl'), changed);
    const { exitCode, stdout } = await runCli(cwd, ['replay', 'run']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\nthe diagnosis of step 6: loss: 9 and 2\.\d+\n/);
  });
});

it('a sweep gives it to its runs', async () => {
  const cwd = tempDirectory();
  writeNames(cwd);
  await ok(cwd, 'sweep', '--vary', 'lr=0.1', '--', ...TRAIN.slice(1), ...EVERY_3);
  expect(readFileSync(join(cwd, 'sweep', '0001', 'metrics.jsonl'), 'utf8').match(/"diagnostics"/g)).toHaveLength(9);
});

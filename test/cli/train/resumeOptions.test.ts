import { beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/fakeIO.js';
import {
  aboutOf,
  checkpointOf,
  computed,
  finished,
  metricsOf,
  ok,
  RESUME,
  refusal,
  stepOf,
  stopAfter,
  stopped,
  wholeRun,
} from '../../support/resume.js';

/** The same run, uninterrupted. */
let whole: Record<string, string>;

beforeAll(async () => {
  ({ files: whole } = await wholeRun());
});

describe('--steps with --resume', () => {
  it('extends the run and keeps the step at which its rate drops', async () => {
    const cwd = await finished();
    const { stdout } = await ok(cwd, ...RESUME, '--steps', '40', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ steps: 40, stepsPerSecond: expect.any(Number) });
    const { config, state } = checkpointOf(cwd);
    expect(config).toMatchObject({ steps: 40, schedule: { name: 'step', switchStep: 12 } });
    expect(state.step).toBe(40);
    expect(aboutOf(cwd)).toMatchObject({ config, result: { steps: 40 }, finishedAt: expect.any(String) });
    const kinds = metricsOf(cwd).map((record) => `${record.step}${'rate' in record ? ` ${record.rate}` : ''}`);
    expect(kinds).toEqual(['0', '1', '5', '10', '15', '20', '24 0.01', '24', '24', '24', '25', '30', '35', '40 0.01', '40', '40', '40']);
    expect(await ok(cwd, 'replay', 'run')).toMatchObject({ stdout: expect.stringContaining('40 steps repeated') });
  });

  it('keeps the step of the drop if it is raised before it', async () => {
    const cwd = await stopped();
    await ok(cwd, ...RESUME, '--steps', '40');
    const rated = await finished('--steps', '40');
    expect(checkpointOf(cwd).config.schedule).toEqual({ name: 'step', switchStep: 12 });
    expect(checkpointOf(rated).config.schedule).toEqual({ name: 'step', switchStep: 20 });
    expect(checkpointOf(cwd).tensors).not.toEqual(checkpointOf(rated).tensors);
  });

  it('gives the same bytes if it is raised twice, with a stop in between', async () => {
    const one = await finished();
    await ok(one, ...RESUME, '--steps', '40');
    const two = await finished();
    expect((await runCli(two, [...RESUME, '--steps', '40'], stopAfter(7))).exitCode).toBe(130);
    expect(checkpointOf(two)).toMatchObject({ state: { step: 31 }, config: { steps: 40 } });
    expect(aboutOf(two)).not.toHaveProperty('finishedAt');
    await ok(two, ...RESUME);
    expect(computed(two)).toEqual(computed(one));
  });

  it('can be raised again if the extension was stopped before its first save', async () => {
    const cwd = await finished();
    expect((await runCli(cwd, [...RESUME, '--steps', '40'], stopAfter(0))).exitCode).toBe(130);
    expect(checkpointOf(cwd)).toMatchObject({ state: { step: 24 }, config: { steps: 40 } });
  });

  it.each(['linear', 'cosine'])('cannot be raised if the schedule ends at 0, but may be repeated: %s', async (schedule) => {
    for (const cwd of [await stopped('--schedule', schedule), await finished('--schedule', schedule)]) {
      const line = await refusal(cwd, 2, [...RESUME, '--steps', '40']);
      expect(line).toBe(
        `error: run has other settings: --steps is 24 there, but 40 here, and its ${schedule} schedule has reached 0 at the end; ` +
          'leave them out, or start a new run\n',
      );
      await ok(cwd, ...RESUME, '--steps', '24');
      expect(stepOf(cwd)).toBe(24);
    }
  });

  it('gives the bytes of a run that was as long from the start if the rate is constant', async () => {
    const recipe = ['--schedule', 'constant', '--optimizer', 'momentum', '--sampling', 'epochs', '--warmup', '4'];
    const cwd = await finished(...recipe);
    await ok(cwd, ...RESUME, '--steps', '40');
    const long = await finished(...recipe, '--steps', '40');
    expect(checkpointOf(cwd)).toEqual({ ...checkpointOf(long), best: checkpointOf(cwd).best });
    expect(await ok(cwd, 'replay', 'run')).toMatchObject({ stdout: expect.stringContaining('40 steps repeated') });
  });

  it.each(['23', '1'])('cannot be lowered to %s', async (steps) => {
    const cwd = await stopped();
    const line = await refusal(cwd, 2, [...RESUME, '--steps', steps]);
    expect(line).toContain(`--steps is 24 there, but ${steps} here, and can only be raised`);
  });
});

describe('an option of the training with --resume', () => {
  const DIFFERENT = [
    ['--context', '3', '4'],
    ['--embedding', '4', '5'],
    ['--hidden', '8', '9'],
    ['--batch-size', '32', '33'],
    ['--lr', '0.1', '0.2'],
    ['--optimizer', 'sgd', 'nesterov'],
    ['--schedule', 'step', 'constant'],
    ['--warmup', '0', '3'],
    ['--sampling', 'replacement', 'epochs'],
    ['--seed', '2147483647', '1'],
    ['--split-seed', '42', '43'],
    ['--eval-every', '5', '6'],
  ];

  it.each(DIFFERENT)('is refused, with both values, if it differs from the stored one: %s, stored %s', async (option, stored, given) => {
    const cwd = await stopped();
    const line = await refusal(cwd, 2, [...RESUME, option, given]);
    expect(line).toBe(
      `error: run has other settings: ${option} is ${stored} there, but ${given} here; leave them out, or start a new run\n`,
    );
  });

  it.each(['8', '8,6,5', '6,8', '8,6,6'])('is refused as typed: --hidden %s for a run with 8,6', async (given) => {
    const cwd = await stopped('--hidden', '8,6');
    expect(await refusal(cwd, 2, [...RESUME, '--hidden', given])).toContain(`: --hidden is 8,6 there, but ${given} here; leave them out`);
  });

  it('is refused: --unique for a run without it', async () => {
    const cwd = await stopped();
    expect(await refusal(cwd, 2, [...RESUME, '--unique'])).toContain('--unique is false there, but true here');
  });

  const ADAMW = ['--optimizer', 'adamw', '--lr', '0.01', '--weight-decay', '0.2', '--clip', '0.5', '--schedule', 'constant'];

  it.each([
    ['--lr', '0.01', '0.001'],
    ['--optimizer', 'adamw', 'adam'],
    ['--beta1', '0.9', '0.8'],
    ['--beta2', '0.999', '0.99'],
    ['--weight-decay', '0.2', '0.01'],
    ['--weight-decay', '0.2', 'C=0.2'],
    ['--clip', '0.5', '1'],
    ['--momentum', 'none', '0.9'],
  ])('of adamw is refused, with both values, if it differs: %s, stored %s', async (option, stored, given) => {
    const cwd = await stopped(...ADAMW);
    const line = await refusal(cwd, 2, [...RESUME, option, given]);
    expect(line).toBe(
      `error: run has other settings: ${option} is ${stored} there, but ${given} here; leave them out, or start a new run\n`,
    );
  });

  it('compares decays by parameter in any order', async () => {
    const adamw = ADAMW.with(5, 'W1=0.2,C=0.1');
    const cwd = await stopped(...adamw);
    const line = await refusal(cwd, 2, [...RESUME, '--weight-decay', 'W1=0.2']);
    expect(line).toContain('--weight-decay is C=0.1,W1=0.2 there, but W1=0.2 here');
    await ok(cwd, ...RESUME, '--weight-decay', 'C=0.1,W1=0.2');
  });

  it('of adamw may be repeated, and keeps its stored value if it is left out', async () => {
    const cwd = await stopped(...ADAMW);
    const { config } = checkpointOf(cwd);
    await ok(cwd, ...RESUME, ...ADAMW, '--beta1', '0.9', '--beta2', '0.999');
    expect(checkpointOf(cwd)).toMatchObject({ config, state: { step: 24 } });
    const other = await stopped(...ADAMW);
    await ok(other, ...RESUME);
    expect(computed(other)).toEqual(computed(cwd));
  });

  it('is listed with all others that differ', async () => {
    const cwd = await stopped();
    const line = await refusal(cwd, 2, [
      ...RESUME,
      ...DIFFERENT.flatMap(([option, , given]) => [option, given]),
      '--unique',
      '--steps',
      '7',
    ]);
    for (const [option, stored, given] of DIFFERENT) expect(line).toContain(`${option} is ${stored} there, but ${given} here`);
    expect(line).toContain('--unique is false there, but true here');
    expect(line).toContain('--steps is 24 there, but 7 here');
  });

  it('may be repeated with the stored value', async () => {
    const cwd = await stopped('--unique');
    const equal = DIFFERENT.flatMap((line) => line.slice(0, 2));
    await ok(cwd, ...RESUME, ...equal, '--unique', '--steps', '24', '--data', 'names.txt');
    expect(stepOf(cwd)).toBe(24);
  });

  it('keeps its stored value, not the default, if it is left out', async () => {
    const cwd = await stopped('--lr', '0.25', '--seed', '3', '--context', '2');
    const { config } = checkpointOf(cwd);
    await ok(cwd, ...RESUME);
    expect(checkpointOf(cwd).config).toEqual(config);
    expect(config).toMatchObject({ learningRate: 0.25, seed: 3, context: 2 });
  });

  it('may differ if it only concerns saves and checks: --save-every, --check-every', async () => {
    const cwd = await stopped();
    await ok(cwd, ...RESUME, '--save-every', '2', '--check-every', '1');
    expect(computed(cwd)).toEqual(whole);
  });

  it.each([['--out', 'other'], ['--force']])('cannot be used: %s', async (...argv) => {
    const cwd = await stopped();
    expect(await refusal(cwd, 2, [...RESUME, ...argv])).toContain(`${argv[0]} cannot be used with --resume`);
  });
});

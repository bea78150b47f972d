import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { NAMES, ONE_ERROR_LINE, runCli, writeNames } from '../../support/fakeIO.js';
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
  TRAIN,
  trainAndStop,
  wholeRun,
} from '../../support/resume.js';
import { put, tempDirectory } from '../../support/tempDirectory.js';

/** The same run, uninterrupted. */
let whole: Record<string, string>;

beforeAll(async () => {
  ({ files: whole } = await wholeRun());
});

/** Flips one bit near the end of a file. */
function damage(cwd: string, file: string): void {
  const path = join(cwd, 'run', file);
  const bytes = readFileSync(path);
  bytes[bytes.length - 10] ^= 1;
  writeFileSync(path, bytes);
}

describe('the data set of a resumed run', () => {
  it('is refused with one more name, and both SHA-256 are shown', async () => {
    const cwd = await stopped();
    const expected = aboutOf(cwd).data.sha256;
    const path = writeNames(cwd, [...NAMES, 'mina']);
    const found = createHash('sha256').update(readFileSync(path)).digest('hex');
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toContain(`names.txt is not the data set of the run: SHA-256 ${found}, expected ${expected}; `);
  });

  it('is refused with other letters, and the new and missing ones are shown', async () => {
    const cwd = await stopped();
    writeNames(cwd, [...NAMES.filter((name) => !name.startsWith('be') && !name.startsWith('lu')), 'quax', 'zoë']);
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toMatch(/: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; new characters q x z ë \(U\+00EB\); missing characters b; /);
  });

  it('is refused as a changed file even if too little is left to split it (3)', async () => {
    const cwd = await stopped();
    writeNames(cwd, NAMES.slice(0, 3));
    expect(await refusal(cwd, 3, RESUME)).toContain('names.txt');
  });

  it.each(['', 'a.b\n'])('is refused if it does not hold names: %j', async (content) => {
    const cwd = await stopped();
    put(cwd, 'names.txt', content);
    expect(await refusal(cwd, 3, RESUME)).toContain('names.txt');
  });

  it('is asked for if it was moved, and found at the place of --data from then on', async () => {
    const cwd = await stopped();
    const path = put(cwd, join('moved', 'list.txt'), readFileSync(join(cwd, 'names.txt')));
    rmSync(join(cwd, 'names.txt'));
    const line = await refusal(cwd, 4, RESUME);
    expect(line).toContain(`cannot read names.txt: no such file or directory`);
    expect(line).toContain('--data');
    expect((await runCli(cwd, [...RESUME, '--data', join('moved', 'list.txt')], stopAfter(1))).exitCode).toBe(130);
    expect(aboutOf(cwd).data).toMatchObject({ path, names: 60 });
    await ok(cwd, 'eval', 'run');
    await ok(cwd, ...RESUME);
    expect(aboutOf(cwd).data.path).toBe(path);
    expect(computed(cwd)).toEqual(whole);
  });

  it('must have the same bytes if it is named with --data', async () => {
    const cwd = await stopped();
    writeNames(cwd, [...NAMES, 'quax'], 'other.txt');
    const line = await refusal(cwd, 3, [...RESUME, '--data', 'other.txt']);
    expect(line).toMatch(/^error: other\.txt is not the data set of the run: SHA-256 .*; new characters q x; /);
  });
});

describe('nothing to resume', () => {
  it.each([
    ['none yet', 4, ['train', '--resume'], 'no run yet: runs/latest does not exist; name one, or train one: backprop-ninja train'],
    ['a name that does not exist', 4, ['train', '--resume', 'nowhere'], 'cannot read nowhere: no such run directory or checkpoint'],
    ['a directory without a checkpoint', 4, ['train', '--resume', 'empty'], 'no checkpoint in'],
    ['another file', 2, ['train', '--resume', 'names.txt'], "names.txt is a file; name the run's directory"],
  ])('%s', async (_, exitCode, argv, reason) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, join('empty', 'run.json'), '{}');
    const line = await refusal(cwd, exitCode as number, argv as string[]);
    expect(line.replaceAll('\\', '/')).toContain(reason);
  });

  it('if a best checkpoint is named', async () => {
    const cwd = await stopped();
    expect(await refusal(cwd, 2, ['train', '--resume', join('run', 'best.safetensors')])).toContain("name the run's directory");
  });

  it('if runs/latest points to a deleted run', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await ok(cwd, ...TRAIN);
    rmSync(join(cwd, 'runs', '0001'), { recursive: true });
    const outcome = await runCli(cwd, ['train', '--resume']);
    expect(outcome).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringMatching(ONE_ERROR_LINE) });
  });
});

describe('a damaged checkpoint', () => {
  it('is refused; the message names an intact best checkpoint, which can be resumed in its place', async () => {
    const cwd = await stopped();
    damage(cwd, 'checkpoint.safetensors');
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toContain(`${join('run', 'checkpoint.safetensors')}: damaged: SHA-256 mismatch`);
    expect(line).toContain(
      `${join('run', 'best.safetensors')}, of step 5, is intact: sample and eval can read it; copied to this file, it can be resumed`,
    );
    await ok(cwd, 'eval', join('run', 'best.safetensors'));
    await ok(cwd, 'sample', join('run', 'best.safetensors'));
    copyFileSync(join(cwd, 'run', 'best.safetensors'), join(cwd, 'run', 'checkpoint.safetensors'));
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(whole);
  });

  it('is refused without mention of a best checkpoint that is damaged too', async () => {
    const cwd = await stopped();
    damage(cwd, 'checkpoint.safetensors');
    damage(cwd, 'best.safetensors');
    const line = await refusal(cwd, 3, RESUME);
    expect(line).toContain('damaged');
    expect(line).not.toContain('best.safetensors');
  });

  it('is refused without mention of a best checkpoint if there is none', async () => {
    const cwd = tempDirectory();
    await trainAndStop(cwd, 2);
    damage(cwd, 'checkpoint.safetensors');
    expect(await refusal(cwd, 3, RESUME)).not.toContain('best.safetensors');
  });

  it('is replaced by a better one if it is the best checkpoint', async () => {
    const cwd = await stopped();
    damage(cwd, 'best.safetensors');
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(whole);
  });
});

describe('metrics.jsonl of a resumed run', () => {
  it('loses an incomplete line, and a note names its number', async () => {
    const cwd = await stopped();
    appendFileSync(join(cwd, 'run', 'metrics.jsonl'), '{"step":8,"lo');
    const { stderr } = await ok(cwd, ...RESUME);
    expect(stderr).toMatch(/^note: run\/metrics\.jsonl: dropped incomplete line 4$/m);
    expect(computed(cwd)).toEqual(whole);
  });

  it('is not mentioned if it is complete', async () => {
    const cwd = await stopped();
    expect((await ok(cwd, ...RESUME)).stderr).not.toContain('note:');
  });

  it('loses the records of steps after the checkpoint without a note', async () => {
    const cwd = await stopped();
    appendFileSync(join(cwd, 'run', 'metrics.jsonl'), '{"step":10,"valLoss":1.5}\n');
    expect((await ok(cwd, ...RESUME)).stderr).not.toContain('note:');
    expect(computed(cwd)).toEqual(whole);
  });
});

describe('the best checkpoint', () => {
  // With these options, the lowest loss comes before the end.
  const UNSTEADY = ['--lr', '5', '--steps', '60'];

  it('is from the lowest evaluation, and eval gives exactly its loss', async () => {
    const cwd = await finished(...UNSTEADY);
    const evaluations = metricsOf(cwd).filter((record) => 'valLoss' in record);
    const smallest = evaluations.reduce((best, record) => (record.valLoss < best.valLoss ? record : best));
    const last = evaluations.at(-1);
    expect(evaluations).toHaveLength(12);
    expect(smallest.step).toBeLessThan(60);
    const best = checkpointOf(cwd, 'best.safetensors');
    expect([best.state.step, best.best]).toEqual([smallest.step, smallest]);
    const loss = async (run: string) => JSON.parse((await ok(cwd, 'eval', run, '--json')).stdout).loss;
    expect(await loss(join('run', 'best.safetensors'))).toBe(smallest.valLoss);
    expect(await loss('run')).toBe(last?.valLoss);
  });

  it('is in the JSON document, and in the report if it is not the last', async () => {
    const cwd = await finished(...UNSTEADY);
    const { best } = checkpointOf(cwd);
    const line = `best validation loss: ${best?.valLoss.toFixed(4)} after step ${best?.step}, saved in ${join('run', 'best.safetensors')}\n`;
    expect((await ok(cwd, ...RESUME)).stdout).toContain(line);
    expect(JSON.parse((await ok(cwd, ...RESUME, '--json')).stdout).best).toEqual(best);
  });

  it('is not in the report if it is the last', async () => {
    const cwd = await finished();
    expect(checkpointOf(cwd).best?.step).toBe(24);
    expect((await ok(cwd, ...RESUME)).stdout).not.toContain('best');
  });

  it('is the lowest of all evaluations of a resumed run', async () => {
    const once = await finished(...UNSTEADY);
    const cwd = tempDirectory();
    writeNames(cwd);
    await runCli(cwd, [...TRAIN, '--out', 'run', ...UNSTEADY], { tick: 50, stop: { signal: 'SIGINT', at: 3000 } });
    expect(stepOf(cwd)).toBeLessThan(30);
    await ok(cwd, ...RESUME);
    expect(computed(cwd)).toEqual(computed(once));
  });
});

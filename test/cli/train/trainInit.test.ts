import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint } from '../../../src/node/checkpointFile.js';
import { sha256 } from '../../../src/node/sha256.js';
import { writeNpz } from '../../../src/run/npz.js';
import { loadFloats, readSafetensors } from '../../../src/run/safetensors.js';
import { runCli, trainSmall, writeNames } from '../../support/fakeIO.js';
import { expectRefusal } from '../../support/faults.js';
import { put, snapshot, tempDirectory } from '../../support/tempDirectory.js';
import { NAMES_SHAPE, tensor, weightsFile, weightTensors } from '../../support/weights.js';

const TRAIN = ['train', '--data', 'names.txt', '--steps', '30', '--eval-every', '10'];

/** A directory with names.txt and w.safetensors. */
function withWeights(tensors = weightTensors(NAMES_SHAPE)): string {
  const cwd = tempDirectory();
  writeNames(cwd);
  put(cwd, 'w.safetensors', weightsFile(tensors));
  return cwd;
}

async function done(cwd: string, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(cwd, argv);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout;
}

const hashesOf = (cwd: string, run: string) => JSON.parse(readFileSync(join(cwd, run, 'metrics.jsonl'), 'utf8').split('\n')[0]).hashes;

describe('train --init', () => {
  it('begins with the parameters of the file, keeps them, and can be replayed', async () => {
    const cwd = withWeights();
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--out', 'run');
    const init = readFileSync(join(cwd, 'run', 'init.safetensors'));
    const { tensors } = readSafetensors(init);
    for (const [name, stored] of weightTensors(NAMES_SHAPE))
      expect(loadFloats(name, tensors.get(name) as never)).toEqual(loadFloats(name, stored));
    const { config } = loadCheckpoint(join(cwd, 'run', 'checkpoint.safetensors'));
    expect(config).toMatchObject({ context: 3, embedding: 4, hidden: [8], init: sha256(init) });
    expect(await done(cwd, 'replay', 'run')).toContain('the same: 30 steps repeated');
  });

  it('draws the batches as without it: begun with drawn parameters, it is the same training', async () => {
    const cwd = tempDirectory();
    const { valLoss } = await trainSmall(cwd);
    await done(cwd, 'train', '--data', 'names.txt', '--steps', '50', '--hidden', '8', '--embedding', '4', '--out', 'drawn');
    const drawn = readFileSync(join(cwd, 'drawn', 'metrics.jsonl'));
    // The parameters before the first step, from a run that was stopped there.
    await runCli(cwd, ['train', '--data', 'names.txt', '--steps', '50', '--hidden', '8', '--embedding', '4', '--out', 'start'], {
      tick: 50,
      stop: { signal: 'SIGINT', at: 50 },
    });
    const start = loadCheckpoint(join(cwd, 'start', 'checkpoint.safetensors'));
    expect(start.state.step).toBe(0);
    const report = JSON.parse(
      await done(cwd, 'train', '--data', 'names.txt', '--steps', '50', '--init', 'start', '--out', 'again', '--json'),
    );
    expect(report.valLoss).toBe(valLoss);
    expect(readFileSync(join(cwd, 'again', 'metrics.jsonl'))).toEqual(drawn);
  });

  it('is the same run from .npz, float64, a run, and its own init.safetensors', async () => {
    const cwd = withWeights();
    const tensors = weightTensors(NAMES_SHAPE);
    put(cwd, 'w.npz', writeNpz(tensors));
    const wide = [...tensors].map(([name, one]) => [name, tensor(one.shape, Float64Array.from(loadFloats(name, one)))] as const);
    put(cwd, 'wide.safetensors', weightsFile(new Map(wide)));
    await done(cwd, 'import', 'w.npz', '--data', 'names.txt', '--out', 'imported');
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--out', 'run');
    for (const file of ['w.npz', 'wide.safetensors', 'imported', 'run/init.safetensors']) {
      await done(cwd, ...TRAIN, '--init', file, '--out', 'other', '--force');
      expect((await runCli(cwd, ['diff', 'run', 'other'])).exitCode, file).toBe(0);
    }
  });

  it('can be stopped, resumed and extended; the optimizer begins anew', async () => {
    const cwd = withWeights();
    const train = [...TRAIN, '--optimizer', 'adam', '--schedule', 'constant', '--init', 'w.safetensors'];
    await done(cwd, ...train, '--out', 'whole');
    const stopped = await runCli(cwd, [...train, '--out', 'run'], { tick: 50, stop: { signal: 'SIGINT', at: 50 + 150 * 7 } });
    expect(stopped.exitCode).toBe(130);
    await done(cwd, 'train', '--resume', 'run');
    expect((await runCli(cwd, ['diff', 'whole', 'run'])).exitCode).toBe(0);
    await done(cwd, 'train', '--resume', 'run', '--steps', '45');
    expect(await done(cwd, 'replay', 'run')).toContain('the same: 45 steps repeated');
  });

  it('accepts the sizes of the file as options, and leaves out those of a preset', async () => {
    const cwd = withWeights();
    const options = ['--context', '3', '--embedding', '4', '--hidden', '8'];
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', ...options, '--out', 'a');
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--preset', 'fast', '--batch-size', '20', '--out', 'b');
    expect(loadCheckpoint(join(cwd, 'b', 'checkpoint.safetensors')).config).toMatchObject({ context: 3, embedding: 4, hidden: [8] });
    expect(hashesOf(cwd, 'a')).toEqual(hashesOf(cwd, 'b'));
  });

  it('is shown by diff, with the digest of the parameters', async () => {
    const cwd = withWeights();
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--out', 'a');
    await done(cwd, ...TRAIN, '--hidden', '8', '--embedding', '4', '--out', 'b');
    const { exitCode, stdout } = await runCli(cwd, ['diff', 'a', 'b']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^--init: [0-9a-f]{64} and none$/m);
  });

  it('replaces a run with --force, and a run without it leaves no init.safetensors', async () => {
    const cwd = withWeights();
    await done(cwd, ...TRAIN, '--hidden', '8', '--out', 'run');
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--out', 'run', '--force');
    expect(await done(cwd, 'replay', 'run')).toContain('the same: 30 steps repeated');
    await done(cwd, ...TRAIN, '--hidden', '8', '--out', 'run', '--force');
    expect(Object.keys(snapshot(join(cwd, 'run'))).sort()).toEqual([
      'best.safetensors',
      'checkpoint.safetensors',
      'metrics.jsonl',
      'run.json',
    ]);
  });

  it('is shared by the runs of a sweep', async () => {
    const cwd = withWeights();
    const rest = ['--data', 'names.txt', '--steps', '20', '--init', 'w.safetensors'];
    const { ranked, differing } = JSON.parse(await done(cwd, 'sweep', '--vary', 'lr=0.1/0.2', '--json', '--', ...rest));
    expect([ranked.length, differing]).toEqual([2, []]);
    const configs = ['0001', '0002'].map((run) => loadCheckpoint(join(cwd, 'sweep', run, 'checkpoint.safetensors')).config);
    expect(configs[0].init).toBe(configs[1].init);
    put(cwd, 'w.safetensors', weightsFile(weightTensors(NAMES_SHAPE).set('b1', tensor([8]))));
    const again = await runCli(cwd, ['sweep', '--vary', 'lr=0.1/0.2', '--', ...rest]);
    expect([again.exitCode, again.stdout]).toEqual([1, expect.stringMatching(/--init is [0-9a-f]{64}, expected [0-9a-f]{64}/)]);
  });

  it('can be scanned by lr-find', async () => {
    const cwd = withWeights();
    const scan = (...argv: string[]) => done(cwd, 'lr-find', '--data', 'names.txt', '--steps', '100', '--json', ...argv);
    const [from, drawn] = [JSON.parse(await scan('--init', 'w.safetensors')), JSON.parse(await scan('--hidden', '8', '--embedding', '4'))];
    expect(from.points[0].loss).not.toBe(drawn.points[0].loss);
    expect(JSON.parse(await scan('--init', 'w.safetensors')).points[0]).toEqual(from.points[0]);
  });
});

describe('refused with --init', () => {
  it.each<[string[], string]>([
    [['--hidden', '9'], '--hidden is 9, but 8 in w.safetensors; leave it out: --init decides it'],
    [['--norm', 'none'], '--norm is none, but batch in w.safetensors; leave it out: --init decides it'],
    [['--init-gain', '1'], '--init-gain cannot be used with --init, whose parameters are not drawn'],
    [['--init-output', '0'], '--init-output cannot be used with --init, whose parameters are not drawn'],
    [['--hidden', '8,8'], '--hidden is 8,8, but 8 in w.safetensors'],
    [['--context', '4'], '--context is 4, but 3 in w.safetensors'],
    [['--embedding', '5'], '--embedding is 5, but 4 in w.safetensors'],
    [['--resume', 'run'], '--init cannot be used with --resume, which continues with the weights of the run'],
    [['--mutant', 'dbnraw-gain-forgotten'], '--init cannot be used with --mutant'],
  ])('is %j (2)', async (options, message) => {
    const cwd = withWeights();
    await done(cwd, ...TRAIN, '--hidden', '8', '--out', 'run');
    const before = snapshot(cwd);
    expectRefusal(await runCli(cwd, ['train', '--data', 'names.txt', '--init', 'w.safetensors', ...options]), 2, message);
    expect(snapshot(cwd)).toEqual(before);
  });

  it('is a sweep over sizes, over files, or with another size (2)', async () => {
    const cwd = withWeights();
    const rest = ['--', '--data', 'names.txt', '--init', 'w.safetensors'];
    const sweep = (vary: string, ...more: string[]) => runCli(cwd, ['sweep', '--vary', vary, ...rest, ...more]);
    for (const vary of ['hidden=8/9', 'norm=batch/none', 'init-gain=1/2']) {
      const message = `--vary ${vary.split('=')[0]} cannot be combined with --init, which decides the network and its first parameters`;
      expectRefusal(await sweep(vary), 2, message);
    }
    expectRefusal(await sweep('init=a/b'), 2, '--vary init: all runs begin with the same parameters; give --init after --');
    expectRefusal(await sweep('lr=0.1/0.2', '--hidden', '9'), 2, '--hidden is 9, but 8 in w.safetensors');
  });

  it('is an --out that holds the file (2)', async () => {
    const cwd = withWeights();
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--out', 'run');
    for (const file of ['run', 'run/init.safetensors']) {
      const found = await runCli(cwd, [...TRAIN, '--init', file, '--out', 'run', '--force']);
      expectRefusal(found, 2, '--out run would overwrite the weights run/');
    }
  });

  it('is a file that is no such file (3), and a missing one (4)', async () => {
    const cwd = withWeights(weightTensors());
    expectRefusal(await runCli(cwd, [...TRAIN, '--init', 'w.safetensors']), 3, 'w.safetensors: the network has 18 characters');
    expectRefusal(await runCli(cwd, [...TRAIN, '--init', 'none']), 4, 'cannot read none: no such file or directory');
  });
});

describe('replay of a run with --init', () => {
  it('needs the init.safetensors that the run began with', async () => {
    const cwd = withWeights();
    await done(cwd, ...TRAIN, '--init', 'w.safetensors', '--out', 'run');
    const file = join(cwd, 'run', 'init.safetensors');
    copyFileSync(file, join(cwd, 'kept'));
    put(cwd, 'run/init.safetensors', weightsFile(weightTensors(NAMES_SHAPE).set('b1', tensor([8]))));
    expectRefusal(
      await runCli(cwd, ['replay', 'run']),
      3,
      /run\/init\.safetensors is not what the run began with: SHA-256 [0-9a-f]{64}, expected/,
    );
    rmSync(file);
    expectRefusal(await runCli(cwd, ['replay', 'run']), 4, 'cannot read run/init.safetensors: no such file or directory');
    copyFileSync(join(cwd, 'kept'), file);
    await done(cwd, 'replay', 'run');
  });
});

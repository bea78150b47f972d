// Faulty options and arguments, on the command line. The titles are the cases of docs/promises.md.
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { MAX_NAME_LENGTH } from '../../src/evaluation/sampler.js';
import { NAMES, runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { expectRefusal, fillTensor, ninja, openToAll, rewriteCheckpoint } from '../support/faults.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../support/tempDirectory.js';

let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  writeNames(trained);
  expect((await runCli(trained, ['train', ...SMALL, '--out', 'run'])).exitCode).toBe(0);
  return () => removeDirectory(trained);
});

/** A directory with the names and a run on them, which a test may change. */
function withRun(): string {
  const cwd = tempDirectory();
  cpSync(join(trained, 'run'), join(cwd, 'run'), { recursive: true });
  writeNames(cwd);
  // run.json names the data by its path.
  const about = JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8'));
  put(cwd, join('run', 'run.json'), JSON.stringify({ ...about, data: { ...about.data, path: join(cwd, 'names.txt') } }));
  return cwd;
}

/** Runs a command line that must be refused and change nothing. */
async function refuse(cwd: string, argv: readonly string[], exitCode: number, ...says: (string | RegExp)[]): Promise<void> {
  const before = snapshot(cwd);
  expectRefusal(await runCli(cwd, argv), exitCode, ...says);
  expect(snapshot(cwd)).toEqual(before);
}

describe('not a number, negative, 0, NaN, 1e9, a fraction, empty, hexadecimal where a count is expected: the allowed range (2)', () => {
  const COUNTS = [
    ['train', '--context', '1 to 64'],
    ['train', '--embedding', '1 to 65536'],
    ['train', '--hidden', '1 to 1048576'],
    ['train', '--batch-size', '2 to 1048576'],
    ['train', '--steps', '1 to 1000000000'],
    ['train', '--eval-every', '1 to 1000000000'],
    ['train', '--save-every', '1 to 1000000000'],
    ['train', '--check-every', '1 to 1000000000'],
    ['sample', '--count', '1 to 1000000'],
    ['sample', '--top-k', '1 to 1114112'],
    ['grad-check', '--entries', '1 to 1000000000'],
    ['bench', '--hidden', '1 to 1048576'],
  ] as const;
  const SEEDS = [
    ['train', '--seed'],
    ['train', '--split-seed'],
    ['sample', '--seed'],
    ['grad-check', '--seed'],
  ] as const;
  const NUMBERS = [
    ['train', '--lr', 'above 0 up to 1000', '0'],
    ['train', '--diagnose-every', '0 to 1000000000', '1000000001'],
    ['train', '--momentum', 'from 0 to below 1', '1'],
    ['train', '--beta1', 'from 0 to below 1', '1'],
    ['train', '--beta2', 'from 0 to below 1', '1'],
    ['train', '--weight-decay', 'from 0 to 1000', '1001'],
    ['train', '--clip', 'above 0 up to 1000000', '0'],
    ['sample', '--temperature', 'from 0 to 100', '100.1'],
    ['grad-check', '--eps', 'from 0.00001 to 0.1', '0'],
    ['grad-check', '--tolerance', 'from 1e-9 to 0.01', '0'],
    ['bench', '--seconds', 'from 0.01 to 3600', '0'],
  ] as const;

  it.each([
    ...COUNTS.map(([command, option, range]) => [command, option, range, ['0', '1.5']] as const),
    ...SEEDS.map(([command, option]) => [command, option, '0 to 9007199254740991', ['1.5', '9007199254740992']] as const),
    ...NUMBERS.map(([command, option, range, outside]) => [command, option, range, [outside]] as const),
  ])('%s %s: %s', async (command, option, range, outside) => {
    const cwd = tempDirectory();
    for (const value of ['ten', '-1', 'NaN', '1e9', '', '0x10', ...outside]) {
      await refuse(cwd, [command, option, value], 2, `error: option '${option} <`, `'${value}' is invalid. Expected `, range);
    }
  });
});

describe('the same inside a list: the allowed range (2)', () => {
  it.each([
    '300,',
    ',300',
    '300,,200',
    '300,ten',
    '300,-1',
    '300,0',
    '300,1e9',
    '300,1.5',
    '300,0x10',
    '300, 200',
    Array(17).fill('8').join(','),
  ])('--hidden %j', async (value) => {
    const expected = `'${value}' is invalid. Expected 1 to 16 whole numbers from 1 to 1048576, such as 300,200.`;
    for (const command of ['train', 'bench']) await refuse(tempDirectory(), [command, '--hidden', value], 2, expected);
  });
});

describe('an option that the chosen optimizer does not have, or a warm-up longer than the run: what would work (2)', () => {
  it.each([
    [['--weight-decay', '0.1'], '--weight-decay goes with --optimizer adamw, not with sgd'],
    [['--weight-decay', '0', '--optimizer', 'adam'], '--weight-decay goes with --optimizer adamw, not with adam'],
    [['--weight-decay', 'W3=1', '--optimizer', 'adamw'], '--weight-decay names W3; this network has C, W1, b1, bngain, bnbias, W2, b2'],
    [['--momentum', '0.9', '--optimizer', 'adamw'], '--momentum goes with --optimizer momentum or nesterov, not with adamw'],
    [['--beta1', '0.9'], '--beta1 goes with --optimizer adam or adamw, not with sgd'],
    [['--beta2', '0.9', '--optimizer', 'nesterov'], '--beta2 goes with --optimizer adam or adamw, not with nesterov'],
    [['--warmup', '51'], '--warmup is 51 but --steps is 50, so the learning rate never reaches its full value'],
    [['--optimizer', 'lion'], 'Allowed choices are sgd, momentum, nesterov, adam, adamw.'],
    [['--schedule', 'exponential'], 'Allowed choices are step, constant, linear, cosine.'],
    [['--sampling', 'shuffle'], 'Allowed choices are replacement, epochs.'],
  ])('%j', async (options, message) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await refuse(cwd, ['train', ...SMALL, ...options], 2, message);
  });
});

describe('unknown or misspelt command or option: a suggestion (2)', () => {
  it.each([
    [['trian'], 'train'],
    [['eval2'], 'eval'],
    [['smaple'], 'sample'],
    [['grad_check'], 'grad-check'],
    [['replya'], 'replay'],
    [['dif'], 'diff'],
    [['benhc'], 'bench'],
    [['train', '--resmue'], '--resume'],
    [['train', '--eval-evry', '5'], '--eval-every'],
    [['train', '--saveevery', '5'], '--save-every'],
    [['train', '--chek-every', '5'], '--check-every'],
    [['train', '--optimiser', 'sgd'], '--optimizer'],
    [['train', '--warm-up', '5'], '--warmup'],
    [['eval', '--splti', 'val'], '--split'],
    [['sample', '--topk', '5'], '--top-k'],
    [['grad-check', '--tolerence', '5'], '--tolerance'],
    [['replay', '--dta', 'x'], '--data'],
    [['diff', 'a', 'b', '--jsno'], '--json'],
    [['bench', '--backnd', 'wasm'], '--backend'],
  ])('%j', async (argv, meant) => {
    await refuse(tempDirectory(), argv, 2, /^error: unknown (command|option) '/, `(Did you mean ${meant}?)`);
  });

  it.each([[['xyzzy']], [['train', '--xyzzy']], [['replay', '--xyzzy']]])('%j: no suggestion, because nothing is similar', async (argv) => {
    await refuse(tempDirectory(), argv, 2, /^error: unknown (command|option) '(--)?xyzzy'$/);
  });
});

describe('resume with another shape (2), data set or vocabulary (3): every difference, stored and given', () => {
  it.each([
    ['--context', '3', '4'],
    ['--embedding', '4', '5'],
    ['--hidden', '8', '9'],
    ['--hidden', '8', '8,8'],
    ['--batch-size', '32', '33'],
    ['--lr', '0.1', '0.2'],
    ['--optimizer', 'sgd', 'adam'],
    ['--momentum', 'none', '0.9'],
    ['--clip', 'none', '1'],
    ['--schedule', 'step', 'cosine'],
    ['--warmup', '0', '5'],
    ['--sampling', 'replacement', 'epochs'],
    ['--seed', '2147483647', '1'],
    ['--split-seed', '42', '43'],
    ['--eval-every', /\d+/, '7'],
  ])('%s', async (option, stored, given) => {
    const words = typeof stored === 'string' ? `${option} is ${stored} there, but ${given} here` : /--eval-every is \d+ there, but 7 here/;
    await refuse(withRun(), ['train', '--resume', 'run', option, given], 2, 'run has other settings: ', words);
  });

  it('--unique', async () => {
    await refuse(withRun(), ['train', '--resume', 'run', '--unique'], 2, '--unique is false there, but true here');
  });

  it('fewer --steps', async () => {
    await refuse(withRun(), ['train', '--resume', 'run', '--steps', '49'], 2, '--steps is 50 there, but 49 here, and can only be raised');
  });

  it('lists all differences in one line', async () => {
    const options = ['--hidden', '9', '--context', '4', '--steps', '1', '--lr', '0.1'];
    await refuse(withRun(), ['train', '--resume', 'run', ...options], 2, /: --context .+; --hidden .+; --steps [^;]+; leave them out/);
  });

  it('accepts options with the stored values (0)', async () => {
    const { exitCode } = await runCli(withRun(), ['train', '--resume', 'run', '--hidden', '8', '--steps', '50', '--seed', '2147483647']);
    expect(exitCode).toBe(0);
  });

  it.each([['--out', 'other'], ['--force']])('refuses %s', async (...options) => {
    await refuse(withRun(), ['train', '--resume', 'run', ...options], 2, `${options[0]} cannot be used with --resume`);
  });

  it('refuses a changed data set, with both SHA-256', async () => {
    const cwd = withRun();
    writeNames(cwd, [...NAMES].reverse());
    const sums = /names\.txt is not the data set of the run: SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}; restore it/;
    await refuse(cwd, ['train', '--resume', 'run'], 3, sums);
  });

  it('refuses another vocabulary, with the new and the missing characters', async () => {
    const cwd = withRun();
    writeNames(cwd, [...NAMES.map((name) => name.replaceAll('m', 'n')), 'xé'], 'others.txt');
    const words =
      /others\.txt is not the data set .+: SHA-256 .+, expected .+; new characters x é \(U\+00E9\); missing characters m; restore it/;
    await refuse(cwd, ['train', '--resume', 'run', '--data', 'others.txt'], 3, words);
  });
});

describe('output exists without --force, or is its own input (2); is a file, or is read-only (4)', () => {
  it('exists without --force (2)', async () => {
    await refuse(withRun(), ['train', ...SMALL, '--out', 'run'], 2, '--out ', 'exists and is not empty; --force replaces the run in it');
  });

  it.each(['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl', 'run.json'])('is its own input: %s (2)', async (file) => {
    const cwd = tempDirectory();
    const data = writeNames(cwd, NAMES, join('out', file));
    const argv = ['train', ...SMALL.slice(2), '--data', data, '--out', 'out', '--force'];
    await refuse(cwd, argv, 2, `would overwrite --data out/${file}; name another directory`);
  });

  it('is its own input itself (2)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await refuse(cwd, ['train', ...SMALL, '--out', 'names.txt', '--force'], 2, 'would overwrite --data');
  });

  it.each([[[]], [['--force']]])('is a file (4) %j', async (force) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    put(cwd, 'out', 'mine');
    await refuse(cwd, ['train', ...SMALL, '--out', 'out', ...force], 4, 'cannot write in out: it is a file');
  });

  it('is below a file (4)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    await refuse(cwd, ['train', ...SMALL, '--out', join('names.txt', 'out')], 4, 'a part of the path is not a directory');
  });

  it.each([
    ['itself', ['--out', 'out'], 'out'],
    ['above it', ['--out', join('out', 'run')], join('out', 'run')],
    ['itself, with --force', ['--out', 'out', '--force'], 'out'],
  ])('is read-only, %s (4)', (_, options, named) => {
    const cwd = tempDirectory();
    openToAll(cwd);
    writeNames(cwd);
    mkdirSync(join(cwd, 'out'));
    chmodSync(join(cwd, 'out'), 0o555);
    const outcome = ninja(cwd, ['train', ...SMALL, ...options], { withPermissions: true });
    expectRefusal(outcome, 4, `cannot write in ${named}: permission denied`);
    expect(readdirSync(join(cwd, 'out'))).toEqual([]);
  });
});

describe('run or checkpoint missing or unreadable (4)', () => {
  const COMMANDS = [
    ['eval', (run: string) => ['eval', run]],
    ['sample', (run: string) => ['sample', run]],
    ['replay', (run: string) => ['replay', run]],
    ['diff', (run: string) => ['diff', run, run]],
    ['train --resume', (run: string) => ['train', '--resume', run]],
    ['open --run', (run: string) => ['open', '--run', run]],
  ] as const;

  it.each(COMMANDS)('%s: no such run', async (_, argv) => {
    await refuse(tempDirectory(), argv('none'), 4, 'cannot read none: no such run directory or checkpoint');
  });

  it.each(COMMANDS)('%s: a run without a checkpoint', async (_, argv) => {
    const cwd = withRun();
    rmSync(join(cwd, 'run', 'checkpoint.safetensors'));
    await refuse(cwd, argv('run'), 4, 'no checkpoint in ', 'run: not a run, or a run that stopped before its first save');
  });

  it.each(COMMANDS)('%s: a checkpoint that is a directory', async (_, argv) => {
    const cwd = withRun();
    const path = join(cwd, 'run', 'checkpoint.safetensors');
    rmSync(path);
    mkdirSync(path);
    await refuse(cwd, argv('run'), 4, 'cannot read run/checkpoint.safetensors: it is a directory');
  });

  it.each(COMMANDS)('%s: a checkpoint without permission', (_, argv) => {
    const cwd = withRun();
    openToAll(cwd);
    openToAll(join(cwd, 'run'));
    const path = join(cwd, 'run', 'checkpoint.safetensors');
    chmodSync(path, 0);
    expectRefusal(ninja(cwd, argv('run'), { withPermissions: true }), 4, 'cannot read run/checkpoint.safetensors: permission denied');
  });

  it.each([['eval'], ['sample'], ['replay'], ['train', '--resume']])('%s %s: no run yet', async (...argv) => {
    await refuse(tempDirectory(), argv, 4, 'no run yet: runs/latest does not exist; name one, or train one: backprop-ninja train');
  });

  it('a run named by a path through a file', async () => {
    await refuse(withRun(), ['eval', join('names.txt', 'run')], 4, 'names.txt/run');
  });
});

describe('sample: temperature 0 always takes the most likely character (0)', () => {
  it('prints the same name for every seed, which is that of --top-k 1', async () => {
    const sample = async (...options: string[]) => {
      const { exitCode, stdout, stderr } = await runCli(trained, ['sample', 'run', '--count', '3', ...options]);
      expect({ exitCode, refused: stderr.includes('error:') }).toEqual({ exitCode: 0, refused: false });
      return stdout;
    };
    const greedy = await sample('--temperature', '0');
    expect(new Set(greedy.split('\n')).size).toBe(2);
    expect(await sample('--temperature', '0', '--seed', '5')).toBe(greedy);
    expect(await sample('--top-k', '1')).toBe(greedy);
    expect(await sample('--temperature', '-0')).toBe(greedy);
  });
});

describe('sample: a negative or NaN temperature, an unknown prefix: the allowed range, the vocabulary (2)', () => {
  it.each(['-1', '-0.001', 'NaN', '-Infinity'])('temperature %s', async (value) => {
    await refuse(trained, ['sample', 'run', '--temperature', value], 2, `'${value}' is invalid. Expected a number from 0 to 100.`);
  });

  it.each([
    ['x', 'x'],
    ['maxé', 'x é (U+00E9)'],
    ['MA', 'M A'],
    ['a.b', '.'],
    ['a b', "' '"],
    ['\x1b[1m', 'U+001B [ 1'],
    ['😀', '😀 (U+1F600)'],
  ])('prefix %j', async (prefix, strange) => {
    const letters = [...new Set(NAMES.join(''))].sort().join('');
    await refuse(trained, ['sample', 'run', '--prefix', prefix], 2, `the network does not know ${strange}; it knows ${letters}`);
  });
});

describe('sample: a name that does not end is cut at a documented length, with a note (0)', () => {
  it.each([[[]], [['--temperature', '0']], [['--prefix', 'ma']], [['--json']]])('%j', async (options) => {
    const cwd = withRun();
    rewriteCheckpoint(join(cwd, 'run'), (file) => fillTensor(file, 'b2', (i) => (i === 0 ? -1e30 : 0)));
    const { exitCode, stdout, stderr } = await runCli(cwd, ['sample', 'run', '--count', '3', ...options]);
    const names = options[0] === '--json' ? JSON.parse(stdout).samples : stdout.trimEnd().split('\n');
    expect(names.map((name: string) => name.length)).toEqual([MAX_NAME_LENGTH, MAX_NAME_LENGTH, MAX_NAME_LENGTH]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `note: 3 of 3 names did not end and were cut at ${MAX_NAME_LENGTH} characters\n`,
    });
  });

  it('also in the report of train', async () => {
    const cwd = withRun();
    rewriteCheckpoint(join(cwd, 'run'), (file) => fillTensor(file, 'b2', (i) => (i === 0 ? -1e30 : 0)));
    const { exitCode, stdout } = await runCli(cwd, ['train', '--resume', 'run', '--json']);
    expect(exitCode).toBe(0);
    for (const name of JSON.parse(stdout).samples) expect(name).toHaveLength(MAX_NAME_LENGTH);
  });
});

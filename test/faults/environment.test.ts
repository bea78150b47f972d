// Faults of the environment, on the command line. Signals, pipes and limits act on real processes. The titles are the cases of docs/promises.md.

import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { type Child, MAIN, startNinja } from '../support/child.js';
import { fakeIO, NAMES, runCli, SMALL, type Surroundings, type TrainReport, writeNames } from '../support/fakeIO.js';
import { type CheckpointParts, expectRefusal, fillTensor, ninja, pipedTo, rewriteCheckpoint } from '../support/faults.js';
import { makeDirectory, put, removeDirectory, snapshot, tempDirectory } from '../support/tempDirectory.js';

const CHECKPOINT = join('run', 'checkpoint.safetensors');

let trained: string;

beforeAll(async () => {
  trained = makeDirectory();
  writeNames(trained);
  expect((await runCli(trained, ['train', ...SMALL, '--out', 'run'])).exitCode).toBe(0);
  return () => removeDirectory(trained);
});

/** A directory with the names and a run of 50 steps on them. */
function withRun(): string {
  const cwd = tempDirectory();
  cpSync(join(trained, 'run'), join(cwd, 'run'), { recursive: true });
  const data = writeNames(cwd);
  const about = JSON.parse(readFileSync(join(cwd, 'run', 'run.json'), 'utf8'));
  put(cwd, join('run', 'run.json'), JSON.stringify({ ...about, data: { ...about.data, path: data } }));
  return cwd;
}

/** Options of a run that trains until it is stopped, and saves only at its start. */
const LONG = [...SMALL, '--steps', '1000000000', '--eval-every', '1000000000', '--out', 'run'];

/** @param before the source of a module that runs before the program */
function startLong(before = '', ...more: string[]): { cwd: string; child: Child } {
  const cwd = tempDirectory();
  writeNames(cwd);
  return { cwd, child: startNinja(['train', ...LONG, ...more], { cwd, before }) };
}

/** A script that makes the program's k-th rename print a line and wait. The first renames run.json, the second the first checkpoint. */
function slowRename(k: number, milliseconds: number): string {
  return `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { renameSync } = fs;
    let calls = 0;
    fs.renameSync = (from, to) => {
      if (++calls === ${k}) {
        fs.writeSync(2, 'renaming\\n');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${milliseconds});
      }
      renameSync(from, to);
    };
    syncBuiltinESMExports();`;
}

const leftovers = (run: string) => readdirSync(run).filter((name) => name.endsWith('.tmp') || name === 'lock');

describe('disk full, quota, file-size limit, short write, failing fsync or rename (4)', () => {
  it('a file-size limit keeps the old checkpoint and leaves no temporary file (failingCalls.test.ts tests every call)', () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const sizes = ['--hidden', '64', '--embedding', '4', '--steps', '5', '--diagnose-every', '0', '--data', 'names.txt', '--out', 'run'];
    expect(ninja(cwd, ['train', ...sizes]).exitCode).toBe(0);
    const before = snapshot(join(cwd, 'run'));
    expect(before['checkpoint.safetensors'].length).toBeGreaterThan(4096);
    const { exitCode, stdout, stderr } = ninja(cwd, ['train', '--resume', 'run', '--steps', '9'], { shellLimit: 'ulimit -f 4' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr.split('\n').at(-2)).toMatch(/^error: cannot write run\/\w+\.safetensors: the file-size limit is reached$/);
    expect(stderr.match(/error:| {4}at /g)).toHaveLength(1);
    const after = snapshot(join(cwd, 'run'));
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const file of ['checkpoint.safetensors', 'best.safetensors']) expect(after[file]).toBe(before[file]);
    expect(ninja(cwd, ['train', '--resume', 'run']).exitCode).toBe(0);
  });
});

describe('kill -9 at any moment; leftovers are cleaned up (0)', () => {
  it('in the middle of a save (test/long/kill.test.ts tests many moments)', async () => {
    const { cwd, child } = startLong(slowRename(3, 8000), '--save-every', '100');
    await child.says(/renaming/);
    child.kill('SIGKILL');
    expect(await child.ended).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    expect(leftovers(join(cwd, 'run'))).toHaveLength(2);
    expect((await runCli(cwd, ['sample', 'run'])).exitCode).toBe(0);
    const { exitCode, stderr } = await runCli(cwd, ['train', '--resume', 'run'], { stop: { signal: 'SIGINT', at: 5 } });
    expect(stderr).not.toContain('error:');
    expect(exitCode).toBe(130);
    expect(leftovers(join(cwd, 'run'))).toEqual([]);
  });
});

describe('Ctrl-C, SIGTERM, SIGHUP: saved and reported; a second signal stops at once (130 / 143 / 129)', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s', async (name, expected) => {
    const { cwd, child } = startLong();
    await child.says(/writing run\n/);
    child.kill(name);
    const { exitCode, stderr } = await child.ended;
    expect(exitCode).toBe(expected);
    const step = loadCheckpoint(join(cwd, CHECKPOINT)).state.step;
    expect(step).toBeGreaterThan(0);
    expect(stderr.split('\n').slice(2)).toEqual([
      `${name}: saved after step ${step.toLocaleString('en-US')} of 1,000,000,000; resume with: backprop-ninja train --resume run`,
      '',
    ]);
    expect(readdirSync(join(cwd, 'run')).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl', 'run.json']);
  });

  it('SIGINT with the default network and names', async () => {
    const cwd = tempDirectory();
    const child = startNinja(['train', '--out', 'run'], { cwd });
    await child.says(/writing run\n/);
    child.kill('SIGINT');
    const { exitCode, stderr } = await child.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/\nSIGINT: saved after step [\d,]+ of 200,000; resume with: backprop-ninja train --resume run\n$/);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('a second %s during the save keeps the old checkpoint', async (name) => {
    const { cwd, child } = startLong(slowRename(3, 8000));
    await child.says(/writing run\n/);
    const old = readFileSync(join(cwd, CHECKPOINT));
    child.kill(name);
    await child.says(/renaming/);
    child.kill(name);
    // If it waited for the rename, it would end with an exit code, and the checkpoint would be new.
    expect(await child.ended).toMatchObject({ exitCode: null, signal: name });
    expect(readFileSync(join(cwd, CHECKPOINT)).equals(old)).toBe(true);
    const resumed = await runCli(cwd, ['train', '--resume', 'run'], { stop: { signal: 'SIGINT', at: 5 } });
    expect(resumed.exitCode).toBe(130);
    expect(readdirSync(join(cwd, 'run')).sort()).toEqual(['checkpoint.safetensors', 'metrics.jsonl', 'run.json']);
  });
});

describe('two trainers in one run directory: the second is refused, and the message names the first (4)', () => {
  it('if the first is alive, for --resume and for --out --force', async () => {
    const { cwd, child } = startLong();
    await child.says(/writing run\n/);
    for (const argv of [
      ['train', '--resume', 'run'],
      ['train', ...SMALL, '--out', 'run', '--force'],
    ]) {
      const refused = new RegExp(`run is in use: process ${child.pid} has been training there since \\d{4}-\\d\\d-\\d\\dT`);
      expectRefusal(await runCli(cwd, argv), 4, refused);
    }
    // Reading is not training.
    expect((await runCli(cwd, ['sample', 'run'])).exitCode).toBe(0);
    child.kill('SIGINT');
    expect(await child.ended).toMatchObject({ exitCode: 130, signal: null });
    expect(loadCheckpoint(join(cwd, CHECKPOINT)).config.steps).toBe(1_000_000_000);
  });

  it('but not if the first is dead', async () => {
    const { cwd, child } = startLong();
    await child.says(/writing run\n/);
    child.kill('SIGKILL');
    await child.ended;
    expect(existsSync(join(cwd, 'run', 'lock'))).toBe(true);
    const { exitCode, stderr } = await runCli(cwd, ['train', '--resume', 'run'], { stop: { signal: 'SIGTERM', at: 5 } });
    expect(stderr).not.toContain('error:');
    expect(exitCode).toBe(143);
    expect(existsSync(join(cwd, 'run', 'lock'))).toBe(false);
  });

  it('but not in two numbered runs that start at the same time', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    // The third rename replaces runs/latest.
    const child = startNinja(['train', ...SMALL], { cwd, before: slowRename(3, 500) });
    await child.says(/renaming/);
    const other = await runCli(cwd, ['train', ...SMALL]);
    const { exitCode, stderr } = await child.ended;
    expect({ exitCode, errors: stderr.match(/error:.*/) }).toEqual({ exitCode: 0, errors: null });
    expect(other.exitCode).toBe(0);
  });

  it('if the first is on another host, where it may be alive or dead', async () => {
    const cwd = withRun();
    const owner = { pid: 1, host: `not-${hostname()}`, startedAt: '2020-02-02T02:02:02.020Z', processStart: null };
    put(cwd, join('run', 'lock'), JSON.stringify(owner));
    const found = `run is locked by process 1 on another host, not-${hostname()}, since 2020-02-02T02:02:02.020Z`;
    const hint = 'if nothing trains there, delete run/lock';
    expectRefusal(await runCli(cwd, ['train', '--resume', 'run']), 4, `${found}; ${hint}`);
  });
});

describe('stdout closed early: a quiet end (0)', () => {
  it.each([
    ['head -1', ['sample', 'run', '--count', '1000000']],
    ['true', ['sample', 'run', '--count', '3000', '--json']],
    ['true', ['eval', 'run']],
    ['true', ['train', '--help']],
    ['head -1', ['train', '--resume', 'run', '--steps', '60']],
  ])('by %s: %j', (reader, argv) => {
    const cwd = withRun();
    const { exitCode, stderr } = pipedTo(reader, cwd, argv);
    expect({ exitCode, errors: stderr.match(/error|\n? {4}at |EPIPE/gi) }).toEqual({ exitCode: 0, errors: null });
    expect(existsSync(join(cwd, 'run', 'lock'))).toBe(false);
    if (argv[0] !== 'train') expect(stderr.replace(/^note: .*\n/gm, '')).toBe('');
  });
});

describe('a result that cannot be written (4)', () => {
  const COMMANDS = [
    ['eval', 'run'],
    ['eval', 'run', '--json'],
    ['sample', 'run'],
    ['sample', 'run', '--json'],
    ['diff', 'run', 'run'],
    ['import', 'run', '--data', 'names.txt'],
    ['train', '--resume', 'run'],
    ['--version'],
  ];

  it.each(COMMANDS)('to a full disk: %s %s %s', (...argv) => {
    const cwd = withRun();
    const out = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd, stdio: ['ignore', out, 'pipe'], encoding: 'utf8' });
    closeSync(out);
    expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringMatching(/error: cannot write the result: ENOSPC.*\n$/) });
  });

  it.each(COMMANDS)('to a file on a failing disk: %s %s %s', (...argv) => {
    const cwd = withRun();
    const out = openSync(join(cwd, 'out'), 'w');
    const failing = `import fs from 'node:fs';
      const { writeSync } = fs;
      fs.writeSync = (file, ...rest) => {
        if (file === 1) throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', syscall: 'write' });
        return writeSync(file, ...rest);
      };`;
    const node = ['--import', `data:text/javascript,${encodeURIComponent(failing)}`, MAIN, ...argv];
    const { status, stderr } = spawnSync(process.execPath, node, { cwd, stdio: ['ignore', out, 'pipe'], encoding: 'utf8' });
    closeSync(out);
    expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringMatching(/error: cannot write the result: EIO.*\n$/) });
  });
});

describe('stderr full, closed or broken: the run goes on, to the same bytes (0)', () => {
  const TRAIN = ['train', '--data', 'names.txt', '--hidden', '8', '--embedding', '4', '--steps', '3000', '--eval-every', '1000', '--out'];

  function trained(redirection: string): Record<string, string> {
    const cwd = tempDirectory();
    writeNames(cwd);
    const script = `exec ${redirection}; "$@"`;
    const argv = ['-c', script, 'bash', process.execPath, MAIN, ...TRAIN, 'run'];
    const { status, stdout } = spawnSync('bash', argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('more names') });
    const { 'run.json': _, ...files } = snapshot(join(cwd, 'run'));
    return files;
  }

  it.each([
    ['full', '2>/dev/full'],
    ['closed', '2>&-'],
    ['read-only', '2</dev/null'],
    ['a pipe without a reader', '2> >(exec 0<&-; sleep 0.1)'],
  ])('%s', (_, redirection) => {
    expect(trained(redirection)).toEqual(trained('2>/dev/null'));
  });
});

describe('no TTY, TERM=dumb, NO_COLOR, 10 columns, resize: plain lines (0)', () => {
  const surroundings: [string, Surroundings][] = [
    ['no TTY', {}],
    ['no TTY, slow', { tick: 400 }],
    ['TERM=dumb', { tty: true, env: { TERM: 'dumb' }, tick: 400 }],
    ['TERM=dumb, NO_COLOR, 10 columns', { tty: true, env: { TERM: 'dumb', NO_COLOR: '1' }, columns: 10, tick: 400 }],
    ['no TTY, 10 columns', { columns: 10 }],
  ];

  it.each(surroundings)('%s: no escapes', async (_, around) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const out = [];
    for (const argv of [['train', ...SMALL], ['eval'], ['sample'], ['replay'], ['diff', 'runs/0001', 'runs/latest'], ['train', '--help']]) {
      const { exitCode, stdout, stderr } = await runCli(cwd, argv, around);
      expect(exitCode, argv[0]).toBe(0);
      out.push(stdout, stderr);
    }
    const refused = await runCli(cwd, ['train', '--steps', 'x'], around);
    expect(refused.exitCode).toBe(2);
    // On a terminal, the line is broken between words.
    expect(refused.stderr.replaceAll('\n', ' ')).toContain("error: option '--steps <count>' argument 'x' is invalid.");
    out.push(refused.stdout, refused.stderr);
    expect(out.join('').replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('NO_COLOR on a terminal: the progress line is redrawn, without colours', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stdout, stderr } = await runCli(cwd, ['train', ...SMALL], { tty: true, env: { NO_COLOR: '1' }, tick: 20 });
    expect(exitCode).toBe(0);
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(stderr.replaceAll('\r\x1b[2K', '').replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(stderr).toContain('\r\x1b[2Kstep');
  });

  it.each([0, 1, 2, 10])('%i columns on a terminal: the progress line never wraps', async (columns) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const { exitCode, stderr } = await runCli(cwd, ['train', ...SMALL], { tty: true, env: { NO_COLOR: '1' }, columns, tick: 20 });
    expect(exitCode).toBe(0);
    const drawn = stderr.split('\r\x1b[2K').slice(1);
    expect(drawn.length).toBeGreaterThan(1);
    for (const line of drawn) expect(line.split('\n')[0].length).toBeLessThanOrEqual(Math.max(1, columns - 1));
  });

  it('a terminal that is resized during training: each line fits the width at that time', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const io = fakeIO(cwd, { tty: true, env: { NO_COLOR: '1' }, tick: 20 });
    // The width changes after each frame.
    const frames: { text: string; width: number }[] = [];
    const width = () => [120, 10, 40, 1, 80][frames.length % 5];
    Object.defineProperty(io.stderr, 'columns', { get: width });
    const write = io.stderr.write.bind(io.stderr);
    io.stderr.write = (text) => {
      if (text.includes('\r\x1b[2K')) frames.push({ text, width: width() });
      write(text);
    };
    expect(await run(['train', ...SMALL], io)).toBe(0);
    expect(frames.length).toBeGreaterThan(4);
    for (const { text, width } of frames) {
      const lines = stripVTControlCharacters(text).replaceAll('\r', '').split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(1, width - 1));
    }
  });

  it('a process without a terminal: no escapes', () => {
    const { exitCode, stdout, stderr } = ninja(withRun(), ['train', '--resume', 'run', '--steps', '60'], {
      env: { ...process.env, TERM: 'xterm-256color', FORCE_COLOR: undefined },
    });
    expect(exitCode).toBe(0);
    expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('loss or gradient becomes NaN or Inf: step, tensor and index; the last good checkpoint is kept (5)', () => {
  const fill = (name: string, at: number, value: number) => (file: CheckpointParts) => {
    const { bytes } = file.tensors.get(name) as { bytes: Uint8Array };
    const old = new Float32Array(Uint8Array.from(bytes).buffer);
    fillTensor(file, name, (i) => (i === at ? value : old[i]));
  };
  const all = (name: string, value: number) => (file: CheckpointParts) => fillTensor(file, name, () => value);

  it.each([
    ['the loss, from b2', [fill('b2', 0, 3e38), fill('b2', 1, -3e38)], /step 50: (losses\[\d+\]|logits\[\d+, \d+\]) is -?(NaN|Infinity)/],
    ['the loss, from W2', [all('W2', 3e38)], /step 50: logits\[\d+, \d+\] is -?(NaN|Infinity), .*W2\[\d+, \d+\] = 3\.?\d*e\+38/],
    ['an activation, from W1', [fill('W1', 0, 3e38)], /step 50: \w+\[\d+(, \d+)?\] is -?(NaN|Infinity)/],
    [
      'a gradient, with a finite loss',
      [all('C', 0), all('bnbias', 0), all('bngain', 3e38)],
      /step 50: dhprebn\[\d+, \d+\] is -?(NaN|Infinity), .*bngain\[0, \d\] = 3\.?\d*e\+38/,
    ],
  ])('%s', async (_, changes, says) => {
    const cwd = withRun();
    rewriteCheckpoint(join(cwd, 'run'), (file) => {
      for (const change of changes) change(file);
    });
    const before = snapshot(join(cwd, 'run'));
    const argv = ['train', '--resume', 'run', '--steps', '60', '--check-every', '1'];
    const { exitCode, stdout, stderr } = await runCli(cwd, argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr.match(/error:| {4}at /g)).toEqual(['error:']);
    const error = stderr.split('\n').at(-2);
    expect(error).toMatch(/^error: step 50: /);
    expect(error).toMatch(says);
    expect(error).toContain('the checkpoint at step 50 is intact');
    const after = snapshot(join(cwd, 'run'));
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const file of ['checkpoint.safetensors', 'best.safetensors', 'metrics.jsonl']) expect(after[file], file).toBe(before[file]);
  });

  it('no checkpoint that a resume would refuse is saved, even without --check-every', async () => {
    const cwd = withRun();
    rewriteCheckpoint(join(cwd, 'run'), (file) => {
      for (const change of [all('C', 0), all('bnbias', 0), all('bngain', 3e38)]) change(file);
    });
    const before = snapshot(join(cwd, 'run'));
    const { exitCode } = await runCli(cwd, ['train', '--resume', 'run', '--steps', '60', '--save-every', '1']);
    expect(exitCode).toBe(5);
    expect(snapshot(join(cwd, 'run'))['checkpoint.safetensors']).toBe(before['checkpoint.safetensors']);
    expect((await runCli(cwd, ['sample', 'run'])).exitCode).toBe(0);
  });
});

describe('a batch of identical rows, equal logits: finite (0)', () => {
  it('two examples in batches of 2: half of the batches have identical rows, with variance 0', async () => {
    const cwd = tempDirectory();
    writeNames(cwd, Array<string>(10).fill('a'));
    const argv = ['train', ...SMALL, '--context', '1', '--batch-size', '2', '--check-every', '1', '--eval-every', '1', '--json'];
    const { exitCode, stdout } = await runCli(cwd, argv);
    expect(exitCode).toBe(0);
    const { trainLoss, valLoss, testLoss } = JSON.parse(stdout) as TrainReport;
    for (const loss of [trainLoss, valLoss, testLoss]) expect(loss).toEqual(expect.any(Number));
  });

  it('a network of zeros: all logits and all rows are equal', async () => {
    const cwd = withRun();
    rewriteCheckpoint(join(cwd, 'run'), (file) => {
      for (const name of file.tensors.keys()) fillTensor(file, name, () => 0);
    });
    const { stdout } = await runCli(cwd, ['eval', 'run', '--json']);
    expect(JSON.parse(stdout).loss).toBeCloseTo(Math.log(new Set(NAMES.join('')).size + 1), 6);
    expect((await runCli(cwd, ['sample', 'run'])).exitCode).toBe(0);
    const resumed = await runCli(cwd, ['train', '--resume', 'run', '--steps', '60', '--check-every', '1', '--json']);
    expect(resumed.exitCode).toBe(0);
    expect((JSON.parse(resumed.stdout) as TrainReport).valLoss).toEqual(expect.any(Number));
  });
});

describe('metrics.jsonl with an incomplete last line: skipped with its number, cut off on resume (0)', () => {
  const INCOMPLETE = '{"step":51,"lo';
  function truncate(): { cwd: string; file: string; lines: string[] } {
    const cwd = withRun();
    const file = join(cwd, 'run', 'metrics.jsonl');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text}{"step":51,"loss":1,"rate":0.1}\n${INCOMPLETE}`);
    return { cwd, file, lines: text.trimEnd().split('\n') };
  }

  it('train --resume', async () => {
    const { cwd, file, lines } = truncate();
    const { exitCode, stderr } = await runCli(cwd, ['train', '--resume', 'run', '--steps', '60']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`metrics.jsonl: dropped incomplete line ${lines.length + 2}\n`);
    const after = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(after.slice(0, lines.length)).toEqual(lines);
    expect(after.slice(lines.length).map((line) => JSON.parse(line).step)).toEqual(after.slice(lines.length).map(() => 60));
  });

  it.each([[['replay', 'run']], [['diff', 'run', 'run']]])('%j', async (argv) => {
    const { cwd, file, lines } = truncate();
    const before = readFileSync(file, 'utf8');
    const { exitCode, stderr } = await runCli(cwd, argv);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(new RegExp(`^note: .*metrics\\.jsonl: skipped incomplete line ${lines.length + 2}\n`));
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('paths with blanks, newlines, non-ASCII characters, a leading dash, names of 255 bytes (0)', () => {
  it.each([
    ['blanks', 'my run'],
    ['a blank', ' '],
    ['a newline', 'two\nlines'],
    ['non-ASCII', '漢字 é'],
    ['a leading dash', '-run'],
    ['an option', '--steps'],
    ['quotes', 'it\'s "x"'],
    ['an escape sequence', '\x1b[31mred'],
    ['a bidi mark', 'a\u202eb'],
    ['255 bytes', 'n'.repeat(255)],
    ['255 bytes of 85 characters', '漢'.repeat(85)],
  ])('%s', async (_, name) => {
    const cwd = tempDirectory();
    mkdirSync(join(cwd, 'data'));
    const data = join('data', name);
    writeNames(cwd, NAMES, data);
    const shown: string[] = [];
    for (const argv of [
      ['train', ...SMALL.slice(2), `--data=${data}`, `--out=${name}`],
      ['eval', '--', name],
      ['sample', '--', name],
      ['replay', '--', name],
      ['diff', '--', name, name],
      ['train', `--resume=${name}`, '--steps=60'],
    ]) {
      const { exitCode, stdout, stderr } = await runCli(cwd, argv);
      expect({ exitCode, argv: argv[0] }).toEqual({ exitCode: 0, argv: argv[0] });
      shown.push(stdout, stderr);
    }
    expect(shown.join('').replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(shown[1].split('\n')).toHaveLength(4);
    expect(readdirSync(cwd).sort()).toEqual([name, 'data'].sort());
  });

  it.each(['my run', '-run', "it's", 'a;b$c'])('suggested commands work in a shell: %j', async (name) => {
    const cwd = tempDirectory();
    writeNames(cwd);
    const stopped = await runCli(cwd, ['train', ...SMALL, '--steps', '100000', `--out=${name}`], { stop: { signal: 'SIGINT', at: 5 } });
    expect(
      (await runCli(cwd, wordsOf(stopped.stderr, 'resume with: backprop-ninja '), { stop: { signal: 'SIGINT', at: 5 } })).exitCode,
    ).toBe(130);
    const { stdout } = await runCli(cwd, ['train', ...SMALL, `--out=${name}`, '--force']);
    expect((await runCli(cwd, wordsOf(stdout, 'more names: backprop-ninja '))).exitCode).toBe(0);
  });

  /** The words of a command in the output, as a shell splits them. */
  function wordsOf(output: string, before: string): string[] {
    const command = output.slice(output.indexOf(before) + before.length).split('\n')[0];
    const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
    return stdout.split('\0').slice(0, -1);
  }

  it('a name one byte too long is refused with the reason (4)', async () => {
    const cwd = tempDirectory();
    writeNames(cwd);
    expectRefusal(await runCli(cwd, ['train', ...SMALL, '--out', 'n'.repeat(256)]), 4, 'the name is too long');
  });
});

describe('Node too old, no WebAssembly SIMD: what is needed (4)', () => {
  it.each(['20.18.3', '0.12.18'])('Node %s', (version) => {
    const before = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
    const outcome = ninja(tempDirectory(), ['--help'], { before });
    expect(outcome).toEqual({
      exitCode: 4,
      stdout: '',
      stderr: `error: backprop-ninja needs Node 20.19 or newer, this is ${version}\n`,
    });
  });

  it.each(['20.19.0', '100.0.0'])('Node %s is new enough', (version) => {
    const before = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
    expect(ninja(tempDirectory(), ['--version'], { before }).exitCode).toBe(0);
  });

  it.each([
    [['sample', 'run']],
    [['train', '--resume', 'run', '--steps', '60']],
    [['train', ...SMALL, '--out', 'new']],
    [['bench', '--data', 'names.txt']],
    [['grad-check', '--part', 'backend', '--entries', '1']],
  ])('no WebAssembly SIMD: %j', (argv) => {
    const before = "WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError('Wasm SIMD unsupported'); } };";
    const cwd = withRun();
    const run = snapshot(join(cwd, 'run'));
    expectRefusal(ninja(cwd, argv, { before }), 4, 'the kernels need WebAssembly SIMD, which this Node.js or processor does not support');
    expect(snapshot(join(cwd, 'run'))).toEqual(run);
  });
});

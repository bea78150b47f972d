import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemError, UsageError } from '../../src/core/errors.js';
import {
  createNamedRun,
  createNumberedRun,
  findCheckpoint,
  findRunDirectory,
  linkLatest,
  readRunFile,
  writeRunFile,
} from '../../src/node/runDirectory.js';
import { refusal } from '../support/safetensorsFiles.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

const system = vi.hoisted(() => ({ readOnly: false }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    accessSync: (path: string, mode: number) => {
      if (!system.readOnly) return fs.accessSync(path, mode);
      throw Object.assign(new Error(`EACCES: permission denied, access '${path}'`), { code: 'EACCES', syscall: 'access' });
    },
  };
});

beforeEach(() => {
  system.readOnly = false;
});

const RUN_FILES = { 'best.safetensors': 'old', 'checkpoint.safetensors': 'old', 'metrics.jsonl': 'old', 'run.json': 'old' };

function putAll(directory: string, files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) put(directory, name, content);
}

describe('the directories of numbered runs', () => {
  it('count from 0001', () => {
    const cwd = tempDirectory();
    expect([1, 2, 3].map(() => createNumberedRun(cwd))).toEqual(['0001', '0002', '0003'].map((name) => join(cwd, 'runs', name)));
    expect(readdirSync(join(cwd, 'runs'))).toEqual(['0001', '0002', '0003']);
  });

  it.each([
    ['do not fill a gap', ['0001', '0007'], '0008'],
    ['ignore other names', ['latest', 'mine', '12', '0003-copy'], '0001'],
    ['count a file like a directory', ['0004'], '0005'],
    ['get a fifth digit when needed', ['9999'], '10000'],
    ['count five digits', ['9999', '10007'], '10008'],
  ])('%s', (_, names, next) => {
    const cwd = tempDirectory();
    for (const name of names) put(cwd, join('runs', name), '');
    expect(createNumberedRun(cwd)).toBe(join(cwd, 'runs', next));
  });

  it.each(['20261125152743123', '9007199254740993', '1'.repeat(200)])('does not count on from %s, which is no run number', (name) => {
    const cwd = tempDirectory();
    mkdirSync(join(cwd, 'runs', name), { recursive: true });
    expect([1, 2].map(() => createNumberedRun(cwd))).toEqual(['0001', '0002'].map((next) => join(cwd, 'runs', next)));
  });

  it('cannot be created if runs is a file', () => {
    const cwd = tempDirectory();
    put(cwd, 'runs', '');
    expect(thrownBy(SystemError, () => createNumberedRun(cwd))).toBe(`cannot create a run in ${join(cwd, 'runs')}: it already exists`);
  });
});

describe('runs/latest', () => {
  it('links to the newest run with a relative path, which survives moving the directory', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNumberedRun(cwd));
    linkLatest(cwd, createNumberedRun(cwd));
    expect(readlinkSync(join(cwd, 'runs', 'latest')).replace(/[\\/]$/, '')).toMatch(/0002$/);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0002'));
    expect(readdirSync(join(cwd, 'runs'))).toEqual(['0001', '0002', 'latest']);
  });

  it('links to a run named with --out if it is in runs/', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNamedRun(join(cwd, 'runs', 'mine'), false, 'names.txt'));
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', 'mine'));
  });

  it('stays if a run is outside runs/', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNumberedRun(cwd));
    linkLatest(cwd, createNamedRun(join(cwd, 'elsewhere'), false, 'names.txt'));
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0001'));
  });

  it('is not created if a run is outside runs/', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNamedRun(join(cwd, 'elsewhere'), false, 'names.txt'));
    expect(readdirSync(cwd)).toEqual(['elsewhere']);
  });
});

describe.each([
  ['a directory', (latest: string): void => void mkdirSync(latest, { recursive: true })],
  ['a file', (latest: string): void => void put(latest, '../latest', 'mine')],
])('a runs/latest that is %s', (kind, make) => {
  it('stays, and is no run by default', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    const latest = join(cwd, 'runs', 'latest');
    make(latest);
    const message = `${join('runs', 'latest')} is ${kind}, not a link to the newest run; rename it`;
    expect(thrownBy(SystemError, () => linkLatest(cwd, run))).toBe(message);
    expect(lstatSync(latest).isSymbolicLink()).toBe(false);
    expect(thrownBy(SystemError, () => findCheckpoint(cwd))).toBe(`${message}, and name a run`);
  });
});

describe('the directory of --out', () => {
  const create = (directory: string, force = false, input = join(directory, '..', 'names.txt')) => createNamedRun(directory, force, input);

  it.each(['out', join('a', 'b', 'c'), 'mit Leerzeichen', 'zwei\nZeilen', '漢字', '-out', 'n'.repeat(255)])('is created: %j', (name) => {
    const cwd = tempDirectory();
    expect(create(join(cwd, name))).toBe(join(cwd, name));
    expect(readdirSync(join(cwd, name))).toEqual([]);
  });

  it('may exist if it is empty', () => {
    const directory = tempDirectory();
    expect(create(directory)).toBe(directory);
  });

  it.each([
    ['a run', RUN_FILES],
    ['anything', { '.hidden': '' }],
  ])('with %s in it is refused without force and stays unchanged', (_, files) => {
    const directory = tempDirectory();
    putAll(directory, files);
    expect(thrownBy(UsageError, () => create(directory))).toBe(
      `--out ${directory} exists and is not empty; --force replaces the run in it`,
    );
    expect(snapshot(directory)).toEqual(files);
  });

  it('may contain anything with force, and stays unchanged until the new run is written', () => {
    const directory = tempDirectory();
    putAll(directory, { ...RUN_FILES, 'notes.txt': 'mine', 'checkpoint.safetensors.bak': 'mine', [join('more', 'run.json')]: 'mine' });
    const before = snapshot(directory);
    expect(create(directory, true)).toBe(directory);
    expect(snapshot(directory)).toEqual(before);
  });

  it.each([false, true])('may not be runs/latest if that does not exist (force %s)', (force) => {
    const cwd = tempDirectory();
    const directory = join(cwd, 'runs', 'latest');
    expect(thrownBy(UsageError, () => create(directory, force))).toBe(
      `--out ${directory} is the link to the newest run; name another directory`,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('may be runs/latest with force, which is the newest run', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    putAll(run, RUN_FILES);
    create(join(cwd, 'runs', 'latest'), true);
    expect(readdirSync(join(cwd, 'runs'))).toEqual(['0001', 'latest']);
    expect(snapshot(run)).toEqual(RUN_FILES);
  });

  it('may be new with force', () => {
    const directory = join(tempDirectory(), 'new');
    expect(create(directory, true)).toBe(directory);
  });

  it.each([false, true])('may not be a file, which stays (force %s)', (force) => {
    const file = put(tempDirectory(), 'out', 'mine');
    expect(thrownBy(SystemError, () => create(file, force))).toBe(`cannot write in ${file}: it is a file; name a directory`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('may not be below a file', () => {
    const file = put(tempDirectory(), 'file', 'mine');
    expect(thrownBy(SystemError, () => create(join(file, 'out')))).toMatch(/^cannot write in \S+out: /);
  });

  it('may not be read-only, and stays unchanged', () => {
    const directory = tempDirectory();
    putAll(directory, RUN_FILES);
    system.readOnly = true;
    expect(thrownBy(SystemError, () => create(directory, true))).toBe(`cannot write in ${directory}: permission denied`);
    expect(snapshot(directory)).toEqual(RUN_FILES);
  });

  it('may not have a name that is too long', () => {
    expect(thrownBy(SystemError, () => create(join(tempDirectory(), 'n'.repeat(256))))).toMatch(/: the name is too long$/);
  });

  it.each(Object.keys(RUN_FILES))('may not contain the data set as %s, even with force', (name) => {
    const directory = tempDirectory();
    const input = put(directory, name, 'anna\n');
    expect(thrownBy(UsageError, () => create(directory, true, input))).toBe(
      `--out ${directory} would overwrite --data ${input}; name another directory`,
    );
    expect(snapshot(directory)).toEqual({ [name]: 'anna\n' });
  });

  it('may not be the data set itself', () => {
    const input = put(tempDirectory(), 'names.txt', 'anna\n');
    thrownBy(UsageError, () => create(input, true, input));
    expect(readFileSync(input, 'utf8')).toBe('anna\n');
  });

  it('may not contain the data set behind a link', () => {
    const cwd = tempDirectory();
    const directory = join(cwd, 'run');
    put(directory, 'metrics.jsonl', 'anna\n');
    symlinkSync('run', join(cwd, 'link'), 'junction');
    thrownBy(UsageError, () => create(directory, true, join(cwd, 'link', 'metrics.jsonl')));
    expect(snapshot(directory)).toEqual({ 'metrics.jsonl': 'anna\n' });
  });

  it('may contain the data set under another name', () => {
    const directory = tempDirectory();
    const input = put(directory, 'names.txt', 'anna\n');
    create(directory, true, input);
    expect(snapshot(directory)).toEqual({ 'names.txt': 'anna\n' });
  });
});

describe('findCheckpoint', () => {
  const checkpointIn = (...names: string[]) => join(...names, 'checkpoint.safetensors');

  it('accepts a run directory, relative or absolute, and a checkpoint file', () => {
    const cwd = tempDirectory();
    const file = put(cwd, checkpointIn('out'), '');
    expect(findCheckpoint(cwd, 'out')).toBe(file);
    expect(findCheckpoint(cwd, `out/`)).toBe(file);
    expect(findCheckpoint('/', join(cwd, 'out'))).toBe(file);
    expect(findCheckpoint(cwd, checkpointIn('out'))).toBe(file);
  });

  it('finds the newest run by default', () => {
    const cwd = tempDirectory();
    createNumberedRun(cwd);
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    put(run, checkpointIn(''), '');
    expect(realpathSync(findCheckpoint(cwd))).toBe(checkpointIn(run));
  });

  it('gives a hint if there is no run', () => {
    expect(thrownBy(SystemError, () => findCheckpoint(tempDirectory()))).toBe(
      `no run yet: ${join('runs', 'latest')} does not exist; name one, or train one: backprop-ninja train`,
    );
  });

  it('names a run that does not exist', () => {
    expect(thrownBy(SystemError, () => findCheckpoint(tempDirectory(), 'my run'))).toBe(
      "cannot read 'my run': no such run directory or checkpoint",
    );
  });

  it('suggests no new run in a directory that holds other files', () => {
    const cwd = tempDirectory();
    put(cwd, join('photos', 'one.jpg'), '');
    expect(thrownBy(SystemError, () => findCheckpoint(cwd, 'photos'))).toBe('no checkpoint in photos: not a run');
  });

  it('explains a missing checkpoint, and gives a hint', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    expect(thrownBy(SystemError, () => findCheckpoint(cwd, join('runs', '0001')))).toBe(
      `no checkpoint in ${join('runs', '0001')}: not a run, or a run that stopped before its first save; start it again: backprop-ninja train --force --out runs/0001`,
    );
    expect(thrownBy(SystemError, () => findCheckpoint(cwd))).toContain(`no checkpoint in ${join(cwd, 'runs', 'latest')}: `);
  });

  it.each([
    ['below a file', join('file', 'run')],
    ['with a name that is too long', 'n'.repeat(256)],
  ])('refuses a run %s and names it', (_, run) => {
    const cwd = tempDirectory();
    put(cwd, 'file', '');
    expect(thrownBy(SystemError, () => findCheckpoint(cwd, run))).toContain(run);
  });
});

describe('findRunDirectory', () => {
  it('accepts a directory, relative or absolute, and its checkpoint', () => {
    const cwd = tempDirectory();
    const file = put(cwd, join('out', 'checkpoint.safetensors'), '');
    for (const run of ['out', 'out/', join(cwd, 'out'), join('out', 'checkpoint.safetensors'), file]) {
      expect(findRunDirectory(cwd, run), run).toBe(join(cwd, 'out'));
    }
  });

  it('finds the newest run by default and resolves the link, which may change while the run trains', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    expect(findRunDirectory(cwd)).toBe(run);
  });

  it('accepts an empty directory', () => {
    const cwd = tempDirectory();
    expect(findRunDirectory('/', cwd)).toBe(cwd);
  });

  it.each(['best.safetensors', 'metrics.jsonl'])('refuses another file of a run: %s', (name) => {
    const cwd = tempDirectory();
    put(cwd, join('out', name), '');
    expect(thrownBy(UsageError, () => findRunDirectory(cwd, join('out', name)))).toBe(
      `${join('out', name)} is a file; name the run's directory`,
    );
  });

  it('names a run that does not exist, and gives a hint', () => {
    const cwd = tempDirectory();
    expect(thrownBy(SystemError, () => findRunDirectory(cwd, 'gone'))).toBe('cannot read gone: no such run directory or checkpoint');
    expect(thrownBy(SystemError, () => findRunDirectory(cwd))).toMatch(/^no run yet: /);
  });
});

describe('run.json', () => {
  const about = { data: { path: '/a/names.txt', sha256: 'abc' } };

  it('is read as it was written, with additional keys', () => {
    const run = tempDirectory();
    writeRunFile(run, { ...about, program: 'backprop-ninja' });
    expect(readRunFile(join(run, 'checkpoint.safetensors'))).toEqual({ ...about, program: 'backprop-ninja' });
    const text = readFileSync(join(run, 'run.json'), 'utf8');
    expect(JSON.parse(text)).toEqual({ ...about, program: 'backprop-ninja' });
    expect(text).toMatch(/^\{\n {2}"/);
    expect(text).toMatch(/\}\n$/);
    expect(readdirSync(run)).toEqual(['run.json']);
  });

  it('is undefined if missing', () => {
    expect(readRunFile(join(tempDirectory(), 'checkpoint.safetensors'))).toBeUndefined();
  });

  it.each(['', '{', '[]', 'null', '{"data":{}}', '{"data":{"path":1,"sha256":"a"}}', '\xff'])(
    'with the content %j is refused with its path and a hint',
    (content) => {
      const run = tempDirectory();
      const file = put(run, 'run.json', Buffer.from(content, 'latin1'));
      const message = refusal(() => readRunFile(join(run, 'checkpoint.safetensors')));
      expect(message.startsWith(`${file}: `)).toBe(true);
      expect(message).toMatch(/; name the data set with --data$/);
    },
  );

  it('throws a SystemError if it is a directory', () => {
    const run = tempDirectory();
    mkdirSync(join(run, 'run.json'));
    expect(thrownBy(SystemError, () => readRunFile(join(run, 'checkpoint.safetensors')))).toBe(
      `cannot read ${join(run, 'run.json')}: it is a directory`,
    );
  });

  it('throws a SystemError in a missing directory, and creates nothing', () => {
    const run = join(tempDirectory(), 'gone');
    expect(thrownBy(SystemError, () => writeRunFile(run, about))).toMatch(/run\.json: no such file or directory$/);
    expect(lstatSync(run, { throwIfNoEntry: false })).toBeUndefined();
  });
});

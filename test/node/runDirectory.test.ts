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

describe('numbered runs', () => {
  it('count from 0001', () => {
    const cwd = tempDirectory();
    expect([1, 2, 3].map(() => createNumberedRun(cwd))).toEqual(['0001', '0002', '0003'].map((name) => join(cwd, 'runs', name)));
    expect(readdirSync(join(cwd, 'runs'))).toEqual(['0001', '0002', '0003']);
  });

  it.each([
    ['a gap is not filled', ['0001', '0007'], '0008'],
    ['other names do not count', ['latest', 'mine', '12', '0003-copy'], '0001'],
    ['a file counts like a directory', ['0004'], '0005'],
    ['the fifth digit is added when it is needed', ['9999'], '10000'],
    ['and counts afterwards', ['9999', '10007'], '10008'],
  ])('%s', (_, names, next) => {
    const cwd = tempDirectory();
    for (const name of names) put(cwd, join('runs', name), '');
    expect(createNumberedRun(cwd)).toBe(join(cwd, 'runs', next));
  });

  it('runs that is a file: a SystemError with path and reason', () => {
    const cwd = tempDirectory();
    put(cwd, 'runs', '');
    expect(thrownBy(SystemError, () => createNumberedRun(cwd))).toBe(`cannot create a run in ${join(cwd, 'runs')}: it already exists`);
  });
});

describe('runs/latest', () => {
  it('points to the newest run, by a name that survives moving the directory', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNumberedRun(cwd));
    linkLatest(cwd, createNumberedRun(cwd));
    expect(readlinkSync(join(cwd, 'runs', 'latest')).replace(/[\\/]$/, '')).toMatch(/0002$/);
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0002'));
    expect(readdirSync(join(cwd, 'runs'))).toEqual(['0001', '0002', 'latest']);
  });

  it('points to a run that is named by hand, if it is one of runs', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNamedRun(join(cwd, 'runs', 'mine'), false, 'names.txt'));
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', 'mine'));
  });

  it('stays when a run is somewhere else', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNumberedRun(cwd));
    linkLatest(cwd, createNamedRun(join(cwd, 'elsewhere'), false, 'names.txt'));
    expect(realpathSync(join(cwd, 'runs', 'latest'))).toBe(join(cwd, 'runs', '0001'));
  });

  it('is not made when a run is somewhere else', () => {
    const cwd = tempDirectory();
    linkLatest(cwd, createNamedRun(join(cwd, 'elsewhere'), false, 'names.txt'));
    expect(readdirSync(cwd)).toEqual(['elsewhere']);
  });
});

describe('a run directory that is named', () => {
  const create = (directory: string, force = false, input = join(directory, '..', 'names.txt')) => createNamedRun(directory, force, input);

  it.each(['out', join('a', 'b', 'c'), 'mit Leerzeichen', 'zwei\nZeilen', '漢字', '-out', 'n'.repeat(255)])('is made: %j', (name) => {
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
  ])('with %s in it is refused without force, and stays as it is', (_, files) => {
    const directory = tempDirectory();
    putAll(directory, files);
    expect(thrownBy(UsageError, () => create(directory))).toBe(
      `--out ${directory} exists and is not empty; --force replaces the run in it`,
    );
    expect(snapshot(directory)).toEqual(files);
  });

  it('with force, may hold a run and anything else, and stays as it is until the new run is written', () => {
    const directory = tempDirectory();
    putAll(directory, { ...RUN_FILES, 'notes.txt': 'mine', 'checkpoint.safetensors.bak': 'mine', [join('more', 'run.json')]: 'mine' });
    const before = snapshot(directory);
    expect(create(directory, true)).toBe(directory);
    expect(snapshot(directory)).toEqual(before);
  });

  it.each([false, true])('runs/latest where there is none is refused, and not made (force %s)', (force) => {
    const cwd = tempDirectory();
    const directory = join(cwd, 'runs', 'latest');
    expect(thrownBy(UsageError, () => create(directory, force))).toBe(
      `--out ${directory} is the link to the newest run; name another directory`,
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('runs/latest with force is the newest run', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    putAll(run, RUN_FILES);
    create(join(cwd, 'runs', 'latest'), true);
    expect(readdirSync(join(cwd, 'runs'))).toEqual(['0001', 'latest']);
    expect(snapshot(run)).toEqual(RUN_FILES);
  });

  it('with force, may be new', () => {
    const directory = join(tempDirectory(), 'new');
    expect(create(directory, true)).toBe(directory);
  });

  it.each([false, true])('that is a file is refused and stays (force %s)', (force) => {
    const file = put(tempDirectory(), 'out', 'mine');
    expect(thrownBy(SystemError, () => create(file, force))).toBe(`cannot write in ${file}: it is a file; --out names a directory`);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('below a file is refused with the reason', () => {
    const file = put(tempDirectory(), 'file', 'mine');
    expect(thrownBy(SystemError, () => create(join(file, 'out')))).toMatch(/^cannot write in \S+out: /);
  });

  it('that cannot be written is refused, and stays as it is', () => {
    const directory = tempDirectory();
    putAll(directory, RUN_FILES);
    system.readOnly = true;
    expect(thrownBy(SystemError, () => create(directory, true))).toBe(`cannot write in ${directory}: permission denied`);
    expect(snapshot(directory)).toEqual(RUN_FILES);
  });

  it('whose name is too long is refused with the reason', () => {
    expect(thrownBy(SystemError, () => create(join(tempDirectory(), 'n'.repeat(256))))).toMatch(/: the name is too long$/);
  });

  it.each(Object.keys(RUN_FILES))('whose %s is the data set is refused, with force too', (name) => {
    const directory = tempDirectory();
    const input = put(directory, name, 'anna\n');
    expect(thrownBy(UsageError, () => create(directory, true, input))).toBe(
      `--out ${directory} would overwrite --data ${input}; name another directory`,
    );
    expect(snapshot(directory)).toEqual({ [name]: 'anna\n' });
  });

  it('that is the data set itself is refused', () => {
    const input = put(tempDirectory(), 'names.txt', 'anna\n');
    thrownBy(UsageError, () => create(input, true, input));
    expect(readFileSync(input, 'utf8')).toBe('anna\n');
  });

  it('whose file is the data set under another name, by a link, is refused', () => {
    const cwd = tempDirectory();
    const directory = join(cwd, 'run');
    put(directory, 'metrics.jsonl', 'anna\n');
    symlinkSync('run', join(cwd, 'link'), 'junction');
    thrownBy(UsageError, () => create(directory, true, join(cwd, 'link', 'metrics.jsonl')));
    expect(snapshot(directory)).toEqual({ 'metrics.jsonl': 'anna\n' });
  });

  it('may hold the data set under a name of its own', () => {
    const directory = tempDirectory();
    const input = put(directory, 'names.txt', 'anna\n');
    create(directory, true, input);
    expect(snapshot(directory)).toEqual({ 'names.txt': 'anna\n' });
  });
});

describe('findCheckpoint', () => {
  const checkpointIn = (...names: string[]) => join(...names, 'checkpoint.safetensors');

  it('finds it in a run directory, relative or absolute, and takes a file as it is', () => {
    const cwd = tempDirectory();
    const file = put(cwd, checkpointIn('out'), '');
    expect(findCheckpoint(cwd, 'out')).toBe(file);
    expect(findCheckpoint(cwd, `out/`)).toBe(file);
    expect(findCheckpoint('/', join(cwd, 'out'))).toBe(file);
    expect(findCheckpoint(cwd, checkpointIn('out'))).toBe(file);
  });

  it('without a name, finds the newest run', () => {
    const cwd = tempDirectory();
    createNumberedRun(cwd);
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    put(run, checkpointIn(''), '');
    expect(realpathSync(findCheckpoint(cwd))).toBe(checkpointIn(run));
  });

  it('says how to get a run when there is none', () => {
    expect(thrownBy(SystemError, () => findCheckpoint(tempDirectory()))).toBe(
      `no run yet: ${join('runs', 'latest')} does not exist; train one with 'backprop-ninja train', or name one`,
    );
  });

  it('names a run that does not exist', () => {
    expect(thrownBy(SystemError, () => findCheckpoint(tempDirectory(), 'my run'))).toBe(
      "cannot read 'my run': no such run directory or checkpoint",
    );
  });

  it('says of a run without a checkpoint what it may be, and how to start it again', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    expect(thrownBy(SystemError, () => findCheckpoint(cwd, join('runs', '0001')))).toBe(
      `no checkpoint in ${join('runs', '0001')}: not a run, or a run that stopped before its first save; start it again with 'backprop-ninja train --force --out'`,
    );
    expect(thrownBy(SystemError, () => findCheckpoint(cwd))).toContain(`no checkpoint in ${join(cwd, 'runs', 'latest')}: `);
  });

  it.each([
    ['below a file', join('file', 'run')],
    ['with a name that is too long', 'n'.repeat(256)],
  ])('refuses a run %s with the name', (_, run) => {
    const cwd = tempDirectory();
    put(cwd, 'file', '');
    expect(thrownBy(SystemError, () => findCheckpoint(cwd, run))).toContain(run);
  });
});

describe('findRunDirectory', () => {
  it('takes a directory, relative or absolute, or its checkpoint', () => {
    const cwd = tempDirectory();
    const file = put(cwd, join('out', 'checkpoint.safetensors'), '');
    for (const run of ['out', 'out/', join(cwd, 'out'), join('out', 'checkpoint.safetensors'), file]) {
      expect(findRunDirectory(cwd, run), run).toBe(join(cwd, 'out'));
    }
  });

  it('without a name, finds the newest run by its own name: the link may point to another while it is trained', () => {
    const cwd = tempDirectory();
    const run = createNumberedRun(cwd);
    linkLatest(cwd, run);
    expect(findRunDirectory(cwd)).toBe(run);
  });

  it('takes a directory that is empty', () => {
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

  it('names a run that does not exist, and says how to get one', () => {
    const cwd = tempDirectory();
    expect(thrownBy(SystemError, () => findRunDirectory(cwd, 'gone'))).toBe('cannot read gone: no such run directory or checkpoint');
    expect(thrownBy(SystemError, () => findRunDirectory(cwd))).toMatch(/^no run yet: /);
  });
});

describe('run.json', () => {
  const about = { data: { path: '/a/names.txt', sha256: 'abc' } };

  it('comes back as it was written, with more in it for people', () => {
    const run = tempDirectory();
    writeRunFile(run, { ...about, program: 'backprop-ninja' });
    expect(readRunFile(join(run, 'checkpoint.safetensors'))).toEqual({ ...about, program: 'backprop-ninja' });
    const text = readFileSync(join(run, 'run.json'), 'utf8');
    expect(JSON.parse(text)).toEqual({ ...about, program: 'backprop-ninja' });
    expect(text).toMatch(/^\{\n {2}"/);
    expect(text).toMatch(/\}\n$/);
    expect(readdirSync(run)).toEqual(['run.json']);
  });

  it('that is missing is undefined', () => {
    expect(readRunFile(join(tempDirectory(), 'checkpoint.safetensors'))).toBeUndefined();
  });

  it.each(['', '{', '[]', 'null', '{"data":{}}', '{"data":{"path":1,"sha256":"a"}}', '\xff'])(
    'of %j is refused with path and way out',
    (content) => {
      const run = tempDirectory();
      const file = put(run, 'run.json', Buffer.from(content, 'latin1'));
      const message = refusal(() => readRunFile(join(run, 'checkpoint.safetensors')));
      expect(message.startsWith(`${file}: `)).toBe(true);
      expect(message).toMatch(/; name the data set with --data$/);
    },
  );

  it('that is a directory is a SystemError', () => {
    const run = tempDirectory();
    mkdirSync(join(run, 'run.json'));
    expect(thrownBy(SystemError, () => readRunFile(join(run, 'checkpoint.safetensors')))).toBe(
      `cannot read ${join(run, 'run.json')}: it is a directory`,
    );
  });

  it('in a directory that is gone is a SystemError, and makes nothing', () => {
    const run = join(tempDirectory(), 'gone');
    expect(thrownBy(SystemError, () => writeRunFile(run, about))).toMatch(/run\.json: no such file or directory$/);
    expect(lstatSync(run, { throwIfNoEntry: false })).toBeUndefined();
  });
});

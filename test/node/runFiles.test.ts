import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DirectoryLock, LostDirectoryError } from '../../src/node/lock.js';
import { RunFiles } from '../../src/node/runFiles.js';
import { put, snapshot, tempDirectory } from '../support/tempDirectory.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A run whose file was written once. */
function written(): { directory: string; path: string; files: RunFiles } {
  const directory = tempDirectory();
  const files = new RunFiles(directory);
  files.replace('run.json', bytes('one'));
  return { directory, path: join(directory, 'run.json'), files };
}

describe('a file of a run', () => {
  it('is replaced without a word if nobody touched it', () => {
    const { directory, files } = written();
    for (const text of ['two', 'three']) files.replace('run.json', bytes(text));
    files.close();
    expect(files.notices).toEqual([]);
    expect(snapshot(directory)).toEqual({ 'run.json': 'three' });
  });

  it('that was there before is replaced without a word', () => {
    const directory = tempDirectory();
    put(directory, 'run.json', 'old');
    const files = new RunFiles(directory);
    files.replace('run.json', bytes('new'));
    files.close();
    expect([files.notices, snapshot(directory)]).toEqual([[], { 'run.json': 'new' }]);
  });

  it('that was deleted is written again, and that is said', () => {
    const { directory, path, files } = written();
    rmSync(path);
    files.replace('run.json', bytes('two'));
    files.close();
    expect(files.notices).toEqual([`${path} was deleted by another program; it is written again`]);
    expect(snapshot(directory)).toEqual({ 'run.json': 'two' });
  });

  it.each([
    ['replaced by an editor', (path: string): void => renameSync(put(path, '../new', 'mine'), path)],
    ['overwritten in its place', (path: string): void => writeFileSync(path, 'mine')],
    [
      'deleted and created again',
      (path: string): void => {
        rmSync(path);
        put(path, '../run.json', 'mine');
      },
    ],
    [
      'replaced by a link',
      (path: string): void => {
        rmSync(path);
        symlinkSync(put(tempDirectory(), 'victim', 'mine'), path);
      },
    ],
  ])('that was %s is kept under another name, and that is said', (_, change) => {
    const { directory, path, files } = written();
    change(path);
    const aside = join(directory, 'run.other1.json');
    files.replace('run.json', bytes('two'));
    expect(files.notices).toEqual([`${path} was replaced by another program; its file is now ${aside}`]);
    expect(snapshot(directory)).toEqual({ 'run.json': 'two', 'run.other1.json': 'mine' });
    change(path);
    files.replace('run.json', bytes('three'));
    files.close();
    expect(snapshot(directory)).toEqual({ 'run.json': 'three', 'run.other1.json': 'mine', 'run.other2.json': 'mine' });
  });

  it('of an earlier session is known once it is adopted', () => {
    const directory = tempDirectory();
    const path = put(directory, 'run.json', 'old');
    const files = new RunFiles(directory);
    for (const name of ['run.json', 'none']) files.adopt(name);
    writeFileSync(path, 'mine');
    files.replace('run.json', bytes('new'));
    files.close();
    expect(snapshot(directory)).toEqual({ 'run.json': 'new', 'run.other1.json': 'mine' });
  });

  it('is not written if the directory is lost', () => {
    const directory = tempDirectory();
    const lock: DirectoryLock = {
      check: () => {
        throw new LostDirectoryError('lost');
      },
      release: () => {},
    };
    expect(() => new RunFiles(directory, lock).replace('run.json', bytes('one'))).toThrow(LostDirectoryError);
    expect(snapshot(directory)).toEqual({});
  });
});

describe('the files of a run that is saved elsewhere', () => {
  it('are copied as they were written, even if the directory is deleted', () => {
    const directory = join(tempDirectory(), 'run');
    mkdirSync(directory);
    const files = new RunFiles(directory);
    for (const name of ['run.json', 'best.safetensors']) files.replace(name, bytes(name));
    writeFileSync(join(directory, 'later'), 'not of the run');
    rmSync(directory, { recursive: true });
    const saved = tempDirectory();
    files.copyTo(saved);
    files.close();
    expect(snapshot(saved)).toEqual({ 'run.json': 'run.json', 'best.safetensors': 'best.safetensors' });
  });

  it('stay as they are where the directory was moved', () => {
    const { directory, files } = written();
    const moved = `${directory}-moved`;
    renameSync(directory, moved);
    files.copyTo(moved);
    expect(readFileSync(join(moved, 'run.json'), 'utf8')).toBe('one');
    files.close();
    renameSync(moved, directory);
  });
});

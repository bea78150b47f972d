import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { pollFile } from '../../src/node/filePoll.js';
import { HANGS } from '../support/child.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

/** Watches folder/file in a new directory, from its first look on. */
async function watching(setUp: (cwd: string) => void = () => {}): Promise<{ cwd: string; file: string; changes: () => number }> {
  const cwd = tempDirectory();
  put(cwd, 'folder/file', 'one');
  setUp(cwd);
  const file = join(cwd, 'folder/file');
  let changes = 0;
  const ended = new AbortController();
  onTestFinished(() => ended.abort());
  await new Promise<void>((onStart) => void pollFile(file, { onStart, onChange: () => changes++, signal: ended.signal }));
  return { cwd, file, changes: () => changes };
}

/** Longer than two looks. */
const aWhile = () => sleep(700);

describe('a watched file', () => {
  it.each<[string, (paths: { cwd: string; file: string }) => void, ((cwd: string) => void)?]>([
    ['is written', ({ file }) => writeFileSync(file, 'two')],
    ['gets more at its end', ({ file }) => appendFileSync(file, 'two')],
    ['is saved without a change', ({ file }) => writeFileSync(file, 'one')],
    [
      'is replaced by rename',
      ({ cwd, file }) => {
        put(cwd, 'folder/new', 'one');
        renameSync(join(cwd, 'folder/new'), file);
      },
    ],
    [
      'changes within the same size and time',
      ({ file }) => {
        const { atime, mtime } = statSync(file);
        writeFileSync(file, 'two');
        utimesSync(file, atime, mtime);
      },
    ],
    [
      'gets a time in the past',
      ({ file }) => {
        writeFileSync(file, 'two');
        utimesSync(file, 1, 1);
      },
    ],
    ['is deleted', ({ file }) => unlinkSync(file)],
    [
      'becomes a directory',
      ({ file }) => {
        unlinkSync(file);
        mkdirSync(file);
      },
    ],
    [
      'becomes a pipe',
      ({ file }) => {
        unlinkSync(file);
        spawnSync('mkfifo', [file]);
      },
    ],
    ['loses its permissions', ({ file }) => chmodSync(file, 0)],
    ['loses its folder', ({ cwd }) => rmSync(join(cwd, 'folder'), { recursive: true })],
    [
      'gets another folder',
      ({ cwd }) => {
        put(cwd, 'other/file', 'two');
        renameSync(join(cwd, 'folder'), join(cwd, 'away'));
        renameSync(join(cwd, 'other'), join(cwd, 'folder'));
      },
    ],
    [
      'is a link whose target changes',
      ({ cwd }) => writeFileSync(join(cwd, 'target'), 'two'),
      (cwd) => {
        put(cwd, 'target', 'one');
        unlinkSync(join(cwd, 'folder/file'));
        symlinkSync(join(cwd, 'target'), join(cwd, 'folder/file'));
      },
    ],
    [
      'is a link to another file now',
      ({ cwd, file }) => {
        put(cwd, 'target', 'one');
        unlinkSync(file);
        symlinkSync(join(cwd, 'target'), file);
      },
    ],
    [
      'is in a folder that is a link to another folder now',
      ({ cwd }) => {
        put(cwd, 'other/file', 'two');
        unlinkSync(join(cwd, 'folder'));
        symlinkSync(join(cwd, 'other'), join(cwd, 'folder'));
      },
      (cwd) => {
        renameSync(join(cwd, 'folder'), join(cwd, 'real'));
        symlinkSync(join(cwd, 'real'), join(cwd, 'folder'));
      },
    ],
    ['grows beyond a megabyte', ({ file }) => writeFileSync(file, 'x'.repeat(2e6))],
  ])('that %s has changed once', async (_, change, setUp) => {
    const { changes, ...paths } = await watching(setUp);
    change(paths);
    await vi.waitFor(() => expect(changes()).toBe(1), { timeout: HANGS });
    await aWhile();
    expect(changes()).toBe(1);
  });

  it('that comes back has changed again, however long it was away', async () => {
    const { cwd, changes } = await watching();
    for (const [i, back] of [1, 2].entries()) {
      rmSync(join(cwd, 'folder'), { recursive: true });
      await vi.waitFor(() => expect(changes()).toBe(2 * i + 1), { timeout: HANGS });
      await aWhile();
      put(cwd, 'folder/file', `back ${back}`);
      await vi.waitFor(() => expect(changes()).toBe(2 * i + 2), { timeout: HANGS });
    }
  });

  it('has not changed because it is read, or because of its neighbours', async () => {
    const { cwd, file, changes } = await watching();
    readFileSync(file);
    put(cwd, 'folder/other', 'new');
    rmSync(join(cwd, 'folder/other'));
    await aWhile();
    expect(changes()).toBe(0);
  });

  it('that never stops changing is reported meanwhile', async () => {
    const { file, changes } = await watching();
    const writing = setInterval(() => appendFileSync(file, 'more'), 20);
    onTestFinished(() => clearInterval(writing));
    await vi.waitFor(() => expect(changes()).toBeGreaterThan(0), { timeout: HANGS });
  });
});

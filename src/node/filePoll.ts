/**
 * Notices every change of a file, by looking at it. Events of the file system are not enough: they are lost when a folder is replaced or a link
 * changes its target, do not exist on many mounts (NFS, shared folders of containers), and are limited in number.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks: 0.5 % of a core for four files. */
const INTERVAL_MS = 250;
/** Milliseconds between two looks at a file that is changing: an editor saves in several steps. */
const SETTLING_MS = 100;
/** Looks at a file that does not stop changing, until it counts as changed. */
const MAX_SETTLING = 10;
/** Milliseconds without an answer of the file system. */
const SILENCE_MS = 5_000;
/** Bytes up to which the content counts, too: a time stamp may stay the same. */
const MAX_READ = 1_000_000;

export interface FilePollOptions {
  /** Called after the first look: from now on, no change is missed. */
  onStart?(): void;
  /** Called after each change, once the file has settled. A file that is missing or unreadable has changed, too. */
  onChange(): void;
  /** Called once when the file system does not answer. */
  onSilence?(milliseconds: number): void;
  signal: AbortSignal;
}

/** Looks at a file until the signal. */
export async function pollFile(path: string, options: FilePollOptions): Promise<void> {
  const { signal, onStart, onChange } = options;
  let known = await look(path, options);
  if (!signal.aborted) onStart?.();
  while (!signal.aborted) {
    await pause(INTERVAL_MS, signal);
    let now = await look(path, options);
    if (now === known) continue;
    for (let before = known, looks = 0; now !== before && looks < MAX_SETTLING && !signal.aborted; looks++) {
      before = now;
      await pause(SETTLING_MS, signal);
      now = await look(path, options);
    }
    known = now;
    if (!signal.aborted) onChange();
  }
}

/** Everything by which a file differs from what it was, as a text. */
async function look(path: string, { onSilence, signal }: FilePollOptions): Promise<string> {
  const timer = setTimeout(() => !signal.aborted && onSilence?.(SILENCE_MS), SILENCE_MS);
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = await stat(path, { bigint: true });
    const isFile = (mode & BigInt(constants.S_IFMT)) === BigInt(constants.S_IFREG);
    const content = isFile && size <= MAX_READ ? await contentOf(path, Number(size)) : '';
    return [dev, ino, size, mtimeNs, ctimeNs, mode, content].join(' ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** It does not wait for a pipe that has taken the file's place meanwhile. */
async function contentOf(path: string, size: number): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size + 1), 0, size + 1, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle?.close();
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    // The signal: the caller looks at it.
  }
}

import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { processIO } from '../../../src/cli/terminal/io.js';

const opener = vi.hoisted(() => ({ open: async (_path: string): Promise<unknown> => undefined }));
vi.mock('open', () => ({ default: (path: string) => opener.open(path) }));

/** A process that was started: it runs, or has ended. */
class FakeProcess extends EventEmitter {
  exitCode: number | null = null;
}

describe('the opener of the browser', () => {
  let child: FakeProcess;
  let done: Promise<string>;

  /** Opens a page. The promise tells how it ended. */
  function open(): void {
    done = processIO()
      .openInBrowser('/page.html')
      .then(
        () => 'opened',
        (error: Error) => error.message,
      );
  }

  beforeEach(() => {
    child = new FakeProcess();
    opener.open = async () => child;
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  it('that lives as long as the browser is not waited for', async () => {
    open();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await done).toBe('opened');
  });

  it('has done its work when it ends with 0, and failed with another code', async () => {
    for (const [code, says] of [
      [0, 'opened'],
      [3, 'the opener ended with 3'],
    ] as const) {
      open();
      await vi.advanceTimersByTimeAsync(10);
      child.emit('exit', code);
      expect(await done).toBe(says);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may have ended already', async () => {
    child.exitCode = 4;
    open();
    expect(await done).toBe('the opener ended with 4');
  });

  it('may be missing', async () => {
    opener.open = () => Promise.reject(new Error('spawn xdg-open ENOENT'));
    open();
    expect(await done).toBe('spawn xdg-open ENOENT');
  });
});

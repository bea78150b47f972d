import { expect, it, onTestFinished, vi } from 'vitest';
import { pollFile } from '../../src/node/filePoll.js';

vi.mock('node:fs/promises', async (original) => ({ ...(await original<object>()), stat: () => new Promise(() => {}) }));

it('a file system that does not answer is reported once, after 5 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const ended = new AbortController();
  const silences: number[] = [];
  void pollFile('/network/file', { onChange: () => {}, onSilence: (milliseconds) => silences.push(milliseconds), signal: ended.signal });
  vi.advanceTimersByTime(4_999);
  expect(silences).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(silences).toEqual([5_000]);
  ended.abort();
});

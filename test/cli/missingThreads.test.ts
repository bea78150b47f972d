import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlBlock, type HelperStart, READY } from '../../src/backend/controlBlock.js';
import { runCli, SMALL, writeNames } from '../support/fakeIO.js';
import { tempDirectory } from '../support/tempDirectory.js';

/** What happens to each thread that is started. */
let threads: ((worker: EventEmitter, start: HelperStart) => void)[] = [];

vi.mock('node:worker_threads', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  Worker: class extends EventEmitter {
    constructor(_: URL, { workerData }: { workerData: HelperStart }) {
      super();
      threads.shift()?.(this, workerData);
    }
    unref() {}
    postMessage() {}
    async terminate() {}
  },
}));
vi.mock('../../src/node/cores.js', () => ({ availableCores: () => 4 }));

const works = () => {};
const doesNotStart = () => {
  throw new Error('EAGAIN');
};
const fails = (worker: EventEmitter) => void setImmediate(() => worker.emit('error', new Error('out of memory')));
const ends = (worker: EventEmitter, { module, control, index, helpers }: HelperStart) => {
  const block = new ControlBlock(module, control, helpers);
  block.functions.setState(block.mailbox(index), READY);
  setImmediate(() => worker.emit('exit', 1));
};

async function train(count: string): Promise<string> {
  const directory = tempDirectory();
  writeNames(directory);
  const { exitCode, stderr } = await runCli(directory, ['train', ...SMALL, '--out', 'run', '--threads', count]);
  expect(exitCode, stderr).toBe(0);
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('note:'))
    .join();
}

describe('a note after the work says which threads were missing, and why', () => {
  beforeEach(() => {
    threads = [];
  });

  it.each([
    ['2', [works], ''],
    ['2', [doesNotStart], 'note: 1 of 2 threads was missing: a thread did not start: EAGAIN; the results are the same'],
    [
      '4',
      [works, doesNotStart, doesNotStart],
      'note: 2 of 4 threads were missing: a thread did not start: EAGAIN; the results are the same',
    ],
    ['2', [fails], 'note: 1 of 2 threads was missing: a thread did not start: out of memory; the results are the same'],
    ['2', [ends], 'note: 1 of 2 threads was missing: a thread has ended; the results are the same'],
    ['auto', [doesNotStart, doesNotStart, doesNotStart], ''],
  ])('--threads %s', async (count, starts, note) => {
    threads = [...starts];
    expect(await train(count)).toBe(note);
  });
});

import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { ControlBlock, FAILED, GONE, type HelperMessage, READY } from '../../src/backend/controlBlock.js';
import { HelperLoop } from '../../src/backend/helper.js';
import { Team } from '../../src/backend/threads.js';
import { sharedWasmBackend } from '../../src/backend/wasm.js';
import { SystemError } from '../../src/core/errors.js';
import { compileKernels } from '../../src/node/kernels.js';
import { LIBRARY, SHARED_KERNELS } from '../../src/node/paths.js';
import { createThreadedBackend } from '../../src/node/threads.js';
import { untilWorking } from '../support/threads.js';

const SIZE = { arrays: 4, entries: 4_000, workspace: 4_000 };
const closing: (() => void)[] = [];
afterAll(() => {
  for (const close of closing) close();
});

function threaded(threads: number) {
  const opened = createThreadedBackend({ threads });
  closing.push(opened.close);
  return opened;
}

describe('threads that start, sleep and end', () => {
  it('compute once they have started, and the caller computes alone before', async () => {
    const backend = threaded(3).createBackend(SIZE);
    const x = backend.floats(1_000).fill(1);
    backend.scale(x, 2, 1_000);
    await untilWorking(backend, 3);
    backend.scale(x, 2, 1_000);
    expect(new Set(x)).toEqual(new Set([4]));
  });

  it('rest while fewer are wanted, and come back', async () => {
    const backend = threaded(3).createBackend(SIZE);
    await untilWorking(backend, 3);
    const x = backend.floats(1_000).fill(1);
    for (const count of [1, 2, 3, 2]) {
      backend.threads?.use(count);
      backend.scale(x, 2, 1_000);
      expect(backend.threads?.working).toBe(count);
    }
    expect(new Set(x)).toEqual(new Set([16]));
  });

  it('compute again after they have slept', async () => {
    const backend = threaded(2).createBackend(SIZE);
    await untilWorking(backend, 2);
    const x = backend.floats(1_000).fill(1);
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      backend.scale(x, 2, 1_000);
    }
    expect(new Set(x)).toEqual(new Set([32]));
  });

  it('serve several networks in turns', async () => {
    const { createBackend } = threaded(2);
    const backends = [createBackend(SIZE), createBackend(SIZE), createBackend(SIZE)];
    for (const backend of backends) await untilWorking(backend, 2);
    const arrays = backends.map((backend) => backend.floats(100).fill(1));
    for (let i = 0; i < 6; i++) for (const [k, { scale }] of backends.entries()) scale(arrays[k], k, 100);
    expect(arrays.map((array) => array[99])).toEqual([0, 1, 64]);
  });

  it('leave the caller alone once they are closed', async () => {
    const { createBackend, close } = threaded(3);
    const backend = createBackend(SIZE);
    await untilWorking(backend, 3);
    close();
    const x = backend.floats(1_000).fill(1);
    backend.scale(x, 2, 1_000);
    expect([x[0], x[999], backend.threads?.working]).toEqual([2, 2, 1]);
  });

  it('do not keep a process alive, asleep or waiting for the next layer', () => {
    const script = `
      import { createThreadedBackend } from ${JSON.stringify(new URL(`file://${LIBRARY['backprop-ninja/node']}`).href)};
      const backend = createThreadedBackend({ threads: 3 }).createBackend(${JSON.stringify(SIZE)});
      const x = backend.floats(1000);
      while (backend.threads.working < 3) {
        backend.scale(x, 1, 1000);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      if (process.argv[1] === 'asleep') await new Promise((resolve) => setTimeout(resolve, 100));
      backend.scale(x, 1, 1000);
      console.log('end');`;
    for (const state of ['asleep', 'waiting']) {
      const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script, state], {
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect([stdout, status]).toEqual(['end\n', 0]);
    }
  });
});

describe('a thread that fails', () => {
  const module = compileKernels(SHARED_KERNELS);

  /** A team whose only helper is played by this thread: it has taken the backend's memory. */
  function played() {
    const team = new Team(module, 1);
    const messages: HelperMessage[] = [];
    team.add(0, (message) => messages.push(message));
    const block = new ControlBlock(module, team.control, 1);
    const box = block.mailbox(0);
    const backend = sharedWasmBackend(team)(SIZE);
    block.functions.setState(box, READY);
    const x = backend.floats(100).fill(1);
    backend.scale(x, 1, 100);
    block.functions.reportDone(box, 1);
    const helper = new HelperLoop({ module, control: team.control, index: 0, helpers: 1 }, () => messages.shift());
    return { backend, x, helper };
  }

  it('ends a layer with a SystemError, and the next ones are computed alone', () => {
    const { backend, x, helper } = played();
    expect(() => {
      // The helper leaves in the middle of a layer: when the caller reads the arguments.
      const size = {
        valueOf: () => {
          helper.leave(FAILED);
          return 100;
        },
      };
      backend.scale(x, 1, size as unknown as number);
    }).toThrow(SystemError);
    backend.scale(x, 3, 100);
    expect([x[0], x[99], backend.threads?.working]).toEqual([3, 3, 1]);
  });

  it('is not posted to once it has ended', () => {
    const { backend, x, helper } = played();
    helper.leave(GONE);
    backend.scale(x, 3, 100);
    expect([x[0], x[99], backend.threads?.working]).toEqual([3, 3, 1]);
  });
});

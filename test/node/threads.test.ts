import { spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ControlBlock, FAILED, type HelperMessage, type HelperStart, READY } from '../../src/backend/controlBlock.js';
import { Team } from '../../src/backend/threads.js';
import { sharedWasmBackend } from '../../src/backend/wasm.js';
import { SystemError } from '../../src/core/errors.js';
import { compileKernels } from '../../src/node/kernels.js';
import { KERNELS_HELPER, LIBRARY, SHARED_KERNELS } from '../../src/node/paths.js';
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

  it.each([0, -1, 1.5, Number.NaN, 1025])('cannot be %d', (threads) => {
    expect(() => createThreadedBackend({ threads })).toThrow(
      new RangeError(`threads: expected auto or a whole number from 1 to 1024, found ${threads}`),
    );
    expect(() => threaded(2).createBackend(SIZE).threads?.use(threads)).toThrow(RangeError);
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

  it('rest for one network while they compute another', async () => {
    const { createBackend } = threaded(3);
    const [alone, shared] = [createBackend(SIZE), createBackend(SIZE)];
    alone.threads?.use(1);
    await untilWorking(shared, 3);
    const arrays = [alone, shared].map((backend) => backend.floats(1_000).fill(1));
    for (let i = 0; i < 3; i++) {
      alone.scale(arrays[0], 2, 1_000);
      shared.scale(arrays[1], 2, 1_000);
      expect([alone.threads?.working, shared.threads?.working]).toEqual([1, 3]);
    }
    expect(arrays.map((array) => array[999])).toEqual([8, 8]);
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

  it('drop the memories that they took first, beyond 256 MiB, and take them again when they are used', async () => {
    const { createBackend } = threaded(2);
    const large = { ...SIZE, entries: 25 * 2 ** 20 };
    const backends = [createBackend(large), createBackend(large), createBackend(large)];
    const arrays = backends.map((backend) => backend.floats(100).fill(1));
    for (let round = 0; round < 2; round++) {
      for (const [k, backend] of backends.entries()) {
        await untilWorking(backend, 2);
        backend.scale(arrays[k], k, 100);
      }
    }
    expect(arrays.map((array) => array[99])).toEqual([0, 1, 4]);
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

describe('a network that fills the memory', () => {
  const workspace = 2 ** 20;
  const filled = (helpers: number, threads: number) => {
    const entries = 2 ** 30 - 2 ** 15 - threads * workspace;
    return sharedWasmBackend(new Team(compileKernels(SHARED_KERNELS), helpers))({ arrays: 1, entries, workspace });
  };

  it('has fewer threads, and is not refused, however many cores there are', () => {
    for (const helpers of [0, 1, 7, 63]) {
      for (const threads of [1, 2, 6]) expect(filled(helpers, threads).threads?.most).toBe(Math.min(helpers + 1, threads));
    }
  });

  it('is refused if it has no room with one thread', () => {
    for (const helpers of [0, 1, 63]) expect(() => filled(helpers, 0)).toThrow(SystemError);
  });
});

describe('a thread that fails', () => {
  const module = compileKernels(SHARED_KERNELS);
  const whileNapping = (work: () => void) => {
    const naps = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    try {
      work();
    } finally {
      naps.mockRestore();
    }
  };

  /** A team whose helpers are played by this thread: they have taken the backend's memory. */
  function played(helpers = 1) {
    const team = new Team(module, helpers);
    const backend = sharedWasmBackend(team)(SIZE);
    const block = new ControlBlock(module, team.control, helpers);
    const { functions } = block;
    const boxes = Array.from({ length: helpers }, (_, index) => block.mailbox(index));
    for (const [index, box] of boxes.entries()) {
      team.add(index, () => {});
      functions.setState(box, READY);
    }
    const x = backend.floats(100).fill(1);
    backend.scale(x, 1, 100);
    for (const box of boxes) functions.reportDone(box, 1);
    return { team, backend, x, boxes, functions };
  }

  /** An argument that is read in the middle of a layer. */
  const whenRead = (event: () => void) => {
    const read = () => {
      event();
      return 100;
    };
    return { valueOf: read } as unknown as number;
  };

  it('ends a layer with a SystemError, and the next ones are computed alone', () => {
    const { backend, x, boxes, functions } = played();
    expect(() =>
      backend.scale(
        x,
        1,
        whenRead(() => functions.setState(boxes[0], FAILED)),
      ),
    ).toThrow(new SystemError('a thread of the kernels has failed', { hint: 'use one thread', shell: '--threads 1' }));
    backend.scale(x, 3, 100);
    expect([x[0], x[99], backend.threads?.working]).toEqual([3, 3, 1]);
  });

  it('is not posted to once it has failed', () => {
    const { backend, x, boxes, functions } = played();
    functions.setState(boxes[0], FAILED);
    backend.scale(x, 3, 100);
    expect([x[0], x[99], backend.threads?.working]).toEqual([3, 3, 1]);
  });

  it('is given up if it does not answer, at the end of a layer and in the middle', () => {
    const { backend, x } = played();
    whileNapping(() => expect(() => backend.scale(x, 1, 100)).toThrow(SystemError));
    backend.scale(x, 3, 100);
    expect([x[0], x[99], backend.threads?.working]).toEqual([3, 3, 1]);

    const { backend: other } = played();
    whileNapping(() => expect(() => other.areFinite(other.floats(900), 30, 30)).toThrow(SystemError));

    const { backend: third } = played();
    const [logits, h, W, b] = [third.floats(300), third.floats(960), third.floats(320), third.floats(10)];
    whileNapping(() => expect(() => third.linearForward(logits, h, W, b, 30, 32, 10)).toThrow(SystemError));
  });

  it('is waited for once if two layers are computed in turn', () => {
    const { backend, x, boxes, functions } = played();
    const dx = backend.floats(100).fill(1);
    // Number 1 took the memory, 2 is the first layer and 3 the second.
    const done = whenRead(() => functions.reportDone(boxes[0], 3));
    whileNapping(() =>
      backend.inTurn?.(
        () => backend.scale(x, 3, 100),
        () => backend.sgdUpdate(x, dx, 1, done),
      ),
    );
    expect([x[0], backend.threads?.working]).toEqual([2, 2]);
  });

  it('in the first of two layers ends the second with a SystemError, and the next ones are computed alone', () => {
    const { backend, x, boxes, functions } = played();
    const dx = backend.floats(100).fill(1);
    const first = () => {
      backend.scale(
        x,
        3,
        whenRead(() => functions.setState(boxes[0], FAILED)),
      );
    };
    expect(() => backend.inTurn?.(first, () => backend.sgdUpdate(x, dx, 1, 100))).toThrow(SystemError);
    backend.scale(x.fill(1), 3, 100);
    expect([x[0], x[99], backend.threads?.working]).toEqual([3, 3, 1]);
  });

  it('is waited for in between if a layer is called twice, or the first function calls two', () => {
    const { backend, x, boxes, functions } = played();
    const dx = backend.floats(100).fill(1);
    const jobs = (number: number) => whenRead(() => functions.reportDone(boxes[0], number));
    backend.inTurn?.(
      () => backend.scale(x, 3, jobs(2)),
      () => backend.scale(x, 2, jobs(3)),
    );
    backend.inTurn?.(
      () => {
        backend.scale(x, 2, 100);
        backend.sgdUpdate(x, dx, 1, jobs(5));
      },
      () => backend.scale(x, 3, jobs(6)),
    );
    expect([x[0], backend.threads?.working]).toEqual([33, 2]);
  });

  it('is waited for even if the second of two layers throws before it is posted', () => {
    const { backend, x, boxes, functions } = played();
    const fault = new Error('not posted');
    const second = () => {
      functions.reportDone(boxes[0], 2);
      throw fault;
    };
    expect(() => backend.inTurn?.(() => backend.scale(x, 3, 100), second)).toThrow(fault);
    const done = whenRead(() => functions.reportDone(boxes[0], 3));
    backend.scale(x, 3, done);
    expect([x[0], backend.threads?.working]).toEqual([9, 2]);
  });

  it('leaves nothing at the meetings of a layer: the memory is for one thread from then on, whoever is ready', () => {
    const { team, backend, x, boxes, functions } = played(2);
    const event = () => {
      functions.setState(boxes[0], FAILED);
      functions.reportDone(boxes[1], 2);
    };
    expect(() => backend.scale(x, 1, whenRead(event))).toThrow(SystemError);
    expect(team.ready).toBe(1);
    backend.scale(x, 3, 100);
    expect(backend.threads?.working).toBe(1);
  });

  it('is given up when it was ended by others, and the caller has not heard of it', async () => {
    const { backend, workers } = await started(2);
    const x = backend.floats(100).fill(1);
    await workers[0].terminate();
    whileNapping(() => expect(() => backend.scale(x, 3, 100)).toThrow(SystemError));
  });

  it('that was ended is waited for once, and leaves no other waiting for its sums', async () => {
    const { backend, workers } = await started(4);
    const [logits, h, W, b] = [backend.floats(10), backend.floats(64), backend.floats(640), backend.floats(10)];
    const haveEnded = Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
    await workers[0].terminate();
    const { wait } = Atomics;
    const naps = vi.spyOn(Atomics, 'wait').mockImplementation((words, at, value) => wait(words as never, at, value as never, 2));
    expect(() => backend.linearForward(logits, h, W, b, 1, 64, 10)).toThrow(SystemError);
    // 30 seconds, half a second each, and what the others need to end.
    expect(naps.mock.calls.length).toBeLessThan(60 + 30);
    naps.mockRestore();
    await haveEnded;
  });

  it('on the memory of one network does not touch the others', async () => {
    const { team, backend, create } = await started(3, (index, { memory }) => index === 1 && memory === 1);
    const other = create(SIZE);
    while (team.ready > 1) {
      other.scale(other.floats(0), 1, 0);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const [dx, d, w, b] = [backend.floats(900), backend.floats(900), backend.floats(900), backend.floats(30)];
    const sleeps = vi.spyOn(Atomics, 'wait');
    for (let i = 0; i < 10_000 && sleeps.mock.calls.length === 0; i++) backend.linearBackward(dx, w, b, d, d, w, 30, 30, 30);
    sleeps.mockRestore();
    expect(backend.threads?.working).toBe(2);
  });

  /** A team of real threads, which all compute the layers of its first backend. */
  async function started(threads: number, losesMemory: (index: number, message: HelperMessage) => boolean = () => false) {
    const team = new Team(module, threads - 1);
    const create = sharedWasmBackend(team);
    const backend = create(SIZE);
    const workers = Array.from({ length: threads - 1 }, (_, index) => {
      const workerData: HelperStart = { module, control: team.control, index, helpers: threads - 1 };
      const worker = new Worker(KERNELS_HELPER, { workerData });
      worker.unref();
      closing.push(() => void worker.terminate());
      // A message without its memory: the helper has none under that number.
      team.add(index, (message) => worker.postMessage(losesMemory(index, message) ? { memory: message.memory, wasm: 'none' } : message));
      return worker;
    });
    await untilWorking(backend, threads);
    return { team, create, backend, workers };
  }
});

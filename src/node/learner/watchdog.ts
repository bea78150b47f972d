/**
 * A thread beside a learner's lines, which may never give theirs back: ends the process when it has taken too much memory (a limit on V8's heap
 * would not see typed arrays, and V8 itself aborts at some), or when nobody waits for it any longer.
 */
import { workerData } from 'node:worker_threads';

const LOOK_EVERY_MS = 50;
// Told, not looked up here: the parent may be gone before this thread runs.
const { memory, parent } = workerData as { memory: number; parent: number };

setInterval(() => {
  if (process.memoryUsage.rss() > memory || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, LOOK_EVERY_MS);

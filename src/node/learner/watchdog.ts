/**
 * A thread beside a learner's lines, which may never return. It ends the process when it uses too much memory, or when its parent has gone. A
 * limit on V8's heap would not count typed arrays, and V8 aborts at some limits.
 */
import { workerData } from 'node:worker_threads';

const INTERVAL_MS = 50;
// The parent is an argument: by the time this thread starts, it may have gone.
const { memory, parent } = workerData as { memory: number; parent: number };

setInterval(() => {
  if (process.memoryUsage.rss() > memory || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);

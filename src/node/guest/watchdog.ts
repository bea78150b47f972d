/**
 * A thread that watches a guest, whose code may never return. It ends the process when it uses too much memory or computing time, or when its
 * parent has ended. A limit on V8's heap would not count typed arrays, and V8 aborts at some limits. Computing time does not depend on how busy
 * the machine is.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type Limits, REASON_FD, type Reason } from './limits.js';

const INTERVAL_MS = 50;

const { memory, seconds, parent } = workerData as Limits;
let start = process.cpuUsage();

// A message means that a request begins: each has its own computing time.
parentPort?.on('message', () => {
  start = process.cpuUsage();
});

setInterval(() => {
  const { user, system } = process.cpuUsage(start);
  if (process.memoryUsage.rss() > memory) end('memory');
  else if (user + system > seconds * 1e6) end('timeout');
  else if (process.ppid !== parent) kill();
}, INTERVAL_MS);

function end(reason: Reason): void {
  try {
    writeSync(REASON_FD, reason);
  } finally {
    kill();
  }
}

/** Ends the processes that the file started, too. */
function kill(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
}

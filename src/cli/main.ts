#!/usr/bin/env node
const REQUIRED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
  process.stderr.write(`error: backprop-ninja needs Node ${REQUIRED.join('.')} or newer, this is ${process.versions.node}\n`);
  process.exit(4);
}

// A reader that has seen enough (| head) closes the pipe; a terminal that is closed answers EIO. Without a reader for the result
// there is nothing left to do; without one for progress and messages, training goes on.
const READER_GONE = ['EPIPE', 'EIO'];
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (READER_GONE.includes(error.code ?? '')) process.exit(0);
  process.stderr.write(`error: cannot write the result: ${error.message}\n`);
  process.exit(4);
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (!READER_GONE.includes(error.code ?? '')) process.exit(4);
});

// A sweep holds a channel to its runs: if it is killed, they save and end.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// To listen would keep the process.
process.channel?.unref();

const { run } = await import('./run.js');
const { processIO } = await import('./terminal/io.js');
process.exitCode = await run(process.argv.slice(2), processIO());

// Node 20 aborts at its end when the terminal it began on is closed: there, all being saved, the signal itself ends the process.
const HUNG_UP = 129;
if (process.exitCode === HUNG_UP && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) {
  process.kill(process.pid, 'SIGHUP');
}

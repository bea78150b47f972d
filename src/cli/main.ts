#!/usr/bin/env node
const REQUIRED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
  process.stderr.write(`error: backprop-ninja needs Node ${REQUIRED.join('.')} or newer, this is ${process.versions.node}\n`);
  process.exit(4);
}

// A reader such as head closes the pipe early (EPIPE); a closed terminal answers EIO. If nobody reads the result, the program ends; if
// nobody reads progress and messages, training continues. EIO from a file is a failing disk: the result is lost.
const READER_GONE = ['EPIPE', 'EIO'];
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || (error.code === 'EIO' && process.stdout.isTTY)) process.exit(0);
  process.stderr.write(`error: cannot write the result: ${error.message}\n`);
  process.exit(4);
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (!READER_GONE.includes(error.code ?? '')) process.exit(4);
});

// A sweep has a channel to each of its runs. If the sweep is killed, the channel closes, and the run saves and ends.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The channel alone must not keep the process running.
process.channel?.unref();

const { run } = await import('./run.js');
const { processIO } = await import('./terminal/io.js');
process.exitCode = await run(process.argv.slice(2), processIO());

// Node 20 aborts when it exits after its terminal was closed. Everything is saved by now, so the signal may end the process instead.
const HUNG_UP = 129;
if (process.exitCode === HUNG_UP && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) {
  process.kill(process.pid, 'SIGHUP');
}

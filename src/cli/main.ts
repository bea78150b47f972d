/** The program: bin/backprop-ninja.js loads it. */
const REQUIRED = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
  process.stderr.write(`error: backprop-ninja needs Node ${REQUIRED.join('.')} or newer, this is ${process.versions.node}\n`);
  process.exit(4);
}

// A reader such as head closes the pipe early (EPIPE); a closed terminal answers EIO. If nobody reads the result, the program ends. EIO from a
// file is a failing disk: the result is lost. Progress and messages are not the result: whatever happens to stderr, the work continues.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || (error.code === 'EIO' && process.stdout.isTTY)) process.exit(0);
  process.stderr.write(`error: cannot write the result: ${error.message}\n`);
  process.exit(4);
});
process.stderr.on('error', () => {});

// Node would open its debugger, which lets every local program run code here.
if (process.platform !== 'win32') process.on('SIGUSR1', () => {});

if (process.pid === 1) await (await import('./firstProcess.js')).runInChild();

const { run } = await import('./run.js');
const { followSweep, processIO } = await import('./terminal/io.js');
if (process.channel) followSweep();
process.exitCode = await run(process.argv.slice(2), processIO());

// Node 20 aborts when it exits after its terminal was closed. Everything is saved by now, so the signal may end the process instead.
const HUNG_UP = 129;
if (process.exitCode === HUNG_UP && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) {
  process.kill(process.pid, 'SIGHUP');
}

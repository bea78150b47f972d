/**
 * The first process of a container. The kernel ignores every signal for which it has no handler, and a handler runs only while it does not
 * compute. So the program runs in a child, where signals act as everywhere else.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fullMessage } from '../core/errors.js';
import { systemError } from '../node/systemErrors.js';
import { EXIT_SYSTEM } from './terminal/exitCodes.js';
import { STOP_SIGNALS } from './terminal/io.js';

/** Runs this command line in a child, passes signals on, and ends with its exit code. */
export function runInChild(): Promise<never> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches both; passed on, it would count as the second one.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? EXIT_SYSTEM)));
  child.on('error', (error) => {
    process.stderr.write(`error: ${fullMessage(systemError('cannot start a process', error))}\n`);
    process.exit(EXIT_SYSTEM);
  });
  return new Promise(() => {});
}

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileContentError, SystemError, UsageError } from '../../core/errors.js';
import { MAIN } from '../../node/paths.js';
import { CHECKPOINT_FILE } from '../../node/runDirectory.js';
import { EXIT_FILE, EXIT_NUMBERS, EXIT_USAGE } from '../terminal/exitCodes.js';
import { type IO, shortPath } from '../terminal/io.js';

/** What a run ended with; without losses, its numbers blew up. */
export interface TrainOutcome {
  /** Of training; null if it had been begun before. */
  seconds: number | null;
  trainLoss: number | null;
  valLoss: number | null;
}

export interface TrainProcess {
  /** Rejects with the error that the process ended with. */
  outcome: Promise<TrainOutcome | 'stopped'>;
  /** Lets it save, and end. */
  stop(): void;
}

/**
 * `train` in a process of its own, which goes on with the run that the directory holds.
 * @param directory made by this function, or by an earlier call with the same arguments
 */
export function trainProcess(directory: string, trainArguments: readonly string[], io: IO): TrainProcess {
  const resumes = existsSync(join(directory, CHECKPOINT_FILE));
  const what = resumes ? ['--resume', directory] : [...trainArguments, '--out', directory, '--force'];
  const child = spawn(process.execPath, [MAIN, 'train', ...what, '--json', '--no-color'], {
    cwd: io.cwd,
    env: { ...io.env },
    // The channel tells it if this process is killed: see main.ts.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // In a group of its own: Ctrl-C in the terminal stops it once, by stop(), and lets it save.
    detached: true,
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  let stopped = false;
  const outcome = new Promise<TrainOutcome | 'stopped'>((resolve, reject) => {
    child.on('error', (error) => reject(new SystemError(`cannot start a process: ${error.message}`, { cause: error })));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(outcomeOf(text.stdout, resumes));
      else if (stopped) resolve('stopped');
      else if (code === EXIT_NUMBERS) resolve({ seconds: null, trainLoss: null, valLoss: null });
      else
        reject(
          errorOf(
            code,
            text.stderr,
            `the training in ${shortPath(directory, io)} ended ${signal ? `by ${signal}` : `with exit code ${code}`}`,
          ),
        );
    });
  });
  return {
    outcome,
    stop: () => {
      stopped = true;
      child.kill('SIGTERM');
    },
  };
}

function outcomeOf(stdout: string, resumed: boolean): TrainOutcome {
  const { seconds, trainLoss, valLoss } = JSON.parse(stdout) as { seconds: number; trainLoss: number; valLoss: number };
  return { seconds: resumed ? null : seconds, trainLoss, valLoss };
}

/** The process's own words, and its exit code as ours. */
function errorOf(code: number | null, stderr: string, otherwise: string): Error {
  const line = stderr
    .split('\n')
    .findLast((text) => text.startsWith('error: '))
    ?.slice('error: '.length);
  const message = line ?? otherwise;
  if (code === EXIT_USAGE) return new UsageError(message);
  return code === EXIT_FILE ? new FileContentError(message) : new SystemError(message);
}

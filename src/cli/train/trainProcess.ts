import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileContentError, SystemError, UsageError } from '../../core/errors.js';
import { MAIN } from '../../node/paths.js';
import { CHECKPOINT_FILE } from '../../node/runDirectory.js';
import { EXIT_FILE, EXIT_NUMBERS, EXIT_USAGE } from '../terminal/exitCodes.js';
import { type IO, shortPath } from '../terminal/io.js';

/** The result of a run; without losses, it diverged. */
export interface TrainOutcome {
  /** Duration of the training; null if the run was resumed. */
  seconds: number | null;
  trainLoss: number | null;
  valLoss: number | null;
}

export interface TrainProcess {
  /** Rejects with the error that ended the process. */
  outcome: Promise<TrainOutcome | 'stopped'>;
  /** Lets it save and end. */
  stop(): void;
}

/**
 * Runs `train` in its own process, which resumes the run in the directory if there is one.
 * @param directory new, or from an earlier call with the same arguments
 */
export function trainProcess(directory: string, trainArguments: readonly string[], io: IO): TrainProcess {
  const resumes = existsSync(join(directory, CHECKPOINT_FILE));
  const what = resumes ? ['--resume', directory] : [...trainArguments, '--out', directory, '--force'];
  const child = spawn(process.execPath, [MAIN, 'train', ...what, '--json', '--no-color'], {
    cwd: io.cwd,
    env: { ...io.env },
    // The channel closes if this process is killed; then the run saves and ends: see main.ts.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // In its own process group: Ctrl-C in the terminal reaches it once, through stop(), so that it can save.
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

/** The process's error message, as an error with the same exit code. */
function errorOf(code: number | null, stderr: string, otherwise: string): Error {
  const line = stderr
    .split('\n')
    .findLast((text) => text.startsWith('error: '))
    ?.slice('error: '.length);
  const message = line ?? otherwise;
  if (code === EXIT_USAGE) return new UsageError(message);
  return code === EXIT_FILE ? new FileContentError(message) : new SystemError(message);
}

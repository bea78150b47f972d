/** Finds the Python that runs a learner's file. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { SystemError, UsageError } from '../../core/errors.js';
import { quoteText, showPath } from '../../core/text.js';
import { isSystemError, systemError } from '../systemErrors.js';

/** The oldest that ninja.py works with. */
const LEAST_MINOR = 8;
/** Milliseconds until what should tell its version counts as something else. */
const PATIENCE_MS = 30_000;
/** What only Python prints. */
const PROBE = 'import sys; sys.stdout.write("python %d %d" % sys.version_info[:2])';

const WAY_OUT = 'name a Python with --python or $PYTHON';

export interface PythonChoice {
  /** The value of --python. */
  python?: string | undefined;
  /** The environment, for $PYTHON. */
  env: Readonly<Record<string, string | undefined>>;
  /** The directory to which a path is relative. */
  cwd: string;
}

/**
 * The command that starts Python: the one of --python, $PYTHON, python3 or python, in this order.
 * @throws UsageError if --python names something else; SystemError if none is there or it cannot run
 */
export async function findPython({ python, env, cwd }: PythonChoice): Promise<string> {
  if (python !== undefined) return named(python, '--python', cwd);
  if (env.PYTHON) return named(env.PYTHON, '$PYTHON', cwd);
  const old: string[] = [];
  for (const command of ['python3', 'python']) {
    const found = await probe(command);
    if (found === 'python') return command;
    if (found !== 'missing' && found !== 'other') old.push(`${command} is ${found}`);
  }
  const also = old.length === 0 ? '' : ` (${old.join(', ')}, and 3.${LEAST_MINOR} or later is needed)`;
  throw new SystemError(`no Python found: looked for --python, $PYTHON, python3 and python${also}`, { hint: WAY_OUT });
}

async function named(word: string, source: '--python' | '$PYTHON', cwd: string): Promise<string> {
  if (word === '') throw new UsageError(`${source} is empty`, { hint: 'name a Python' });
  // A word without a separator is looked for on the PATH.
  const command = /[\\/]/.test(word) ? resolve(cwd, word) : word;
  const shown = showPath(command);
  const found = await probe(command, source);
  if (found === 'python') return command;
  if (found === 'missing') throw new SystemError(`there is no ${shown}, which ${source} names`, { hint: 'name a Python that is there' });
  const what = found === 'other' ? `${shown} is not Python` : `${shown} is ${found}, and 3.${LEAST_MINOR} or later is needed`;
  if (source === '--python') throw new UsageError(`--python: ${what}`, { hint: 'name another one' });
  throw new SystemError(`$PYTHON: ${what}`, { hint: WAY_OUT });
}

/**
 * What a command is: a Python that is new enough, another version of it, something else, or nothing.
 * @param source what named it: it must be able to run
 */
function probe(command: string, source?: string): Promise<'python' | 'missing' | 'other' | `Python ${string}`> {
  return new Promise((done, fail) => {
    const options = { timeout: PATIENCE_MS, killSignal: 'SIGKILL', maxBuffer: 10_000, windowsHide: true } as const;
    execFile(command, ['-c', PROBE], options, (error, stdout) => {
      const [, major, minor] = /^python (\d+) (\d+)$/.exec(stdout) ?? [];
      if (major !== undefined) done(+major === 3 && +minor >= LEAST_MINOR ? 'python' : `Python ${major}.${minor}`);
      else if (isSystemError(error, 'ENOENT')) done('missing');
      else if (source !== undefined && error && 'syscall' in error) {
        fail(systemError(`cannot run ${quoteText(command)}, which ${source} names`, error as NodeJS.ErrnoException));
      } else done('other');
    }).stdin?.end();
  });
}

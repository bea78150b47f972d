/** Runs Python, with real PyTorch. */
import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, HANGS, MAIN, start } from './child.js';
import { put } from './tempDirectory.js';

/** The folder of ninja.py. */
const PYTHON_FOLDER = fileURLToPath(new URL('../../python/', import.meta.url));

/** A Python with torch. */
export const PYTHON = pythonWithTorch();

function pythonWithTorch(): string {
  const python = process.env.PYTHON ?? '/usr/bin/python3';
  const { status, stderr, error } = spawnSync(python, ['-c', 'import torch'], { encoding: 'utf8', timeout: HANGS });
  if (status === 0) return python;
  const reason = error?.message ?? stderr.trim().split('\n').at(-1);
  throw new Error(
    `these tests need a Python with torch, and ${python} has none (${reason}): ` +
      'apt-get install python3-torch libopenblas0-pthread, or name another one with PYTHON',
  );
}

interface PythonOptions {
  /** The Python to run; by default the one with torch. */
  python?: string;
  /** Words after the script's name. */
  args?: readonly string[];
  /** Variables to set, or to unset with undefined. */
  env?: NodeJS.ProcessEnv;
}

/** Runs a script in a directory. It can import ninja, which finds this checkout's program. */
export function runPython(directory: string, script: string, { python = PYTHON, args = [], env = {} }: PythonOptions = {}): Promise<Ended> {
  const surroundings = {
    ...process.env,
    PYTHONPATH: [PYTHON_FOLDER, ...(process.env.PYTHONPATH ?? '').split(delimiter)].filter((path) => path !== '').join(delimiter),
    PYTHONDONTWRITEBYTECODE: '1',
    BACKPROP_NINJA: `${process.execPath} ${MAIN}`,
    // One thread: the tests run side by side.
    OMP_NUM_THREADS: '1',
    ...env,
  };
  return start(python, [put(directory, 'script.py', script), ...args], { cwd: directory, env: surroundings }).ended;
}

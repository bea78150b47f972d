/** The programs that are compared: how they are started, their versions, and what to install if they are missing. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from '../../test/support/inProject.js';
import { type Command, LeftOut, lastLine } from './peer.js';
import type { Size } from './problem.js';

/** Names of the peers, ours first. */
export const PEER_NAMES = ['ours', 'c', 'torch', 'jax-js', 'tfjs', 'tfjs-cpu'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** Files that other programs can take the place of, and options of the peers. */
export interface Programs {
  python: string;
  c: string;
  torch: string;
  torchMode: string;
  /** For compiled programs. */
  directory: string;
}

interface Program {
  label: string;
  /** Whether it can use several threads. */
  threaded: boolean;
  /** @throws LeftOut if it is not installed */
  version(programs: Programs): string;
  /** @throws LeftOut if it cannot be built */
  command(programs: Programs, problem: string, size: Size, threads: number): Command;
}

const GCC_FLAGS = ['-O3', '-march=native', '-ffast-math', '-pthread'];

const tfjs = (backend: 'wasm' | 'cpu'): Program => ({
  label: backend === 'wasm' ? 'tfjs' : 'tfjs, cpu backend',
  threaded: false,
  version: () => `tfjs ${packageVersion('@tensorflow/tfjs')}`,
  command: (_, problem) => ({ file: process.execPath, args: [inProject('bench/peers/tfjs.js'), problem, backend] }),
});

export const PROGRAMS: Record<PeerName, Program> = {
  ours: {
    label: 'ours',
    threaded: true,
    version: () => `Node ${process.versions.node}`,
    command: (_, problem, _size, threads) => ({ file: process.execPath, args: [inProject('bench/peers/ours.js'), problem, `${threads}`] }),
  },
  c: {
    label: 'C',
    threaded: true,
    version: () => `gcc ${output('gcc', ['-dumpfullversion'], 'install gcc and libc6-dev')} with ${GCC_FLAGS.join(' ')}`,
    command: ({ c, directory }, problem, [H, n], threads) => {
      const file = join(directory, `step-${H}-${n}-${threads}`);
      output('gcc', [...GCC_FLAGS, `-DH=${H}`, `-DB=${n}`, `-DTHREADS=${threads}`, c, '-o', file, '-lm'], 'install gcc and libc6-dev');
      return { file, args: [problem] };
    },
  },
  torch: {
    label: 'PyTorch',
    threaded: true,
    version: ({ python }) =>
      `PyTorch ${output(python, ['-c', 'import torch; print(torch.__version__)'], 'install python3-torch and libopenblas0-pthread')}`,
    command: ({ python, torch, torchMode }, problem, _, threads) => ({
      file: python,
      args: [torch, problem, `${threads}`, torchMode],
      // torch.set_num_threads does not govern OpenBLAS.
      env: { OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` },
    }),
  },
  'jax-js': {
    label: 'jax-js',
    threaded: false,
    version: () => `jax-js ${packageVersion('@jax-js/jax')}`,
    command: (_, problem) => ({ file: process.execPath, args: [inProject('bench/peers/jaxJs.js'), problem] }),
  },
  tfjs: tfjs('wasm'),
  'tfjs-cpu': tfjs('cpu'),
};

/** What a program prints. */
function output(file: string, args: readonly string[], hint: string): string {
  try {
    return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    throw new LeftOut(`${code === 'ENOENT' ? `${file} is not installed` : lastLine(stderr ?? `${error}`)} (Debian: ${hint})`);
  }
}

function packageVersion(name: string): string {
  const path = inProject(`bench/node_modules/${name}/package.json`);
  if (!existsSync(path)) throw new LeftOut('its package is not installed (cd bench && npm ci --ignore-scripts)');
  return JSON.parse(readFileSync(path, 'utf8')).version;
}

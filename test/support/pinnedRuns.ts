/** Runs whose bytes are recorded. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from './fakeIO.js';
import { tempDirectory } from './tempDirectory.js';

const STEPS = ['--steps', '2000', '--eval-every', '500', '--diagnose-every', '400'];
const ADAMW = ['--optimizer', 'adamw', '--lr', '0.004', '--schedule', 'cosine', '--warmup', '300', '--clip', '0.5', '--sampling', 'epochs'];

function sha256(...parts: (string | Uint8Array)[]): string {
  return parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
}

/** The hash of a checkpoint without the version of the program that wrote it. */
function hashWithoutVersion(file: Buffer): string {
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, dataStart));
  const metadata = { ...header.__metadata__, program: 'backprop-ninja', sha256: '' };
  return sha256(JSON.stringify({ ...header, __metadata__: metadata }), file.subarray(dataStart));
}

interface PinnedRun {
  name: string;
  options: readonly string[];
  /** Hashes of the two checkpoints, of the metrics without the diagnoses, and of the diagnoses. */
  checkpoint: string;
  metrics: string;
  diagnostics: string;
}

export const PINNED_RUNS: readonly PinnedRun[] = [
  {
    name: "the lesson's recipe",
    options: [],
    checkpoint: '2e73d69303f9f45c3009c709d40c1ad69828a1133b3d36b732694cd4d9f7721e',
    metrics: '3058bc11c97dacf9b742e3eae25f54e747d52e55a48c823a4a1b117b131551a7',
    diagnostics: 'f1bd2d27f5609a184d1d9fa6c480efb8d0ee23306acfa78506b99e8705b105c2',
  },
  {
    name: 'AdamW in epochs',
    options: ['--hidden', '32', '--batch-size', '1000', ...ADAMW],
    checkpoint: '01bc00bd0dc26ffedc07307b523ca4815ce01b2c214fe491ca47b481c58739be',
    metrics: 'c84b638fcbfe86332846a2bdb57f2e28cd06c554514f1df31ca19ba3851c8e80',
    diagnostics: '75c1818e07edad710f809a8768e77ac839cd582b257c76aacf051d1bf96fc913',
  },
];
/** It takes as long as both of those together. */
export const PINNED_BLOCKS: PinnedRun = {
  name: 'three blocks',
  options: ['--hidden', '60,40,20'],
  checkpoint: 'fe159b66e370d732c104b55149361717a38b8c1a2dbaace8ba77efb4506a618b',
  metrics: '6301215fcb8286b7a3d0e732e584ed9bc2564ce09749f380301f9a2938965fc7',
  diagnostics: 'b0d4bc62e282f81dc58e837c50be99707854eddaefbc6c8b78a8cd450b87db8c',
};

/** Trains it again, and compares the bytes. */
export async function expectPinned({ options, checkpoint, metrics, diagnostics }: PinnedRun): Promise<void> {
  const cwd = tempDirectory();
  const { exitCode } = await runCli(cwd, ['train', ...STEPS, ...options, '--out', 'run']);
  expect(exitCode).toBe(0);
  const read = (name: string) => readFileSync(join(cwd, 'run', name));
  const hashes = [hashWithoutVersion(read('checkpoint.safetensors')), hashWithoutVersion(read('best.safetensors'))];
  expect(hashes).toEqual([checkpoint, checkpoint]);
  const lines = read('metrics.jsonl')
    .toString()
    .split(/(?<=\n)/);
  const [diagnoses, others] = [true, false].map((is) => lines.filter((line) => line.includes('"diagnostics"') === is));
  expect(diagnoses).toHaveLength(6);
  expect([sha256(...others), sha256(...diagnoses)]).toEqual([metrics, diagnostics]);
}

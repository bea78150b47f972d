import { resolve } from 'node:path';
import { FileContentError } from '../../core/errors.js';
import { flag, text, wholeNumber } from '../../core/kinds.js';
import { readRunFile } from '../../node/runDirectory.js';
import type { CommandContext } from '../command.js';
import type { IO } from '../terminal/io.js';

export const EXPORT_OPTIONS = [
  {
    key: 'to',
    flag: '--to <file>',
    description: 'write the network: .onnx, .npz, .safetensors or .json',
    kind: text,
  },
  {
    key: 'split',
    flag: '--split <dir>',
    description: 'write the names of each part, as train.txt, val.txt and test.txt',
    kind: text,
  },
  {
    key: 'trace',
    flag: '--trace <K>',
    description: "repeat the run's first K steps, and write their batches, losses and parameters to the .safetensors file of --to",
    kind: wholeNumber(1, 1_000_000_000),
  },
  {
    key: 'data',
    flag: '--data <file>',
    description: 'data set, for --split, --trace and a run that was stopped',
    defaultText: "the run's own",
    kind: text,
  },
  { key: 'force', flag: '--force', description: 'replace files that exist', kind: flag },
] as const;

/** What the parts of the command get. */
export type ExportContext = CommandContext<(typeof EXPORT_OPTIONS)[number]>;

/** The files of a run that no export may overwrite: its checkpoint, and its data set if run.json can be read. */
export function inputsOf(checkpoint: string, data: string | undefined, { cwd }: IO): string[] {
  if (data !== undefined) return [checkpoint, resolve(cwd, data)];
  try {
    const own = readRunFile(checkpoint)?.data.path;
    return own === undefined ? [checkpoint] : [checkpoint, own];
  } catch (error) {
    if (error instanceof FileContentError) return [checkpoint];
    throw error;
  }
}

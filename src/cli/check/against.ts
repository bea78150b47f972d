/** grad-check --against: the gradients in a file. */
import { resolve } from 'node:path';
import { namingFile, UsageError } from '../../core/errors.js';
import { checkAgainst } from '../../dojo/against/checkAgainst.js';
import { readSafetensorsFile } from '../../node/safetensorsFile.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { reportLines } from './againstReport.js';

/** @returns the exit code: 0 if every tensor of the file is known and right */
export async function checkFile(
  file: string,
  { io, json, given, paint, printJson }: Pick<CommandContext, 'io' | 'json' | 'paint' | 'printJson'> & { given: object },
): Promise<number> {
  const unused = (['part', 'eps', 'tolerance', 'entries', 'seed'] as const).find((option) => option in given);
  if (unused !== undefined) throw new UsageError(`--${unused} cannot be used with --against, which checks every tensor in the file`);
  const content = readSafetensorsFile(resolve(io.cwd, file), file);
  const { ok, ...report } = namingFile(file, () => checkAgainst(content));
  if (json) printJson({ ok, file, ...report });
  else io.stdout.write(`${reportLines({ ok, ...report }, await paint()).join('\n')}\n`);
  return ok ? 0 : EXIT_NO;
}

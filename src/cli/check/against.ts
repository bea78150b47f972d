/** grad-check --against: the gradients in a file. */
import { resolve } from 'node:path';
import { namingFile, UsageError } from '../../core/errors.js';
import { checkAgainst } from '../../dojo/against/checkAgainst.js';
import { readSafetensorsFile } from '../../node/safetensorsFile.js';
import type { CommandContext } from '../command.js';
import { EXIT_NO } from '../terminal/exitCodes.js';
import { widthOf } from '../terminal/format.js';
import { reportHtml, reportJson, reportLines } from './againstReport.js';

interface AgainstOptions {
  /** Absent gradients fail, too. */
  all?: boolean;
  /** The report as an HTML fragment. */
  html?: boolean;
}

type AgainstContext = Pick<CommandContext, 'io' | 'json' | 'paint' | 'printJson'> & { given: object };

/** @returns the exit code: 0 if every tensor of the file is known and right, and with `all` none is absent */
export async function checkFile(file: string, { all = false, html }: AgainstOptions, context: AgainstContext): Promise<number> {
  const { io, json, given, paint, printJson } = context;
  const unused = (['part', 'eps', 'tolerance', 'entries', 'seed'] as const).find((option) => option in given);
  if (unused !== undefined) throw new UsageError(`--${unused} cannot be used with --against, which checks every tensor in the file`);
  if (html && json) throw new UsageError('--html cannot be used with --json: choose one of them');
  const content = readSafetensorsFile(resolve(io.cwd, file), file);
  const { ok, ...report } = namingFile(file, () => checkAgainst(content, { all }));
  if (json) printJson({ ok, file, ...reportJson({ ok, ...report }) });
  else if (html) io.stdout.write(`${reportHtml({ ok, ...report })}\n`);
  else io.stdout.write(`${reportLines({ ok, ...report }, await paint(), widthOf(io.stdout)).join('\n')}\n`);
  return ok ? 0 : EXIT_NO;
}

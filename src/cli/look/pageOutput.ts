/** An HTML file that a command writes and opens. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../../core/errors.js';
import { shellWord, showPath, showText } from '../../core/text.js';
import { checkOutput, type OutputOptions } from '../../node/outputFile.js';
import type { CommandContext } from '../command.js';
import { openInBrowser } from '../terminal/browser.js';
import type { IO } from '../terminal/io.js';

/** Checks the file of --out. Returns its path. @throws UsageError unless a browser would show it as a page */
export function checkPage(out: string, { force, inputs }: Pick<OutputOptions, 'force' | 'inputs'>, { cwd }: IO): string {
  const file = resolve(cwd, out);
  checkOutput(file, { option: '--out', force, inputs });
  if (/\.html?$/i.test(file)) return file;
  throw new UsageError(`--out ${showPath(out)} does not end with .html: a browser would not show it as a page`, {
    hint: `did you mean --out ${shellWord(`${out}.html`, 'file')}?`,
  });
}

/** Opens a file in the browser, unless it is only named, and prints its path. */
export async function showPage(
  file: string,
  { open, json }: { open: boolean; json: boolean },
  { io, printJson }: Pick<CommandContext, 'io' | 'printJson'>,
): Promise<void> {
  const reason = open ? await openInBrowser(file, io) : undefined;
  const opened = open && reason === undefined;
  if (json) {
    printJson({ file, url: pathToFileURL(file).href, opened });
    return;
  }
  if (opened) io.stderr.write('Opening in your browser:\n');
  if (reason !== undefined) io.stderr.write(`No browser was found: ${reason}. Open this file in one, here or on another machine:\n`);
  io.stdout.write(`${showText(file)}\n`);
}

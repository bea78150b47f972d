/** The page's file: the packaged one, and copies of it. */
import { SystemError } from '../core/errors.js';
import { isPage } from '../run/pageData.js';
import { PAGE } from './paths.js';
import { readIfThere } from './readFile.js';

/** A page with the data of a run may be large. */
const LIMIT = 2 ** 28;

/** The text of the packaged page. @throws SystemError if the page was not built */
export function readPage(): string {
  const text = readIfThere(PAGE, LIMIT)?.toString('utf8');
  if (text === undefined) throw new SystemError('dist/page.html is missing', { hint: 'run: npm run build' });
  return text;
}

/** Whether a file is the page, empty or with a run. */
export function isPageFile(path: string): boolean {
  return isPage(readIfThere(path, LIMIT)?.toString('utf8') ?? '');
}

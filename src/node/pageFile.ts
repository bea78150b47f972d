/** The files of the page and of the report: the packaged ones, and copies of them. */
import { SystemError } from '../core/errors.js';
import { isPage } from '../run/pageData.js';
import { isReport } from '../run/reportData.js';
import { PAGE, REPORT } from './paths.js';
import { readIfThere } from './readFile.js';

/** A page with the data of a run may be large. */
const LIMIT = 2 ** 28;

/** The text of the packaged page. @throws SystemError if the page was not built */
export function readPage(): string {
  return readBuilt(PAGE, 'dist/page.html');
}

/** The text of the packaged report, without runs. @throws SystemError if it was not built */
export function readReport(): string {
  return readBuilt(REPORT, 'dist/report.html');
}

function readBuilt(path: string, name: string): string {
  const text = readIfThere(path, LIMIT)?.toString('utf8');
  if (text === undefined) throw new SystemError(`${name} is missing`, { hint: 'run: npm run build' });
  return text;
}

/** Whether a file is the page, empty or with a run. */
export function isPageFile(path: string): boolean {
  return isPage(readIfThere(path, LIMIT)?.toString('utf8') ?? '');
}

/** Whether a file is a report, empty or with runs. */
export function isReportFile(path: string): boolean {
  return isReport(readIfThere(path, LIMIT)?.toString('utf8') ?? '');
}

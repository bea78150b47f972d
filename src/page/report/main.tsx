/** Starts what moves in a report. Its main result is HTML already: see src/run/reportSummary.ts. */
import { render } from 'preact';
import { readReportData } from '../../run/reportData.js';
import { Report } from './Report.js';

const data = readReportData(document.getElementById('report-data')?.textContent ?? 'null');
if (data) render(<Report data={data} />, document.getElementById('app') as HTMLElement);

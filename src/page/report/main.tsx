/** Starts what moves in a report. Its main result is HTML already: see src/run/reportSummary.ts. */
import { type ComponentChild, render } from 'preact';
import { FileContentError } from '../../core/errors.js';
import { type ReportData, readReportData } from '../../run/reportData.js';
import { ComparedCurves } from './ComparedCurves.js';
import { reloadAgain } from './live.js';
import { Report } from './Report.js';
import { RunCurves } from './RunCurves.js';
import { SweepPlots } from './SweepPlots.js';

const app = document.getElementById('app') as HTMLElement;
try {
  const data = readReportData(document.getElementById('report-data')?.textContent ?? 'null');
  if (data) start(data);
} catch (error) {
  if (!(error instanceof FileContentError)) throw error;
  render(
    <p class="wrong" role="alert">
      {error.message}: {error.hint}.
    </p>,
    app,
  );
}
document.body.dataset.ready = '';

function start({ runs, sweep, live }: ReportData): void {
  const [run, ...others] = runs;
  if (sweep) appendTo(document.getElementById('options'), <SweepPlots sweep={sweep} />);
  if (sweep || others.length > 0) inPlaceOfCurves(<ComparedCurves runs={runs} />, 'Loss by step');
  else if (run) {
    inPlaceOfCurves(<RunCurves run={run} />);
    render(<Report run={run} />, app);
  }
  if (live) reloadAgain();
}

/** The drawn curves make room for those with a readout. */
function inPlaceOfCurves(content: ComponentChild, title?: string): void {
  const figure = document.getElementById('curves');
  const drawings = figure?.querySelectorAll('.plot, .report-key') ?? [];
  if (drawings.length === 0) return;
  for (const drawing of drawings) drawing.remove();
  const heading = figure?.querySelector('h2');
  if (heading && title !== undefined) heading.textContent = title;
  appendTo(figure, content);
}

/** Renders at the end of an element. */
function appendTo(element: HTMLElement | null, content: ComponentChild): void {
  const place = document.createElement('div');
  element?.append(place);
  render(content, place);
}

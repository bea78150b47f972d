import type { ReportData } from '../../run/reportData.js';
import { DiagnosticsPlots } from '../training/DiagnosticsPlots.js';

/** What of a report needs a script. */
export function Report({ data }: { data: ReportData }) {
  const [run] = data.runs;
  return (
    <>
      {data.live && <p class="waiting">This run is being trained. The report is written again at each evaluation.</p>}
      {run && data.runs.length === 1 && (
        <section class="report-part">
          <h2>From inside</h2>
          <DiagnosticsPlots records={run.diagnostics} />
        </section>
      )}
    </>
  );
}

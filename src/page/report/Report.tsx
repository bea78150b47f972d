import type { ReportData } from '../../run/reportData.js';

/** What of a report needs a script. */
export function Report({ data }: { data: ReportData }) {
  return data.live ? <p class="waiting">This run is being trained. The report is written again at each evaluation.</p> : null;
}

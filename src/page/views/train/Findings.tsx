/** What doctor says of the run so far. */
import { FindingList } from '../../training/FindingList.js';
import { course } from './live.js';

export function Findings() {
  const { findings, diagnostics } = course.value;
  if (diagnostics.length === 0 && findings.length === 0) return null;
  return (
    <section class="train-findings" aria-labelledby="train-findings">
      <h3 id="train-findings">What doctor says</h3>
      <FindingList findings={findings} />
    </section>
  );
}

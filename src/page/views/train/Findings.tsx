/** What doctor says of the run so far. */
import { FindingList } from '../../training/FindingList.js';
import { diagnosed, found } from './live.js';

export function Findings() {
  if (diagnosed.value.length === 0 && found.value.length === 0) return null;
  return (
    <section class="train-findings" aria-labelledby="train-findings">
      <h3 id="train-findings">
        Findings <span class="waiting">by the rules of doctor</span>
      </h3>
      <FindingList findings={found.value} />
    </section>
  );
}

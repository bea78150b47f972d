/** What the network looks like from inside, as it trains. */
import { DiagnosticsPlots } from '../../training/DiagnosticsPlots.js';
import { course } from './live.js';

export function Inside() {
  const { diagnostics } = course.value;
  if (diagnostics.length === 0) return null;
  return (
    <section class="train-inside" aria-labelledby="train-inside">
      <h3 id="train-inside">Inside the network</h3>
      <DiagnosticsPlots records={diagnostics} />
    </section>
  );
}

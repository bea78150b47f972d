/** What the network looks like from inside, as it trains. */
import { DiagnosticsPlots } from '../../training/DiagnosticsPlots.js';
import { diagnosed } from './live.js';

export function Inside() {
  if (diagnosed.value.length === 0) return null;
  return (
    <section class="train-inside" aria-labelledby="train-inside">
      <h3 id="train-inside">Inside the network</h3>
      <DiagnosticsPlots records={diagnosed.value} />
    </section>
  );
}

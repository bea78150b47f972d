/** What gradient checks say of the mistake: those of other projects, and ours. */
import { CHECK_TEXT, CHECKS } from '../../../dojo/killMatrix.js';
import { mutant, verdicts } from './mistake.js';

const NAMING = { right: 'names it', none: 'notices it', wrong: 'gives it another name' } as const;

export function Verdicts() {
  const known = verdicts.value?.name === mutant.value.name ? verdicts.value : undefined;
  return (
    <section class="mistakes-verdicts" aria-labelledby="mistakes-verdicts">
      <h3 id="mistakes-verdicts">Who notices it?</h3>
      <table aria-busy={known === undefined} data-mistake={known?.name}>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">What it compares</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {CHECKS.map((check) => (
            <tr key={check} data-check={check}>
              <th scope="row">{check}</th>
              <td>{CHECK_TEXT[check]}</td>
              <td class={known && (known.noticedBy[check] ? 'right' : 'wrong')}>
                {known ? (known.noticedBy[check] ? '✓ notices it' : '✗ misses it') : 'checking …'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="mistakes-said" role="status">
        {known && (known.noticedBy.dojo ? `The dojo ${NAMING[known.naming]}: ${known.said}.` : 'The dojo sees nothing wrong.')}
      </p>
    </section>
  );
}

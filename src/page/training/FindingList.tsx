/** The findings on a network, worst first: what was seen, what it means, which option to turn, and where the rule comes from. */
import { capitalised } from '../../core/text.js';
import type { Finding } from '../../run/findings/finding.js';
import { limitText, placeText } from '../../run/findings/findingTexts.js';

export function FindingList({ findings }: { findings: readonly Finding[] }) {
  if (findings.length === 0) return <p class="findings-none">✓ Nothing is wrong, as far as the rules see.</p>;
  return (
    <ol class="findings">
      {findings.map((finding) => {
        const { id, option, text, source } = finding;
        const place = placeText(finding);
        return (
          <li key={id} data-finding={id}>
            <p>
              <span class="wrong">✗</span> {capitalised(text)}.
            </p>
            <p class="findings-more">
              {option !== null && (
                <>
                  Option: <code>{option}</code>.{' '}
                </>
              )}
              {place !== '' && `${capitalised(place)}: `}
              {limitText(finding)}. Rule: {source}.
            </p>
          </li>
        );
      })}
    </ol>
  );
}

/** Why an entry has its value: its formula, the same with numbers, and the terms, each of whose factors leads on. */
import { useState } from 'preact/hooks';
import { entryText, isTensorName } from '../../../lesson/entry.js';
import type { Explanation, Factor, Term } from '../../../lesson/why.js';
import { largestFinite, placeOn } from '../../parts/colors.js';
import { showNumber } from '../../parts/numbers.js';
import { type Entry, explanation, followTo, pointedTerm } from './inspected.js';

/** Terms that are shown at first. */
const FIRST = 8;

export function Why({ entry }: { entry: Entry }) {
  const found = explanation.value;
  // The answer is here a few milliseconds after the entry.
  const current = found && found.name === entry.name && found.at.join() === entry.at.join() ? found : undefined;
  return (
    <section class="why" aria-labelledby="why-title">
      <h3 id="why-title">Why?</h3>
      {current && <Answer key={entryText(current.name, current.at)} found={current} />}
    </section>
  );
}

function Answer({ found: { name, at, value, formula, where, terms } }: { found: Explanation }) {
  const [all, setAll] = useState(false);
  const shown = all || terms.length <= FIRST + 1 ? terms : terms.slice(0, FIRST);
  const others = terms.slice(shown.length);
  const most = largestFinite(terms.map((term) => term.value));
  return (
    <>
      <p class="why-formula">{formula}</p>
      {where !== '' && <p class="why-where">{where}.</p>}
      {terms.flatMap(({ factors }) => factors).length > 1 && <p class="why-numbers">{inNumbers(entryText(name, at), value, terms)}</p>}
      {terms.length > 0 && (
        <ol class="terms" onPointerLeave={() => (pointedTerm.value = undefined)}>
          {shown.map((term) => (
            <TermRow key={term.factors.map(({ text }) => text).join('·')} term={term} most={most} />
          ))}
          {others.length > 0 && (
            <li class="term-others">
              <span>The sum of the other {others.length}</span>
              <span class="number">{showNumber(others.reduce((sum, term) => sum + term.value, 0))}</span>
            </li>
          )}
        </ol>
      )}
      {terms.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {terms.length}
        </button>
      )}
    </>
  );
}

/** dh[3,17] = −0.03086 · 0.1169 + 0.001864 · (−0.2547) + … = −0.004380 */
function inNumbers(text: string, value: number, terms: readonly Term[]): string {
  const products = terms.slice(0, 2).map(({ factors }, k) => {
    const product = productText(factors);
    return k === 0 ? product : product.startsWith('−') ? ` − ${product.slice(1)}` : ` + ${product}`;
  });
  return `${text} = ${products.join('')}${terms.length > 2 ? ' + …' : ''} = ${showNumber(value)}`;
}

/** A product in numbers; a negative one is in brackets unless it comes first. */
function productText(factors: readonly Factor[]): string {
  return factors
    .map(({ name, value }, k) => {
      const shown = !isTensorName(name) && Number.isInteger(value) ? String(value).replace('-', '−') : showNumber(value);
      return k > 0 && shown.startsWith('−') ? `(${shown})` : shown;
    })
    .join(' · ');
}

/** @param most the largest magnitude of a term, whose bar has the full length */
function TermRow({ term, most }: { term: Term; most: number }) {
  const share = Math.abs(placeOn(term.value, { most, log: false }));
  const point = () => {
    pointedTerm.value = term;
  };
  return (
    <li class="term" onPointerEnter={point} onFocusIn={point} onFocusOut={() => (pointedTerm.value = undefined)}>
      <span class="term-factors">
        {term.factors.map((factor, k) => (
          <span key={factor.text}>
            {k > 0 && ' · '}
            <FactorText factor={factor} />
          </span>
        ))}
        {term.through === 'loss' && <FromLoss />}
      </span>
      <span class="number term-value">{showNumber(term.value)}</span>
      <span class="term-numbers">{term.factors.length > 1 && productText(term.factors)}</span>
      <span class="term-bar" aria-hidden="true">
        <span data-sign={term.value < 0 ? 'negative' : 'positive'} style={{ width: `${50 * (Number.isFinite(share) ? share : 1)}%` }} />
      </span>
    </li>
  );
}

/** A factor; an entry of a tensor leads there. */
function FactorText({ factor: { name, at, text } }: { factor: Factor }) {
  if (!isTensorName(name)) return <>{text}</>;
  return (
    <button type="button" class="entry-link" onClick={() => followTo({ name, at })}>
      {text}
    </button>
  );
}

/** Where the gradients begin: the loss. */
function FromLoss() {
  return (
    <>
      {' from the '}
      <button type="button" class="entry-link" onClick={() => followTo({ name: 'loss', at: [] })}>
        loss
      </button>
    </>
  );
}

/** Why an entry has its value: its formula, the same with numbers, and the terms, each of whose factors leads on. */
import { useState } from 'preact/hooks';
import { termMeanings } from '../../../dojo/entryMeaning.js';
import { entryText, isTensorName } from '../../../lesson/entry.js';
import type { Explanation, Factor, Term } from '../../../lesson/why.js';
import { isPlain, largestTerms, restText, termText } from '../../../lesson/whyText.js';
import type { PassData } from '../../engine/pass.js';
import { largestFinite, placeOn } from '../../parts/colors.js';
import { showNumber, withMinus } from '../../parts/numbers.js';
import { explanation, followTo, namedBatch, pointedTerm } from './inspected.js';

export function Why() {
  const answer = explanation.value;
  return (
    <section class="why" aria-labelledby="why-title">
      <h3 id="why-title">Why?</h3>
      {answer && (
        <div aria-busy={!answer.isCurrent}>
          <Explained key={entryText(answer.result.name, answer.result.at)} found={answer.result} data={answer.about.data} />
        </div>
      )}
    </section>
  );
}

function Explained({ found: { name, at, value, formula, numbers, where, terms }, data }: { found: Explanation; data: PassData }) {
  const [all, setAll] = useState(false);
  const largest = largestTerms(terms);
  const shown = all ? terms : largest;
  const most = largestFinite(terms.map((term) => term.value));
  const meanings = termMeanings(terms, namedBatch(data));
  return (
    <>
      <p class="why-formula">{withMinus(formula)}</p>
      {!isPlain(terms) && <p class="why-numbers">{`${entryText(name, at)} = ${withMinus(numbers)} = ${showNumber(value)}`}</p>}
      {where !== '' && <p class="why-where">{where}.</p>}
      {terms.length > 0 && (
        <ol class="terms" onPointerLeave={() => (pointedTerm.value = undefined)}>
          {shown.map((term, k) => (
            <TermRow key={term.factors.map(({ text }) => text).join('·')} term={term} meaning={meanings[k] as string} most={most} />
          ))}
          {terms.length > shown.length && <li class="term-others">{withMinus(restText(terms.slice(shown.length)))}</li>}
        </ol>
      )}
      {terms.length > largest.length && (
        <button type="button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show the largest' : `Show all ${terms.length}`}
        </button>
      )}
    </>
  );
}

/** @param most the largest magnitude of a term, whose bar has the full length */
function TermRow({ term, meaning, most }: { term: Term; meaning: string; most: number }) {
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
      <span class="term-numbers">
        {!isPlain([term]) && withMinus(termText(term))} {meaning !== '' && <span class="term-meaning">{meaning}</span>}
      </span>
      <span class="term-bar" aria-hidden="true">
        <span data-sign={term.value < 0 ? 'negative' : 'positive'} style={{ width: `${50 * (Number.isFinite(share) ? share : 1)}%` }} />
      </span>
    </li>
  );
}

/** A factor; an entry of a tensor leads there. */
function FactorText({ factor: { name, at, text } }: { factor: Factor }) {
  if (!isTensorName(name)) return <>{withMinus(text)}</>;
  return (
    <button type="button" class="entry-link" onClick={() => followTo({ name, at })}>
      {withMinus(text)}
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

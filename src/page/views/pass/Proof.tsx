/** The proof of an entry: moved by ±ε, what the loss does, beside what the backward pass says; and how far that depends on ε. */
import { entryText } from '../../../lesson/entry.js';
import { valueNamed } from '../../../lesson/values.js';
import type { Nudged } from '../../engine/proof.js';
import { showNumber } from '../../parts/numbers.js';
import { set, state } from '../../state.js';
import { ErrorChart } from './ErrorChart.js';
import { type Answer, curves, type Entry, nudged } from './inspected.js';
import { besideEachOther, curveText, EPSILONS, placeOfEps, showEps } from './proofTexts.js';
import { isGradient } from './steps.js';

export function Proof({ entry: { name, at } }: { entry: Entry }) {
  const { eps } = state.value;
  if (name === 'loss') return null;
  const value = isGradient(name) ? valueNamed(name) : name;
  const text = entryText(value, at);
  return (
    <section class="proof" aria-labelledby="proof-title">
      <h3 id="proof-title">Nudge it</h3>
      <p class="proof-text">
        {text} alone moves by ±ε, and the loss is computed again. ε is <b class="number">{showEps(eps)}</b>.
      </p>
      {nudged.value && (
        <div aria-busy={!nudged.value.isCurrent}>
          <Losses text={text} found={nudged.value.result.float64} />
          <Agreement found={nudged.value.result} />
        </div>
      )}
      <figure class="error-chart">
        <figcaption>
          Error of the quotient by ε, in <b class="key-float64">float64</b> and <b class="key-float32">float32</b>
        </figcaption>
        <ErrorChart curves={currentOf(curves.value)} nudged={currentOf(nudged.value)} eps={eps} />
        <input
          type="range"
          class="eps"
          min={0}
          max={EPSILONS.length - 1}
          value={placeOfEps(eps)}
          aria-label={`ε, by which ${text} is moved`}
          aria-valuetext={showEps(eps)}
          onInput={(event) => set({ eps: EPSILONS[Number(event.currentTarget.value)] as number })}
        />
      </figure>
      {curves.value && (
        <div aria-busy={!curves.value.isCurrent}>
          <p class="proof-text">{curveText(curves.value.result.float64)}</p>
          <p class="proof-text">{curveText(curves.value.result.float32)}</p>
        </div>
      )}
    </section>
  );
}

function currentOf<R>(answer: Answer<unknown, R> | undefined): R | undefined {
  return answer?.isCurrent ? answer.result : undefined;
}

/** The loss on both sides and in the middle. */
function Losses({ text, found }: { text: string; found: Nudged['float64'] }) {
  const rows = [
    [`${text} + ε`, found.plus],
    ['as it is', found.loss],
    [`${text} − ε`, found.minus],
  ] as const;
  return (
    <table class="losses">
      <caption>Loss in nats</caption>
      <tbody>
        {rows.map(([what, loss]) => (
          <tr key={what}>
            <th scope="row">{what}</th>
            <td>{Number.isFinite(loss) ? loss.toFixed(14) : showNumber(loss)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The quotients beside the gradient; the digits that agree are underlined and counted. */
function Agreement({ found }: { found: Nudged }) {
  const { gradient } = found.float64;
  const [wide, narrow] = [besideEachOther(gradient, found.float64.quotient), besideEachOther(gradient, found.float32.quotient)];
  return (
    <>
      <table class="agreement">
        <caption>(loss at +ε − loss at −ε) / 2ε</caption>
        <tbody>
          <tr>
            <th scope="row">gradient</th>
            <td>{wide.texts[0]}</td>
            <td />
          </tr>
          <Quotient what="in float64" {...wide} />
          <Quotient what="in float32" {...narrow} />
        </tbody>
      </table>
      {found.float64.relativeTo === 'one' && <p class="proof-text">The gradient is 0 except for rounding, so no digits can agree.</p>}
    </>
  );
}

function Quotient({ what, texts: [, text], same, digits }: { what: string } & ReturnType<typeof besideEachOther>) {
  return (
    <tr>
      <th scope="row">{what}</th>
      <td>
        <u>{text.slice(0, same)}</u>
        {text.slice(same)}
      </td>
      <td class="digits">{digits === 1 ? '1 digit' : `${digits} digits`}</td>
    </tr>
  );
}

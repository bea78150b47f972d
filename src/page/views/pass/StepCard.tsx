/** One step: its lines, what reads what, and its equation as heat maps. */

import { useLayoutEffect } from 'preact/hooks';
import type { TensorName } from '../../../lesson/entry.js';
import type { PassData } from '../../engine/pass.js';
import { showSizes } from '../../parts/numbers.js';
import { PASS_STEPS } from '../../properties.js';
import { set, state } from '../../state.js';
import { ClosedForm } from './ClosedForm.js';
import { Equation } from './Equation.js';
import { jumpTo } from './jump.js';
import { Names } from './Names.js';
import { pointed, Readout } from './Readout.js';
import { moveStep } from './StepKeys.js';
import type { StepPicture } from './stepPicture.js';
import {
  closedFormOf,
  closedLinesOf,
  inputsOf,
  isGradient,
  lettersOf,
  linesOf,
  placeOf,
  readersOf,
  stepsOf,
  valueBehind,
} from './steps.js';

interface StepCardProps {
  data: PassData;
  picture: StepPicture;
  most: number | undefined;
}

export function StepCard({ data, picture, most }: StepCardProps) {
  const { step } = state.value;
  // The map under the mouse is gone.
  useLayoutEffect(() => {
    pointed.value = undefined;
  }, [picture]);
  const name = picture.closed?.name ?? step;
  const { forward, gradient } = picture.closed ? closedLinesOf(picture.closed.name) : linesOf(step);
  return (
    <section class="step" aria-labelledby="step-title">
      <StepHead name={name} data={data} />
      {step === PASS_STEPS[0] && (
        <p class="step-intro">
          One training step on {data.source.n} examples: in each, some characters of a name and the one that follows. The values go forward
          to the loss; then the gradients come back, line by line. Next or <kbd>]</kbd> shows the next step, <kbd>[</kbd> the previous one.
        </p>
      )}
      <div class="step-lines">
        <p>
          {forward.map((line) => (
            <code key={line} class={gradient ? 'line line-forward' : 'line line-main'}>
              {line}
            </code>
          ))}
        </p>
        {closedFormOf(step) && <FormSwitch />}
        {gradient && <code class="line line-main">{gradient.formula}</code>}
      </div>
      <Equation items={picture.items} most={most} label={`Equation of ${name}`} height={370} />
      <Readout data={data} />
      {gradient && <p class="step-rule">{gradient.rule}</p>}
      {picture.closed ? <ClosedForm closed={picture.closed} /> : <Neighbours step={step} />}
      {gradient && <pre class="code-block">{gradient.code}</pre>}
      <Equation
        items={picture.pair.map((block) => ({ sign: '', block }))}
        most={most}
        label={name === 'loss' ? name : `${valueBehind(step)} and its gradient`}
        height={200}
      />
    </section>
  );
}

function StepHead({ name, data }: { name: TensorName; data: PassData }) {
  const { form } = state.value;
  const steps = stepsOf(form);
  const place = steps.filter((one) => placeOf(one) <= placeOf(name)).length;
  return (
    <div class="step-head">
      <h2 id="step-title">
        {name} <span class="shape">{shapeOf(name, data)}</span>
      </h2>
      <p class="step-place" aria-live="polite">
        Step {place} of {steps.length}, {isGradient(name) ? 'backward' : 'forward'}
      </p>
      <div class="step-buttons">
        <button type="button" aria-keyshortcuts="[" title="Previous step: [" onClick={() => moveStep(-1)} disabled={place <= 1}>
          <span aria-hidden="true">←</span> Previous
        </button>
        <select aria-label="Step" value={name} onChange={(event) => jumpTo(event.currentTarget.value as TensorName)}>
          {steps.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <button type="button" aria-keyshortcuts="]" title="Next step: ]" onClick={() => moveStep(1)} disabled={place === steps.length}>
          Next <span aria-hidden="true">→</span>
        </button>
      </div>
    </div>
  );
}

/** [n,H] = [32,64] */
function shapeOf(name: TensorName, data: PassData): string {
  const letters = lettersOf(name);
  const sizes = showSizes(data.tensors[name].shape);
  return letters.length === 0 ? sizes : `[${letters.join(',')}] = ${sizes}`;
}

/** Line by line, or in one expression. */
function FormSwitch() {
  const { form, step } = state.value;
  const choose = (to: typeof form) =>
    set({ form: to, step: to === 'closed' ? (closedFormOf(step) ?? step) : step, tensor: null, entry: null }, 'push');
  return (
    <fieldset class="form-switch">
      <legend class="unseen">Form of the gradient</legend>
      {(['atomic', 'closed'] as const).map((one) => (
        <label key={one}>
          <input type="radio" name="form" checked={form === one} onChange={() => choose(one)} />
          {one === 'atomic' ? 'Atomic steps' : 'Closed form'}
        </label>
      ))}
    </fieldset>
  );
}

/** What the step reads, and what reads its tensor. */
function Neighbours({ step }: { step: TensorName }) {
  const { forward, backward } = readersOf(step);
  return (
    <dl class="neighbours">
      <Names title="Reads" names={inputsOf(step)} none="the targets Yb" />
      {isGradient(step) ? (
        <Names title="Read by" names={backward} none={`the update of ${valueBehind(step)}`} />
      ) : (
        <>
          <Names title="Read forward by" names={forward} none="nothing: it is the result" />
          <Names title="Read backward by" names={backward} none="no gradient line" />
        </>
      )}
    </dl>
  );
}

/** One step: its line, what it reads, the value and its gradient as heat maps. */

import type { PassData, TensorName } from '../../engine/pass.js';
import { largestFinite } from '../../parts/colors.js';
import { HeatMap } from '../../parts/HeatMap.js';
import { showNumber, showSizes } from '../../parts/numbers.js';
import { PASS_STEPS } from '../../properties.js';
import { set, state } from '../../state.js';
import { moveStep } from './StepKeys.js';
import { forwardFormula, gradientFormula, isGradient, placeOf, valueBehind } from './steps.js';

export function StepCard({ data }: { data: PassData }) {
  const { step } = state.value;
  const place = placeOf(step);
  const backward = isGradient(step);
  const value = valueBehind(step);
  const forward = forwardFormula(value);
  const gradient: TensorName = `d${value}` as TensorName;
  return (
    <section class="step" aria-labelledby="step-title">
      <div class="step-head">
        <h2 id="step-title">
          {step} <span class="shape">{showSizes(data.tensors[step].shape)}</span>
        </h2>
        <p class="step-place">
          Step {place + 1} of {PASS_STEPS.length}, {backward ? 'backward' : 'forward'}
        </p>
        <div class="step-buttons">
          <button type="button" onClick={() => moveStep(-1)} disabled={place === 0}>
            <span aria-hidden="true">←</span> Previous
          </button>
          <button type="button" onClick={() => moveStep(1)} disabled={place === PASS_STEPS.length - 1}>
            Next <span aria-hidden="true">→</span>
          </button>
        </div>
      </div>
      {forward !== undefined && <code class="line">{forward}</code>}
      {backward && <code class="line line-gradient">{gradientFormula(step)}</code>}
      <TensorFigure name={value} data={data} />
      {backward && gradient in data.tensors && <TensorFigure name={gradient} data={data} />}
    </section>
  );
}

function TensorFigure({ name, data }: { name: TensorName; data: PassData }) {
  const { tensor, step, entry, log } = state.value;
  const shown = data.tensors[name];
  const most = largestFinite(shown.data);
  const move = (at: number[]) => set({ tensor: name, entry: at });
  return (
    <figure class="tensor">
      <figcaption>
        <b>{name}</b> <span class="shape">{showSizes(shown.shape)}</span> <span class="range">±{showNumber(most)}</span>
      </figcaption>
      <HeatMap
        name={name}
        tensor={shown}
        scale={{ most, log }}
        cursor={(tensor ?? step) === name ? entry : null}
        onMove={move}
        onPick={move}
      />
    </figure>
  );
}

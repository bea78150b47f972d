/** The whole pass at a glance: a cell per forward line and its gradient, in the order of the forward pass. */
import { STEP_NAMES } from '../../../lesson/values.js';
import type { PassData, TensorName } from '../../engine/pass.js';
import { set, state } from '../../state.js';
import { placeOf } from './steps.js';

export function PassMap({ data }: { data: PassData }) {
  const { step } = state.value;
  const go = (to: TensorName) => set({ step: to, tensor: null, entry: null }, 'push');
  const cell = (name: TensorName) =>
    name in data.tensors && (
      <button
        type="button"
        class="map-cell"
        aria-current={name === step ? 'step' : undefined}
        data-done={placeOf(name) <= placeOf(step) || undefined}
        onClick={() => go(name)}
      >
        {name}
      </button>
    );
  return (
    <nav class="map" aria-label="Steps of the pass">
      {STEP_NAMES.map((name) => (
        <div key={name} class="map-column">
          {cell(name)}
          {cell(`d${name}` as TensorName)}
        </div>
      ))}
    </nav>
  );
}

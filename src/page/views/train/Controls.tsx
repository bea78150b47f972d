/** What to train, and how far: preset, start, pause, single steps, back to the start. */

import { RECIPE_OPTIONS } from '../../../training/options.js';
import { PRESET_NAMES, PRESET_TEXTS, type PresetName } from '../../../training/presets.js';
import { set } from '../../state.js';
import { Checkpoints } from './Checkpoints.js';
import { begin, choice, live, oneStep, opening, type Phase, pause, restart, resume } from './live.js';

const RECIPE_KEYS: readonly string[] = RECIPE_OPTIONS.map(({ key }) => key);

/** Another preset takes the place of the changed options of a recipe; seeds and checks stay. */
function choosePreset(preset: PresetName): void {
  const options = Object.fromEntries(Object.entries(choice.peek().options).filter(([key]) => !RECIPE_KEYS.includes(key)));
  set({ preset, options });
}

export function Controls() {
  const { value: run } = live;
  const phase = opening.value ? 'opening' : run?.phase;
  const isBusy = phase === 'training' || phase === 'opening';
  const canStep = !isBusy && phase !== 'done' && phase !== 'failed';
  const hasWeights = run?.info.config.init !== undefined;
  const canGoBack = run !== undefined && !isBusy && run.step > 0;
  return (
    <div class="train-controls">
      <h2 id="train-title">Train</h2>
      <label>
        Preset
        <select name="preset" value={choice.value.preset} onChange={({ currentTarget }) => choosePreset(currentTarget.value as PresetName)}>
          {PRESET_NAMES.map((name) => (
            <option key={name} value={name}>
              {name}: {PRESET_TEXTS[name]}
            </option>
          ))}
        </select>
      </label>
      <span class="train-buttons">
        <MainButton />
        <button type="button" aria-disabled={!canStep} onClick={() => canStep && oneStep()}>
          One step
        </button>
        <button
          type="button"
          aria-disabled={!canGoBack}
          title={
            hasWeights ? 'It began with the weights of a file, which the page does not have' : 'The same initialisation: step 0 of this run'
          }
          onClick={() => canGoBack && restart()}
        >
          Back to the start
        </button>
      </span>
      <Checkpoints />
    </div>
  );
}

/** One button, so that it keeps the focus. */
function MainButton() {
  const phase = opening.value ? 'opening' : live.value?.phase;
  const [text, act] = mainAction(phase);
  return (
    <button type="button" class="strong" aria-disabled={act === undefined} onClick={() => act?.()}>
      {text}
    </button>
  );
}

function mainAction(phase: Phase | undefined): [text: string, act?: () => unknown] {
  if (phase === 'opening') return ['Preparing …'];
  if (phase === 'training') return ['Pause', pause];
  if (phase === 'paused') return ['Continue', resume];
  return [phase === undefined ? 'Start' : 'Train again', begin];
}

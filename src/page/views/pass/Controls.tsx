/** Which pass is shown, and how its heat maps are coloured. */
import { useRef, useState } from 'preact/hooks';
import { Legend } from '../../parts/Legend.js';
import { expectedOf, type Key, type PageState, readProperty } from '../../properties.js';
import { set, state } from '../../state.js';

type NumberKey = Key & ('seed' | 'batch' | 'n');

/** What somebody typed that is not a value. */
interface Problem {
  key: NumberKey;
  text: string;
  /** What was shown then: it is said until something else is. */
  at: PageState;
}

export function Controls({ most }: { most: number | undefined }) {
  const { batch, sameScale, log } = state.value;
  const [latest, setLatest] = useState<Problem | undefined>(undefined);
  const problem = latest?.at === state.value ? latest : undefined;
  const change = (key: NumberKey, text: string): boolean => {
    const value = readProperty(key, text);
    if (value === undefined) setLatest({ key, text, at: state.value });
    if (value !== undefined) set({ [key]: value }, 'push');
    return value !== undefined;
  };
  return (
    <form class="controls" aria-label="Pass and scale" onSubmit={(event) => event.preventDefault()}>
      <NumberField name="seed" label="Seed" change={change} />
      <span class="controls-group">
        <button type="button" aria-label="Previous batch" disabled={batch === 0} onClick={() => change('batch', String(batch - 1))}>
          ←
        </button>
        <NumberField name="batch" label="Batch" change={change} />
        <button
          type="button"
          aria-label="Next batch"
          disabled={readProperty('batch', String(batch + 1)) === undefined}
          onClick={() => change('batch', String(batch + 1))}
        >
          →
        </button>
      </span>
      <NumberField name="n" label="Examples n" change={change} />
      <Check label="Same scale for all" checked={sameScale} onChange={(checked) => set({ sameScale: checked })} />
      <Check label="Logarithmic scale" checked={log} onChange={(checked) => set({ log: checked })} />
      <Legend most={most} />
      <p class="controls-problem" role="status">
        {problem &&
          `${problem.text === '' ? 'An empty field' : problem.text} is not a ${LABELS[problem.key]}. Type ${expectedOf(problem.key)}.`}
      </p>
    </form>
  );
}

const LABELS: Record<NumberKey, string> = { seed: 'seed', batch: 'number of a batch', n: 'batch size' };

interface NumberFieldProps {
  name: NumberKey;
  label: string;
  change: (key: NumberKey, text: string) => boolean;
}

/** A whole number. It counts when it is complete: on Enter, or when the field is left. */
function NumberField({ name, label, change }: NumberFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const value = state.value[name];
  const commit = () => {
    const element = input.current as HTMLInputElement;
    if (element.value !== String(value) && !change(name, element.value.trim())) element.value = String(value);
  };
  return (
    <label class="controls-number">
      {label}
      <input
        ref={input}
        type="text"
        inputMode="numeric"
        autocomplete="off"
        name={name}
        value={String(value)}
        size={Math.max(3, String(value).length)}
        onChange={commit}
      />
    </label>
  );
}

function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label class="controls-check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

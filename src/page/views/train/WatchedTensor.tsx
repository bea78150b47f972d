/** A tensor of the network as a heat map, while it trains. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../../engine/client.js';
import type { TensorData } from '../../engine/pass.js';
import { largestFinite } from '../../parts/colors.js';
import { TensorFigure } from '../../parts/TensorFigure.js';
import { useWidth } from '../../parts/useWidth.js';
import { set, state } from '../../state.js';
import { live } from './live.js';

/** The tensor is asked for again after this many times what an answer and its picture took. */
const REST = 10;
/** Pixels. */
const HIGHEST = 320;

export function WatchedTensor() {
  const { value: run } = live;
  const names = run?.info.tensors ?? [];
  const name = names.includes(state.value.watch) ? state.value.watch : (names[0] ?? '');
  const tensor = useTensor(name);
  const { element, width } = useWidth<HTMLDivElement>(480);
  return (
    <section class="train-tensor" aria-labelledby="train-tensor">
      <h3 id="train-tensor">A tensor as it trains</h3>
      <label>
        Tensor{' '}
        <select name="watch" value={name} onChange={({ currentTarget }) => set({ watch: currentTarget.value })}>
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <div ref={element} class="train-tensor-map">
        {tensor && (
          <TensorFigure title={name} name={name} tensor={tensor} most={largestFinite(tensor.data)} hasShape room={[width - 4, HIGHEST]} />
        )}
      </div>
    </section>
  );
}

/** The tensor at about the step that is shown. */
function useTensor(name: string): TensorData | null | undefined {
  const [found, setFound] = useState<{ name: string; tensor: TensorData | null } | undefined>(undefined);
  const again = useRef(0);
  const isAsking = useRef(false);
  const run = live.value;
  const step = run?.step;
  const isResting = run?.phase !== 'training';
  useEffect(() => {
    if (name === '' || isAsking.current || (!isResting && performance.now() < again.current && found?.name === name)) return;
    const begun = performance.now();
    isAsking.current = true;
    ask('liveTensor', name).then(
      (tensor) => {
        isAsking.current = false;
        setFound({ name, tensor });
        requestAnimationFrame(() => {
          const now = performance.now();
          again.current = now + REST * (now - begun) - (now - begun);
        });
      },
      () => {
        isAsking.current = false;
      },
    );
  }, [name, step, run?.info, isResting]);
  return found?.name === name ? found.tensor : undefined;
}

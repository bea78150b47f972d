/** A tensor of the network as a heat map, while it trains. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../../engine/client.js';
import type { LiveInfo } from '../../engine/live.js';
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

interface Found {
  name: string;
  info: LiveInfo;
  /** The step that was shown when it was asked for. */
  step: number;
  tensor: TensorData | null;
}

/** The tensor at about the step that is shown, and at that step where the run rests. */
function useTensor(name: string): TensorData | null | undefined {
  const [found, setFound] = useState<Found | undefined>(undefined);
  const again = useRef(0);
  // The run that has not answered yet. One that has been replaced may never answer.
  const asked = useRef<LiveInfo | undefined>(undefined);
  const { info, step = 0, phase } = live.value ?? {};
  const isResting = phase !== 'training';
  useEffect(() => {
    if (!info || name === '' || asked.current === info) return;
    const isOfThis = found?.name === name && found.info === info;
    if (isOfThis && (found.step === step || (!isResting && performance.now() < again.current))) return;
    const begun = performance.now();
    const isLatest = () => asked.current === info;
    asked.current = info;
    ask('liveTensor', name).then(
      (tensor) => {
        if (!isLatest()) return;
        asked.current = undefined;
        setFound({ name, info, step, tensor });
        requestAnimationFrame(() => {
          const now = performance.now();
          again.current = now + REST * (now - begun) - (now - begun);
        });
      },
      () => {
        if (isLatest()) asked.current = undefined;
      },
    );
  }, [name, step, info, isResting, found]);
  return found?.name === name ? found.tensor : undefined;
}

/** A tensor of the pass as a heat map whose entries the inspector explains: with its cursor, and outlines of what the inspected entry is made of. */
import { indexAt } from '../../../core/numbers.js';
import type { TensorName } from '../../../lesson/entry.js';
import type { TensorData } from '../../engine/pass.js';
import type { Scale } from '../../parts/colors.js';
import { HeatMap } from '../../parts/HeatMap.js';
import { gridOf } from '../../parts/numbers.js';
import { set, state } from '../../state.js';
import { focusInspector } from './focus.js';
import { entriesRead, inspected, inspectedTensor } from './inspected.js';

interface PassTensorProps {
  /** The tensor of the pass. */
  name: TensorName;
  /** What its picture is called: W2ᵀ. */
  label: string;
  /** What is drawn: the tensor, or its transpose. */
  tensor: TensorData;
  transposed?: boolean | undefined;
  scale?: Scale | undefined;
  /** False for a tensor that is a tab stop elsewhere in the step. */
  isStop?: boolean;
}

export function PassTensor({ name, label, tensor, transposed = false, scale, isStop = true }: PassTensorProps) {
  const turned = (at: readonly number[]) => (transposed ? [...at].reverse() : [...at]);
  const [, columns] = gridOf(tensor.shape);
  // A position in the pass as the same entry's position in what is drawn, which has `columns` columns.
  const drawn = (position: number) => {
    const [row = 0, column = 0] = indexAt(position, turned(tensor.shape));
    return column * columns + row;
  };
  const positions = entriesRead(name);
  const choose = (at: readonly number[]) => set({ tensor: name === state.value.step ? null : name, entry: turned(at) });
  const chosen = inspectedTensor() === name ? inspected.value?.at : undefined;
  return (
    <HeatMap
      name={label}
      tensor={tensor}
      scale={scale}
      cursor={chosen ? turned(chosen) : null}
      outlined={transposed ? positions.map(drawn) : positions}
      readout={false}
      isStop={isStop}
      onMove={choose}
      onPick={(at, by) => {
        choose(at);
        if (by === 'keyboard') focusInspector();
      }}
    />
  );
}

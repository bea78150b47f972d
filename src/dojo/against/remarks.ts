/** What to know about a file and its tensors whatever the verdict. */
import { type Shape, sameShape, showShape } from '../../core/tensor.js';
import type { StepName } from '../../lesson/values.js';
import type { JudgedGradient, Replaced } from './judgeGradients.js';

/** Something to know about a tensor of the file. {@link remarkText} is its sentence. */
export type TensorRemark =
  | { id: 'read-as'; of: 'gradient' | 'value'; found: Shape; expected: Shape }
  /** Values of float32, stored as float64. */
  | { id: 'widened' }
  /** Gradients above that the truth replaced. */
  | { id: 'replaced'; names: readonly string[]; why: 'absent' | 'other-shape' | 'not-finite' }
  | HarmlessCause;

/** Something to know about the parameters, the batch and the forward pass. */
export type FileRemark =
  | { id: 'one-hot'; name: 'Xb' | 'Yb' }
  | { id: 'float-indices'; name: 'Xb' | 'Yb'; dtype: string }
  | { id: 'targets-flattened'; found: Shape; expected: Shape }
  /** Many lines are wrong, and nothing explains it. */
  | { id: 'inputs-doubted' }
  | HarmlessCause;

export type Remark = TensorRemark | FileRemark;

/** Another way to compute a step that changes neither probs nor the gradients. `at` is that step, where it is not the one spoken of. */
export interface HarmlessCause {
  id: 'harmless';
  at?: StepName;
  cause: { id: string; text: string };
}

export const OTHER_INPUTS = 'are the parameters, Xb and Yb those of this forward pass, from before the update?';

/** The sentence of a remark, without a full stop. */
export function remarkText(remark: Remark): string {
  switch (remark.id) {
    case 'read-as':
      return `${remark.of === 'gradient' ? 'shape ' : ''}${showShape(remark.found)} is read as ${showShape(remark.expected)}`;
    case 'widened':
      return "float32 values stored as float64: judged with float32's limits";
    case 'replaced':
      return `judged with the right ${remark.names.join(' and ')}, ${WHY[remark.why]}`;
    case 'harmless':
      return remark.at === undefined ? remark.cause.text : `${remark.at}: ${remark.cause.text}`;
    case 'one-hot':
      return `${remark.name} is one-hot and read as its indices, ${remark.name}.argmax(-1)`;
    case 'float-indices':
      return `${remark.name} holds whole numbers as ${remark.dtype} and is read as indices, ${remark.name}.long()`;
    case 'targets-flattened':
      return `Yb is ${showShape(remark.found)} and read as ${showShape(remark.expected)}, Yb.view(-1)`;
    case 'inputs-doubted':
      return `many lines disagree: ${OTHER_INPUTS}`;
  }
}

/** The sentences about a tensor as one; null if there is nothing to say. */
export function remarkOn(remarks: readonly TensorRemark[]): string | null {
  return remarks.length === 0 ? null : remarks.map(remarkText).join('; ');
}

/** What to know about a gradient. */
export function gradientRemarks({ gradient, verdict, replaced }: JudgedGradient): TensorRemark[] {
  const { found, fitted, float32 } = gradient;
  return [
    ...(fitted && !sameShape(found.shape, fitted.shape)
      ? [{ id: 'read-as', of: 'gradient', found: found.shape, expected: fitted.shape } as const]
      : []),
    ...(float32 === 'widened' ? [{ id: 'widened' } as const] : []),
    ...(verdict === 'right' ? [] : replacedRemarks(replaced)),
  ];
}

const WHY: Record<Replaced['why'], string> = {
  absent: 'which the file does not hold',
  'other-shape': 'which the file holds in another shape',
  'not-finite': 'which is not finite in the file',
};

function replacedRemarks(replaced: readonly Replaced[]): TensorRemark[] {
  return (Object.keys(WHY) as Replaced['why'][]).flatMap((why) => {
    const names = replaced.flatMap((one) => (one.why === why ? [one.name] : []));
    return names.length === 0 ? [] : [{ id: 'replaced', names, why }];
  });
}

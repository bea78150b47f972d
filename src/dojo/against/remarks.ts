/** What to know about a gradient whatever its verdict. */
import { sameShape, showShape } from '../../core/tensor.js';
import type { JudgedGradient, Replaced } from './judgeGradients.js';

/** One sentence; null if there is nothing to say. */
export function remarkOn({ gradient, verdict, replaced }: JudgedGradient): string | null {
  const { found, fitted, float32 } = gradient;
  const remarks = [
    ...(fitted && !sameShape(found.shape, fitted.shape) ? [`shape ${showShape(found.shape)} is read as ${showShape(fitted.shape)}`] : []),
    ...(float32 === 'widened' ? ["float32 values stored as float64: judged with float32's limits"] : []),
    ...(verdict === 'right' ? [] : replacedTexts(replaced)),
  ];
  return remarks.length === 0 ? null : remarks.join('; ');
}

const WHY: Record<Replaced['why'], string> = {
  absent: 'which the file does not hold',
  'other-shape': 'which the file holds in another shape',
  'not-finite': 'which is not finite in the file',
};

function replacedTexts(replaced: readonly Replaced[]): string[] {
  return (Object.keys(WHY) as Replaced['why'][]).flatMap((why) => {
    const names = replaced.flatMap((one) => (one.why === why ? [one.name] : []));
    return names.length === 0 ? [] : [`judged with the right ${names.join(' and ')}, ${WHY[why]}`];
  });
}

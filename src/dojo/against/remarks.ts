/** What to know about a gradient whatever its verdict. */
import { sameShape, showShape } from '../../core/tensor.js';
import type { JudgedGradient } from './judgeGradients.js';

/** One sentence; null if there is nothing to say. */
export function remarkOn({ gradient, verdict, onlyInFloat32, replaced }: JudgedGradient): string | null {
  const { found, fitted, float32 } = gradient;
  const remarks = [
    ...(fitted && !sameShape(found.shape, fitted.shape) ? [`shape ${showShape(found.shape)} is read as ${showShape(fitted.shape)}`] : []),
    ...(float32 === 'widened' ? ["float32 values stored as float64: judged with float32's limits"] : []),
    ...(onlyInFloat32 ? ["off by what float32 rounds: judged with float32's limits"] : []),
    ...(verdict === 'right' || replaced.length === 0 ? [] : [`judged with the right ${replaced.join(' and ')}, which the file ${LACKS}`]),
  ];
  return remarks.length === 0 ? null : remarks.join('; ');
}

const LACKS = 'does not hold in the right shape';

/** Reads the gradients of a file. */
import { allFloat32 } from '../../core/numbers.js';
import { type FloatArray, sameShape, Tensor } from '../../core/tensor.js';
import { GRADIENT_NAMES } from '../../lesson/exercise1.js';
import { type GradientName, type LessonValues, valueNamed } from '../../lesson/values.js';
import { loadFloats, type Safetensors, type StoredTensor } from '../../run/safetensors.js';
import { tensorsNamed } from './names.js';

/** A gradient of a file. */
export interface FileGradient {
  /** The name of its row, and the lesson's name. */
  name: string;
  own: GradientName;
  stored: StoredTensor;
  /** Its values in float64, in the shape of the file. */
  found: Tensor;
  /** The same in the right shape: [H] is read as [1,H], as it is for parameters. Undefined for any other wrong shape. */
  fitted: Tensor | undefined;
  finite: boolean;
  /** 'stored' is float32 in the file, 'widened' is float32 that was stored as float64. */
  float32: false | 'stored' | 'widened';
}

/** The gradients of the file in backward order. A second name of one follows its own name. */
export function readGradients(file: Safetensors, values: LessonValues): FileGradient[] {
  const gradients = GRADIENT_NAMES.flatMap((own) => {
    const { shape } = values[valueNamed(own)];
    return tensorsNamed(file, own).map(({ name, stored }): FileGradient => {
      const data = loadFloats(name, stored);
      const found = Tensor.of(data, stored.shape, 'float64');
      const asRow = shape.length === 2 && shape[0] === 1 && sameShape(stored.shape, [shape[1]]);
      return {
        name,
        own,
        stored,
        found,
        fitted: sameShape(stored.shape, shape) ? found : asRow ? found.view(shape) : undefined,
        finite: data.every((x) => Number.isFinite(x)),
        float32: data instanceof Float32Array ? 'stored' : allFloat32(data) && hasDigits(data) && 'widened',
      };
    });
  });
  // Beside those, -1/32 and sums that cancel are float32, too.
  if (!gradients.some(({ float32 }) => float32 === 'widened')) return gradients;
  return gradients.map((one) => (one.float32 === false && allFloat32(one.found.data) ? { ...one, float32: 'widened' } : one));
}

/** Whether an entry has digits that rounding to float32 leaves: -1/32 has not. */
function hasDigits(data: FloatArray): boolean {
  return new Uint32Array(Float32Array.from(data).buffer).some((pattern) => (pattern & 0xff) !== 0);
}

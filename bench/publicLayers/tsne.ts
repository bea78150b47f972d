/** @keckelt/tsne 1.0.2: the cost of t-SNE and its gradient, from step 100 on (until then the gradient is that of 4 P for P, on purpose). */
import { TSNE } from '@keckelt/tsne';
import { type Float64Tensor, fromLoss } from 'backprop-ninja/gradcheck';

/** Symmetric probabilities of pairs, with nothing on the diagonal. */
function pairs(n: number): Float64Array {
  const P = Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? 0 : 1 + ((Math.floor(k / n) + (k % n)) % 3)));
  const sum = P.reduce((a, b) => a + b, 0);
  return P.map((p) => p / sum);
}

export const cost = fromLoss(
  ({ Y }: { Y: Float64Tensor }) => {
    const [N = 0, dim = 0] = Y.shape;
    const tsne = new TSNE({ dim });
    Object.assign(tsne as object, { N, P: pairs(N), iter: 100 });
    const { cost, grad } = tsne.costGrad(Y.toArray());
    return { loss: cost, gradients: { Y: grad } };
  },
  { sizes: { n: [2, 4, 6], d: [1, 2, 3] }, inputs: ({ n, d }, draw) => ({ Y: draw.normal(n, d) }) },
);

import type { FloatArray } from '../core/tensor.js';

// losses [n]   probs [n,V]   logits [n,V]   Yb [n]

/**
 * losses[i] = log(sum of exp(logits[i])) - logits[i,Yb[i]], and probs = softmax of each row. Overwrites both. The maximum of the row is
 * subtracted first, so that nothing overflows and log never receives 0.
 */
export function crossEntropyForward(losses: FloatArray, probs: FloatArray, logits: FloatArray, Yb: Int32Array, n: number, V: number): void {
  for (let i = 0; i < n; i++) {
    let max = logits[i * V];
    for (let v = 1; v < V; v++) max = Math.max(max, logits[i * V + v]);
    let sum = 0;
    for (let v = 0; v < V; v++) {
      const count = Math.exp(logits[i * V + v] - max);
      probs[i * V + v] = count;
      sum += count;
    }
    for (let v = 0; v < V; v++) probs[i * V + v] /= sum;
    losses[i] = Math.log(sum) - (logits[i * V + Yb[i]] - max);
  }
}

/** dlogits of the mean loss over the batch: (softmax - one-hot) / n, the closed form of Exercise 2. Overwrites dlogits. */
export function crossEntropyBackward(dlogits: FloatArray, probs: FloatArray, Yb: Int32Array, n: number, V: number): void {
  // loss = mean over i of log(sum over v of exp(logits[i,v])) - logits[i,Yb[i]]
  for (let i = 0; i < n; i++) {
    for (let v = 0; v < V; v++) dlogits[i * V + v] = (probs[i * V + v] - (v === Yb[i] ? 1 : 0)) / n;
  }
}

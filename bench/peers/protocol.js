/** What the peers in JavaScript have in common: the problem file, and the answers on standard output. See problem.ts and process.ts. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Reads the problem file: sizes, parameters by name, and examples [count,T+1]. */
export function readProblem(path) {
  const bytes = readFileSync(path);
  let at = 0;
  const words = (Type, size) => {
    const array = new Type(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * size));
    at += 4 * size;
    return array;
  };
  const [H, n, V, E, T, count] = words(Int32Array, 6);
  const shapes = { C: [V, E], W1: [T * E, H], b1: [H], bngain: [H], bnbias: [H], W2: [H, V], b2: [V] };
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      {
        shape,
        data: words(
          Float32Array,
          shape.reduce((a, b) => a * b),
        ),
      },
    ]),
  );
  return { H, n, V, E, T, count, parameters, examples: bytes.subarray(at) };
}

/** Fills Xb [n,T] and Yb [n] with examples: the first n, or random ones. */
export function fillBatch({ n, T, count, examples }, { Xb, Yb }, random) {
  for (let i = 0; i < n; i++) {
    const start = (T + 1) * (random ? Math.floor(Math.random() * count) : i);
    for (let t = 0; t < T; t++) Xb[i * T + t] = examples[start + t];
    Yb[i] = examples[start + T];
  }
}

/** The norm of arrays together. */
export function normOf(arrays) {
  let sum = 0;
  for (const array of arrays) for (const x of array) sum += x * x;
  return Math.sqrt(sum);
}

/** Says what the first batch gave: its loss, the norm of its gradient, and its loss after one update. */
export function answerCheck(loss, norm, updated) {
  process.stdout.write(`loss ${loss}, norm ${norm}, updated ${updated}\n`);
}

/** For each number of steps in the input, does them and says how long they took. */
export async function answerTimes(run) {
  for await (const line of createInterface({ input: process.stdin })) {
    const steps = Number(line);
    const start = performance.now();
    await run(steps);
    process.stdout.write(`${((1000 * (performance.now() - start)) / steps).toFixed(3)} us/step\n`);
  }
}

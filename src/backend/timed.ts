/** A backend that times its layers in a real pass. */
import type { CharacterGroups, TableSizes } from '../layers/embeddingTable.js';
import type { Backend } from './backend.js';

/** A clock in milliseconds that never runs backwards, such as performance.now. */
export type Clock = () => number;

/** The layer functions of a backend. */
type LayerName = Exclude<
  keyof Backend,
  'name' | 'floats' | 'ints' | 'matrix' | 'matrixSize' | 'rowsOf' | 'inTurn' | 'newPace' | 'peakLoop' | 'threads'
>;

/** One call of a layer. */
export interface LayerCall {
  layer: TimedLayer;
  milliseconds: number;
  /** Additions, multiplications and divisions. */
  operations: number;
}

/** Operations of kernels/math.ts per entry. */
const TANH = 23;
const EXP = 20;

/** The operations of a call, from the sizes that it receives. Layers without an entry are not timed. */
const OPERATIONS = {
  embeddingForward: () => 0,
  embeddingBackward: (_dC, _demb, _Xb, rows, E) => rows * E,
  embeddingTableForward: (_hprebn, _table, _C, _W1, _b1, groups, n, sizes) => tableProducts(groups, sizes) + n * sizes.T * sizes.H,
  embeddingTableBackward: (_dC, _dW1, _db1, _dtable, _dhprebn, _C, _W1, groups, n, sizes) =>
    2 * tableProducts(groups, sizes) + n * sizes.T * sizes.H,
  linearForward: (_out, _x, _W, _b, n, I, O) => 2 * n * I * O,
  linearBackward: (_dx, _dW, _db, _dout, _x, _W, n, I, O) => 4 * n * I * O + n * O,
  batchNormTanhForward: (_h, _bnraw, _bnvar_inv, _hprebn, _bngain, _bnbias, n, H) => n * H * (8 + TANH),
  batchNormTanhBackward: (_dhprebn, _dbngain, _dbnbias, _dh, _h, _bnraw, _bnvar_inv, _bngain, n, H) => n * H * 10,
  tanhForward: (_h, _hpreact, size) => size * TANH,
  tanhBackward: (_dhpreact, _dh, _h, size) => size * 3,
  crossEntropyForward: (_losses, _probs, _logits, _Yb, n, V) => n * V * (4 + EXP),
  crossEntropyBackward: (_dlogits, _probs, _Yb, n, V) => n * V,
  sgdUpdate: (_parameters, _gradients, _rate, size) => 2 * size,
} satisfies { [Layer in LayerName]?: (...args: Parameters<Backend[Layer]>) => number };

export type TimedLayer = keyof typeof OPERATIONS;

/** One product C[c] W1[t] per distinct character and position. */
function tableProducts({ counts }: CharacterGroups, { T, E, H }: TableSizes): number {
  let rows = 0;
  for (let t = 0; t < T; t++) rows += counts[t];
  return 2 * rows * E * H;
}

/**
 * Wraps a backend and reports every layer call. The times exclude the overhead of timing.
 * @param onCall called after each call
 */
export function timedBackend(backend: Backend, clock: Clock, onCall: (call: LayerCall) => void): Backend {
  const overhead = clockOverhead(clock);
  const timed = Object.keys(OPERATIONS).map((name) => {
    const layer = name as TimedLayer;
    const operations = OPERATIONS[layer] as (...args: unknown[]) => number;
    const report = (milliseconds: number, args: unknown[]) =>
      onCall({ layer, milliseconds: milliseconds - overhead, operations: operations(...args) });
    return [layer, timeCalls(backend[layer] as (...args: unknown[]) => void, clock, report)];
  });
  // Each layer is waited for: two in turn would share their time.
  const { inTurn, ...others } = backend;
  return { ...others, ...Object.fromEntries(timed) };
}

function timeCalls(run: (...args: unknown[]) => void, clock: Clock, report: (milliseconds: number, args: unknown[]) => void) {
  return (...args: unknown[]): void => {
    const start = clock();
    run(...args);
    report(clock() - start, args);
  };
}

/** The measured milliseconds of a call that does nothing: the median of 5,000. */
function clockOverhead(clock: Clock): number {
  const times: number[] = [];
  const empty = timeCalls(
    () => {},
    clock,
    (milliseconds) => times.push(milliseconds),
  );
  for (let i = 0; i < 5000; i++) empty(i, i, i, i, i, i, i, i);
  return times.sort((a, b) => a - b)[times.length >> 1];
}

/** Mistakes planted in the functions of a backend. The checks of the network and of the backend must fail for each of them. */
import type { Backend } from '../../src/backend/backend.js';
import type { FloatArray } from '../../src/core/tensor.js';
import type { MistakeId } from '../../src/gradcheck.js';
import * as batchNorm from '../../src/layers/batchNorm.js';
import * as embedding from '../../src/layers/embedding.js';
import { type CharacterGroups, embeddingTableBackward } from '../../src/layers/embeddingTable.js';
import { linearBackward, linearForward } from '../../src/layers/linear.js';
import * as tanh from '../../src/layers/tanh.js';
import { blockName } from '../../src/network/parameters.js';

/**
 * The layers one by one. Where a backend combines two layers in one function (batch norm and tanh, embedding and linear), the mistake is
 * planted in one of the plain functions, and the combined function is built from them.
 */
type PlainLayers = Omit<Backend, 'batchNormTanhForward' | 'batchNormTanhBackward'> &
  Pick<typeof batchNorm, 'batchNormForward' | 'batchNormBackward'> &
  Pick<typeof tanh, 'tanhForward' | 'tanhBackward'>;

/** A mistake in one function of a backend. */
export interface BackendMutant {
  layer: string;
  mistake: string;
  /** Returns the wrong function, given the correct ones. */
  plant: (correct: PlainLayers) => Partial<PlainLayers>;
  /** The batch sizes at which the network calls the function; by default all. */
  batches?: readonly number[];
  /** The inputs of the layer whose gradients are wrong. */
  wrong: readonly string[];
  /** The name of the mistake in the first of them, if there is one. */
  id?: MistakeId;
  /** The rows of checkModel that fail in a network of one block; see {@link deepRed} for a deeper one. */
  red: readonly string[];
  /** The first row of checkBackend that fails, in backward order: the function's own output. */
  first: string;
}

// The gradients that depend on dhprebn, dhpreact, dlogits. db1 stays 0 as long as batch norm's backward pass cancels.
const FROM_HPREBN = ['dC', 'dW1'];
const FROM_HPREACT = ['dC', 'dW1', 'dbngain', 'dbnbias'];
/** The inputs of batch norm and tanh together. */
const FROM_TANH = ['hprebn', 'bngain', 'bnbias'];
const FROM_LOGITS = ['dC', 'dW1', 'dbngain', 'dbnbias', 'dW2', 'db2'];

/** Context length of the checked networks, for mistakes in the order of contexts. */
const T = 3;

const scale = (values: FloatArray, count: number, factor: number) => {
  for (let i = 0; i < count; i++) values[i] *= factor;
};

export const BACKEND_MUTANTS: readonly BackendMutant[] = [
  {
    layer: 'embeddingBackward',
    mistake: "'=' instead of '+='",
    plant: () => ({
      embeddingBackward: (dC, demb, Xb, rows, E) => {
        for (let r = 0; r < rows; r++) for (let e = 0; e < E; e++) dC[Xb[r] * E + e] = demb[r * E + e];
      },
    }),
    wrong: ['C'],
    red: ['dC'],
    first: 'dC',
  },
  {
    layer: 'embeddingBackward',
    mistake: 'contexts in reverse order',
    plant: () => ({
      embeddingBackward: (dC, demb, Xb, rows, E, V) => {
        dC.fill(0, 0, V * E);
        const reversed = (r: number) => r - (r % T) + (T - 1 - (r % T));
        for (let r = 0; r < rows; r++) for (let e = 0; e < E; e++) dC[Xb[r] * E + e] += demb[reversed(r) * E + e];
      },
    }),
    wrong: ['C'],
    id: 'misplaced',
    red: ['dC'],
    first: 'dC',
  },
  {
    layer: 'embeddingForward',
    mistake: 'last number of each row not written',
    plant: () => ({
      embeddingForward: (emb, C, Xb, rows, E) => {
        for (let r = 0; r < rows; r++) for (let e = 0; e < E - 1; e++) emb[r * E + e] = C[Xb[r] * E + e];
      },
    }),
    wrong: ['C'],
    id: 'border-only',
    red: ['dC'],
    first: 'loss',
  },
  {
    layer: 'embeddingTableBackward',
    mistake: "'=' instead of '+=': the last example with a character overwrites the others",
    plant: () => ({
      embeddingTableBackward: (dC, dW1, db1, dtable, dhprebn, C, W1, groups, n, sizes) => {
        const { T, H } = sizes;
        const last = dhprebn.map((d, at) => {
          const i = Math.floor(at / H);
          const later = Array.from({ length: n - i - 1 }, (_, k) => i + 1 + k);
          return later.some((k) => groups.slots[k * T] === groups.slots[i * T]) ? 0 : d;
        });
        embeddingTableBackward(dC, dW1, db1, dtable, last, C, W1, groups, n, sizes);
      },
    }),
    wrong: ['C', 'W1', 'b1'],
    red: [...FROM_HPREBN, 'db1'],
    first: 'dC',
    batches: [32],
  },
  {
    layer: 'embeddingTableBackward',
    mistake: 'slots of position 0 at every position',
    plant: () => ({
      embeddingTableBackward: (dC, dW1, db1, dtable, dhprebn, C, W1, groups, n, sizes) => {
        const slots = groups.slots.map((_, at) => groups.slots[at - (at % sizes.T)]);
        embeddingTableBackward(dC, dW1, db1, dtable, dhprebn, C, W1, { ...groups, slots }, n, sizes);
      },
    }),
    wrong: ['C', 'W1'],
    red: FROM_HPREBN,
    first: 'dC',
    batches: [32],
  },
  ...linearMutants(),
  ...batchNormBackwardMutants(),
  {
    layer: 'batchNormBackward',
    mistake: 'dbngain and dbnbias averaged over the batch',
    plant: ({ batchNormBackward }) => ({
      batchNormBackward: (dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H) => {
        batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H);
        scale(dbngain, H, 1 / n);
        scale(dbnbias, H, 1 / n);
      },
    }),
    wrong: ['bngain', 'bnbias'],
    id: 'constant-factor',
    red: ['dbngain', 'dbnbias'],
    first: 'dbngain',
  },
  {
    layer: 'batchNormForward',
    mistake: 'biased variance, n instead of n - 1',
    plant: ({ batchNormForward }) => ({
      batchNormForward: (hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H) => {
        batchNormForward(hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H);
        for (let j = 0; j < H; j++) {
          const biased = 1 / Math.sqrt((1 / bnvar_inv[j] ** 2 - 1e-5) * ((n - 1) / n) + 1e-5);
          const factor = biased / bnvar_inv[j];
          bnvar_inv[j] = biased;
          for (let i = 0; i < n; i++) {
            bnraw[i * H + j] *= factor;
            hpreact[i * H + j] = bngain[j] * bnraw[i * H + j] + bnbias[j];
          }
        }
      },
    }),
    wrong: ['hprebn'],
    red: FROM_HPREBN,
    first: 'loss',
  },
  {
    layer: 'tanhBackward',
    mistake: '1 - h instead of 1 - h²',
    plant: () => ({
      tanhBackward: (dhpreact, dh, h, size) => {
        for (let i = 0; i < size; i++) dhpreact[i] = (1 - h[i]) * dh[i];
      },
    }),
    wrong: FROM_TANH,
    id: 'missing-factor',
    red: FROM_HPREACT,
    first: 'dhprebn',
  },
  {
    layer: 'tanhBackward',
    mistake: 'derivative missing',
    plant: () => ({
      tanhBackward: (dhpreact, dh, _, size) => {
        for (let i = 0; i < size; i++) dhpreact[i] = dh[i];
      },
    }),
    wrong: FROM_TANH,
    id: 'missing-factor',
    red: FROM_HPREACT,
    first: 'dhprebn',
  },
  {
    layer: 'tanhBackward',
    mistake: 'last entry of the array not written',
    plant: ({ tanhBackward }) => ({ tanhBackward: (dhpreact, dh, h, size) => tanhBackward(dhpreact, dh, h, size - 1) }),
    wrong: FROM_TANH,
    id: 'border-only',
    red: FROM_HPREACT,
    first: 'dhprebn',
  },
  {
    layer: 'tanhForward',
    mistake: 'a rational approximation with an error of 2 %',
    plant: () => ({
      tanhForward: (h, hpreact, size) => {
        for (let i = 0; i < size; i++) h[i] = (hpreact[i] * (27 + hpreact[i] ** 2)) / (27 + 9 * hpreact[i] ** 2);
      },
    }),
    wrong: FROM_TANH,
    red: FROM_HPREACT,
    first: 'loss',
  },
  {
    layer: 'crossEntropyBackward',
    mistake: 'no division by n',
    plant: ({ crossEntropyBackward }) => ({
      crossEntropyBackward: (dlogits, probs, Yb, n, V) => {
        crossEntropyBackward(dlogits, probs, Yb, n, V);
        scale(dlogits, n * V, n);
      },
    }),
    wrong: ['logits'],
    id: 'constant-factor',
    red: FROM_LOGITS,
    first: 'dlogits',
  },
  {
    layer: 'crossEntropyBackward',
    mistake: 'one-hot not subtracted',
    plant: () => ({
      crossEntropyBackward: (dlogits, probs, _, n, V) => {
        for (let i = 0; i < n * V; i++) dlogits[i] = probs[i] / n;
      },
    }),
    wrong: ['logits'],
    red: FROM_LOGITS,
    first: 'dlogits',
  },
  {
    layer: 'crossEntropyForward',
    mistake: 'logarithm to base 2',
    plant: ({ crossEntropyForward }) => ({
      crossEntropyForward: (losses, probs, logits, Yb, n, V) => {
        crossEntropyForward(losses, probs, logits, Yb, n, V);
        scale(losses, n, 1 / Math.LN2);
      },
    }),
    wrong: ['logits'],
    id: 'constant-factor',
    red: FROM_LOGITS,
    first: 'loss',
  },
];

function linearMutants(): BackendMutant[] {
  const mutant = (
    mistake: string,
    wrong: string,
    id: MistakeId | undefined,
    red: readonly string[],
    first: string,
    planted: typeof linearBackward,
  ): BackendMutant => ({
    layer: 'linearBackward',
    mistake,
    plant: () => ({ linearBackward: planted }),
    wrong: [wrong],
    ...(id && { id }),
    red,
    first,
  });
  return [
    mutant('db averaged over the batch', 'b', 'constant-factor', ['db2'], 'db2', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      scale(db, O, 1 / n);
    }),
    mutant('dW averaged over the batch', 'W', 'constant-factor', ['dW1', 'dW2'], 'dW1', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      scale(dW, I * O, 1 / n);
    }),
    mutant('dW without the last row of the batch', 'W', undefined, ['dW1', 'dW2'], 'dW1', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      for (let k = 0; k < I; k++) for (let o = 0; o < O; o++) dW[k * O + o] -= x[(n - 1) * I + k] * dout[(n - 1) * O + o];
    }),
    mutant('W read as if it were transposed', 'x', 'other-value', FROM_HPREACT, 'dh', (dx, dW, db, dout, x, W, n, I, O) => {
      const viewed = W.map((_, at) => W[(at % O) * I + Math.floor(at / O)]);
      linearBackward(dx, dW, db, dout, x, viewed, n, I, O);
    }),
    mutant('dx without its last column', 'x', 'border-only', FROM_HPREACT, 'dh', (dx, dW, db, dout, x, W, n, I, O) => {
      linearBackward(dx, dW, db, dout, x, W, n, I, O);
      for (let i = 0; i < n; i++) dx[i * I + I - 1] = 0;
    }),
    {
      layer: 'linearForward',
      mistake: 'bias forgotten',
      // Then nothing depends on b2; b1 has no effect anyway.
      plant: ({ floats, linearForward }) => ({
        linearForward: (out, x, W, _, n, I, O) => linearForward(out, x, W, floats(O), n, I, O),
      }),
      wrong: ['b'],
      id: 'input-unused',
      red: ['db2'],
      first: 'loss',
    },
  ];
}

/** The mistakes of the closed form, in the layer. Those that break the cancellation make db1 differ from 0. */
function batchNormBackwardMutants(): BackendMutant[] {
  const mutant = (mistake: string, red: readonly string[], bessel: (n: number) => number, mean: number, gain = true): BackendMutant => ({
    layer: 'batchNormBackward',
    mistake,
    plant: ({ batchNormBackward }) => ({
      batchNormBackward: (dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H) => {
        batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H);
        for (let i = 0; i < n * H; i++) {
          const j = i % H;
          dhprebn[i] =
            (((gain ? bngain[j] : 1) * bnvar_inv[j]) / n) * (n * dhpreact[i] - mean * dbnbias[j] - bessel(n) * bnraw[i] * dbngain[j]);
        }
      },
    }),
    wrong: ['hprebn'],
    ...(!gain && { id: 'missing-factor' }),
    red,
    first: 'dhprebn',
  });
  const correct = (n: number) => n / (n - 1);
  return [
    mutant('Bessel factor 1 instead of n/(n-1)', FROM_HPREBN, () => 1, 1),
    mutant('path through the variance dropped', FROM_HPREBN, () => 0, 1),
    mutant('path through the mean dropped', [...FROM_HPREBN, 'db1'], correct, 0),
    mutant('statistics treated as constants', [...FROM_HPREBN, 'db1'], () => 0, 0),
    mutant('gain forgotten', FROM_HPREBN, correct, 1, false),
  ];
}

/** The rows of checkModel that fail in a network with this number of blocks. */
export function deepRed({ layer, red }: BackendMutant, blocks: number): string[] {
  // The functions of the embedding are called once, all others in every block.
  if (layer.startsWith('embedding')) return [...red];
  const numbers = Array.from({ length: blocks }, (_, k) => k + 1);
  const inEvery = (tensor: string) => numbers.map((K) => `d${blockName(K, tensor)}`);
  const every: Record<string, string[]> = {
    dW1: inEvery('W'),
    db1: inEvery('b'),
    dbngain: inEvery('bngain'),
    dbnbias: inEvery('bnbias'),
  };
  // A wrong dhprebn also spoils everything below it: gain and bias of all blocks except the last.
  const below = layer.startsWith('batchNorm') && red.includes('dC') ? [...every.dbngain, ...every.dbnbias] : [];
  const last = `d${blockName(blocks, 'bngain')} d${blockName(blocks, 'bnbias')}`.split(' ');
  return [...red.flatMap((name) => every[name] ?? [name]), ...below.filter((name) => !last.includes(name))];
}

/** The first row of checkBackend that fails in a network with this number of blocks. The last block comes first in backward order. */
export function deepFirst({ first }: BackendMutant, blocks: number): string {
  return first === 'dh' || first === 'dhprebn' ? `d${blockName(blocks, first.slice(1))}` : first;
}

/** The backend with the mistake. */
export function withMistake(correct: Backend, { plant }: BackendMutant): Backend {
  const plain: PlainLayers = { ...correct, ...batchNorm, ...tanh, ...embedding, linearForward, linearBackward };
  const wrong = plant(plain);
  const layers = { ...plain, ...wrong };
  return {
    ...correct,
    ...layers,
    // The plain functions take rows.
    matrix: (rows, columns) => correct.floats(rows * columns),
    matrixSize: (rows, columns) => rows * columns,
    rowsOf: (matrix, rows, columns) => matrix.subarray(0, rows * columns),
    batchNormTanhForward: (h, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H) => {
      const hpreact = h.slice();
      layers.batchNormForward(hpreact, bnraw, bnvar_inv, hprebn, bngain, bnbias, n, H);
      layers.tanhForward(h, hpreact, n * H);
    },
    batchNormTanhBackward: (dhprebn, dbngain, dbnbias, dh, h, bnraw, bnvar_inv, bngain, n, H) => {
      const dhpreact = dh.slice();
      layers.tanhBackward(dhpreact, dh, h, n * H);
      layers.batchNormBackward(dhprebn, dbngain, dbnbias, dhpreact, bnraw, bnvar_inv, bngain, n, H);
    },
    embeddingTableForward:
      wrong.embeddingTableForward ??
      ((hprebn, _table, C, W1, b1, groups, n, { T, E, H, D }) => {
        const emb = new Float64Array(n * T * E);
        layers.embeddingForward(emb, C, charactersOf(groups, n, T, D), n * T, E);
        layers.linearForward(hprebn, emb, W1, b1, n, T * E, H);
      }),
    embeddingTableBackward:
      wrong.embeddingTableBackward ??
      ((dC, dW1, db1, _table, dhprebn, C, W1, groups, n, { T, E, H, V, D }) => {
        const Xb = charactersOf(groups, n, T, D);
        const [emb, demb] = [new Float64Array(n * T * E), new Float64Array(n * T * E)];
        layers.embeddingForward(emb, C, Xb, n * T, E);
        layers.linearBackward(demb, dW1, db1, dhprebn, emb, W1, n, T * E, H);
        layers.embeddingBackward(dC, demb, Xb, n * T, E, V);
      }),
  };
}

/** Xb [n,T], from its groups. */
function charactersOf({ characters, slots }: CharacterGroups, n: number, T: number, D: number): Int32Array {
  return Int32Array.from({ length: n * T }, (_, at) => characters[(at % T) * D + slots[at]]);
}

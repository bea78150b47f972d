import { describe, expect, it } from 'vitest';
import { indexAt } from '../../src/core/numbers.js';
import { Tensor } from '../../src/core/tensor.js';
import { createLessonCase, LESSON_CONFIG } from '../../src/lesson/case.js';
import { isTensorName, TENSOR_NAMES, type TensorName } from '../../src/lesson/entry.js';
import { backward } from '../../src/lesson/exercise1.js';
import { consumersOf, STEP_INPUTS, type StepName, type ValueName, valueNamed } from '../../src/lesson/values.js';
import { type Explanation, type Factor, why } from '../../src/lesson/why.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';

/** No two sizes are equal, and the vocabulary is so large that some characters do not occur. */
const SMALL = { context: 3, embedding: 2, hidden: [5], vocabulary: 11 } as const;

function passOf(n: number, config: typeof SMALL | typeof LESSON_CONFIG = SMALL) {
  const { values } = createLessonCase(config, n, 1);
  return { ...values, ...backward(values) };
}
type Pass = ReturnType<typeof passOf>;

function* entriesOf(pass: Pass, name: TensorName): Generator<Explanation> {
  const { shape, size } = pass[name];
  for (let position = 0; position < size; position++) yield why(pass, name, indexAt(position, shape));
}

const isGradient = (name: string): boolean => name.startsWith('d');
const isParameter = (name: string): boolean => (LESSON_PARAMETER_NAMES as readonly string[]).includes(name);

describe.each([2, 3, 32])('every entry of every tensor, for a batch of %i,', (n) => {
  const pass = passOf(n);

  it('is the sum of its terms, each the product of its factors, the largest first', () => {
    const wrong: string[] = [];
    for (const name of TENSOR_NAMES.filter((one) => !isParameter(one))) {
      for (const { value, terms, formula, at } of entriesOf(pass, name)) {
        const scale = terms.reduce((sum, term) => sum + Math.abs(term.value), 0);
        const sum = terms.reduce((total, term) => total + term.value, 0);
        if (!Object.is(value, pass[name].at(...at))) wrong.push(`value: ${formula}`);
        if (!(Math.abs(sum - value) <= 1e-14 * n * scale)) wrong.push(`sum: ${formula}`);
        for (const [k, term] of terms.entries()) {
          if (term.factors.reduce((product, factor) => product * factor.value, 1) !== term.value) wrong.push(`product: ${formula}`);
          if (k > 0 && Math.abs(term.value) > Math.abs(terms[k - 1].value)) wrong.push(`order: ${formula}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('has factors with the value of the entry that they name, or of the function of it that they show', () => {
    const factors = new Map<string, Factor>();
    for (const name of TENSOR_NAMES) {
      for (const { terms } of entriesOf(pass, name))
        for (const factor of terms.flatMap((term) => term.factors)) factors.set(factor.text, factor);
    }
    for (const factor of factors.values()) {
      expect(factor.value, factor.text).toBeCloseTo(valueOfText(factor.text, pass), 12);
      if (isTensorName(factor.name)) expect(factor.entry ?? factor.value).toBe(pass[factor.name].at(...factor.at));
      else expect(factor).toMatchObject({ name: factor.text, at: [] });
    }
  });

  it('reads the tensors that the graph says, and has the terms of every use of its tensor', () => {
    for (const name of TENSOR_NAMES.filter((one) => !isParameter(one))) {
      const terms = [...entriesOf(pass, name)].flatMap((entry) => entry.terms);
      const steps = new Set(terms.map(({ through }) => through));
      expect([...steps].sort(), name).toEqual(isGradient(name) ? consumersOf(tensorOf(name)).sort() : [undefined]);
      for (const step of steps) {
        const read = new Set(terms.flatMap(({ through, factors }) => (through === step ? factors.map((factor) => factor.name) : [])));
        for (const factor of read) if (isTensorName(factor)) checkReads(name, factor, step);
      }
    }
  });

  it('leads from any gradient, by the gradients among its factors, up to dlogprobs', () => {
    const ends = new Map<string, ReadonlySet<string>>();
    const wrong: string[] = [];
    for (const name of TENSOR_NAMES.filter(isGradient)) {
      for (const entry of entriesOf(pass, name)) {
        const found = endsOf(pass, entry, ends);
        const expected = entry.terms.length === 0 && name === 'dC' ? 'dC' : 'dlogprobs';
        if ([...found].join() !== expected) wrong.push(entry.formula);
      }
    }
    expect(wrong).toEqual([]);
  });
});

it('from the loss, the values among the factors lead down to the parameters that the batch reads', () => {
  const pass = passOf(3);
  const reached = new Map<string, Explanation>();
  const visit = (name: TensorName, at: number[]): void => {
    const key = `${name}[${at}]`;
    if (reached.has(key)) return;
    const entry = why(pass, name, at);
    reached.set(key, entry);
    for (const { factors } of entry.terms) for (const factor of factors) if (isTensorName(factor.name)) visit(factor.name, factor.at);
  };
  visit('loss', []);
  const ends = [...reached.values()].filter(({ terms }) => terms.length === 0).map(({ name }) => name);
  expect([...new Set(ends)].sort()).toEqual([...LESSON_PARAMETER_NAMES].sort());
  const rows = new Set(pass.Xb.data);
  expect(ends.filter((name) => name === 'C')).toHaveLength(rows.size * SMALL.embedding);
  expect(ends.filter((name) => name === 'W1')).toHaveLength(pass.W1.size);
});

function tensorOf(name: string): ValueName {
  return valueNamed(name as `d${ValueName}`);
}

/** A forward step reads its inputs; a gradient, those of the step it comes through, that step's own value, and the gradient of that. */
function checkReads(name: TensorName, factor: TensorName, through: StepName | undefined): void {
  const step = through ?? (name as StepName);
  const allowed = through === undefined ? STEP_INPUTS[step] : [...STEP_INPUTS[step], step, `d${step}`];
  expect(allowed, `${factor} in ${name}`).toContain(factor);
}

/** The gradients without a gradient above, of those that an entry is made of. */
function endsOf(pass: Pass, { name, at, terms }: Explanation, known: Map<string, ReadonlySet<string>>): ReadonlySet<string> {
  const key = `${name} ${at}`;
  const found = known.get(key);
  if (found) return found;
  const above = terms.flatMap(({ factors }) => factors.filter((factor) => isGradient(factor.name)));
  const ends = new Set(above.flatMap((factor) => [...endsOf(pass, why(pass, factor.name as TensorName, factor.at), known)]));
  if (above.length === 0) ends.add(name);
  known.set(key, ends);
  return ends;
}

/** Computes a factor from its text. */
function valueOfText(text: string, pass: Pass): number {
  const script = text
    .replace(/[a-zA-Z_]\w*(?=\[)(?:\[([\d,]+)\])/g, (entry, index) => {
      const name = entry.slice(0, entry.indexOf('[')) as TensorName;
      return `(${pass[name].at(...index.split(',').map(Number))})`;
    })
    .replaceAll('²', '**2')
    .replaceAll('^', '**');
  const { exp, log, tanh } = Math;
  return new Function('n', 'exp', 'log', 'tanh', `return ${script}`)(pass.n, exp, log, tanh);
}

describe('the formula', () => {
  const pass = passOf(32, LESSON_CONFIG);
  const formulas = (at: (rank: number) => number[]) =>
    Object.fromEntries(
      TENSOR_NAMES.map((name) => {
        const { formula, where } = why(
          pass,
          name,
          at(pass[name].shape.length).map((index, dim) => Math.min(index, pass[name].shape[dim] - 1)),
        );
        return [name, where === '' ? formula : `${formula} (${where})`];
      }),
    );

  it('of each tensor', () => {
    expect(formulas((rank) => [3, rank === 3 ? 2 : 7, 7].slice(0, rank))).toMatchInlineSnapshot(`
      {
        "C": "C[3,7] is a parameter: training sets it, no step computes it",
        "W1": "W1[3,7] is a parameter: training sets it, no step computes it",
        "W2": "W2[3,7] is a parameter: training sets it, no step computes it",
        "b1": "b1[3] is a parameter: training sets it, no step computes it",
        "b2": "b2[3] is a parameter: training sets it, no step computes it",
        "bnbias": "bnbias[0,7] is a parameter: training sets it, no step computes it",
        "bndiff": "bndiff[3,7] = hprebn[3,7] - bnmeani[0,7]",
        "bndiff2": "bndiff2[3,7] = bndiff[3,7]²",
        "bngain": "bngain[0,7] is a parameter: training sets it, no step computes it",
        "bnmeani": "bnmeani[0,7] = 1/n Σᵢ hprebn[i,7] (i runs over the 32 examples; n is 32)",
        "bnraw": "bnraw[3,7] = bndiff[3,7] · bnvar_inv[0,7]",
        "bnvar": "bnvar[0,7] = 1/(n-1) Σᵢ bndiff2[i,7] (i runs over the 32 examples; n is 32)",
        "bnvar_inv": "bnvar_inv[0,7] = (bnvar[0,7] + 1e-5)^(-1/2)",
        "counts": "counts[3,7] = exp(norm_logits[3,7])",
        "counts_sum": "counts_sum[3,0] = Σᵥ counts[3,v] (v runs over the 27 characters)",
        "counts_sum_inv": "counts_sum_inv[3,0] = 1/counts_sum[3,0]",
        "dC": "dC[3,7] = Σᵢₜ demb[i,t,7] where Xb[i,t] = 3 (i, t run over the only place of character 3 in the contexts)",
        "dW1": "dW1[3,7] = Σᵢ embact[i,3] · dhprebn[i,7] (i runs over the 32 examples)",
        "dW2": "dW2[3,7] = Σᵢ h[i,3] · dlogits[i,7] (i runs over the 32 examples)",
        "db1": "db1[3] = Σᵢ dhprebn[i,3] (i runs over the 32 examples; 0 but for rounding: batch norm subtracts the mean of hprebn, and b1 with it)",
        "db2": "db2[3] = Σᵢ dlogits[i,3] (i runs over the 32 examples)",
        "dbnbias": "dbnbias[0,7] = Σᵢ dhpreact[i,7] (i runs over the 32 examples)",
        "dbndiff": "dbndiff[3,7] = bnvar_inv[0,7] · dbnraw[3,7] + 2 · bndiff[3,7] · dbndiff2[3,7]",
        "dbndiff2": "dbndiff2[3,7] = 1/(n-1) · dbnvar[0,7] (n is 32)",
        "dbngain": "dbngain[0,7] = Σᵢ bnraw[i,7] · dhpreact[i,7] (i runs over the 32 examples)",
        "dbnmeani": "dbnmeani[0,7] = -Σᵢ dbndiff[i,7] (i runs over the 32 examples)",
        "dbnraw": "dbnraw[3,7] = bngain[0,7] · dhpreact[3,7]",
        "dbnvar": "dbnvar[0,7] = -1/2 · (bnvar[0,7] + 1e-5)^(-3/2) · dbnvar_inv[0,7]",
        "dbnvar_inv": "dbnvar_inv[0,7] = Σᵢ bndiff[i,7] · dbnraw[i,7] (i runs over the 32 examples)",
        "dcounts": "dcounts[3,7] = counts_sum_inv[3,0] · dprobs[3,7] + dcounts_sum[3,0]",
        "dcounts_sum": "dcounts_sum[3,0] = -1/counts_sum[3,0]² · dcounts_sum_inv[3,0]",
        "dcounts_sum_inv": "dcounts_sum_inv[3,0] = Σᵥ counts[3,v] · dprobs[3,v] (v runs over the 27 characters)",
        "demb": "demb[3,2,7] = dembact[3,27]",
        "dembact": "dembact[3,7] = Σⱼ dhprebn[3,j] · W1[7,j] (j runs over the 64 hidden units)",
        "dh": "dh[3,7] = Σᵥ dlogits[3,v] · W2[7,v] (v runs over the 27 characters)",
        "dhpreact": "dhpreact[3,7] = (1 - h[3,7]²) · dh[3,7]",
        "dhprebn": "dhprebn[3,7] = dbndiff[3,7] + 1/n · dbnmeani[0,7] (n is 32)",
        "dlogit_maxes": "dlogit_maxes[3,0] = -Σᵥ dnorm_logits[3,v] (v runs over the 27 characters; 0 but for rounding: probs do not change when all logits of a row are shifted)",
        "dlogits": "dlogits[3,7] = dnorm_logits[3,7] (nothing comes through logit_maxes: the largest entry of the row is that of character 21)",
        "dlogprobs": "dlogprobs[3,7] = 0: the target of example 3 is character 1, so the loss does not read this entry",
        "dnorm_logits": "dnorm_logits[3,7] = counts[3,7] · dcounts[3,7]",
        "dprobs": "dprobs[3,7] = 1/probs[3,7] · dlogprobs[3,7]",
        "emb": "emb[3,2,7] = C[16,7] (Xb[3,2] = 16)",
        "embact": "embact[3,7] = emb[3,0,7]",
        "h": "h[3,7] = tanh(hpreact[3,7])",
        "hpreact": "hpreact[3,7] = bngain[0,7] · bnraw[3,7] + bnbias[0,7]",
        "hprebn": "hprebn[3,7] = Σₖ embact[3,k] · W1[k,7] + b1[7] (k runs over the 30 inputs)",
        "logit_maxes": "logit_maxes[3,0] = logits[3,21] (the largest entry of row 3 of logits is that of character 21)",
        "logits": "logits[3,7] = Σⱼ h[3,j] · W2[j,7] + b2[7] (j runs over the 64 hidden units)",
        "logprobs": "logprobs[3,7] = log(probs[3,7])",
        "loss": "loss = -1/n Σᵢ logprobs[i,Yb[i]] (i runs over the 32 examples; n is 32; Yb[i] is the target of example i)",
        "norm_logits": "norm_logits[3,7] = logits[3,7] - logit_maxes[3,0]",
        "probs": "probs[3,7] = counts[3,7] · counts_sum_inv[3,0]",
      }
    `);
  });

  it('of the largest logit of a row has two terms, of the others one', () => {
    const { at } = why(pass, 'logit_maxes', [5, 0]).terms[0].factors[0];
    const largest = why(pass, 'dlogits', at);
    expect(largest.terms.map(({ through }) => through)).toEqual(expect.arrayContaining(['norm_logits', 'logit_maxes']));
    expect(largest.formula).toBe(`dlogits[${at}] = dnorm_logits[${at}] + dlogit_maxes[5,0]`);
    expect(why(pass, 'dlogits', [5, (at[1] + 1) % 27]).terms).toHaveLength(1);
  });

  it('of dlogprobs is -1/n at the target and 0 elsewhere, with the reason', () => {
    const target = pass.Yb.data[4];
    expect(why(pass, 'dlogprobs', [4, target])).toMatchObject({
      formula: `dlogprobs[4,${target}] = -1/n`,
      terms: [{ value: -1 / 32, factors: [{ name: '-1/n', at: [], value: -1 / 32, text: '-1/n' }], through: 'loss' }],
    });
    const other = (target + 1) % 27;
    expect(why(pass, 'dlogprobs', [4, other])).toMatchObject({
      terms: [],
      formula: `dlogprobs[4,${other}] = 0: the target of example 4 is character ${target}, so the loss does not read this entry`,
    });
  });

  it('of dC has a term for each place where the character occurs, and says so if it does not', () => {
    const { data } = pass.Xb;
    for (let v = 0; v < 27; v++) {
      const places = Array.from(data.keys()).filter((place) => data[place] === v);
      const { terms, value } = why(pass, 'dC', [v, 2]);
      expect(terms).toHaveLength(places.length);
      if (places.length === 0) expect(value).toBe(0);
    }
    const small = passOf(2);
    const absent = Array.from({ length: 11 }, (_, v) => v).find((v) => !small.Xb.data.includes(v)) as number;
    expect(why(small, 'dC', [absent, 1]).formula).toBe(
      `dC[${absent},1] = 0: character ${absent} does not occur in the contexts of this batch`,
    );
  });
});

describe('a value that was changed', () => {
  it('is explained by what it is now computed from, with NaN first', () => {
    const pass = passOf(3);
    pass.embact = new Tensor(pass.embact.data.slice(), pass.embact.shape);
    pass.embact.data[pass.embact.shape[1] + 4] = Number.NaN;
    const { terms } = why(pass, 'dW1', [4, 2]);
    expect(terms[0].value).toBeNaN();
    expect((terms[0].factors as Factor[])[0]).toMatchObject({ name: 'embact', at: [1, 4], value: Number.NaN });
  });
});

it.each([
  ['dw1', [0, 0], "there is no tensor 'dw1'"],
  ['dW1', [0], 'dW1 has shape [6, 5]: expected 2 indices, found 1'],
  ['dW1', [0, 5], 'dW1[0,5] is outside of dW1, whose shape is [6, 5]: the second index is 5, expected 0 to 4'],
  ['dW1', [-1, 0], 'dW1[-1,0] is outside of dW1, whose shape is [6, 5]: the first index is -1, expected 0 to 5'],
  ['dW1', [0.5, 0], "dW1[0.5,0]: '0.5' is not a whole number"],
  ['loss', [0], 'loss is a single number, but an index was given: 0'],
])('why(%s, %j) is refused', (name, at, message) => {
  expect(() => why(passOf(3), name as TensorName, at)).toThrow(expect.objectContaining({ name: 'UsageError', message }));
});

it('a sum over one unit, one input or one example is over the only one', () => {
  const pass = passOf(2, { context: 1, embedding: 1, hidden: [1], vocabulary: 11 });
  expect(why(pass, 'hprebn', [0, 0]).where).toBe('k runs over the only input');
  expect(why(pass, 'logits', [0, 3]).where).toBe('j runs over the only hidden unit');
  expect(why(pass, 'dembact', [0, 0]).where).toBe('j runs over the only hidden unit');
});

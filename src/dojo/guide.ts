/**
 * README.md of a learner's folder: all that is needed to go through the exercises without another page open.
 * @param option of the commands, where the folder is not the one they look for
 */
export function guideText(option = ''): string {
  const exercise = (words: string): string => `npx backprop-ninja exercise ${words}${option}`;
  return `# The dojo

You are given the forward pass of a small network, and write its backward pass: by hand, a line
per gradient.

| file | what to write |
|---|---|
| exercise1.ts | every atomic step: 26 gradients, from the loss back to C |
| exercise2.ts | cross-entropy in one expression |
| exercise3.ts | batch norm in one expression |
| exercise4.ts | the whole backward pass, with both in it |

A row per gradient, red ones say what is wrong; the same at every save, with keys for hints:

    ${exercise('check 1')}
    ${exercise('watch 1')}

A hint for the first line that is not right, or for one by its name; --step 2 adds the shape,
--step 3 the formula:

    ${exercise('hint 1')}
    ${exercise('hint 1 dprobs')}

How far you are; begin again (what you wrote is kept); the solution, once you have one, or with
--force:

    ${exercise('status')}
    ${exercise('reset 1')}
    ${exercise('solution 1')}

## The network

It predicts the next character of a name from the T characters before it. Each of them is looked
up in a table of vectors, these go through a linear layer, batch norm, tanh and a second linear
layer, and the softmax makes probabilities of what comes out.

| size | on the lesson's batch | |
|---|---|---|
| n | 32 | examples in a batch |
| T | 3 | characters of context |
| E | 10 | numbers per character |
| H | 64 | hidden units |
| V | 27 | characters: 26 letters and the end of a name |

| given | shape | |
|---|---|---|
| Xb | [n,T] | the characters before, as indices 0 to V-1 |
| Yb | [n] | the character that comes next, the target |
| C | [V,E] | the table: a vector per character |
| W1, b1 | [T·E,H], [H] | the first linear layer |
| bngain, bnbias | [1,H], [1,H] | batch norm's gain and bias |
| W2, b2 | [H,V], [V] | the second linear layer |

The forward pass. Sums and means run over the batch unless said.

    emb = rows of C at Xb [n,T,E]              embact = emb viewed [n,T·E]
    hprebn = embact W1 + b1 [n,H]              bnmeani = sum(hprebn)/n [1,H]
    bndiff = hprebn - bnmeani [n,H]            bndiff2 = bndiff² [n,H]
    bnvar = sum(bndiff2)/(n-1) [1,H]           bnvar_inv = (bnvar + 1e-5)^(-1/2) [1,H]
    bnraw = bndiff · bnvar_inv [n,H]           hpreact = bngain · bnraw + bnbias [n,H]
    h = tanh(hpreact) [n,H]                    logits = h W2 + b2 [n,V]
    logit_maxes = row maximum of logits [n,1]  norm_logits = logits - logit_maxes [n,V]
    counts = exp(norm_logits) [n,V]            counts_sum = row sum of counts [n,1]
    counts_sum_inv = counts_sum^(-1) [n,1]     probs = counts · counts_sum_inv [n,V]
    logprobs = log(probs) [n,V]                loss = -mean of logprobs at Yb []

\`dx\` is d loss / d x, and has the shape of x.

## Three rules

1. A gradient has the shape of its tensor.
2. What was broadcast in the forward pass is summed in the backward pass.
3. What was used twice collects both gradients.

## A line

Each gradient is a function. It is given the forward values and the gradients above it, which are
right whatever your other lines do, and returns a tensor. For a step that is in no exercise, y = a
· w with a [n,H] and w [1,H], broadcast over the batch:

    da: ({ w, dy }) => w.mul(dy),
    dw: ({ a, dy }) => a.mul(dy).sum(0, { keepdim: true }),

Between the braces stands what the line takes. What is there in the beginning is a proposal: take
any value of the network, any gradient above, Xb, Yb and n. A longer line has braces of its own,
and a return:

    dw: ({ a, dy }) => {
      const each = a.mul(dy);
      console.log(each);
      return each.sum(0, { keepdim: true });
    },

What it prints is shown once, with the gradient's name in front: of a tensor its shape and its
first entries. JavaScript's operators know no tensors: 1 - a² is a.pow(2).neg().add(1). Sizes are
read, never written as numbers, for a line is tried on other batches and networks, too: V is
logits.shape[1].

## Tensors

Every method but scatterAddRows returns a new tensor. Shapes broadcast as in PyTorch and NumPy.

    a.add(b)  a.sub(b)  a.mul(b)  a.div(b)   b a tensor or a number
    a.neg()   a.pow(-2) a.exp()   a.log()  a.tanh()
    a.sum(0)                                 over the batch: [n,V] to [V]; a.sum(1) along the row
    a.sum(1, { keepdim: true })              keeps the dimension: [n,V] to [n,1]
    a.mean(0, { keepdim: true })
    a.max(1).indices                         where each row has its maximum, [n]: for oneHot
    a.max(1, { keepdim: true }).values       the maximum of each row, [n,1]
    a.matmul(b)   a.T                        matrix product; transpose, without parentheses
    a.view([n, -1])                          the same entries in another shape; -1 is worked out
    a.shape   a.data                         sizes; entries, row by row
    Tensor.zerosLike(a)  Tensor.onesLike(a)
    Tensor.oneHot(Yb, logits.shape[1])       rows with a 1 at the index, [n,V]
    softmax(logits)                          each row as probabilities, [n,V]
    a.gatherRows(Xb)                         rows of a at the indices
    Tensor.zerosLike(C).scatterAddRows(Xb, rows)   each row added at its index

Tensor, softmax and todo are imported from 'backprop-ninja'. Tensor.oneHot, zeros and of make
float32, zerosLike and onesLike keep what they are given. A line that rounds to float32 is right.

## A row

| column | what it says |
|---|---|
| ✓ ✗ · | right; wrong, or it cannot run; to be written |
| exact | whether every bit is the solution's: right sums in another order differ in the last |
| close | whether torch.allclose would pass it |
| max diff | the largest difference of an entry |
| ULPs | how many float32 numbers lie between yours and the solution's, at most: 1 is the last bit |

The figures are those of a batch of 32 in float32, with the true gradients above. ✓ needs more:
right in float64, on batches of 2, 3 and 32, and with random gradients above. So a red row may be
close: with the true gradients db1 and dlogit_maxes are 0, whatever is wrong with them.
`;
}

/** README.md of a learner's folder: all that is needed to go through the exercises without another page open. */
export const DOJO_GUIDE = `# The dojo

You are given the forward pass of a small network, and write its backward pass: by hand, a line per gradient.

| file | what to write |
|---|---|
| exercise1.ts | every atomic step: 26 gradients, from the loss back to C |
| exercise2.ts | cross-entropy in one expression |
| exercise3.ts | batch norm in one expression |
| exercise4.ts | the whole backward pass, with both in it |

    npx backprop-ninja exercise check 1      # a row per gradient; red ones say what is wrong
    npx backprop-ninja exercise watch 1      # the same at every save, with keys for hints
    npx backprop-ninja exercise hint 1       # the rule; --step 2 the shape, --step 3 the formula
    npx backprop-ninja exercise hint 1 dprobs
    npx backprop-ninja exercise status
    npx backprop-ninja exercise reset 1      # begin again; what you wrote is kept
    npx backprop-ninja exercise solution 1   # once you have one, or with --force

## A line

Each gradient is a function. It is given the forward values and the gradients above it, which are right whatever your other lines do, and
returns a tensor. For a step that is in no exercise, y = a · w with a [n,H] and w [1,H], broadcast over the batch:

    da: ({ w, dy }) => w.mul(dy),
    dw: ({ a, dy }) => a.mul(dy).sum(0, { keepdim: true }),

Between the braces stands what the line takes. What is there in the beginning is a proposal: take any value of the network, any gradient above,
Xb, Yb and n. A longer line has braces of its own, and a return:

    dw: ({ a, dy }) => {
      const each = a.mul(dy);
      console.log(each.shape);
      return each.sum(0, { keepdim: true });
    },

What it prints is shown once, with the gradient's name in front. JavaScript's operators know no tensors: 1 - a² is a.pow(2).neg().add(1).
Sizes are read, never written as numbers, for a line is tried on other batches and networks, too: V is logits.shape[1].

## A row

| column | what it says |
|---|---|
| ✓ ✗ · | right; wrong, or it cannot run; to be written |
| exact | whether every bit is the solution's. Another order of sums changes the last bits, and is right |
| close | whether torch.allclose would pass it |
| max diff | the largest difference of an entry |
| ULPs | how many float32 numbers lie between yours and the solution's, at most: 1 is the last bit |

The figures are those of a batch of 32 in float32, with the true gradients above. ✓ needs more: right in float64, on batches of 2, 3 and 32, and
with random gradients above. So a red row may be close: with the true gradients db1 and dlogit_maxes are 0, whatever is wrong with them.

## The network

n batch, T context, E embedding, H hidden, V vocabulary. Sums and means run over the batch unless said.

    emb = rows of C at Xb [n,T,E]       embact = emb viewed [n,T·E]         hprebn = embact W1 + b1 [n,H]
    bnmeani = sum(hprebn)/n [1,H]       bndiff = hprebn - bnmeani [n,H]     bndiff2 = bndiff²
    bnvar = sum(bndiff2)/(n-1) [1,H]    bnvar_inv = (bnvar + 1e-5)^(-1/2)   bnraw = bndiff · bnvar_inv [n,H]
    hpreact = bngain · bnraw + bnbias   h = tanh(hpreact) [n,H]             logits = h W2 + b2 [n,V]
    logit_maxes = row maximum [n,1]     norm_logits = logits - logit_maxes  counts = exp(norm_logits) [n,V]
    counts_sum = row sum [n,1]          counts_sum_inv = counts_sum^(-1)    probs = counts · counts_sum_inv
    logprobs = log(probs) [n,V]         loss = -mean of logprobs at Yb

\`dx\` is d loss / d x, and has the shape of x.

## Three rules

1. A gradient has the shape of its tensor.
2. What was broadcast in the forward pass is summed in the backward pass.
3. What was used twice collects both gradients.

## Tensors

Every method but scatterAddRows returns a new tensor. Shapes broadcast as in PyTorch and NumPy.

    a.add(b)  a.sub(b)  a.mul(b)  a.div(b)      b a tensor or a number
    a.neg()   a.pow(-2) a.exp()   a.log()  a.tanh()
    a.sum(0)                                    over the batch: [n,V] to [V]; a.sum(1) along the row
    a.sum(1, { keepdim: true })                 keeps the dimension: [n,V] to [n,1]
    a.mean(0, { keepdim: true })
    a.max(1, { keepdim: true })                 { values, indices }
    a.matmul(b)   a.T                           matrix product; transpose, without parentheses
    a.view([n, -1])   a.shape                   the same entries in another shape; its sizes
    Tensor.zerosLike(a)  Tensor.onesLike(a)
    Tensor.oneHot(Yb, logits.shape[1])          rows with a 1 at the index
    a.gatherRows(Xb)                            rows of a at the indices
    Tensor.zerosLike(C).scatterAddRows(Xb, rows)   each row added at its index

Tensor.oneHot, zeros and of make float32, zerosLike and onesLike keep what they are given. A line that rounds to float32 is right.
`;

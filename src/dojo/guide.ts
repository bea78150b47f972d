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
    npx backprop-ninja exercise watch 1      # the same at every save
    npx backprop-ninja exercise hint 1       # the rule; --step 2 the shape, --step 3 the formula
    npx backprop-ninja exercise hint 1 dprobs
    npx backprop-ninja exercise status
    npx backprop-ninja exercise solution 1   # once you have one, or with --force

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
    a.sum(0)                                    over the batch; a.sum(1) along the row
    a.sum(1, { keepdim: true })                 keeps the dimension: [n,V] to [n,1]
    a.mean(0, { keepdim: true })
    a.max(1, { keepdim: true })                 { values, indices }
    a.matmul(b)   a.T                           matrix product, transpose
    a.view([n, -1])   a.shape                   the same entries in another shape
    Tensor.zerosLike(a)  Tensor.onesLike(a)
    Tensor.oneHot(Yb, V)                        rows with a 1 at the index
    a.gatherRows(Xb)                            rows of a at the indices
    Tensor.zerosLike(C).scatterAddRows(Xb, rows)   each row added at its index
`;

# %% [markdown]
# # Becoming a backprop ninja
#
# This is the notebook for part 4 of Andrej Karpathy's
# [makemore lectures](https://www.youtube.com/watch?v=q8SA3rM6ckI). You have a small network that
# predicts the next character of a name, and its forward pass, step by step. You write its backward pass,
# without autograd.
#
# `ninja.check(locals())` judges the gradients that you have so far: which of them are wrong by
# themselves, and what is wrong with them. A gradient that is `None` is not there yet.
#
# The program behind it is backprop-ninja (Node.js 20.19 or later). If it is not found, name it:
# `ninja.check(locals(), program="node path/to/bin/backprop-ninja.js")`, or set `BACKPROP_NINJA`.

# %%
import random

import torch
import torch.nn.functional as F

import ninja

# %% [markdown]
# ## The data
#
# Each name gives an example per character: three characters of context, and the one that follows. `.` is
# the beginning and the end of a name.

# %%
words = open("names.txt", encoding="utf-8").read().split()
stoi = {character: i for i, character in enumerate(["."] + sorted(set("".join(words))))}
itos = {i: character for character, i in stoi.items()}
vocab_size = len(itos)
block_size = 3


def build_dataset(words):
    X, Y = [], []
    for word in words:
        context = [0] * block_size
        for character in word + ".":
            X.append(context)
            Y.append(stoi[character])
            context = context[1:] + [stoi[character]]
    return torch.tensor(X), torch.tensor(Y)


random.seed(42)
random.shuffle(words)
n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
Xtr, Ytr = build_dataset(words[:n1])
Xdev, Ydev = build_dataset(words[n1:n2])
print(f"{len(words)} names, {vocab_size} characters, {len(Xtr)} examples to train with")

# %% [markdown]
# ## The network
#
# No parameter has a special value such as 0 or 1, because that would hide mistakes.

# %%
n_embd = 10  # numbers per character
n_hidden = 64  # hidden units

g = torch.Generator().manual_seed(2147483647)
C = torch.randn((vocab_size, n_embd), generator=g)
W1 = torch.randn((n_embd * block_size, n_hidden), generator=g) * (5 / 3) / ((n_embd * block_size) ** 0.5)
b1 = torch.randn(n_hidden, generator=g) * 0.1
W2 = torch.randn((n_hidden, vocab_size), generator=g) * 0.1
b2 = torch.randn(vocab_size, generator=g) * 0.1
bngain = torch.randn((1, n_hidden), generator=g) * 0.1 + 1.0
bnbias = torch.randn((1, n_hidden), generator=g) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]

n = 32  # examples in a batch
ix = torch.randint(0, Xtr.shape[0], (n,), generator=g)
Xb, Yb = Xtr[ix], Ytr[ix]

# %% [markdown]
# ## The forward pass
#
# In steps so small that each is easy to differentiate.

# %%
# Embedding
emb = C[Xb]  # [32, 3, 10]
embcat = emb.view(n, -1)  # [32, 30]
# Linear
hprebn = embcat @ W1 + b1  # [32, 64]
# Batch norm
bnmeani = 1 / n * hprebn.sum(0, keepdim=True)  # [1, 64]
bndiff = hprebn - bnmeani  # [32, 64]
bndiff2 = bndiff**2  # [32, 64]
bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdim=True)  # [1, 64], n-1: Bessel's correction
bnvar_inv = (bnvar + 1e-5) ** -0.5  # [1, 64]
bnraw = bndiff * bnvar_inv  # [32, 64]
hpreact = bngain * bnraw + bnbias  # [32, 64]
# Non-linearity
h = torch.tanh(hpreact)  # [32, 64]
# Linear
logits = h @ W2 + b2  # [32, 27]
# Cross-entropy
logit_maxes = logits.max(1, keepdim=True).values  # [32, 1]
norm_logits = logits - logit_maxes  # [32, 27]
counts = norm_logits.exp()  # [32, 27]
counts_sum = counts.sum(1, keepdim=True)  # [32, 1]
counts_sum_inv = counts_sum**-1  # [32, 1]
probs = counts * counts_sum_inv  # [32, 27]
logprobs = probs.log()  # [32, 27]
loss = -logprobs[range(n), Yb].mean()  # []
print(f"loss {loss.item():.4f}")

# %% [markdown]
# ## Exercise 1: every atomic step
#
# Replace each `None` by the gradient: `dprobs` is d loss / d probs, and has the shape of `probs`. Three
# rules are enough:
#
# 1. A gradient has the shape of its tensor.
# 2. If the forward pass broadcasts a tensor, sum its gradient over the broadcast dimension.
# 3. If the forward pass uses a tensor twice, add the gradients of both uses.
#
# First cross-entropy, from the loss back to the logits.

# %%
dlogprobs = None  # [32, 27]
dprobs = None  # [32, 27]
dcounts_sum_inv = None  # [32, 1]
dcounts_sum = None  # [32, 1]
dcounts = None  # [32, 27]
dnorm_logits = None  # [32, 27]
dlogit_maxes = None  # [32, 1]
dlogits = None  # [32, 27]

ninja.check(locals())

# %% [markdown]
# The second linear layer and tanh.

# %%
dh = None  # [32, 64]
dW2 = None  # [64, 27]
db2 = None  # [27]
dhpreact = None  # [32, 64]

ninja.check(locals())

# %% [markdown]
# Batch norm.

# %%
dbngain = None  # [1, 64]
dbnraw = None  # [32, 64]
dbnbias = None  # [1, 64]
dbnvar_inv = None  # [1, 64]
dbnvar = None  # [1, 64]
dbndiff2 = None  # [32, 64]
dbndiff = None  # [32, 64]
dbnmeani = None  # [1, 64]
dhprebn = None  # [32, 64]

ninja.check(locals())

# %% [markdown]
# The first linear layer and the embedding. A character that appears several times in the batch collects
# the gradients of all its uses.

# %%
dembcat = None  # [32, 30]
dW1 = None  # [30, 64]
db1 = None  # [64]
demb = None  # [32, 3, 10]
dC = None  # [27, 10]

ninja.check(locals())

# %% [markdown]
# ### What values cannot show
#
# The true gradients of `b1` and `logit_maxes` are 0: batch norm removes what `b1` adds, and the softmax
# what `logit_maxes` subtracts. A wrong sign there changes nothing. `ninja.lines` therefore runs a line
# alone, with *random* gradients above it, on batches of 2, 3 and 32.
#
# Write the lines as functions of `at`, which has the forward values, the batch, the gradients above the
# line, and the sizes `n`, `T`, `E`, `H` and `V`. For example, `at.dprobs` and `at.n`. Do not write sizes
# as numbers. You may judge any of the 26 lines like this.

# %%
ninja.lines(
    dlogit_maxes=lambda at: ...,
    dlogits=lambda at: ...,
    db1=lambda at: ...,
)

# %% [markdown]
# ## Exercise 2: cross-entropy in one expression
#
# Derive d loss / d logits on paper, simplify it, and write it as one expression of `logits` and `Yb`.

# %%
ninja.lines(dlogits=lambda at: ..., exercise=2)

# %% [markdown]
# ## Exercise 3: batch norm in one expression
#
# Derive d loss / d hprebn from `dhpreact`: `hprebn` reaches `hpreact` directly, through the mean and
# through the variance. Use `bngain`, `bnvar_inv`, `bnraw`, `dhpreact` and `n`.

# %%
ninja.lines(dhprebn=lambda at: ..., exercise=3)

# %% [markdown]
# ## Exercise 4: the whole backward pass
#
# Put it together, and train with it. `passes` returns everything that it has computed, so that
# `ninja.check` can judge it.


# %%
def passes(Xb, Yb):
    C, W1, b1, W2, b2, bngain, bnbias = parameters
    n = Xb.shape[0]
    # Forward
    emb = C[Xb]
    embcat = emb.view(n, -1)
    hprebn = embcat @ W1 + b1
    bnmeani = hprebn.mean(0, keepdim=True)
    bnvar = hprebn.var(0, keepdim=True, unbiased=True)
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = (hprebn - bnmeani) * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    # Backward
    dlogits = None
    dh = None
    dW2 = None
    db2 = None
    dhpreact = None
    dbngain = None
    dbnbias = None
    dhprebn = None
    dembcat = None
    dW1 = None
    db1 = None
    demb = None
    dC = None
    return locals()


ninja.check(passes(Xb, Yb))

# %% [markdown]
# Training uses your gradients, and no others: the loss should fall from about 3.4 to about 2.3. The
# lecture takes 200,000 steps with 200 hidden units, and ends at 2.07 (training) and 2.11 (validation).

# %%
steps = 5000
names = "C W1 b1 W2 b2 bngain bnbias".split()
if any(passes(Xb, Yb)["d" + name] is None for name in names):
    print("Write the gradients of the parameters first.")
else:
    for step in range(steps):
        ix = torch.randint(0, Xtr.shape[0], (n,), generator=g)
        values = passes(Xtr[ix], Ytr[ix])
        rate = 0.1 if step < steps / 2 else 0.01
        for name, parameter in zip(names, parameters):
            parameter -= rate * values["d" + name]
        if step % 1000 == 0:
            print(f"step {step:6d}  loss {values['loss'].item():.4f}")
    print(f"training {passes(Xtr, Ytr)['loss'].item():.4f}  validation {passes(Xdev, Ydev)['loss'].item():.4f}")

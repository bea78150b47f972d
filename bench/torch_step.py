"""A training step of the lesson's network in PyTorch on one CPU core: a baseline for the kernels.

Usage: python3 torch_step.py NAMES H N STEPS autograd|manual

`autograd` lets PyTorch differentiate; `manual` is the lesson's Exercise 4 with index_add for dC. Prints the microseconds per
step of three rounds. Debian: python3-torch and libopenblas0-pthread.
"""
import random
import sys
import time

import torch
import torch.nn.functional as F

names, H, n, steps, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
torch.set_num_threads(1)
generator = torch.Generator().manual_seed(2147483647)

words = open(names, encoding='utf-8').read().split()
characters = ['.'] + sorted(set(''.join(words)))
index = {character: i for i, character in enumerate(characters)}
T, E, V = 3, 10, len(characters)
random.seed(42)
random.shuffle(words)
rows = []
for word in words[: int(0.8 * len(words))]:
    context = [0] * T
    for character in word + '.':
        rows.append(context + [index[character]])
        context = context[1:] + [index[character]]
X, Y = torch.tensor(rows).split([T, 1], 1)
Y = Y.squeeze(1)

normal = lambda *shape: torch.randn(shape, generator=generator)
C, W1, b1 = normal(V, E), normal(T * E, H) * (5 / 3) / (T * E) ** 0.5, normal(H) * 0.1
W2, b2, bngain, bnbias = normal(H, V) * 0.1, normal(V) * 0.1, normal(1, H) * 0.1 + 1, normal(1, H) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]


def forward(Xb, Yb):
    emb = C[Xb]
    embcat = emb.view(n, -1)
    hprebn = embcat @ W1 + b1
    bnvar_inv = (hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) ** -0.5
    bnraw = (hprebn - hprebn.mean(0, keepdim=True)) * bnvar_inv
    h = torch.tanh(bngain * bnraw + bnbias)
    logits = h @ W2 + b2
    return emb, embcat, bnvar_inv, bnraw, h, logits, F.cross_entropy(logits, Yb)


def gradients_by_hand(Xb, Yb):
    emb, embcat, bnvar_inv, bnraw, h, logits, _ = forward(Xb, Yb)
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    dhpreact = (1 - h**2) * (dlogits @ W2.T)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.reshape(-1), (dhprebn @ W1.T).view(-1, E))
    dbngain, dbnbias = (bnraw * dhpreact).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)
    return [dC, embcat.T @ dhprebn, dhprebn.sum(0), h.T @ dlogits, dlogits.sum(0), dbngain, dbnbias]


def gradients_by_autograd(Xb, Yb):
    for parameter in parameters:
        parameter.grad = None
    forward(Xb, Yb)[-1].backward()
    return [parameter.grad for parameter in parameters]


def run(count):
    for _ in range(count):
        batch = torch.randint(0, X.shape[0], (n,), generator=generator)
        gradients = (gradients_by_autograd if mode == 'autograd' else gradients_by_hand)(X[batch], Y[batch])
        for parameter, gradient in zip(parameters, gradients):
            parameter.data -= 0.1 * gradient


for parameter in parameters:
    parameter.requires_grad = mode == 'autograd'
run(min(50, steps))
for _ in range(3):
    start = time.perf_counter()
    run(steps)
    print(f'{1e6 * (time.perf_counter() - start) / steps:.2f} us/step')

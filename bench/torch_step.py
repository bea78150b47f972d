"""A training step of the lesson's network in PyTorch on the CPU: a baseline for the kernels.

Usage: python3 torch_step.py PROBLEM THREADS autograd|manual

`autograd` lets PyTorch differentiate; `manual` is the lesson's Exercise 4 with index_add for dC. PROBLEM is the file of peers/problem.ts. It
prints the loss of the first batch, the norm of its gradient and the loss after one update; then, for each number of steps in its input, the
microseconds per step. OPENBLAS_NUM_THREADS has to be THREADS, too. Debian: python3-torch and libopenblas0-pthread.
"""
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

path, mode = sys.argv[1], sys.argv[3]
torch.set_num_threads(int(sys.argv[2]))
generator = torch.Generator().manual_seed(2147483647)

with open(path, 'rb') as file:
    H, n, V, E, T, count = np.fromfile(file, np.int32, 6).tolist()
    read = lambda *shape: torch.from_numpy(np.fromfile(file, np.float32, int(np.prod(shape))).reshape(shape))
    C, W1, b1, bngain, bnbias, W2, b2 = read(V, E), read(T * E, H), read(H), read(1, H), read(1, H), read(H, V), read(V)
    rows = torch.from_numpy(np.fromfile(file, np.uint8).reshape(count, T + 1)).long()
X, Y = rows[:, :T].contiguous(), rows[:, T].contiguous()
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
    emb, embcat, bnvar_inv, bnraw, h, logits, loss = forward(Xb, Yb)
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    dhpreact = (1 - h**2) * (dlogits @ W2.T)
    dhprebn = bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.reshape(-1), (dhprebn @ W1.T).view(-1, E))
    dbngain, dbnbias = (bnraw * dhpreact).sum(0, keepdim=True), dhpreact.sum(0, keepdim=True)
    return loss, [dC, embcat.T @ dhprebn, dhprebn.sum(0), h.T @ dlogits, dlogits.sum(0), dbngain, dbnbias]


def gradients_by_autograd(Xb, Yb):
    for parameter in parameters:
        parameter.grad = None
    loss = forward(Xb, Yb)[-1]
    loss.backward()
    return loss, [parameter.grad for parameter in parameters]


def step(batch):
    loss, gradients = (gradients_by_autograd if mode == 'autograd' else gradients_by_hand)(X[batch], Y[batch])
    for parameter, gradient in zip(parameters, gradients):
        parameter.data -= 0.1 * gradient
    return loss, gradients


for parameter in parameters:
    parameter.requires_grad = mode == 'autograd'
first = torch.arange(n)
loss, gradients = step(first)
norm = sum(gradient.double().square().sum() for gradient in gradients).sqrt()
print(f'loss {loss.item():.9g}, norm {norm.item():.9g}, updated {step(first)[0].item():.9g}', flush=True)
for line in sys.stdin:
    steps = int(line)
    start = time.perf_counter()
    for _ in range(steps):
        step(torch.randint(0, count, (n,), generator=generator))
    print(f'{1e6 * (time.perf_counter() - start) / steps:.3f} us/step', flush=True)

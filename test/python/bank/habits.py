"""What goes wrong in a notebook beside the lines: the forward pass, the names, what is saved, and when.

A case: a row of expectations, the tensors as pairs, and the names whose bytes are written as they lie in memory. Expectations:

ok       of the report
wrong    the rows that are wrong by themselves, in any order; left out if it is not this case's point
words    for each of these rows, words one of which a true name of the mistake contains
first    the first forward value that differs, and words one of which its cause contains (none: it needs no cause)
says     words that the report contains somewhere, each of them
unknown  the names that are not known, and what each should have been
remarks  the rows that have a remark, all of them
"""

import torch

from notebook import CELLS, FORWARD, LINES, PARAMETERS, autograd, inputs, notebook, run, taken

LEAVES = ["d" + name for name in PARAMETERS]

EPSILON = ["eps", "ε"]
FORWARD_MISTAKES = [
    ("variance over n", {"bnvar =": "bnvar = 1/n*(bndiff2).sum(0, keepdim=True)"}, "bnvar", ["n - 1", "n-1", "Bessel"]),
    ("var with unbiased=False", {"bnvar =": "bnvar = hprebn.var(0, keepdim=True, unbiased=False)"}, "bnvar", ["n - 1", "n-1", "Bessel"]),
    ("epsilon 1e-3", {"bnvar_inv =": "bnvar_inv = (bnvar + 1e-3)**-0.5"}, "bnvar_inv", EPSILON),
    ("epsilon 0.1", {"bnvar_inv =": "bnvar_inv = (bnvar + 0.1)**-0.5"}, "bnvar_inv", EPSILON),
    ("epsilon beside the root", {"bnvar_inv =": "bnvar_inv = 1/(bnvar**0.5 + 1e-2)"}, "bnvar_inv", []),
    ("no root of the variance", {"bnvar_inv =": "bnvar_inv = (bnvar + 1e-5)**-1"}, "bnvar_inv", []),
    ("summed loss", {"loss =": "loss = -logprobs[range(n), Yb].sum()"}, "loss", ["sum"]),
    ("mean of the loss over all entries", {"loss =": "loss = -logprobs[range(n), Yb].sum() / logprobs.numel()"}, "loss", []),
    ("relu for tanh", {"h =": "h = torch.relu(hpreact)"}, "h", []),
    ("no b1", {"hprebn =": "hprebn = embcat @ W1 + 0*b1"}, "hprebn", []),
    ("no b2", {"logits =": "logits = h @ W2 + 0*b2"}, "logits", []),
    ("no gain", {"hpreact =": "hpreact = bnraw + bnbias + 0*bngain"}, "hpreact", []),
    ("mean over the row", {"bnmeani =": "bnmeani = hprebn.mean(1, keepdim=True)"}, "bnmeani", []),
    ("softmax over the batch", {"counts_sum =": "counts_sum = counts.sum(0, keepdims=True)"}, "counts_sum", []),
    ("log10 for log", {"logprobs =": "logprobs = probs.log10()"}, "logprobs", []),
    ("places and features of the embedding exchanged", {"embcat =": "embcat = emb.transpose(1, 2).reshape(n, -1)"}, "embact", []),
    ("square left out", {"bndiff2 =": "bndiff2 = bndiff.abs()"}, "bndiff2", []),
]


def forward_mistakes(dtype):
    for title, code, first, words in FORWARD_MISTAKES:
        at = notebook(dtype, forward=code)
        gradients = {name: value for name, value in autograd(at).items() if value is not None}
        yield {"title": title, "ok": False, "first": [first, words]}, {**inputs(at, True), **gradients}
    at = notebook(dtype, forward={"norm_logits =": "norm_logits = logits.clone()"})
    gradients = {name: value for name, value in autograd(at).items() if value is not None}
    row = {"title": "maximum not subtracted, which is harmless", "ok": True, "wrong": [], "says": ["maximum is not subtracted"]}
    yield row, {**inputs(at, True), **gradients}


def updated(at):
    with torch.no_grad():
        for name in PARAMETERS:
            at[name] += -0.1 * at[name].grad


def inconsistent(dtype):
    """The forward pass is right, and what is saved with it does not belong to it."""
    at = notebook(dtype)
    saved = {**inputs(at, True), **autograd(at)}
    before = {name: value.detach().clone() for name, value in saved.items()}
    updated(at)
    yield {"title": "parameters saved after the update", "ok": False, "first": ["emb", ["update", "after"]]}, saved

    other = {"Xb": at["Xtr"][:32], "Yb": at["Ytr"][:32]}
    yield {"title": "the batch drawn again before saving", "ok": False, "first": ["emb", []]}, {**before, **other}
    row = {"title": "the targets of another batch", "ok": False, "first": ["loss", []]}
    yield row, {**before, "Yb": other["Yb"]}

    at = notebook(dtype)
    run(at, CELLS["exercise 1"])
    run(at, CELLS["exercise 2"], {"dlogits = ": "dlogits = probs"})
    row = {"title": "dlogits of Exercise 2 written over probs", "ok": False, "first": ["probs", []]}
    yield row, {**inputs(at, True), **taken(at, LINES)}

    linear = {**before, "W1": before["W1"].T, "dW1": before["dW1"].T}
    yield {"title": "W1 as nn.Linear keeps it", "ok": None, "says": ["W1.T"]}, linear
    linear = {**before, "W2": before["W2"].T, "dW2": before["dW2"].T}
    yield {"title": "W2 as nn.Linear keeps it", "ok": None, "says": ["W2.T"]}, linear


def in_memory_order(dtype):
    """A transpose is a view: its bytes lie in the order of the tensor that it was made from."""
    at = notebook(dtype)
    saved = {**inputs(at, True), **autograd(at)}
    column_major = lambda name: {**saved, name: saved[name].detach().T.contiguous().T}
    words = ["Fortran", "column", "order"]
    yield {"title": "W1 in Fortran order", "ok": False, "first": ["hprebn", words]}, column_major("W1"), ["W1"]
    yield {"title": "W2 in Fortran order", "ok": False, "first": ["logits", words]}, column_major("W2"), ["W2"]
    for name in ("dW1", "dW2", "dC", "dh"):
        row = {"title": f"{name} in Fortran order", "ok": False, "wrong": [name], "words": {name: [*words, "transpos"]}}
        yield row, column_major(name), [name]


def right(dtype):
    """What must not look wrong."""
    for n, hidden in ((2, 64), (3, 8), (32, 64), (32, 200), (64, 64)):
        at = notebook(dtype, n, hidden)
        saved = {**inputs(at, True), **autograd(at)}
        yield {"title": f"autograd's own gradients, n {n}, H {hidden}", "ok": True, "wrong": [], "remarks": []}, saved
    at = notebook(dtype)
    run(at, CELLS["exercise 1"])
    for forward in (True, False):
        values = "with" if forward else "without"
        row = {"title": f"the lecture's Exercise 1, {values} its forward values", "ok": True, "wrong": [], "remarks": ["dbnmeani"]}
        yield row, {**inputs(at, forward), **taken(at, LINES)}
    for title in ("exercise 2", "exercise 3"):
        run(at, CELLS[title])
        row = {"title": f"the lecture's {title} after Exercise 1", "ok": True, "wrong": [], "remarks": ["dbnmeani"]}
        yield row, {**inputs(at, True), **taken(at, LINES)}
    at = notebook(dtype)
    run(at, CELLS["exercise 4"])
    at.update(zip("C W1 b1 W2 b2 bngain bnbias".split(), at["before"]))
    row = {"title": "the lecture's Exercise 4, in its tenth step", "ok": True, "wrong": [], "remarks": []}
    values = "emb embcat hprebn bnvar bnvar_inv bnraw hpreact h logits loss".split()
    yield row, {**inputs(at, False), **taken(at, values), **taken(at, [*LEAVES, "dlogits", "dh", "dhpreact", "dhprebn", "dembcat", "demb"])}

    at = notebook(dtype)
    flat = {name: value.view(-1) if value.dim() == 2 and len(value) == 1 else value for name, value in autograd(at).items()}
    yield {"title": "[H] for [1,H]", "ok": True, "wrong": []}, {**inputs(at, False), **flat}
    some = {name: value for name, value in autograd(at).items() if name not in ("dlogit_maxes", "dbnmeani", "dC")}
    yield {"title": "three gradients absent", "ok": True, "wrong": [], "absent": ["dlogit_maxes", "dbnmeani", "dC"]}, {**inputs(at, False), **some}


def names(dtype):
    at = notebook(dtype)
    gradients = autograd(at)
    meant = {
        "dhpreac": "dhpreact", "dlogit_max": "dlogit_maxes", "dprob": "dprobs", "dbn_gain": "dbngain", "dcount_sum": "dcounts_sum", "dw1": "dW1",
        "W1.grad": "dW1", "dbndif2": "dbndiff2", "dbnmean": "dbnmeani", "demb_cat": "dembcat", "dnormlogits": "dnorm_logits", "dbnvarinv": "dbnvar_inv",
    }  # fmt: skip
    for name, known in meant.items():
        saved = {**inputs(at, False), **{name if other == known else other: value for other, value in gradients.items()}}
        yield {"title": f"{name} for {known}", "ok": False, "wrong": [], "unknown": [[name, known]]}, saved
    saved = [*inputs(at, False).items(), *gradients.items(), ("dW1", gradients["dW1"])]
    yield {"title": "dW1 twice", "ok": False, "duplicate": ["dW1"]}, saved
    both = {**inputs(at, False), **gradients, "dembact": -gradients["dembcat"]}
    yield {"title": "dembcat and dembact, and dembact is wrong", "ok": False, "wrong": ["dembact"], "spelt": True}, both


def accumulated(dtype):
    at = notebook(dtype)
    run(at, CELLS["forward"])
    run(at, CELLS["autograd"].split("for t in")[1].join(["for t in", ""]))
    leaves = [name for name in LEAVES if name != "db1"]
    words = ["accumul", "twice", "two backward", "zero", "backward"]
    row = {"title": "gradients accumulated over two backward calls", "ok": False, "wrong": leaves, "words": {name: words for name in leaves}}
    yield row, {**inputs(at, False), **autograd(at)}
    only = {name: value for name, value in autograd(at).items() if name in LEAVES}
    yield {**row, "title": "the same, and only the parameters' gradients are saved"}, {**inputs(at, False), **only}


def stored_wider(dtype):
    if dtype == torch.float64:
        return
    at = notebook(dtype)
    wide = lambda tensors: {name: value.double() if value.is_floating_point() else value for name, value in tensors.items()}
    row = {"title": "autograd's float32 stored as float64", "ok": True, "wrong": [], "says": ["float32"]}
    yield row, wide({**inputs(at, True), **autograd(at)})
    run(at, CELLS["exercise 1"], {"dbnraw =": "dbnraw = dhpreact.clone()"})
    row = {"title": "a mistake in float32 stored as float64", "ok": False, "wrong": ["dbnraw"], "words": {"dbnraw": ["bngain", "gain"]}, "says": ["float32"]}
    yield row, wide({**inputs(at, False), **taken(at, LINES)})


def cases(dtype):
    for make in (right, forward_mistakes, inconsistent, in_memory_order, names, accumulated, stored_wider):
        for case in make(dtype):
            row, tensors, raw = case if len(case) == 3 else (*case, [])
            yield {"kind": make.__name__, **row}, tensors, raw

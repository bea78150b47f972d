"""Runs the lecture's cells in one namespace, as a notebook does, with lines replaced by a learner's mistakes."""

import ast
import random
import re
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
WORDS = (HERE / "../../../data/names.txt").read_text().split()[::40]

LINES = (
    "dlogprobs dprobs dcounts_sum_inv dcounts_sum dcounts dnorm_logits dlogit_maxes dlogits dh dW2 db2 dhpreact dbngain dbnbias "
    "dbnraw dbnvar_inv dbnvar dbndiff2 dbndiff dbnmeani dhprebn dembcat dW1 db1 demb dC"
).split()
PARAMETERS = "C W1 b1 bngain bnbias W2 b2".split()
FORWARD = (
    "emb embcat hprebn bnmeani bndiff bndiff2 bnvar bnvar_inv bnraw hpreact h logits logit_maxes norm_logits counts counts_sum "
    "counts_sum_inv probs logprobs"
).split()


def cells():
    """The cells of lecture.py, by title."""
    parts = re.split(r"^# %% (.*)\n", (HERE / "lecture.py").read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


CELLS = cells()


def statements(code):
    """The statements of a cell, each as it was written."""
    lines = code.splitlines()
    return ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in ast.parse(code).body]


def replaced(code, replacements):
    """The statements of `code`; one that begins with a key of `replacements` becomes the key's value (None: it is left out)."""
    result, used = [], set()
    for statement in statements(code):
        keys = [key for key in replacements if statement.startswith(key)]
        used.update(keys)
        if not keys:
            result.append(statement)
        elif replacements[keys[0]] is not None:
            result.extend(statements(replacements[keys[0]]))
    unused = set(replacements) - used
    if unused:
        raise KeyError(f"no statement begins with {sorted(unused)}")
    return result


def run(at, code, replacements=None):
    """Runs the cell `code` in the namespace `at`."""
    for statement in replaced(code, replacements or {}):
        exec(statement, at)


def notebook(dtype=torch.float32, n=32, hidden=64, seed=42, forward=None, data=CELLS["data"]):
    """A fresh notebook after loss.backward(). `forward`: replacements in the cell of the forward pass."""
    torch.set_default_dtype(dtype)
    torch.manual_seed(seed)
    at = {"torch": torch, "F": F, "random": random, "words": list(WORDS), "n_hidden": hidden, "batch_size": n}
    for title in ("data", "parameters", "batch"):
        run(at, CELLS[title])
    run(at, CELLS["forward"], forward)
    run(at, CELLS["autograd"])
    return at


def autograd(at):
    """The gradients that PyTorch computed, under the lesson's names."""
    return {line: at[line[1:]].grad for line in LINES}


def taken(at, names):
    """The tensors of the notebook with these names, where they are there."""
    return {name: at[name] for name in names if isinstance(at.get(name), torch.Tensor)}


def inputs(at, forward):
    """What every file needs, and the forward values if wanted."""
    return taken(at, [*PARAMETERS, "Xb", "Yb", *(FORWARD + ["loss"] if forward else [])])


def statements_of(line):
    """The statements of Exercise 1 that make up one line, in order."""
    own = rf"{line}( \+?=|\[)" + ("|for k" if line == "dC" else "")
    return "\n".join(s for s in statements(CELLS["exercise 1"]) if re.match(own, s))


def fits(value, truth):
    """[H] is as good as [1,H]."""
    return value.shape == truth.shape or [1, *value.shape] == list(truth.shape)


def wrong_by_themselves(at, given):
    """The lines of `given` (gradients by name) that differ from PyTorch's, and from the lecture's line on the other gradients in `given`.

    A gradient above that is missing or of another shape is computed from those above it: Exercise 4 leaves out the atomic steps.
    """
    truth, values, result = autograd(at), dict(at), []
    for line in LINES:
        run(values, statements_of(line))
        right = values[line].detach().view(truth[line].shape)
        if line not in given:
            continue
        mine = given[line].detach()
        if not fits(mine, right):
            result.append(line)
            continue
        mine = values[line] = mine.view(right.shape).clone()
        limit = (1e-7 if right.dtype == torch.float64 else 1e-4) * max(right.abs().max().item(), 1e-2)
        if all((mine - other).abs().max().item() > limit for other in (right, truth[line])):
            result.append(line)
    return result

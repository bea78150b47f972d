"""Writes the bank as files for grad-check --against: python write.py DIR float32 [--whole]. DIR/bank.json lists them."""

import json
import random
import sys
from pathlib import Path

import torch

import ninja
from habits import cases
from mistakes import BANK
from notebook import CELLS, LINES, inputs, notebook, run, statements_of, taken, wrong_by_themselves
from writer import save_carelessly

# Exercise 4 leaves out the atomic steps inside the two closed forms.
CHAIN = "dlogits dh dW2 db2 dhpreact dbngain dbnbias dhprebn dembcat dW1 db1 demb dC".split()


def learned(base, mistakes):
    """The gradients in the notebook after Exercise 1 with these mistakes; `until` cuts it off behind its line."""
    at = dict(base)
    code = {key: now for mistake in mistakes for key, now in mistake.code.items()}
    run(at, CELLS["exercise 1"], code)
    last = [LINES.index(mistake.line) for mistake in mistakes if mistake.until]
    return taken(at, LINES[: min(last) + 1] if last else LINES)


def until(base, mistake):
    """The same for a line after which the notebook would throw."""
    at = dict(base)
    for line in LINES[: LINES.index(mistake.line)]:
        run(at, statements_of(line))
    run(at, statements_of(mistake.line), mistake.code)
    return taken(at, LINES[: LINES.index(mistake.line) + 1])


def closed(base, mistake, atomic):
    """Exercise 2 or 3: in the notebook of Exercise 1 (`atomic`), or as part of Exercise 4's backward pass."""
    at = dict(base)
    forms = {"dlogits": "exercise 2", "dhprebn": "exercise 3"}
    if atomic:
        run(at, CELLS["exercise 1"])
        run(at, CELLS[mistake.form], mistake.code)
        return taken(at, LINES)
    for line in CHAIN:
        if line not in forms:
            run(at, statements_of(line))
        else:
            run(at, CELLS[forms[line]], mistake.code if mistake and forms[line] == mistake.form else None)
    return taken(at, CHAIN)


class Writer:
    def __init__(self, folder):
        self.folder, self.rows = Path(folder), []

    def write(self, row, tensors, raw=()):
        path = self.folder / f"{len(self.rows):04d}.safetensors"
        if raw or isinstance(tensors, list):
            save_carelessly(path, tensors if isinstance(tensors, list) else tensors.items(), raw)
        else:
            ninja.save(path, tensors)
        self.rows.append({"file": path.name, "dtype": str(torch.get_default_dtype()).split(".")[1], **row})


def single(out, base, bits, mistakes):
    for mistake in mistakes:
        if mistake.form:
            gradients = closed(base, mistake, bits == 32)
        else:
            gradients = until(base, mistake) if mistake.until else learned(base, [mistake])
        seen = mistake.seen if isinstance(mistake.seen, bool) else mistake.seen == bits
        row = {"kind": "single" if seen else "hidden", "title": mistake.title, "wrong": mistake.found, "words": {line: mistake.words for line in mistake.found}}
        if seen:
            row["measured"] = wrong_by_themselves(base, gradients)
        out.write(row, {**inputs(base, bits == 32), **gradients})


def several(out, base, bits, count, sets):
    """Sets of mistakes in one notebook. Left out are lines in each other's way: aliases, shapes, what throws, and two that cancel."""
    plain = [m for m in BANK if m.seen is True and not m.until and not m.form and m.found == [m.line] and "shape" not in m.words]
    choose = random.Random(bits * count)
    done = 0
    while done < sets:
        mistakes = choose.sample(plain, count)
        if len({m.line for m in mistakes}) < count:
            continue
        gradients = learned(base, mistakes)
        lines = sorted((m.line for m in mistakes), key=LINES.index)
        words = {m.line: m.words for m in mistakes}
        if wrong_by_themselves(base, gradients) != lines:
            continue
        row = {"kind": f"{count} at once", "title": "; ".join(m.title for m in mistakes), "wrong": lines, "words": words}
        out.write({**row, "measured": lines}, {**inputs(base, bits == 32), **gradients})
        done += 1


def main(folder, dtype, whole):
    """`dtype`: float32, with forward values in the files, or float64, without. Each takes half of the mistakes, unless `whole`."""
    out, bits = Writer(folder), int(dtype[-2:])
    base = notebook(getattr(torch, dtype))
    single(out, base, bits, BANK if whole else BANK[bits == 64 :: 2])
    for count in (2, 4):
        several(out, base, bits, count, 20 if whole else 10)
    for row, tensors, raw in cases(getattr(torch, dtype)):
        if whole or bits == 32 or row["kind"] == "right":
            out.write(row, tensors, raw)
    (out.folder / "bank.json").write_text(json.dumps(out.rows, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--whole" in sys.argv)

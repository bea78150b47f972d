"""The bank as Python functions of `at`, for ninja.lines and exercise check."""

import ast
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import ninja
from mistakes import BANK
from notebook import CELLS, FORWARD, LINES, PARAMETERS, replaced, statements_of

GIVEN = {*PARAMETERS, *FORWARD, *LINES, "Xb", "Yb", "n"}
SIZES = {"n_embd": "at.E", "block_size": "at.T"}


def function(line, code):
    """`code`, statements that compute the gradient `line`, as a function: it takes what it reads from `at`."""
    body = "\n".join(code)
    names = [node for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)]
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    read = sorted({node.id for node in names if isinstance(node.ctx, ast.Load)} - (stored & {line, "ix", "k", "j"}))
    taken = [f"{name} = {SIZES.get(name, 'at.' + name)}" for name in read if name in GIVEN or name in SIZES]
    lines = "\n".join([*taken, body, f"return {line}"]).splitlines()
    return "\n".join([f"def {line}(at):", *("    " + text for text in lines)])


def wrong_function(mistake):
    source = statements_of(mistake.line) if mistake.form is None else CELLS[mistake.form]
    return function(mistake.line, replaced(source, mistake.code))


def exercise_of(mistake):
    return int(mistake.form[-1]) if mistake.form else 1


def files():
    """As few files as hold every mistake, at most one for each line: (exercise, mistakes)."""
    left = [mistake for mistake in BANK if mistake.found == [mistake.line]]
    while left:
        exercise, chosen = exercise_of(left[0]), {}
        for mistake in left:
            if exercise_of(mistake) == exercise:
                chosen.setdefault(mistake.line, mistake)
        left = [mistake for mistake in left if mistake not in chosen.values()]
        yield exercise, list(chosen.values())


def right_functions(exercise):
    if exercise == 1:
        return [function(line, replaced(statements_of(line), {})) for line in LINES]
    line = "dlogits" if exercise == 2 else "dhprebn"
    return [function(line, replaced(CELLS[f"exercise {exercise}"], {}))]


IMPORTS = "import torch\nimport torch.nn.functional as F\n\n\n"


def answer(source, cases, folder):
    """Answers the cases in the folder `cases` with the functions in `source`, in a new folder."""
    shutil.copytree(cases, folder)
    functions = {}
    exec(source, functions)
    functions = {name: functions[name] for name in LINES if name in functions}
    own = {"dembcat": "dembact"}
    thrown = {}
    for case in json.loads((folder / "exercise.json").read_text())["cases"]:
        tensors = ninja.load(folder / case["file"])
        tensors.update(embcat=tensors["embact"], dembcat=tensors.get("dembact"))
        answers = {}
        for name, line in functions.items():
            at = SimpleNamespace(**{key: value if value is None else value.clone() for key, value in tensors.items()}, **{key: case[key] for key in "nTEHV"})
            try:
                answers[own.get(name, name)] = line(at)
            except Exception as error:
                thrown[own.get(name, name)] = {"fault": {"id": "threw", "thrown": {"text": f"{type(error).__name__}: {error}"}}}
        ninja.save(folder / case["answers"], answers)
    (folder / "answers.json").write_text(json.dumps({"lines": thrown}))


def main(folder, cases):
    """Writes folder/NNN.py and, with the answers of its functions, folder/NNN. folder/functions.json says what is planted.

    `cases`: the folder with the cases of each exercise.
    """
    rows = []
    groups = [*files(), *((exercise, []) for exercise in (1, 2, 3))]
    for k, (exercise, mistakes) in enumerate(groups):
        functions = [wrong_function(mistake) for mistake in mistakes] or right_functions(exercise)
        path = Path(folder) / f"{k:03d}.py"
        path.write_text(IMPORTS + "\n\n\n".join(functions) + "\n")
        answer(path.read_text(), cases[str(exercise)], path.with_suffix(""))
        planted = {mistake.line: {"title": mistake.title, "words": mistake.words, "seen": mistake.seen is not False} for mistake in mistakes}
        rows.append({"file": path.stem, "exercise": exercise, "planted": planted})
    (Path(folder) / "functions.json").write_text(json.dumps(rows, indent=1))

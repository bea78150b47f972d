"""ninja.py: your PyTorch gradients, judged line by line by backprop-ninja.

    import ninja

    ninja.check(locals())                        # which of your gradients are wrong by themselves, and why
    ninja.lines(dprobs=lambda at: at.dlogprobs / at.probs)   # a line alone, with random gradients above it
    ninja.save('mine.safetensors', C=C, dC=dC)   # tensors to a file
    tensors = ninja.load('mine.safetensors')     # and back

The names are those of the lesson: C, W1 ... b2 for parameters, Xb and Yb for the batch, emb ... logprobs for what the forward pass
computes, and d + name for a gradient (dlogprobs ... dC).

One file for Python 3.8 and later. It needs the standard library only, and takes tensors of PyTorch, arrays of NumPy, lists and numbers.
It computes and saves; the program backprop-ninja judges. The program is the one that `program=` names, or $BACKPROP_NINJA, or
`backprop-ninja` on the PATH, or the one of `npx --no-install backprop-ninja`.
"""

import ast
import contextlib
import ctypes
import dis
import functools
import inspect
import io
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import tokenize
import traceback
from array import array

__all__ = ["Error", "check", "lines", "load", "save"]

# The lesson's names -------------------------------------------------------------------------------------------------

PARAMETERS = "C W1 b1 bngain bnbias W2 b2".split()
BATCH = ["Xb", "Yb"]
VALUES = (
    "emb embact hprebn bnmeani bndiff bndiff2 bnvar bnvar_inv bnraw hpreact h "
    "logits logit_maxes norm_logits counts counts_sum counts_sum_inv probs logprobs"
).split()
GRADIENTS = ["d" + name for name in [*reversed(VALUES), *PARAMETERS]]

# The lecture calls embact embcat.
LECTURE = {"embcat": "embact", "dembcat": "dembact"}
KNOWN = [*PARAMETERS, *BATCH, *VALUES, "loss", *GRADIENTS, *LECTURE]

# Exercise 4 of the lecture calls bnmeani bnmean.
OTHER_WORDS = {"bnmean": "bnmeani"}


class Error(Exception):
    """Something is in the way of a check. The message says what to do."""

    def _render_traceback_(self):
        """What a notebook shows: one line in place of the frames of this file."""
        return ["ninja.Error: " + str(self)]


class Verdict:
    """The answer of the program: true if everything that it judged is right. The report has already been shown.

    In a file that the program runs, `ok` is None: it judges at the end of the file. That counts as true, so the file goes on.
    """

    def __init__(self, ok):
        self.ok = ok

    def __bool__(self):
        return self.ok is not False

    def __repr__(self):
        return {True: "<ninja: right>", False: "<ninja: not right yet>", None: "<ninja: judged at the end of the file>"}[self.ok]

    def _ipython_display_(self):
        """Nothing more, as the last expression of a notebook's cell."""


def _brief(function):
    """Leaves out the frames of this file below a function, when it raises an error."""

    @functools.wraps(function)
    def brief(*arguments, **named):
        try:
            return function(*arguments, **named)
        except (Error, OSError, TypeError, ValueError) as error:
            raise error.with_traceback(None) from None

    return brief


# Check --------------------------------------------------------------------------------------------------------------


@_brief
def check(tensors=None, /, *, program=None, all=False, **named):
    """Shows which gradients are wrong by themselves, and what is wrong with them.

    ninja.check(locals()) takes the lesson's names from your variables, and names that are almost one of them, which the report lists as
    misspelt. ninja.check(C=C, ..., dC=dC) takes exactly what you pass. Needed are the parameters, Xb and Yb, and one value of the forward
    pass or one gradient; what is None is not there yet. Gradients are the tensors that you name d...: C.grad is never looked at.

    all=True counts a gradient that is not there as wrong.
    Returns something that is true if everything is right.
    """
    chosen, notes = _chosen(_mapping(tensors, "check"))
    chosen.update((name, value) for name, value in named.items() if value is not None)
    if _loading is not None:
        _keep(tensors, chosen)
        return Verdict(None)
    if not chosen:
        raise Error("there is nothing to check; pass your variables: ninja.check(locals())")
    if not _can_judge(chosen):
        _print("nothing to judge yet: write dlogprobs, the first gradient, and check again\n")
        _print_notes(notes)
        return Verdict(False)
    if not any(map(_is_gradient, chosen)):
        notes.append("there is no gradient yet: only the forward pass was judged")
    with tempfile.TemporaryDirectory(prefix="ninja-") as folder:
        path = os.path.join(folder, "notebook.safetensors")
        _write(path, chosen)
        words = ["grad-check", "--against", path, *(["--all"] if all else [])]
        return _judge(words, program, notes, path)


def _is_gradient(name):
    return name in GRADIENTS or name == "dembcat" or name not in KNOWN


def _can_judge(names):
    """Whether there is more than what everything is computed from: a value of the forward pass, a gradient, or a misspelt one."""
    return any(name not in PARAMETERS and name not in BATCH and name != "loss" for name in names)


def _mapping(variables, function):
    if variables is None or hasattr(variables, "items"):
        return variables or {}
    raise TypeError(f"ninja.{function} got {_kind(variables)}, expected names with their values, such as locals()")


def _chosen(mapping):
    """The lesson's tensors in a mapping such as locals(), and notes on what was left out."""
    chosen, notes = {}, []
    for name, value in mapping.items():
        if value is None:
            continue
        if name in KNOWN:
            if name in VALUES and not _is_numeric(value):
                notes.append(f"{name} was left out, because it is {_kind(value)}")
            else:
                chosen[name] = value
        elif name in OTHER_WORDS:
            if _is_numeric(value) and mapping.get(OTHER_WORDS[name]) is None:
                chosen[OTHER_WORDS[name]] = value
        elif not isinstance(name, str) or not name.isidentifier():
            chosen[name] = value  # no variable has such a name: blocks.2.W, C.grad
        elif _is_tensor(value):
            meant = _meant(name)
            if any(mapping.get(one) is None for one in meant):
                chosen[name] = value
            elif meant:
                notes.append(f"{name} was left out, because {meant[0]} is there")
    return chosen, notes


def _meant(name):
    """The lesson's names that a misspelt one may mean: two letters differ at most. Case and underscores do not matter."""
    letters = _letters(name)
    known = {_letters(one): one for one in KNOWN}
    gradient = re.fullmatch(r"(?:gradient|grad)s?(?:of)?(.+)|(.+?)(?:gradient|grad)s?", letters)
    words = [letters] if gradient is None else ["d" + (gradient[1] or gradient[2]), letters]
    same = [known[word] for word in words if len(word) > 1 and word in known]
    # In a shorter word, a letter makes another word: x is not h.
    most = 2 if len(letters) > 3 else 1 if re.fullmatch("d..", letters) else 0
    distances = {one: _edits(letters, one) for one in known}
    least = min(distances.values())
    return same or [known[one] for one, distance in distances.items() if distance == least <= most]


def _letters(name):
    return re.sub("[^a-z0-9]", "", name.lower())


def _edits(a, b):
    """The letters to insert, delete, replace, or swap with their neighbour, to get from one word to the other."""
    before, row = [], list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]


# Lines --------------------------------------------------------------------------------------------------------------


@_brief
def lines(functions=None, /, *, exercise=1, program=None, **named):
    """Judges lines of the backward pass that you write as functions, each alone.

    ninja.lines(db1=lambda at: at.dhprebn.sum(0)) runs the line on batches of 2, 3 and 32 with random gradients above it, so that it also
    shows what the values of check cannot: a mistake in db1 or dlogit_maxes, whose true gradients are 0. A line reads the forward values and
    the gradients above it, as at.h or at['h'], the batch as at.Xb and at.Yb, and the sizes at.n, at.T, at.E, at.H and at.V.

    ninja.lines(locals()) takes your functions that are named like a gradient. exercise=2 and so on judges the closed forms.
    Returns something that is true if every line is right.
    """
    chosen = {**_functions(_mapping(functions, "lines")), **named}
    chosen = {LECTURE.get(name, name): line for name, line in chosen.items() if line is not None}
    if not chosen:
        raise Error("there is no line to judge; pass a function: ninja.lines(dprobs=lambda at: at.dlogprobs / at.probs)")
    if _loading is not None:
        _loading.setdefault(exercise, {}).update(chosen)
        return Verdict(None)
    with tempfile.TemporaryDirectory(prefix="ninja-") as folder:
        done = _run(program, ["exercise", "cases", str(exercise), "--out", folder])
        if done.returncode != 0:
            raise Error(_reason(done))
        _answer(folder, chosen)
        return _judge(["exercise", "judge", folder], program, [], folder)


# While this file runs a file of lines for the program, nothing is judged: the functions that are passed to lines, by exercise.
_loading = None
# Keeps the values that are passed to check then: they may change until the end of the file.
_keep = None
# Calls of check whose values are kept, beside those with the variables of the file.
MOST_CALLS = 16


def _functions(mapping):
    """The functions in a mapping that are named like a gradient, or almost."""
    found = {name: value for name, value in mapping.items() if callable(value) and not _is_tensor(value)}
    near = {name for name in found if name not in KNOWN and any(one in GRADIENTS and one not in found for one in _meant(name))}
    return {LECTURE.get(name, name): value for name, value in found.items() if name in [*GRADIENTS, "dembcat"] or name in near}


class At(dict):
    """What a line is given: at.h and at['h'] are the same."""

    def __init__(self, line, values):
        super().__init__(values)
        self._line = line

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __missing__(self, name):
        if LECTURE.get(name) in self:
            return self[LECTURE[name]]
        if name == self._line:
            raise KeyError(f"{name} is what this line computes")
        if name in GRADIENTS:
            raise KeyError(f"{name} is computed after {self._line}: a line reads only the gradients above it")
        meant = [one for one in _meant(str(name)) if one in self]
        raise KeyError(f"there is no value {name}" + (f"; did you mean {meant[0]}?" if meant else ""))


def _answer(folder, functions, file=None, **also):
    """Computes the lines on the cases in a folder, and writes the answers beside them; `also` goes to answers.json."""
    with open(os.path.join(folder, "exercise.json"), encoding="utf-8") as description:
        task = json.load(description)
    given = {line["name"]: line["given"] for line in task["lines"]}
    skipped = _skipped(folder)
    known = {name: functions[name] for name in given if name in functions and name not in skipped}
    said = {name: {"text": _source(name, line)} for name, line in known.items()}
    gradients = {name for line in task["lines"] for name in [line["name"], *line["given"]]}
    last = task["cases"][-1]
    for case in task["cases"]:
        values = _read(os.path.join(folder, case["file"]))
        sizes = {size: case[size] for size in "nTEHV"}
        answers = {}
        for name, line in known.items():
            above = {key: value for key, value in values.items() if key not in gradients or key in given[name]}
            # What a line prints is shown once.
            output = contextlib.nullcontext() if case is last else contextlib.redirect_stdout(io.StringIO())
            if said[name].get("fault", {}).get("id") == "timeout":
                continue
            if file is not None:
                _say_running(folder, name)
            with output, _float64():
                answer, fault = _run_line(name, line, above, sizes, file)
            if fault is None:
                answers[name] = answer
            else:
                said[name].setdefault("fault", fault)
        _write(os.path.join(folder, case["answers"]), answers)
    strays = [name for name in functions if name not in given]
    with open(os.path.join(folder, "answers.json"), "w", encoding="utf-8") as report:
        json.dump({"lines": said, "strays": strays, **also}, report)


def _run_line(name, line, values, sizes, file):
    """What a line returns on a case, or the fault that it has."""
    if not callable(line) or _is_tensor(line):
        return None, {"id": "not-a-function", "found": _kind(line)}
    decode = _decoder(None)
    at = At(name, {**{key: decode(*value) for key, value in values.items()}, **sizes})
    before = {key: _encode(key, value) for key, value in at.items()}
    try:
        with _limited(file is not None):
            result = line(at)
    except _TooLong:
        return None, {"id": "timeout", "seconds": LINE_LIMIT}
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        own = getattr(getattr(line, "__code__", None), "co_filename", file)
        # PyTorch raises it, too.
        todo = isinstance(error, NotImplementedError) and traceback.extract_tb(error.__traceback__)[-1].filename == own
        return None, {"id": "todo"} if todo else {"id": "threw", "thrown": _thrown(error, own)}
    if result is ... or result is None and _is_stub(line):
        return None, {"id": "todo"}
    if result is None:
        return None, {"id": "returns-nothing"}
    changed = next((key for key in before if not _is_numeric(at.get(key)) or _encode(key, at[key]) != before[key]), None)
    if changed is not None:
        return None, {"id": "input-changed", "value": changed}
    if not _is_numeric(result) or isinstance(result, (list, tuple)) and decode is not _decode_numbers:
        return None, {"id": "returns-other", "found": _kind(result)}
    try:
        result = float(result) if isinstance(result, int) else result
        _encode(name, result)
        return result, None
    except (TypeError, OverflowError) as error:
        return None, {"id": "invalid-tensor", "thrown": {"text": str(error)}}


@contextlib.contextmanager
def _float64():
    """New tensors of PyTorch are float64, as those that a line is given: its product with a float32 would be refused."""
    torch = sys.modules.get("torch")
    before = torch and torch.get_default_dtype()
    try:
        if torch:
            torch.set_default_dtype(torch.float64)
        yield
    finally:
        if torch:
            torch.set_default_dtype(before)


def _thrown(error, file):
    """An error in one line, and the line of the learner's cell or file that it comes from."""
    message = error.args[0] if isinstance(error, KeyError) and error.args else error
    first = str(message).strip().split("\n")[0]
    thrown = {"text": f"{type(error).__name__}: {first}" if first else type(error).__name__}
    if isinstance(error, SyntaxError) and error.filename == file:
        return {**thrown, "text": f"{type(error).__name__}: {error.msg}", "line": error.lineno, "source": (error.text or "").strip()}
    places = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return {**thrown, "line": places[-1]} if places else thrown


def _is_stub(line):
    """Whether a function has no body: `...` or `pass`."""
    code = getattr(line, "__code__", None)
    names = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS"}
    return code is not None and all(one.opname in names for one in dis.get_instructions(code))


def _source(name, line):
    """A line as it is written, without comments, where that can be found: it helps to name a mistake."""
    try:
        source = "".join(inspect.findsource(line)[0])
        first = line.__code__.co_firstlineno
        kinds = (ast.Lambda, ast.FunctionDef)
        tree = ast.parse(source)
        found = [node for node in ast.walk(tree) if isinstance(node, kinds) and _first_line(node) == first]
        if len(found) > 1:
            # Several lambdas in a line: the one that is passed under the name.
            found = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == name and node.value in found]
        text = ast.get_source_segment(source, found[0])
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        return tokenize.untokenize(token for token in tokens if token.type != tokenize.COMMENT)
    except Exception:
        return ""


def _first_line(node):
    return min(one.lineno for one in [node, *getattr(node, "decorator_list", [])])


def _end_with_parent():
    """Ends this process when the program that started it is killed, where the system can do that: nobody else would."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# A file of lines: `backprop-ninja exercise check FILE.py` runs python ninja.py DIR FILE.py [gradient] ----------------


def _main(folder, path, gradient=None):
    """Runs a file of lines for `backprop-ninja exercise check FILE.py`: computes its functions on the cases in a folder."""
    global _loading, _keep
    _loading = {}
    _end_with_parent()
    with open(os.path.join(folder, "exercise.json"), encoding="utf-8") as description:
        task = json.load(description)
    path = os.path.abspath(path)
    sys.argv, sys.path[0] = [path], os.path.dirname(path)
    # The file imports this module, and not the copy beside it.
    sys.modules["ninja"] = sys.modules[__name__]
    module = type(sys)(os.path.splitext(os.path.basename(path))[0])
    module.__file__ = path
    sys.modules.setdefault(module.__name__, module)
    variables = vars(module)
    own_values = os.path.join(folder, "values.safetensors")
    calls, dropped = 0, set()

    def _keep(mapping, chosen):
        nonlocal calls
        values = {name: value for name, value in chosen.items() if not callable(value) or _is_tensor(value)}
        if not _can_judge(values):
            return
        if mapping is variables:
            return _write(own_values, values)
        line = next((frame.lineno for frame in reversed(traceback.extract_stack()) if frame.filename == path), 0)
        calls += 1
        if calls > MOST_CALLS:
            dropped.add(line)
        else:
            _write(os.path.join(folder, f"call-{calls}-{line}.safetensors"), values)

    try:
        with open(path, "rb") as file:
            exec(compile(file.read(), path, "exec"), variables)
        left = {name: value for name, value in _chosen(variables)[0].items() if _is_tensor(value)}
        if task["exercise"] == 1 and not os.path.exists(own_values) and any(map(_is_gradient, left)):
            _keep(variables, left)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        fault = {"id": "file-threw", "thrown": _thrown(error, path)}
        if isinstance(error, SystemExit):
            fault = {"id": "calls-exit", "call": "sys.exit()"}
        with open(os.path.join(folder, "answers.json"), "w", encoding="utf-8") as report:
            json.dump({"fault": fault}, report)
        return
    own = [line["name"] for line in task["lines"]]
    functions = {name: line for name, line in _functions(variables).items() if name in own or name not in GRADIENTS}
    functions.update(_loading.pop(task["exercise"], {}))
    others = {exercise: [name for name, line in passed.items() if not _is_stub(line)] for exercise, passed in _loading.items()}
    _answer(folder, {name: line for name, line in functions.items() if gradient in (None, name)}, path, dropped=sorted(dropped), others=others)


# Elapsed seconds for a line in a file: a notebook can be interrupted, a file cannot.
LINE_LIMIT = 10


class _TooLong(BaseException):
    """A line did not finish in time."""


@contextlib.contextmanager
def _limited(limited):
    """Ends a line in a file that does not finish, where the system has such an alarm."""
    if not limited or not hasattr(signal, "setitimer"):
        yield
        return

    def end(*_):
        raise _TooLong

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LINE_LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _skipped(folder):
    """The lines that ended an earlier process."""
    path = os.path.join(folder, "skipped")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().split()


def _say_running(folder, name):
    """Tells the program which line runs, in case it has to end this process."""
    with open(os.path.join(folder, "running"), "w", encoding="utf-8") as file:
        file.write(name)


# The program --------------------------------------------------------------------------------------------------------


def _judge(words, program, notes, path):
    """Lets the program judge, and shows its report."""
    html = _is_notebook()
    done = _run(program, [*words, *(["--html"] if html else [])], shown=not html and _is_terminal())
    if not _has_verdict(done):
        raise Error(_reason(done).replace(path + ": ", "your tensors: ")) from None
    if html:
        from IPython.display import HTML, display

        display(HTML(done.stdout))
    else:
        _print((done.stdout or "") + "\n")
    _print_notes([*re.findall("(?m)^note: (.*)", done.stderr), *notes])
    return Verdict(done.returncode == 0)


def _print_notes(notes):
    for note in notes:
        _print(f"note: {note}\n")


def _has_verdict(done):
    """Whether the program has judged. When it cannot start or crashes, Node ends with 1 as well."""
    if done.returncode not in (0, 1):
        return False
    if done.stdout is not None:
        return done.stdout != ""
    # What it wrote to the terminal is not known. With a verdict, there are only notes beside it, and Node's warnings: (node:1) ...
    return done.returncode == 0 or not re.search("(?m)^(?!note: |[(]|$)", done.stderr)


def _run(program, words, shown=False):
    """Runs the program. With `shown`, its output goes to the terminal, where it has colours and the right width."""
    sys.stdout.flush()
    command = [*_program(program), *words]
    output = None if shown else subprocess.PIPE
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    except OSError as error:
        raise Error(f"cannot start {command[0]}: {error.strerror or error}") from None


def _reason(done):
    """The one line in which the program says why it cannot answer."""
    errors = re.findall("(?m)^error: (.*)", done.stderr)
    if errors:
        return errors[0]
    # Of a crash, the line that says what is wrong: the stack and the version of Node come after it.
    lines = re.findall(r"(?m)^\w*Error\b.*", done.stderr) or done.stderr.split("\n")
    reason = next((line.strip() for line in lines if line.strip()), f"it ended with {done.returncode}, and said nothing")
    return f"{shlex.join(done.args[:2])} does not work: {reason}"


# The folders from which npx finds the program: asking it takes a second.
_has_npx = set()


def _program(program):
    """The words that start the program."""
    for given, source in [(program, "program="), (os.environ.get("BACKPROP_NINJA"), "$BACKPROP_NINJA")]:
        if given:
            return _words(given, source)
    found = shutil.which("backprop-ninja")
    if found:
        return [found]
    npx = shutil.which("npx")
    if npx:
        words = [npx, "--no-install", "backprop-ninja"]
        silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if os.getcwd() in _has_npx or subprocess.run([*words, "--version"], **silent).returncode == 0:
            _has_npx.add(os.getcwd())
            return words
    raise Error(
        "the program backprop-ninja was not found: $BACKPROP_NINJA is not set, it is not on the PATH, and "
        + ("npx does not find it from this folder" if npx else "there is no npx (Node.js 20.19 or later has it)")
        + '; install it here with npm install backprop-ninja, or name it, as in program="node path/to/bin/backprop-ninja.js"'
    )


def _words(given, source):
    """A command as words: given as a path, a text or a list."""
    if not isinstance(given, str):
        words = [os.fspath(word) for word in given] if isinstance(given, (list, tuple)) else [os.fspath(given)]
    elif os.path.isfile(given):
        words = [given]
    else:
        words = [word.strip('"') for word in shlex.split(given, posix=os.name != "nt")]
    if words and words[0].endswith(".js"):
        words.insert(0, "node")
    if not words or shutil.which(words[0]) is None:
        raise Error(f"there is no program {words[0] if words else given!r}, which {source} names")
    return words


def _is_notebook():
    """Whether a notebook shows what runs here: IPython with a kernel, not in a terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel") or type(shell).__name__ == "ZMQInteractiveShell"


def _is_terminal():
    return sys.stdout is sys.__stdout__ and sys.stdout.isatty()


def _print(text):
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))


# Files --------------------------------------------------------------------------------------------------------------
#
# A safetensors file: 8 bytes with the length of the header, the header, the numbers. The header is JSON with dtype, shape and place of
# each tensor. Everything is little-endian and row by row. https://github.com/huggingface/safetensors

BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip


@_brief
def save(path, tensors=None, /, **named):
    """Writes tensors to a safetensors file: ninja.save('mine.safetensors', C=C, dC=dC), or with a dict of them.

    It saves copies of the numbers, whatever the tensor is: a parameter, a transpose, part of a graph, on a GPU. Floats stay float32 or
    float64, and shorter ones become float32; whole numbers become int64. From all your variables, locals(), it takes the lesson's names.
    The file is complete or unchanged: the numbers go to another file first, which then takes its place.
    """
    tensors = _mapping(tensors, "save")
    chosen = _chosen(tensors)[0] if _is_namespace(tensors) else dict(tensors)
    _write(path, {**chosen, **named})


def _is_namespace(tensors):
    """Whether a mapping holds variables: a dict of tensors has no modules in it."""
    return "__name__" in tensors or any(isinstance(value, type(sys)) for value in tensors.values())


def _write(path, tensors):
    header, numbers, end = {}, [], 0
    for name, value in tensors.items():
        if not isinstance(name, str) or name == "__metadata__":
            raise TypeError(f"{name!r} is no name for a tensor")
        dtype, shape, raw = _encode(name, value)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(raw)]}
        numbers.append(raw)
        end += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    _write_whole(path, [struct.pack("<Q", len(text)), text, *numbers])


def _write_whole(path, parts):
    """Writes a file, or leaves it as it is."""
    path = os.path.realpath(path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def _encode(name, value):
    """The dtype of a tensor, its shape, and its numbers as bytes."""
    try:
        if _is_torch(value):
            return _encode_torch(value)
        if _is_tensor(value):
            return _encode_array(value)
        return _encode_numbers(value)
    except (ValueError, TypeError, RuntimeError, OverflowError, struct.error) as error:
        raise TypeError(f"{name} is {_kind(value)}, and cannot be saved: {error}") from None


def _encode_torch(tensor):
    import torch

    tensor = tensor.detach()
    if tensor.is_complex():
        raise TypeError("its entries are complex, expected real numbers")
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.dtype is torch.bool or tensor.dtype in (torch.float32, torch.float64):
        kept = tensor.dtype
    else:
        kept = torch.float32 if tensor.is_floating_point() else torch.int64
    dtype = {torch.bool: "BOOL", torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}[kept]
    tensor = tensor.to("cpu", kept).contiguous()
    size = tensor.element_size()
    raw = ctypes.string_at(tensor.data_ptr(), tensor.numel() * size) if tensor.numel() else b""
    return dtype, list(tensor.shape), _little_endian(raw, size)


def _encode_array(value):
    import numpy

    numbers = numpy.asarray(value)
    if numbers.dtype.kind == "b":
        dtype, kept = "BOOL", "?"
    elif numbers.dtype.kind in "iu":
        dtype, kept = "I64", "<i8"
    elif numbers.dtype.kind == "f":
        dtype, kept = ("F64", "<f8") if numbers.dtype.itemsize > 4 else ("F32", "<f4")
    else:
        raise TypeError(f"its entries are {numbers.dtype}, expected numbers")
    return dtype, list(numbers.shape), numbers.astype(kept).tobytes()


def _encode_numbers(value):
    shape, numbers = _flat(value)
    if all(isinstance(x, bool) for x in numbers) and numbers:
        dtype, code = "BOOL", "?"
    elif all(isinstance(x, int) for x in numbers) and numbers:
        dtype, code = "I64", "q"
    else:
        dtype, code = "F64", "d"
    return dtype, shape, struct.pack(f"<{len(numbers)}{code}", *numbers)


def _flat(value):
    """The shape of lists in lists, and their numbers."""
    if hasattr(type(value), "tolist"):
        value = value.tolist()
    if isinstance(value, (bool, int, float)):
        return [], [value]
    if isinstance(value, tuple) and type(value) is not tuple:
        raise TypeError("take one of its parts, such as .values")
    if not isinstance(value, (list, tuple)):
        raise TypeError("expected a tensor, an array, or numbers" if not isinstance(value, str) else f"{value[:20]!r} is no number")
    parts = [_flat(one) for one in value]
    if any(shape != parts[0][0] for shape, _ in parts):
        raise TypeError("its rows have different lengths")
    return [len(parts), *(parts[0][0] if parts else [])], [x for _, numbers in parts for x in numbers]


def _little_endian(raw, size):
    """Numbers from this machine's order of bytes to the file's, or back."""
    if sys.byteorder == "little" or size == 1:
        return raw
    numbers = array({2: "H", 4: "I", 8: "Q"}[size], raw)
    numbers.byteswap()
    return numbers.tobytes()


def _is_torch(value):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_tensor(value):
    """Whether it is a tensor of PyTorch, an array of NumPy, or what NumPy takes for one."""
    return hasattr(type(value), "__array__")


def _is_numeric(value):
    return _is_tensor(value) or isinstance(value, (bool, int, float, list)) or type(value) is tuple


def _kind(value):
    """The kind of a value, with its article."""
    if value is None:
        return "None"
    if callable(value) and not isinstance(value, type) and not _is_tensor(value):
        return "a function"
    kind = "tuple" if isinstance(value, tuple) else type(value).__name__
    return f"{'an' if re.match('[aeiouAEIOU]|nd', kind) else 'a'} {kind}"


class Tensors(dict):
    """Tensors by name. `metadata` has the texts that the file holds beside them."""

    metadata = {}


@_brief
def load(path, like=None):
    """Reads a safetensors file: a dict of tensors by name, with the file's texts as its `metadata`.

    like: 'torch', 'numpy' or 'list' (numbers in lists). Without it, the first of them that can be imported.
    Raises ValueError if the content of the file is not right.
    """
    if like not in (None, "torch", "numpy", "list"):
        raise ValueError(f"like={like!r} is unknown; expected 'torch', 'numpy' or 'list'")
    decode = _decoder(like)
    stored = _read(path)
    tensors = Tensors((name, decode(*parts)) for name, parts in stored.items())
    tensors.metadata = stored.metadata
    return tensors


def _read(path):
    """The tensors of a file: dtype, shape, and numbers as bytes in this machine's order."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        header, start = _read_header(content)
        metadata = header.pop("__metadata__", {})
        size = len(content) - start
        places = {name: _place(name, entry, size) for name, entry in header.items()}
        described = sum(last - first for _, _, first, last in places.values())
        if described != size:
            raise ValueError(f"its header describes {described} bytes of numbers, it has {size}")
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None
    tensors = Tensors()
    tensors.metadata = metadata
    for name, (dtype, shape, first, last) in places.items():
        tensors[name] = dtype, shape, _little_endian(content[start + first : start + last], BYTES[dtype])
    return tensors


def _read_header(content):
    """The header, and the place where the numbers start."""
    if content[:2] == b"PK":
        raise ValueError("not a safetensors file: this is a zip archive, such as torch.save and numpy.savez write")
    if len(content) < 8:
        raise ValueError(f"not a safetensors file: it has {len(content)} bytes, expected at least 8")
    start = 8 + struct.unpack("<Q", content[:8])[0]
    if start > len(content):
        raise ValueError(f"not a safetensors file, or cut off: its header needs {start} bytes, the file has {len(content)}")
    try:
        header = json.loads(content[8:start].decode(), object_pairs_hook=_unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("not a safetensors file: its header is not JSON") from None
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("not a safetensors file: its header is not an object")
    return header, start


def _unique(pairs):
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"its header has {twice!r} twice")
    return dict(pairs)


def _place(name, entry, size):
    """The dtype and shape of a tensor, and where its numbers begin and end."""
    try:
        dtype, shape, (first, last) = entry["dtype"], entry["shape"], entry["data_offsets"]
        length = BYTES[dtype]
        for count in shape:
            length *= count
        counts = [*shape, first, last]
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"tensor {name!r} has no known dtype, shape and place in the header") from None
    if not all(type(count) is int and count >= 0 for count in counts) or last - first != length:
        raise ValueError(f"tensor {name!r}: {shape} of {dtype} does not fit its place, {first} to {last}")
    if last > size:
        raise ValueError(f"cut off: tensor {name!r} ends at byte {last} of the numbers, the file has {size}")
    return dtype, shape, first, last


def _decoder(like):
    """The function that makes a tensor of the wanted library."""
    if like != "list":
        for name, decode in [("torch", _decode_torch), ("numpy", _decode_array)]:
            if like in (None, name):
                try:
                    __import__(name)
                    return decode
                except ImportError:
                    if like == name:
                        raise
    return _decode_numbers


def _decode_torch(dtype, shape, raw):
    import torch

    names = {"F": "float", "I": "int", "U": "uint"}
    known = {"BOOL": torch.bool, "BF16": torch.bfloat16, "U16": torch.int16, "U32": torch.int32, "U64": torch.int64}
    own = known.get(dtype) or getattr(torch, names[dtype[0]] + dtype[1:])
    tensor = torch.frombuffer(bytearray(raw), dtype=own).reshape(shape) if raw else torch.empty(shape, dtype=own)
    # PyTorch has no unsigned numbers of these sizes.
    return tensor.long() & (1 << 8 * BYTES[dtype]) - 1 if dtype in ("U16", "U32") else tensor


def _decode_array(dtype, shape, raw):
    import numpy

    if dtype == "BF16":
        return (numpy.frombuffer(raw, "u2").astype("u4") << 16).view("f4").reshape(shape)
    own = "?" if dtype == "BOOL" else f"{dtype[0].lower()}{BYTES[dtype]}"
    return numpy.frombuffer(raw, own).reshape(shape).copy()


def _decode_numbers(dtype, shape, raw):
    codes = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h", "I8": "b"}
    codes.update({"U64": "Q", "U32": "I", "U16": "H", "U8": "B", "BOOL": "?"})
    count = len(raw) // BYTES[dtype]
    if dtype == "BF16":
        wide = b"".join(struct.pack("=I", x << 16) for x in struct.unpack(f"={count}H", raw))
        numbers = list(struct.unpack(f"={count}f", wide))
    else:
        numbers = list(struct.unpack(f"={count}{codes[dtype]}", raw))
    for size in reversed(shape[1:]):
        numbers = [numbers[i : i + size] for i in range(0, len(numbers), size)] if size else []
    return numbers if shape else numbers[0]


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("ninja.py is imported by a notebook, or run by backprop-ninja: python ninja.py DIR FILE.py [gradient]")
    _main(*sys.argv[1:])

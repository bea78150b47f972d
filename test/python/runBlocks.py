"""Runs the blocks of a page in order, as one notebook in the current directory. Input: a JSON list of blocks; output: what each printed."""

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback


def run_python(code, at):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, "<cell>", "exec"), at)
        except BaseException:
            printed.write(traceback.format_exc())
    return printed.getvalue()


def run_shell(line):
    if line.startswith("cd "):
        os.chdir(line[3:])
        return ""
    done = subprocess.run(line, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout + ("" if done.returncode in (0, 1) and done.stdout else done.stderr)


def main():
    sys.path.insert(0, "")
    blocks, printed, at = json.load(sys.stdin), [], {}
    for block in blocks:
        if block["kind"] == "restart":
            at = {}
        printed.append(run_python(block["code"], at) if block["kind"] == "python" else run_shell(block["code"]) if block["kind"] == "shell" else "")
    json.dump(printed, sys.stdout)


if __name__ == "__main__":
    main()

"""Starts a program on several ranks of this machine.

    python -m minigan.parallel -n 4 program.py --its-own arguments

It runs the mpiexec that `pip install 'minigan[mpi]'` puts beside Python (or the one on the path)
and passes on what the ranks print. If a rank dies, mpiexec ends the others; its message of
ten lines is reported in one. Each rank computes with its share of the cores' threads, unless
the environment has OMP_NUM_THREADS, NUMBA_NUM_THREADS, OPENBLAS_NUM_THREADS already.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ..._jobs import threads_of_each


def main(arguments: list[str] | None = None) -> int:
    """Runs the program; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m minigan.parallel", description=__doc__)
    parser.add_argument("-n", type=int, required=True, help="number of ranks")
    parser.add_argument("program", help="a Python file")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the program")
    args = parser.parse_args(arguments)
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else shutil.which("mpiexec")
    if mpiexec is None:
        parser.error("there is no mpiexec; pip install 'minigan[mpi]'")
    if args.n < 1:
        parser.error(f"-n: expected a number >= 1, got {args.n}")
    command = [mpiexec, "-n", str(args.n), sys.executable, args.program, *args.arguments]
    environment = threads_of_each(args.n) | os.environ
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
    ) as running:
        assert running.stdout is not None
        banner = ""
        for line in running.stdout:
            if banner or re.fullmatch(r"=+\n", line):
                banner += line
            else:
                print(line, end="", flush=True)
        code = running.wait()
    if "BAD TERMINATION" in banner:
        cause = re.search(r"EXIT STRING: (.*)", banner)
        said = cause[1] if cause else f"exit code {code}"
        print(f"A rank died: {said}; the others were ended.", file=sys.stderr)
    elif banner:
        print(banner, end="")
    return code

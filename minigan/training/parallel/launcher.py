"""Starts a program on several ranks of this machine.

    python -m minigan.parallel -n 4 program.py --its-own arguments

It runs the mpiexec that `pip install 'minigan[mpi]'` puts beside Python (or the one on the path)
and passes on what the ranks print. If a rank dies, mpiexec ends the others; its message of
ten lines is reported in one. Each rank computes with its share of the cores' threads, unless
the environment has OMP_NUM_THREADS, NUMBA_NUM_THREADS, OPENBLAS_NUM_THREADS already.

Ctrl-C reaches every rank; within `train`, rank 0 ends its step, saves and ends the others.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from ..._jobs import threads_of_each

OF_MPI = r"Abort\(\d+\) on node |\[(mpiexec|proxy)[@:]"  # how lines of MPI itself begin


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
    environment, interrupts = threads_of_each(args.n) | os.environ, []
    signal.signal(signal.SIGINT, lambda *_: interrupts.append(True))  # mpiexec has it as well
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        errors = threading.Thread(target=_pass_on_errors, args=(running.stderr,))
        errors.start()
        banner = _pass_on(running.stdout)
        code = running.wait()
        errors.join()
    if interrupts:
        print(f"Ctrl-C: all {args.n} ranks have ended.", file=sys.stderr)
    elif "BAD TERMINATION" in banner:
        cause = re.search(r"EXIT STRING: (.*)", banner)
        said = cause[1] if cause else f"exit code {code}"
        print(f"A rank died: {said}; the others were ended.", file=sys.stderr)
    elif banner:
        print(banner, end="")
    return code


def _pass_on(lines):
    """Prints lines as they come, up to the banner that mpiexec ends with; returns that."""
    banner = ""
    for line in lines:
        if banner or re.fullmatch(r"=+\n", line):
            banner += line
        elif not re.match(OF_MPI, line):
            print(line, end="", flush=True)
    return banner


def _pass_on_errors(lines):
    for line in lines:
        if not re.match(OF_MPI, line):
            print(line, end="", file=sys.stderr, flush=True)

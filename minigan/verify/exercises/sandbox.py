"""Runs a learner's page in a process of its own, whatever the page does."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from .ladder import Exercise

SECONDS = 10.0  # of computing, for a page
WAITING = 6  # times as long on the clock, for a page that sleeps, or on a busy machine
STARTUP = 60.0  # for Python and minigan to start, on a busy machine
LATE = "still running after {:g} seconds; does a loop never end?"
SHOWN = 6  # lines that are shown of what a page prints

# the folder comes last: a learner's random.py must not stand in for Python's
PROGRAM = """
import sys
sys.path[:] = [path for path in sys.path if path] + [""]
from minigan.verify.exercises.child import main
main(sys.argv[1])
"""


@dataclass(repr=False)
class Outcome:
    """What the checker found in a page. `str(outcome)` is the text for a terminal."""

    exercise: Exercise
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return bool(self.right) and not self.wrong and not self.open

    def add(self, kind: str, words: str) -> None:
        {"right": self.right, "wrong": self.wrong, "open": self.open, "note": self.notes}[
            kind
        ].append(words)

    def __repr__(self) -> str:  # what a notebook shows below the text that was printed
        return f"Outcome({self.exercise.name}, ok={self.ok})"

    def __str__(self) -> str:
        lines = [
            ("right", self.right), ("open", self.open), ("WRONG", self.wrong),
            ("note", self.notes), ("printed", self.printed),
        ]  # fmt: skip
        rows = [row(label, words) for label, several in lines for words in several]
        return "\n".join([f"{self.exercise.name}: {self.exercise.title}", *rows])


def row(label: str, words: str) -> str:
    return textwrap.fill(
        f"  {label:9}{words}", 79, subsequent_indent=" " * 11, break_on_hyphens=False
    )


def run(folder: Path, exercise: Exercise, trusted: list[str]) -> Outcome:
    """Examines the page of an exercise in a folder.

    trusted : the exercises whose pages are imported from the folder; of others, the solution
    """
    outcome = Outcome(exercise)
    seconds = exercise.seconds or SECONDS
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as files:
        request = {
            "files": files, "folder": str(folder), "exercise": exercise.name, "trusted": trusted,
            "seconds": seconds, "waiting": WAITING * seconds,
        }  # fmt: skip
        status = process(folder, json.dumps(request), WAITING * seconds + STARTUP)
        for line in lines(Path(files, "findings")):
            kind, words = json.loads(line)
            if kind == "done":
                break
            outcome.add(kind, words)
        else:
            outcome.add("wrong", unfinished(exercise, lines(Path(files, "trace")), seconds, status))
        printed = lines(Path(files, "printed"))
        outcome.printed = printed[:SHOWN]
        if len(printed) > SHOWN:
            outcome.printed.append(f"... and {len(printed) - SHOWN} more lines")
    return outcome


def process(folder: Path, request: str, seconds: float) -> int | None:
    """Runs `child.main`; returns its exit status, None if it had to be ended."""
    package = Path(__file__).parents[3]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1",
        "MINIGAN_BACKEND": "numpy", "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, request], cwd=folder, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        return running.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:  # also after a Ctrl-C
        end(running)


def end(running: subprocess.Popen) -> None:
    """Ends a process and those it started."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(running.pid, signal.SIGKILL)
        else:
            running.kill()
    except (ProcessLookupError, PermissionError):  # it has ended
        pass
    running.wait()


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def unfinished(exercise: Exercise, trace: list[str], seconds: float, status: int | None) -> str:
    """Why the process ended before the checker was done."""
    where = [re.search(r'[/\\](ex\d\d_\w+\.py)", line (\d+) in (.+)', line) for line in trace]
    for place in filter(None, where):
        file, line, function = place.groups()
        inside = "" if function == "<module>" else f", {function}"
        return f"{file}, line {line}{inside}: {LATE.format(seconds)}"
    if trace or status is None:
        return f"{exercise.file}: {LATE.format(seconds)}"
    return f"{exercise.file}: it ended Python (exit status {status}) before it could be checked"

"""The process in which a learner's page runs: limited in time, memory and in what it prints."""

import faulthandler
import io
import json
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

from .examine import findings
from .ladder import find
from .mishaps import Stopped
from .pages import Pages

MEMORY = 4 << 30  # bytes of address space
PRINTED = 2000  # characters that are kept


class Printed(io.TextIOBase):
    """A stdout that keeps the first PRINTED characters in a file."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.left = file, PRINTED

    def write(self, text: str) -> int:
        self.file.write(text[: self.left])
        self.file.flush()
        self.left -= min(self.left, len(text))
        return len(text)


def main(request: str) -> None:
    """Examines what `sandbox.run` asks for, and writes findings, one a line, into files there."""
    asked: dict[str, Any] = json.loads(request)
    files = Path(asked["files"])
    limit_memory()
    with (
        open(files / "findings", "w", encoding="utf-8") as results,
        open(files / "printed", "w", encoding="utf-8") as printed,
        open(files / "trace", "w", encoding="utf-8") as trace,
    ):
        sys.stdout = sys.stderr = Printed(printed)
        limit_time(asked["seconds"], asked["waiting"], trace)
        exercise = find(asked["exercise"])
        try:
            pages = Pages(Path(asked["folder"]), exercise, asked["trusted"])
            for finding in findings(pages):
                print(json.dumps(finding), file=results, flush=True)
        except Stopped as stopped:
            print(json.dumps(stopped.finding), file=results)
        except Exception as error:  # in minigan: still no traceback for the learner
            words = f"minigan's checker itself failed: {type(error).__name__}: {error}"
            print(json.dumps(("wrong", words)), file=results)
        print(json.dumps(("done", "")), file=results)


def limit_time(seconds: float, waiting: float, trace: TextIO) -> None:
    """Ends the process after so many seconds of computing, or of waiting, and notes where it was.

    The first is the process's own time: on a busy machine a page may take longer and be right.
    """
    faulthandler.dump_traceback_later(waiting, exit=True, file=trace)
    if hasattr(signal, "setitimer"):  # not on Windows
        faulthandler.register(signal.SIGPROF, file=trace, chain=True)
        signal.setitimer(signal.ITIMER_PROF, seconds)


def limit_memory() -> None:
    """So that an array of 100 GB is an error in the page, and not the end of the machine."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY or soft > MEMORY:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))

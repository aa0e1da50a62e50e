"""A learner's folder: the pages, and a record of what is right so far."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from .ladder import Exercise, exercises, find
from .sandbox import Outcome, run

RECORD = ".progress.json"
USUAL = "exercises"  # what a learner calls the folder


class Folder:
    """The folder in which a learner works: `path`, or `path`/exercises if the pages are there.

    Raises LookupError if there are no exercises in either.
    """

    def __init__(self, path: str | os.PathLike = ".") -> None:
        here = Path(path).resolve()
        self.path = next(filter(_has_pages, (here, here / USUAL)), here)
        if not _has_pages(self.path):
            raise LookupError(
                f"there are no exercises in {here}; `{typed()} start FOLDER` puts them into a "
                "folder, and the other commands are run inside it"
            )

    @classmethod
    def start(cls, path: str | os.PathLike) -> tuple["Folder", int]:
        """The folder, and how many pages were put into it. Pages that are there stay."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        missing = [exercise for exercise in exercises() if not (folder / exercise.file).exists()]
        for exercise in missing:
            (folder / exercise.file).write_text(exercise.page, encoding="utf-8")
        return cls(folder), len(missing)

    def passed(self, exercise: Exercise) -> bool:
        """Whether the page was right, and has not been changed since."""
        return self._record("passed").get(exercise.name) == self._digest(exercise)

    @property
    def next(self) -> Exercise | None:
        """The first exercise that is not right yet."""
        return next((exercise for exercise in exercises() if not self.passed(exercise)), None)

    def check(self, exercise: Exercise) -> Outcome:
        """Examines a page and records whether it is right."""
        before = self._digest(exercise)
        trusted = [name for name in exercise.needs if self.passed(find(name))]
        outcome = run(self.path, exercise, trusted)
        self._write("passed", exercise, before if outcome.ok else None)
        return outcome

    def next_hint(self, exercise: Exercise) -> int:
        """The number of the next hint, counted from 1; it begins again after the last."""
        number = self._record("hints").get(exercise.name, 0) % len(exercise.hints) + 1
        self._write("hints", exercise, number)
        return number

    def modified(self) -> dict[Exercise, int]:
        """When each page was last saved."""
        times = {}
        for exercise in exercises():
            try:
                times[exercise] = (self.path / exercise.file).stat().st_mtime_ns
            except OSError:  # an editor may be replacing it right now
                continue
        return times

    def _digest(self, exercise: Exercise) -> str | None:
        try:
            return hashlib.sha256((self.path / exercise.file).read_bytes()).hexdigest()
        except OSError:
            return None

    def _record(self, part: str) -> dict:
        try:
            return json.loads((self.path / RECORD).read_text(encoding="utf-8"))[part]
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _write(self, part: str, exercise: Exercise, value: str | int | None) -> None:
        record = {name: self._record(name) for name in ("passed", "hints")}
        record[part][exercise.name] = value
        (self.path / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def typed(folder: Path | None = None) -> str:
    """What to type in a folder, by default the current one, to run the exercises: the Python that
    runs now, which the shell may not find by its name."""
    python = sys.executable
    name = os.path.basename(python)
    if shutil.which(name) == python:
        python = name.removesuffix(".exe")
    elif os.name == "posix":  # elsewhere the two may be on different drives
        python = min(os.path.relpath(python, folder), python, key=len)
    if " " in python:
        python = f'"{python}"'
    return f"{python} -m minigan.exercises"


def _has_pages(folder: Path) -> bool:
    return any((folder / exercise.file).exists() for exercise in exercises())

"""A learner's folder: the pages, and a record of what is right so far."""

import hashlib
import json
import os
from pathlib import Path

from .ladder import Exercise, exercises, find
from .sandbox import Outcome, run

RECORD = ".progress.json"


class Folder:
    """The folder in which a learner works. Raises LookupError if there are no exercises in it."""

    def __init__(self, path: str | os.PathLike = ".") -> None:
        self.path = Path(path).resolve()
        if not any((self.path / exercise.file).exists() for exercise in exercises()):
            raise LookupError(
                f"there are no exercises in {self.path}; `python -m minigan.exercises start "
                "FOLDER` puts them into a folder, and the other commands are run inside it"
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

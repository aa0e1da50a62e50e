"""A learner's page and its solution as modules, beside each other."""

import ast
import functools
import sys
from pathlib import Path
from types import CodeType, ModuleType

from .ladder import CUT, Exercise, find
from .mishaps import Stopped, reported


class Pages:
    """The learner's page and the solution, each with the pages that it imports.

    trusted : the exercises that passed; of all others that the page imports, the solution is used

    Raises Stopped if the learner's page cannot be read or imported.
    """

    def __init__(self, folder: Path, exercise: Exercise, trusted: list[str]) -> None:
        self.folder, self.exercise, self.trusted = folder, exercise, trusted
        self.named: set[str] = set()  # typical mistakes that were found
        self.answers = {name: _load(name, *_answer(name)) for name in exercise.needs}
        self.solution = self._solution(exercise.source)
        with reported(folder):
            for name in exercise.needs:
                if name in trusted:
                    _load(name, *_read(folder / f"{name}.py"))
            self.page = _load(exercise.name, *_read(folder / exercise.file))

    @functools.cached_property
    def variants(self) -> list[tuple[ModuleType, str]]:
        """The solution with each of the typical mistakes in it, and what to say of that."""
        return [
            (self._solution(with_mistake(self.exercise, right, wrong)), words)
            for right, wrong, words in self.solution.MISTAKES
        ]

    def _solution(self, source: str) -> ModuleType:
        """The solution, or a variant of it; sys.modules stays as it is."""
        names = [*self.exercise.needs, self.exercise.name]
        before = {name: sys.modules.get(name) for name in names}
        sys.modules.update(self.answers)
        module = _load(self.exercise.name, source, f"<{self.exercise.name}>")
        for name, other in before.items():
            if other is None:
                del sys.modules[name]
            else:
                sys.modules[name] = other
        return module


def with_mistake(exercise: Exercise, right: str, wrong: str) -> str:
    """The source of the exercise with a mistake in place of the right words, which must occur once
    below the text of the page, else LookupError."""
    solution, cut, checker = exercise.source.partition(CUT)
    below = ast.parse(solution).body[0].end_lineno
    lines = solution.splitlines(keepends=True)
    text, code = "".join(lines[:below]), "".join(lines[below:])
    if code.count(right) != 1:
        raise LookupError(f"{exercise.name}: found {code.count(right)} times: {right}")
    return text + code.replace(right, wrong) + cut + checker


def _answer(name: str) -> tuple[str, str]:
    return find(name).solved, f"<{name}>"


def _read(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
        if "\0" in text:
            raise UnicodeError("there is a zero byte in it")
        return text, str(path)
    except FileNotFoundError:
        raise Stopped("wrong", f"{path.name} is not there; `start` puts it back") from None
    except (OSError, UnicodeError) as error:
        raise Stopped("wrong", f"{path.name} cannot be read: {error}") from None


def _load(name: str, source: str, path: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    exec(_compiled(source, path), vars(module))
    return module


@functools.cache
def _compiled(source: str, path: str) -> CodeType:
    return compile(source, path, "exec")

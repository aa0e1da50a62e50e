"""One case of an exercise: a call in the learner's page and in the solution, and what differs."""

import copy
import inspect
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ..gradcheck import explain
from .comparison import close, flatten, named, same, unfit, worst
from .mishaps import Finding, Stopped, is_open, open_gap, reported
from .pages import Pages

PARAMETERS = {"W": "weight", "b": "bias"}  # as the general checker calls them


@dataclass
class Call:
    """A function, called in the learner's page and in the solution with the same arguments.

    function : its name; or a function of the page and these arguments, which calls it
    names    : of the outputs, in order
    note     : what is special about the case
    """

    pages: Pages
    function: str | Callable
    arguments: dict[str, Any]
    names: str
    note: str = ""

    @property
    def name(self) -> str:
        """The function that is called in the page."""
        if isinstance(self.function, str):
            return self.function
        names = self.function.__code__.co_names
        functions = vars(self.pages.solution)
        return next(name for name in names if inspect.isfunction(functions.get(name)))

    @property
    def place(self) -> str:
        """The learner's file, the line in which the function begins, and its name."""
        code = getattr(getattr(self.pages.page, self.name, None), "__code__", None)
        line = f", line {code.co_firstlineno}" if code else ""
        return f"{self.pages.exercise.file}{line}, {self.name}"

    def called(self, page: ModuleType) -> list[Any]:
        """The outputs of a page. Raises Stopped if there are not as many as there should be."""
        arguments = copy.deepcopy(self.arguments)
        if isinstance(self.function, str):
            result = getattr(page, self.function)(**arguments)
        else:
            result = self.function(page, **arguments)
        for name, value in arguments.items():
            if not same(value, self.arguments[name]):
                raise Stopped("wrong", f"{self.place}: {name} is changed in place; make a new one")
        names = self.names.split(", ")
        outputs = [result] if len(names) == 1 else result
        if not isinstance(outputs, tuple | list) or len(outputs) != len(names):
            came = f"{len(outputs)} values" if isinstance(outputs, tuple | list) else "one value"
            came = "None" if result is None else came
            raise Stopped("wrong", f"{self.place}: it must return {self.names}; it gives {came}")
        return list(outputs)

    def arrays(self, outputs: list[Any], like: list[Any]) -> dict[str, Any]:
        """The outputs by name, those in lists as grads[0][1], nested like the right ones."""
        named = zip(self.names.split(", "), outputs, like)
        arrays = [flatten(name, value, right) for name, value, right in named]
        return {path: array for output in arrays for path, array in output.items()}

    def findings(self) -> Iterator[Finding]:
        """What is right and what is wrong with the learner's outputs."""
        try:
            self.check_signature()
            with reported(self.pages.folder):
                outputs = self.called(self.pages.page)
        except Stopped as stopped:
            kind, words = stopped.finding
            if stopped.error and kind == "wrong":
                words = words if words.startswith("ex") else f"{self.place}: {words}"
                cause = self.typical_error(stopped.error)
                words += (f". {cause}" if cause else "") + self.noted
            yield kind, words
            return
        right = self.called(self.pages.solution)
        found, expected = self.arrays(outputs, right), self.arrays(right, right)
        if any(is_open(value) for value in found.values()):
            yield "open", open_gap(getattr(self.pages.page, self.name).__code__)
            found = {path: value for path, value in found.items() if not is_open(value)}
        mistakes = self.mistakes(found, expected, right)
        wrong = {path for paths in mistakes.values() for path in paths}
        fine = [path for path in found if path not in wrong]
        yield from (("right", name) for name in named(fine, expected).split(", ") if name)
        for words, paths in mistakes.items():
            yield "wrong", f"{self.place}: {named(paths, expected)}: {words}{self.noted}"

    @property
    def noted(self) -> str:
        return f" ({self.note})" if self.note else ""

    def check_signature(self) -> None:
        """Raises Stopped unless the learner's function takes what the solution's takes."""
        if not isinstance(self.function, str):
            return
        given = getattr(self.pages.page, self.name, None)
        right = inspect.signature(getattr(self.pages.solution, self.name))
        if not inspect.isfunction(given):
            file = self.pages.exercise.file
            raise Stopped("wrong", f"{file}: the function {self.name}{right} is missing")
        names = list(right.parameters)
        if list(inspect.signature(given).parameters)[: len(names)] != names:
            raise Stopped("wrong", f"{self.place}: its first line must be def {self.name}{right}:")

    def mistakes(
        self, found: dict[str, Any], expected: dict[str, Any], right: list[Any]
    ) -> dict[str, list[str]]:
        """What is wrong, and with which of the outputs."""
        outputs = dict(zip(self.names.split(", "), right))
        misfits = {p: unfit(found[p], expected.get(p, outputs.get(p))) for p in found}
        wrong = [p for p in found if misfits[p] or not close(found[p], expected[p])]
        exchanged = self.exchanged(wrong, found, expected)
        others = [path for path in wrong if path not in exchanged]
        known = self.typical(others, found, expected, right) | exchanged
        mistakes: dict[str, list[str]] = {}
        unknown: dict[str, str] = {}  # what is said of each output that nothing explains
        for path in wrong:
            words, misfit = known.get(path), misfits[path]
            if misfit and path not in exchanged:
                words = f"{misfit}; {words}" if words else misfit
            words = words or explained(path, found[path], expected[path], self.arguments)
            if not words:
                output, _, inside = path.partition("[")
                place = f"in {path}, " if inside else ""
                numbers = f"wrong, {place}{worst(found[path], expected[path])}"
                words = unknown.setdefault(output, numbers)
            mistakes.setdefault(words, []).append(path)
        return mistakes

    def exchanged(
        self, wrong: list[str], found: dict[str, Any], expected: dict[str, Any]
    ) -> dict[str, str]:
        """What to say of each two outputs that are right but for their order."""
        words = "exchanged: each is what the other must be"
        whole = [path for path in wrong if path in self.names.split(", ") and path in expected]
        pairs = itertools.combinations(whole, 2)
        swapped = (
            pair for pair in pairs
            if all(same(found[p], expected[q]) for p, q in (pair, pair[::-1]))
        )  # fmt: skip
        return {path: words for pair in swapped for path in pair}

    def typical(
        self, wrong: list[str], found: dict[str, Any], expected: dict[str, Any], right: list[Any]
    ) -> dict[str, str]:
        """The typical mistake that gives exactly what was found; of several, the one that explains
        the most outputs, and that was named for another function of the page."""
        explanations = []
        for variant, words in self.pages.variants if wrong else ():
            try:
                with np.errstate(all="ignore"):
                    outputs = self.arrays(self.called(variant), right)
            except Exception:  # many a mistake ends in an error, and explains no array
                continue
            equal = {p for p in found if p in outputs and same(found[p], outputs[p])}
            explains = [p for p in wrong if p in equal and not same(outputs[p], expected.get(p))]
            if explains and self.agrees_elsewhere(variant, explains):
                rank = len(explains), len(equal), words in self.pages.named
                explanations.append((rank, words, explains))
        explanations.sort(key=lambda explanation: explanation[0])  # the best one comes last
        best = {path: words for _, words, explains in explanations for path in explains}
        self.pages.named.update(best.values())
        return best

    def agrees_elsewhere(self, variant: ModuleType, paths: list[str]) -> bool:
        """Whether a variant gives what the learner's page gives, in the other cases too: small
        integers may be equal by chance."""
        for case in cases(self.pages):
            if case.name != self.name or case.note == self.note:
                continue
            try:
                with reported(self.pages.folder), redirect_stdout(io.StringIO()):
                    right = case.called(self.pages.solution)
                    mine = case.arrays(case.called(self.pages.page), right)
                    its = case.arrays(case.called(variant), right)
            except Stopped:  # where either fails, there is nothing to compare
                continue
            if any(p in mine and p in its and not same(mine[p], its[p]) for p in paths):
                return False
        return True

    def typical_error(self, error: BaseException | None) -> str | None:
        """The typical mistake that ends in the same error, first one that was named already."""
        words_of = []
        for variant, words in self.pages.variants if error else ():
            try:
                with reported(self.pages.folder):
                    self.called(variant)
            except Stopped as stopped:
                if str(stopped.error) == str(error) and type(stopped.error) is type(error):
                    words_of.append(words)
        words_of.sort(key=lambda words: words not in self.pages.named)
        return words_of[0] if words_of else None


def explained(path: str, found: Any, expected: Any, arguments: dict[str, Any]) -> str | None:
    """The general checker's explanation of a wrong gradient, if it has one."""
    if path[0] != "d" and not path.startswith("grads"):
        return None
    context = {PARAMETERS.get(name, name): value for name, value in arguments.items()}
    name = path if path[0] == "d" else "the gradient"
    context |= {"tensor": path} if path[0] == "d" else {}
    explanation = explain(found, expected, **context)
    return f"it {explanation.removeprefix(f'{name} ')}" if explanation else None


def cases(pages: Pages) -> list[Call]:
    """The cases of an exercise, the same at each call."""
    return [Call(pages, *case) for case in pages.solution.cases(np.random.default_rng(0))]

"""Examines a learner's page, in the process that `sandbox` started for it.

Each result is a finding (kind, words), of one of these kinds:

    right   the names of outputs that are right
    open    a gap that is not filled in yet
    wrong   what is wrong, and where
    note    what else helps the learner
"""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout

import numpy as np

from .call import cases
from .comparison import same, short
from .mishaps import Finding, Stopped, is_open, reported
from .pages import Pages


def findings(pages: Pages) -> Iterator[Finding]:
    """Everything about a page: its cases, and then what its `judge` says, if it has one."""
    results = list(of_the_cases(pages))
    yield from results
    if not hasattr(pages.solution, "judge") or any(kind != "right" for kind, _ in results):
        return
    missing = [name for name in pages.exercise.needs if name not in pages.trusted]
    if missing:
        file = pages.exercise.file
        yield "open", f"{file}: it is made of pages that are not right yet: {', '.join(missing)}"
        return
    yield from pages.solution.judge(pages.page, pages.folder)


def of_the_cases(pages: Pages) -> Iterator[Finding]:
    """What is right and wrong, up to the first case that each function gets wrong."""
    right: dict[str, list[str]] = {}
    finished, wrong = set(), False
    for case in cases(pages):
        if case.name in finished:
            continue
        results = list(case.findings())
        good = [words for kind, words in results if kind == "right"]
        right[case.name] = [path for path in good if path in right.get(case.name, good)]
        if len(good) < len(results):
            finished.add(case.name)
            wrong = wrong or any(kind == "wrong" for kind, _ in results)
            yield from (finding for finding in results if finding[0] != "right")
    if wrong:
        yield from by_example(pages)
    yield from (("right", f"{name}: {', '.join(paths)}") for name, paths in right.items() if paths)


def by_example(pages: Pages) -> Iterator[Finding]:
    """The first of the page's worked numbers that comes out otherwise."""
    names = vars(pages.page).copy()
    for example in pages.exercise.examples:
        source, want = example.source.strip(), example.want.strip()
        try:
            with reported(pages.folder), redirect_stdout(io.StringIO()):
                if not want:
                    exec(source, names)
                    continue
                value = eval(source, names)
        except Stopped:
            return
        right = eval(want, {"array": np.array})
        if is_open(value):
            return
        if not same(value, right):
            yield "note", f"in the page, {source} is {short(right)}; yours is {short(value)}"
            return

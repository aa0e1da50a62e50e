"""The exercises in their order, and what is made of each: the page handed out, hints, the solution.

An exercise is one file in `solutions/`: a text, functions, and what the checker needs. Inside the
functions, markers say what is cut out of the page that a learner gets:

    # GAP dx, dW                    the names that the learner has to compute
    # HINT one hint, in one line    as many as wanted
    dx = dy @ W.T                   the solution
    dW = x.T @ dy
    # END

becomes

    # Your code: dx, dW
    dx, dW = ..., ...

so a page cannot drift from its solution. What follows the line `CUT` is not handed out:

    cases(rng)     yields (function, arguments, names of the outputs) or, with a fourth item, a note
                   for the learner. The function is a name in the page, or a function of the page
    MISTAKES       [(right lines, wrong lines, what to tell somebody who wrote the wrong ones)]
    SECONDS        the time limit, if it is not the usual one
    judge(page)    yields (what is right, "") or ("", what is wrong), for what no array can show
"""

import ast
import doctest
import functools
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources

CUT = "# == for the checker ".ljust(80, "=")
GAP = re.compile(r"^( *)# GAP (.+)$")


@dataclass(frozen=True)
class Exercise:
    """One rung of the ladder. `source` is the whole file, with the solution and the checker's part.

    name : the name of its file, without .py
    """

    name: str
    source: str = field(repr=False)

    @property
    def file(self) -> str:
        return f"{self.name}.py"

    @property
    def number(self) -> int:
        return int(self.name[2:4])

    @functools.cached_property
    def document(self) -> str:
        """The text of the page."""
        return ast.get_docstring(ast.parse(self.source)) or ""

    @functools.cached_property
    def seconds(self) -> float | None:
        """The time limit, where it is not the usual one."""
        stated = re.search(r"^SECONDS = ([\d.]+)", self.source, re.MULTILINE)
        return float(stated[1]) if stated else None

    @property
    def title(self) -> str:
        return self.document.splitlines()[0].partition(": ")[2]

    @functools.cached_property
    def page(self) -> str:
        """The file as it is handed out, with the gaps open."""
        return "\n".join(self._lines(filled=False)).rstrip() + "\n"

    @functools.cached_property
    def solved(self) -> str:
        """The page with its gaps filled, without markers and hints."""
        return "\n".join(self._lines(filled=True)).rstrip() + "\n"

    @functools.cached_property
    def hints(self) -> list[str]:
        return [f"({gap.function}) {hint}" for gap in self.gaps for hint in gap.hints]

    @functools.cached_property
    def gaps(self) -> list["Gap"]:
        """The gaps in the order in which they stand."""
        gaps: list[Gap] = []
        inside = function = None
        for line in self._handed():
            defined = re.match(r"def (\w+)", line)
            function = defined[1] if defined else function
            opened = GAP.match(line)
            if opened:
                inside = Gap(str(function), opened[2], [], [])
                gaps.append(inside)
            elif line.strip() == "# END":
                inside = None
            elif inside and line.strip().startswith("# HINT "):
                inside.hints.append(line.strip().removeprefix("# HINT "))
            elif inside:
                inside.code.append(line)
        return gaps

    @functools.cached_property
    def needs(self) -> list[str]:
        """The exercises that this one imports, those that they import included, in order."""
        direct = re.findall(r"^from (ex\d\d_\w+) import", self.page, re.MULTILINE)
        return sorted({*direct, *(deeper for name in direct for deeper in find(name).needs)})

    @property
    def examples(self) -> list[doctest.Example]:
        """The worked numbers of the page: the lines that begin with >>>, and what they give."""
        return doctest.DocTestParser().get_examples(self.document)

    def _handed(self) -> Iterator[str]:
        for line in self.source.splitlines():
            if line == CUT:
                return
            yield line

    def _lines(self, *, filled: bool) -> Iterator[str]:
        inside = False
        for line in self._handed():
            opened = GAP.match(line)
            if opened:
                inside = True
                if not filled:
                    dots = ", ".join("..." for _ in opened[2].split(", "))
                    yield f"{opened[1]}# Your code: {opened[2]}"
                    yield f"{opened[1]}{opened[2]} = {dots}"
            elif line.strip() == "# END":
                inside = False
            elif not inside or filled and not line.strip().startswith("# HINT "):
                yield line


@dataclass(frozen=True)
class Gap:
    """A gap: the function it is in, the names to compute, hints, and the lines of the solution."""

    function: str
    names: str
    hints: list[str]
    code: list[str]

    def __str__(self) -> str:
        return f"in {self.function}:\n\n" + textwrap.indent(
            textwrap.dedent("\n".join(self.code)), "    "
        )


@functools.cache
def exercises() -> tuple[Exercise, ...]:
    """All exercises, in order."""
    folder = resources.files(__package__) / "solutions"
    files = [file for file in folder.iterdir() if re.fullmatch(r"ex\d\d_\w+\.py", file.name)]
    return tuple(
        Exercise(file.name.removesuffix(".py"), file.read_text(encoding="utf-8"))
        for file in sorted(files, key=lambda file: file.name)
    )


def find(name: str | int) -> Exercise:
    """The exercise called `name`: "ex03_linear_backward", "ex03", "3", 3, or a part of its name.

    Raises LookupError, in one line, for a name that fits none or several.
    """
    wanted = str(name).replace("\\", "/").rpartition("/")[2].removesuffix(".py").lower()
    if re.fullmatch(r"(ex)?\d{1,2}", wanted):
        found = [e for e in exercises() if e.number == int(wanted.removeprefix("ex"))]
    else:
        found = [e for e in exercises() if e.name == wanted]
        found = found or [e for e in exercises() if wanted and wanted in e.name]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(exercise.name for exercise in found)
        raise LookupError(f"several exercises are called {name!r}: {several}")
    first, last = exercises()[0], exercises()[-1]
    raise LookupError(f"no exercise is called {name!r}: they are {first.name} to {last.name}")

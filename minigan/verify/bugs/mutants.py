"""What an exhibit is: minigan's own code with some lines replaced by wrong ones.

An `Edit` names a function, lines of its source and the wrong lines to replace them. Putting it in
compiles the edited source and gives the function the new code; taking it out restores the old code.
The function object stays the same, so every name that refers to it (an import elsewhere, a method
that a subclass inherits) sees the bug, as if the file had been edited. The right lines must occur
in the source exactly once, so an exhibit that no longer matches the code raises an error.
"""

import contextlib
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ... import backend as kernels

GENERAL = "check_layer", "check_loss", "check_penalty", "check_step"  # the general checker


@dataclass(frozen=True)
class Edit:
    """Whole lines of `function`: the right ones, and the wrong ones in their place ("": none)."""

    function: Callable
    right: str
    wrong: str

    @property
    def place(self) -> str:
        path = self.function.__module__.replace(".", "/")
        return f"{path}.py, {self.function.__qualname__}"

    @contextlib.contextmanager
    def put_in(self) -> Iterator[None]:
        function = inspect.unwrap(self.function)
        mutant = self._compile(function)
        before = function.__code__, function.__defaults__, function.__kwdefaults__
        try:
            function.__code__ = mutant.__code__
            function.__defaults__ = mutant.__defaults__
            function.__kwdefaults__ = mutant.__kwdefaults__
            yield
        finally:
            function.__code__, function.__defaults__, function.__kwdefaults__ = before

    def _compile(self, function):
        source = textwrap.dedent(inspect.getsource(function))
        source = source[source.index("def ") :]  # without decorators: they stay around the new code
        source = replace_lines(source, self.right, self.wrong, self.place)
        # A method that calls super() needs the cell __class__, which an outer function provides.
        source = f"def scope(__class__):\n{textwrap.indent(source, '    ')}"
        source += f"    return {function.__name__}\n"
        filename = f"<{self.place}: {self.wrong.strip()}>"
        # Where tracebacks, and a second edit of the same function, look its source up.
        linecache.cache[filename] = len(source), None, source.splitlines(True), filename
        names = {}
        exec(compile(source, filename, "exec"), function.__globals__, names)
        return names["scope"](None)


def replace_lines(source: str, right: str, wrong: str, place: str) -> str:
    """`source` with the lines `right`, wherever they are indented, replaced by the lines `wrong`.

    Comments behind a line do not count. Raises LookupError unless `right` occurs exactly once.
    """
    lines, height = source.splitlines(), len(right.splitlines())
    bare = [line.split("  # ")[0] for line in lines]
    found = [
        start
        for start in range(len(lines) - height + 1)
        if textwrap.dedent("\n".join(bare[start : start + height])) == right
    ]
    if len(found) != 1:
        raise LookupError(f"{place}: found {len(found)} times, expected once:\n{right}")
    start = found[0]
    margin = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    lines[start : start + height] = textwrap.indent(wrong, margin).splitlines()
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Bug:
    """An exhibit. Calling it gives a context in which the bug is there:

        with minigan.bugs.adam_without_t():
            gan.train_step(real)

    name      : what it is called in the registry
    story     : what the wrong line does
    edits     : the lines, right and wrong
    seen      : the projects that shipped it; for one of ours, which checks it is made to test
    survives  : why casual testing does not find it
    caught_by : the check that finds it, by its name in `minigan.bugs.CHECKS`
    shipped   : whether a public project shipped it; if not, it is ours

    Within the context the NumPy kernels are active and a network runs its layers one by one,
    because the edited code is theirs. Afterwards, also after an exception, code and kernels are as
    before. What a network learned inside the context stays with that network.
    """

    name: str
    story: str
    edits: tuple[Edit, ...]
    seen: str
    survives: str
    caught_by: str
    shipped: bool = True

    @property
    def general(self) -> bool:
        """Whether the general checker catches it, and not only a test of its own."""
        return self.caught_by in GENERAL

    @contextlib.contextmanager
    def __call__(self):
        with kernels.use_backend("numpy"), contextlib.ExitStack() as stack:
            for edit in self.edits:
                stack.enter_context(edit.put_in())
            yield self

    def __str__(self):
        kind = "of the general checker" if self.general else "a test of its own"
        lines = [textwrap.fill(f"{self.name}: {self.story}", 98, subsequent_indent="  ")]
        for edit in self.edits:
            lines.append(f"  {edit.place}")
            lines.append(textwrap.indent(edit.right, "    + "))
            lines.append(textwrap.indent(edit.wrong or "(missing)", "    - "))
        for label, words in (
            ("seen in" if self.shipped else "ours", self.seen),
            ("survives", self.survives),
            ("caught by", f"{self.caught_by}, {kind}"),
        ):
            lines.append(textwrap.fill(f"  {label:10}{words}", 98, subsequent_indent=" " * 12))
        return "\n".join(lines)

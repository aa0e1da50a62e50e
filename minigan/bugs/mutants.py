"""What an exhibit is: this very code with a line replaced by the wrong one.

An `Edit` names a function, a line of its source and the wrong line to stand there instead. Putting
it in compiles the edited source and gives the function the new code; taking it out gives back the
old. The function object stays the same one, so every name that refers to it (an import elsewhere,
a method that a subclass inherits) sees the bug, as it would had the file been edited. The right
line must be found in the source, exactly once: an exhibit cannot go out of date in silence.
"""

import contextlib
import inspect
import linecache
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from .. import kernels


@dataclass(frozen=True)
class Edit:
    """Whole lines of `function`: the right ones, and the wrong ones in their place ("": none)."""

    function: Callable
    right: str
    wrong: str

    @property
    def place(self):
        path = self.function.__module__.replace(".", "/")
        return f"{path}.py, {self.function.__qualname__}"

    @contextlib.contextmanager
    def put_in(self):
        function, mutant = self.function, self._compile()
        before = function.__code__, function.__defaults__, function.__kwdefaults__
        try:
            function.__code__ = mutant.__code__
            function.__defaults__ = mutant.__defaults__
            function.__kwdefaults__ = mutant.__kwdefaults__
            yield
        finally:
            function.__code__, function.__defaults__, function.__kwdefaults__ = before

    def _compile(self):
        source = textwrap.dedent(inspect.getsource(self.function))
        source = replace_lines(source, self.right, self.wrong, self.place)
        # A method that says super() needs the cell __class__: only a scope around it can give one.
        source = f"def scope(__class__):\n{textwrap.indent(source, '    ')}"
        source += f"    return {self.function.__name__}\n"
        filename = f"<{self.place}: {self.wrong.strip()}>"
        # Where tracebacks, and a second edit of the same function, look its source up.
        linecache.cache[filename] = len(source), None, source.splitlines(True), filename
        names = {}
        exec(compile(source, filename, "exec"), self.function.__globals__, names)
        return names["scope"](None)


def replace_lines(source, right, wrong, place):
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
    """An exhibit. Calling it gives the context in which the bug is there:

        with minigan.bugs.adam_without_t():
            gan.train_step(real)

    name      : what it is called in the registry
    story     : what the wrong line does
    edits     : the lines, right and wrong
    seen      : where it was shipped
    survives  : why casual testing lets it live
    caught_by : the check that finds it, by its name in `minigan.bugs.CHECKS`

    Within the context the NumPy kernels are active and layers are walked one by one: theirs is the
    code that is edited. On leaving it, by an exception too, code and kernels are as they were.
    What a network learned inside, or a bug made it keep, stays with that network.
    """

    name: str
    story: str
    edits: tuple[Edit, ...]
    seen: str
    survives: str
    caught_by: str

    @contextlib.contextmanager
    def __call__(self):
        with kernels.use_backend("numpy"), contextlib.ExitStack() as stack:
            for edit in self.edits:
                stack.enter_context(edit.put_in())
            yield self

    def __str__(self):
        lines = [textwrap.fill(f"{self.name}: {self.story}", 98, subsequent_indent="  ")]
        for edit in self.edits:
            lines.append(f"  {edit.place}")
            lines.append(textwrap.indent(edit.right, "    + "))
            lines.append(textwrap.indent(edit.wrong or "(missing)", "    - "))
        for label, words in (
            ("seen", self.seen),
            ("survives", self.survives),
            ("caught by", self.caught_by),
        ):
            lines.append(textwrap.fill(f"  {label:10}{words}", 98, subsequent_indent=" " * 12))
        return "\n".join(lines)

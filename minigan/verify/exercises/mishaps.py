"""An error in a learner's page, as one line that names the file and the line of it."""

import re
import traceback
from pathlib import Path
from types import CodeType, FrameType, TracebackType

import numpy as np

Finding = tuple[str, str]  # its kind and the words: see `examine`


class Stopped(Exception):
    """The page, or one function of it, cannot be examined further; the finding says why."""

    def __init__(self, kind: str, words: str, error: BaseException | None = None) -> None:
        super().__init__(words)
        self.finding = kind, words
        self.error = error  # that was raised in the page


class reported:
    """with reported(folder): what raises in it raises Stopped, with the place in a learner's file.

    NumPy's warnings of an overflow, of a division by zero and of NaN are errors in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        self.state = np.errstate(over="raise", divide="raise", invalid="raise", under="ignore")
        self.state.__enter__()

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.state.__exit__(kind, error, trace)
        if error is not None and not isinstance(error, Stopped):
            raise Stopped(*described(error, trace, self.folder), error) from None


def described(error: BaseException, trace: TracebackType | None, folder: Path) -> Finding:
    """What happened and where; an open gap, if it is one that was used."""
    if isinstance(error, SyntaxError):
        file = Path(error.filename or "").name
        return "wrong", f"{file}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(trace)
        if Path(frame.f_code.co_filename).parent == folder
    ]
    if not frames:
        return "wrong", in_words(error)
    for frame, _ in frames:
        if any(is_open(value) for value in frame.f_locals.values()):
            return "open", open_gap(frame.f_code)
    frame, line = frames[-1]
    file, function = Path(frame.f_code.co_filename), frame.f_code.co_name
    place = f"{file.name}, line {line}" + ("" if function == "<module>" else f", {function}")
    return "wrong", f"{place}: {in_words(error)}{shapes_on(frame, file, line)}"


def is_open(value: object) -> bool:
    """Whether a value is the ... of an open gap, or has one in it."""
    return value is ... or isinstance(value, tuple | list) and any(v is ... for v in value)


def open_gap(code: CodeType) -> str:
    """Where the first open gap of a function is, and what is to be computed there."""
    file, first = Path(code.co_filename), code.co_firstlineno
    last = max(line for *_, line in code.co_lines() if line)
    lines = file.read_text(encoding="utf-8").splitlines()[:last]
    for line, text in enumerate(lines[first:], first + 1):
        if "= ..." in text:
            names = text.partition("=")[0].strip()
            return f"{file.name}, line {line}, {code.co_name}: the gap is open: compute {names}"
    return f"{file.name}, line {first}, {code.co_name}: a gap that it needs is still open"


def in_words(error: BaseException) -> str:
    """The error in one line; some of the commonest in plainer words than Python's or NumPy's."""
    text = next(iter(str(error).splitlines()), "")
    if isinstance(error, SystemExit):
        return "sys.exit() or exit() ends Python; leave it out"
    if isinstance(error, MemoryError):
        return f"this needs more memory than an exercise may have. {text}"
    if isinstance(error, ValueError) and text.startswith("matmul: "):
        return "the shapes on the two sides of @ do not fit"
    if isinstance(error, ValueError) and text.startswith("operands could not be broadcast"):
        return "the shapes do not fit"
    return f"{type(error).__name__}: {text}".removesuffix(": ")


def shapes_on(frame: FrameType, file: Path, line: int) -> str:
    """The shapes of the arrays that a line names."""
    lines = file.read_text(encoding="utf-8").splitlines()
    names = dict.fromkeys(re.findall(r"\b[^\W\d]\w*", lines[line - 1]))
    arrays = {name: frame.f_locals.get(name) for name in names}
    shapes = [f"{n} {a.shape}" for n, a in arrays.items() if isinstance(a, np.ndarray) and a.ndim]
    return f"; here: {', '.join(shapes)}" if shapes else ""

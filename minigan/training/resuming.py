"""Beginning a run that is kept in a file: load or overwrite the file, and compare the options.

A schedule or a callback may change an option during training (a gamma, a learning rate). The
fingerprint in the file has the option as first given, so a second call of `train` in the same
process must compare that value, not the one that the first call left behind. `_FIRST_AND_LAST`
remembers both for each GAN.
"""

import contextlib
import weakref
from collections.abc import Iterator
from pathlib import Path

from ..gan import GAN
from . import checkpoint as checkpoints
from .fingerprint import rate_name
from .run import Run

_FIRST_AND_LAST: weakref.WeakKeyDictionary[GAN, tuple[dict[str, str], dict[str, str]]] = (
    weakref.WeakKeyDictionary()
)  # GAN -> its options as first given, and as its last training left them


def begin(run: Run, path: Path | None, resume: bool) -> None:
    """Loads the file if `resume`; otherwise writes the run's first state to it.

    Raises ValueError for resume without a path, and as `checkpoint.load` does.
    """
    if resume and path is None:
        raise ValueError("train: resume=True needs checkpoint, the file to go on from")
    if path is None:
        run.begin_watching()
        return
    _restore_first_options(run)
    if resume:
        checkpoints.load(path, run)
    else:
        run.begin_watching()
        checkpoints.save(path, run)


def _restore_first_options(run: Run) -> None:
    """In the fingerprint, replaces what an earlier training changed by what it was first given."""
    first, last = _FIRST_AND_LAST.get(run.gan, ({}, {}))
    run.fingerprint = {
        name: first.get(name, value) if last.get(name) == value else value
        for name, value in run.fingerprint.items()
    }


@contextlib.contextmanager
def remembered_options(run: Run, path: Path | None) -> Iterator[None]:
    """On leaving the `with` block, remembers the options of a run that has a file."""
    try:
        yield
    finally:
        if path is not None:
            _FIRST_AND_LAST[run.gan] = run.fingerprint, run.options | _present_rates(run)


def _present_rates(run: Run) -> dict[str, str]:
    """The optimizers' present rates: run.options has those that a schedule multiplies."""
    return {rate_name(name): repr(float(o.lr)) for name, o in run.optimizers.items()}

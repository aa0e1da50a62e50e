"""The record of a training run: the figures of every step."""

from array import array

import numpy as np

from .. import _checks as checks
from .._checks import Count, checked
from .._mistakes import check_finite


class History:
    """The figures of every training step, as columns: history["generator_loss"] is a list.

    Attributes
    ----------
    columns : name -> array of 8 bytes per number, so that a long run takes a few megabytes
    stopped : why training ended before its last step, in words; None if it did not
    interrupted : whether Ctrl-C was pressed during training
    """

    def __init__(self) -> None:
        self.columns: dict[str, array] = {}
        self.stopped: str | None = None
        self.interrupted = False

    def __repr__(self) -> str:
        last = [f"{n} {c[-1]:.4g}" for n, c in self.columns.items() if n.endswith("_loss")]
        ended = f"; {self.stopped}" if self.stopped else ""
        words = f", at the end: {', '.join(last)}" if last else ""
        return (
            f"<History of {len(self):,} steps{words}{ended}>" if len(self) else "<History, empty>"
        )

    @checked
    def append(self, step: Count, figures: dict) -> None:
        """Adds a row. Raises FloatingPointError for a figure that is not finite; TypeError for one
        that is no number, ValueError for other figures than before, with nothing added."""
        row = {name: _number(name, value) for name, value in figures.items()}
        check_finite(row, f"step {step}: ")
        known = [name for name in self.columns if name != "step"] or list(row)
        if set(row) != set(known) or "step" in row:
            raise ValueError(
                f"History.append: figures must be those of the steps before, {', '.join(known)}, "
                f"got {', '.join(row) or 'none'}"
            )
        for name, value in {"step": step, **row}.items():
            self.columns.setdefault(name, array(self._typecode(name))).append(value)

    @staticmethod
    def _typecode(name: str) -> str:
        return "q" if name == "step" else "d"

    def arrays(self) -> dict[str, np.ndarray]:
        """The columns as NumPy arrays that share their memory."""
        return {name: np.frombuffer(c, self.dtype(name)) for name, c in self.columns.items()}

    def dtype(self, name: str) -> np.dtype:
        """The dtype of a column: int64 for the step, float64 for a figure."""
        return np.dtype(self._typecode(name))

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Sets the columns to those that `arrays` returned earlier."""
        self.columns = {
            name: array(self._typecode(name), values.tobytes()) for name, values in arrays.items()
        }

    def __getitem__(self, name: str) -> list:
        if not isinstance(name, str) or name not in self.columns:
            known = ", ".join(self.columns) or "none yet"
            raise KeyError(f"no column {checks.shown(name)}; there are: {known}")
        return self.columns[name].tolist()

    def __len__(self) -> int:
        return len(self.columns.get("step", ()))


def _number(name, value):
    """A figure as a float; any kind of number, NumPy's and other libraries' too."""
    try:
        if not isinstance(name, str) or isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            "History.append: figures must be numbers by their names, got "
            f"{checks.shown(value)} for {checks.shown(name)}"
        ) from None

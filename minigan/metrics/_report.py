"""What the reports have in common."""

from dataclasses import fields
from typing import Any, cast


class Measures:
    """A frozen dataclass of scalars and arrays; `str()` is for people, `scalars()` for JSON.

    A subclass explains its words in `LEGEND`, {word: one line}.
    """

    LEGEND: dict[str, str] = {}

    def scalars(self) -> dict[str, float]:
        """The fields that are single numbers, as a dict: what a `metrics.json` wants."""
        values = ((field.name, getattr(self, field.name)) for field in fields(cast(Any, self)))
        return {name: value for name, value in values if isinstance(value, (int, float))}

    def legend(self) -> str:
        """What the words of the report mean, a line each."""
        widest = max(map(len, self.LEGEND))
        return "\n".join(f"{word:{widest}}  {meaning}" for word, meaning in self.LEGEND.items())

    def __repr__(self):
        numbers = ", ".join(
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in self.scalars().items()
        )
        return f"{type(self).__name__}({numbers})"

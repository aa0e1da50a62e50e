"""What an error about an argument says: one sentence, in one line."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

Rule = Callable[[Any, str, Any], Any]  # rule(owner, name, value) -> value, converted

SHOWN = 100  # characters of a value in an error


def refuse(
    error: type[Exception], owner: Any, name: str, expected: str, value: Any, hint: str = ""
) -> NoReturn:
    """Raises the one error that every rule raises."""
    raise error(f"{owner}: {name} must be {expected}, got {shown(value)}{hint}")


def shown(value: Any) -> str:
    """`value` for an error, in one short line."""
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # for example of an integer of thousands of digits
        return f"an unprintable {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."

"""Packages that minigan does not depend on."""

import importlib
from typing import Any


def needed(module: str, user: str, *, extra: str = "") -> Any:
    """The module; ImportError, in one line that says how to install it, if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        install = f"minigan[{extra}]" if extra else package
        raise ImportError(
            f"{user} needs {package}, which cannot be imported ({error}); pip install '{install}'"
        ) from error

"""The progress bar of a check that takes long."""

import sys
from typing import Any

from tqdm import tqdm

DELAY = 2.0  # seconds; a check that takes less shows nothing


def progress_bar(entries: int, progress: bool) -> Any:
    """A bar over the entries to measure; gone when the check is done.

    Nothing is shown in the first two seconds, without a standard error stream, or unless
    `progress`.
    """
    silent = not progress or sys.stderr is None
    return tqdm(
        total=entries, desc="checking", unit="entry", leave=False, delay=DELAY, disable=silent
    )

"""Progress of everything in a demo that takes more than a moment.

In a terminal a bar, as wide as the terminal; elsewhere (a file, a pipe) a short line at the start
and one at each quarter, since a bar that redraws itself would become one very long line.
"""

import contextlib
import sys
import time

from tqdm import tqdm

QUARTERS = 4


class Lines:
    """A progress bar's methods, as lines of text."""

    def __init__(self, total, label, unit):
        self.total, self.label, self.unit = total, label, unit
        self.done, self.begin = 0, time.monotonic()
        self._say(f"{label} ...")

    def update(self, n=1):
        before, self.done = self.done, self.done + n
        if QUARTERS * before // self.total != QUARTERS * self.done // self.total:
            seconds = time.monotonic() - self.begin
            self._say(f"{self.label}: {self.done} of {self.total} {self.unit}s, {seconds:.0f} s")

    def close(self):
        pass

    def _say(self, text):
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def bar(total, label, unit="step"):
    """A bar for the length of a `with`; its update() counts one more of `total` units done."""
    if sys.stderr is not None and sys.stderr.isatty():
        shown = tqdm(total=total, desc=label, unit=unit, dynamic_ncols=True)
    else:
        shown = Lines(total, label, unit)
    try:
        yield shown
    finally:
        shown.close()


def each(items, label, unit="step"):
    """The items one after the other, with a bar that counts them."""
    items = list(items)
    with bar(len(items), label, unit) as shown:
        for item in items:
            yield item
            shown.update()


def reported(animation, frames, label):
    """The matplotlib animation, whose save() (and to_jshtml(), which calls it) now has a bar."""
    save = animation.save

    def save_with_a_bar(path, **options):
        with bar(frames, label, "frame") as shown:
            save(path, progress_callback=lambda *_: shown.update(), **options)

    animation.save = save_with_a_bar
    return animation

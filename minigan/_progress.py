"""Progress bars for terminals, notebooks and files. They never interrupt the work itself.

    with Bar(total=1000, unit="step") as bar:
        for _ in range(1000):
            bar.update()

A terminal gets tqdm's bar, as wide as the terminal. A notebook gets tqdm's widget, where ipywidgets
is installed. A file or a pipe gets whole lines, at most one every ten seconds. Where there is no
stderr, or writing to it fails, nothing is shown and no error is raised.
"""

import functools
import os
import sys
import warnings

NARROW = 80  # columns; below, the short form of the figures is shown
SECONDS = 10.0  # between two lines in a file
SHORT = "{desc}{n_fmt}/{total_fmt} {remaining}{postfix}"
STATISTICS = "{desc}{n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"


class Bar:
    """A progress bar of `total` units, `initial` of which are done already.

    show   : False for a bar that shows nothing
    delay  : seconds before it appears; work that is done by then shows nothing
    leave  : whether it stays when it ends
    Leaving the `with` block ends the bar, also when an error leaves it.
    """

    def __init__(self, total, *, initial=0, unit="it", desc=None, show=True, delay=0, leave=True):
        stream = _Stream(sys.stderr)
        self._bar = None
        if not show or stream.broken:
            return
        options = {"total": total, "initial": initial, "unit": unit, "desc": desc}
        options |= {"delay": delay, "leave": leave}
        kind = _kind()
        if kind.__module__ != "tqdm.std":  # a notebook's widget chooses where it is shown
            self._bar = kind(**options)
        elif stream.isatty():
            narrow = {"bar_format": SHORT} if stream.columns() < NARROW else {}
            self._bar = kind(file=stream, dynamic_ncols=True, **narrow, **options)
        else:
            lines = {"mininterval": SECONDS, "maxinterval": SECONDS, "bar_format": STATISTICS}
            self._bar = kind(file=_Lines(stream), **lines, **options)

    def update(self, n=1):
        """`n` more units are done."""
        if self._bar is not None:
            self._bar.update(n)

    def figures(self, words, short=None):
        """Shows words behind the bar from its next refresh on; `short` ones where it is narrow."""
        if self._bar is not None:
            narrow = short is not None and (self._bar.ncols or NARROW) < NARROW
            self._bar.set_postfix_str(short if narrow else words, refresh=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()


def track(iterable, *, total=None, **options):
    """Iterates over `iterable` beside a `Bar` with these options; total: its length, if it has one.

    The loop must run to its end, or the generator be closed, for the bar to end.
    """
    with Bar(len(iterable) if total is None else total, **options) as bar:
        for item in iterable:
            yield item
            bar.update()


def say(words):
    """Prints words, where there is a stdout that takes them."""
    try:
        print(words, flush=True)
    except Exception:  # a closed file or pipe, or whatever a stand-in for stdout may raise
        pass


@functools.cache
def _kind():
    """tqdm's class for this process: the notebook's, where it can be shown, or the terminal's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is experimental; that ipywidgets is missing
        from tqdm.autonotebook import tqdm
    return tqdm


class _Stream:
    """A text stream on which every operation succeeds. After a failure it writes nothing more."""

    def __init__(self, stream):
        self.stream, self.broken = stream, False
        self.write("")

    def write(self, text):
        self._attempt(lambda: self.stream.write(text))

    def flush(self):
        self._attempt(lambda: self.stream.flush())

    def _attempt(self, action):
        if self.broken:
            return
        try:
            action()
        except Exception:  # whatever a stand-in for stderr may raise
            self.broken = True

    def isatty(self):
        try:
            return bool(self.stream.isatty())
        except Exception:
            return False

    def fileno(self):
        return self.stream.fileno()

    @property
    def encoding(self):
        return getattr(self.stream, "encoding", None) or "ascii"

    def columns(self):
        """The width of the terminal; NARROW where it cannot be found."""
        try:
            return os.get_terminal_size(self.fileno()).columns
        except Exception:
            return NARROW


class _Lines:
    """Turns tqdm's redrawing of one line into whole lines, for a stream that is no terminal."""

    def __init__(self, stream):
        self.stream, self.encoding = stream, stream.encoding
        self._last = ""

    def write(self, text):
        line = text.replace("\x1b[A", "").strip()  # of several bars, tqdm moves between the lines
        if line and line != self._last:
            self.stream.write(line + "\n")
            self._last = line

    def flush(self):
        self.stream.flush()

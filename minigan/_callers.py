"""Warnings name the user's line, however deep in minigan they are raised."""

import sys


def callers_level():
    """The stacklevel of a warning, so that it names the line outside of minigan that led to it."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and (_is_ours(frame) or _imports(frame)):
        frame = frame.f_back
        level += not _imports(frame)  # `warnings` does not count these either
    return level


def _is_ours(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] == __package__


def _imports(frame):
    """Whether it is part of Python's import statement."""
    return "importlib._bootstrap" in frame.f_code.co_filename

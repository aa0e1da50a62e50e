"""In a notebook: shows below each cell the pictures and pages that the cell wrote."""

from pathlib import Path

from IPython import get_ipython
from IPython.display import IFrame, Image, display

KINDS = {".png", ".gif", ".html"}
_seen = {}  # file: when it was last written


def start(folder):
    """From now on, show what cells write to `folder`; what is there already is not shown."""
    first, _seen[folder] = folder not in _seen, _written(folder)
    if first:
        get_ipython().events.register("post_run_cell", lambda _: _show(folder))


def _written(folder):
    files = [file for file in Path(folder).rglob("*") if file.suffix in KINDS]
    return {file: file.stat().st_mtime_ns for file in files}


def _show(folder):
    before, _seen[folder] = _seen[folder], _written(folder)
    new = [file for file, time in _seen[folder].items() if before.get(file) != time]
    for file in sorted(new, key=_seen[folder].get):
        if file.suffix == ".html":
            display(IFrame(file.as_posix(), "100%", 720))
        else:
            display(Image(str(file), retina=file.suffix == ".png"))

"""Where compiled kernels are kept between processes.

Numba keeps a compiled function beside its source and compiles it anew when *that* file changes, but
not when a function that was compiled into it changes in another file: a kernel left over from an
older minigan would go on running, or crash. So the kernels are kept in a folder named after the
text of all the sources that go into them.
"""

import contextlib
import hashlib
import tempfile
from pathlib import Path

from numba import config

HERE = Path(__file__).parent


def _folder():
    """The first place that can be written: NUMBA_CACHE_DIR, or here, the home, a temporary."""
    digest = hashlib.sha256()
    for source in sorted([*HERE.glob("*.py"), HERE.parent / "codes.py"]):
        digest.update(source.name.encode() + source.read_bytes())
    name = f"minigan-{digest.hexdigest()[:16]}"
    homes = [HERE / "__pycache__", Path.home() / ".cache" / "minigan", Path(tempfile.gettempdir())]
    for home in [Path(config.CACHE_DIR)] if config.CACHE_DIR else homes:
        with contextlib.suppress(OSError):
            (home / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=home / name):
                return str(home / name)
    return config.CACHE_DIR


@contextlib.contextmanager
def kept_by_content():
    """For the length of a `with`, what is decorated with `cache=True` goes to that folder."""
    before, config.CACHE_DIR = config.CACHE_DIR, _FOLDER
    try:
        yield
    finally:
        config.CACHE_DIR = before


_FOLDER = _folder()

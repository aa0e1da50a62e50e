"""Compiled kernels kept on disk between processes, where that is possible and safe.

`cached_njit` and `cached_cfunc` compile as Numba's `njit` and `cfunc` do. Numba's own cache is not
used, because it is a condition of running rather than a convenience: without a writable folder
decorating fails, a truncated file stops every later run, and a kernel is not compiled anew when a
function that was inlined into it changes in another file. Here

- the folder is named after a hash of all the sources, so no change of the code is missed;
- each kernel is one file, named after everything that its machine code depends on: the types, the
  processor, the compiler options and the versions of Python, Numba and llvmlite;
- a file starts with a checksum: one that was cut short or changed is compiled anew and replaced;
- a file is read only if this user owns it and no other user can write to it, because loading a
  kernel executes it;
- where no folder can be written to, kernels are compiled in each process, without a warning.
"""

import contextlib
import functools
import gc
import hashlib
import importlib.util
import os
import pickle
import stat
import sys
import tempfile
from pathlib import Path

import llvmlite
import numba
from numba import config
from numba.core import sigutils
from numba.core.caching import Cache
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

HERE = Path(__file__).parent
VERSIONS = sys.version, numba.__version__, llvmlite.__version__
DIGEST_BYTES = hashlib.sha256().digest_size


def cached_njit(inner=False, **options):
    """Numba's `njit(**options)`, with the compiled code kept between processes.

    An `inner` function is called by compiled code only. Then the wrapper for calls from Python is
    not compiled, which would take as long as a small function itself.
    """
    options |= {"no_cpython_wrapper": inner, "no_cfunc_wrapper": True}

    def decorate(function):
        dispatcher = numba.njit(**options)(function)
        dispatcher._cache = KernelCache(function, options)
        dispatcher.compile = _without_collections(dispatcher.compile)
        return dispatcher

    return decorate


def cached_cfunc(signature, function):
    """Numba's `cfunc(signature)(function)`, with the compiled code kept between processes."""
    options = {"error_model": "numpy"}
    compiled = CFunc(function, sigutils.normalize_signature(signature), locals={}, options=options)
    compiled._cache = KernelCache(function, f"cfunc {options}")
    _without_collections(compiled.compile)()
    return compiled


def _without_collections(compiling):
    """Turns Python's garbage collector off while `compiling` runs. Numba's compiler makes a million
    objects that stay alive, and scanning them again and again takes a tenth of its time.

    With the lock, one thread compiles at a time, and no process forks during that time (see
    `threads`): in the child the collector would stay off."""

    @functools.wraps(compiling)
    def run(*arguments):
        with global_compiler_lock:
            enabled = gc.isenabled()
            try:
                gc.disable()
                return compiling(*arguments)
            finally:
                if enabled:
                    gc.enable()

    return run


class KernelCache(Cache):
    """The cache of one function, a file for each signature. If saving or loading fails, nothing is
    raised."""

    def __init__(self, function, options):
        self._name = repr(function)
        self._py_func = function
        self._options = repr(options)
        self._cache_path = _FOLDER
        self.enable()

    def flush(self):
        """Nothing is kept in memory."""

    def load_overload(self, sig, target_context):
        found = self._stored(sig, target_context)
        if found is None:  # it will be compiled, and for that Numba loads its list of functions
            with _without_scipy():
                target_context.refresh()
        return found

    def _stored(self, sig, target_context):
        """The compiled function from its file, or None. This needs only Numba's runtime: loading
        Numba's list of functions would take .2 s, nearly half of the time until a first sample."""
        if not self._enabled or _FOLDER is None:
            return None
        try:
            payload = pickle.loads(_read(self._file(sig, target_context.codegen())))
            rtsys.initialize(target_context)
            return CompileResult._rebuild(target_context, *payload)
        except Exception:  # whatever is wrong with the file, the function can be compiled
            return None

    def save_overload(self, sig, data):
        if not self._enabled or _FOLDER is None:
            return
        if data.library.has_dynamic_globals or any(not lifted.can_cache for lifted in data.lifted):
            return
        with contextlib.suppress(OSError):
            _write(self._file(sig, data.codegen), dumps(data._reduce()))

    def _file(self, sig, codegen):
        key = repr((self._index_key(sig, codegen), self._options, VERSIONS))
        name = f"{self._py_func.__qualname__}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.nbc"
        return os.path.join(_FOLDER, name)


@contextlib.contextmanager
def _without_scipy():
    """Skips Numba's import of SciPy's BLAS. Numba imports it with its list of functions, to see
    whether it is installed; that takes .1 to .2 s, and no kernel here uses it. A function that uses
    it still imports it when it is compiled."""
    if "numba.np.arraymath" in sys.modules or importlib.util.find_spec("scipy") is None:
        yield
        return
    from numba.np import linalg

    before, linalg.ensure_blas = linalg.ensure_blas, lambda: None
    try:
        yield
    finally:
        linalg.ensure_blas = before


def _read(path):
    """The content of a file made by `_write`. Raises OSError if it is damaged or not ours."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        if not _is_ours(os.fstat(file.fileno())):
            raise PermissionError(f"{path} can be written by another user")
        digest, content = file.read(DIGEST_BYTES), file.read()
    if hashlib.sha256(content).digest() != digest:
        raise OSError(f"{path} is damaged")
    return content


def _write(path, content):
    """Replaces a file atomically: a reader sees the old file or the new one, never a part."""
    number, temporary = tempfile.mkstemp(dir=os.path.dirname(path))  # readable by this user only
    try:
        with open(number, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _is_ours(status):
    """Whether this user owns the file or folder, and no other user can write to it."""
    if not hasattr(os, "geteuid"):
        return True  # Windows: the folders below belong to the user
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _homes():
    """Folders to try, in this order: NUMBA_CACHE_DIR alone; or this package's own, the user's
    cache folder and the temporary folder."""
    if config.CACHE_DIR:
        yield Path(config.CACHE_DIR)
        return
    yield HERE / "__pycache__"
    home = os.path.expanduser("~")
    if home != "~":  # neither HOME nor an entry in passwd
        yield Path(home) / ".cache" / "minigan"
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())


def _folder():
    """The first folder that can be written and that no other user can write, or None."""
    try:
        digest = hashlib.sha256()
        for source in sorted(HERE.glob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    except OSError:
        return None
    user = f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
    for home in _homes():
        folder = home / f"minigan-{digest.hexdigest()[:16]}{user}"
        with contextlib.suppress(OSError):
            home.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            status = folder.lstat()  # of the folder itself: a link to one is refused
            if stat.S_ISDIR(status.st_mode) and _is_ours(status):
                with tempfile.TemporaryFile(dir=folder):
                    return str(folder)
    return None


_FOLDER = _folder()

"""Atomic files of arrays: written under a temporary name, then renamed.

The format is NumPy's .npz, a zip of .npy files, without compression and without pickled objects:
`numpy.load` opens it. An additional member, "header", holds JSON.

`write` writes the new file under a temporary name, flushes it to the disk, keeps the old file as
name.previous, and renames: whenever the machine stops, there is one complete file. `Archive` reads
a file. Before it makes an array it compares lengths with the size of the file, and shapes and
dtypes with what the caller expects.
"""

import contextlib
import errno
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._checks import shown

Shape = tuple[int | None, ...]


class Kind(NamedTuple):
    """A kind of file: its name in errors, the version that this minigan reads and writes, and
    whether the file that a new one replaces is kept."""

    name: str
    version: int
    keeps_previous: bool

    @property
    def format(self) -> str:
        return f"minigan {self.name}"


CHECKPOINT, MODEL = Kind("checkpoint", 2, True), Kind("model", 1, False)


def previous(path: str | os.PathLike) -> Path:
    """The path at which the file that `path` replaced is kept."""
    path = as_path("previous", "path", path)
    return path.with_name(path.name + ".previous")


def write(
    path: str | os.PathLike,
    header: dict[str, Any],
    arrays: dict[str, np.ndarray],
    kind: Kind = CHECKPOINT,
) -> None:
    """Writes a dict for JSON and a dict of arrays; an existing checkpoint stays as name.previous.

    Raises OSError, naming the file, if that is impossible (a full disk, no permission, a folder or
    a device of that name); what is there then stays as it was.
    """
    path = as_path("archive.write", "path", path)
    if path.exists() and not path.is_file():  # the renamings would move a folder or a device away
        number = errno.EISDIR if path.is_dir() else errno.EEXIST
        words = f"the {kind.name} was not written: expected the name of a file, got that of a"
        what = "folder" if path.is_dir() else "device or pipe"
        raise OSError(number, f"{words} {what}", str(path))
    text = json.dumps({"format": kind.format, "version": kind.version, **header}, default=_plain)
    members = {"header": np.frombuffer(text.encode(), np.uint8), **arrays}
    temporary = path.with_name(path.name + ".writing")
    try:
        with open(temporary, "wb") as file:
            _write_members(file, members)
            file.flush()
            os.fsync(file.fileno())
        if kind.keeps_previous and path.exists():
            os.replace(path, previous(path))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(
            error.errno, f"the {kind.name} was not written ({error.strerror}); the one before it, "
            "if any, is intact", str(path),
        ) from error  # fmt: skip


def _write_members(file: IO[bytes], members: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in members.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: the same state, the same bytes
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def _plain(value: Any) -> Any:
    """NumPy arrays and numbers (in the states of some random generators) as lists and numbers."""
    return value.tolist()


def _sync_folder(folder: Path) -> None:
    """Flushes the renaming to the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """Reads a file written by `write`. `.header` is the dict.

    If there is no file at `path` but a name.previous, that is read: the machine stopped between two
    renamings. Raises FileNotFoundError if there is neither, and ValueError, naming the file, for
    anything but a complete file of this version.
    """

    def __init__(self, path: str | os.PathLike, kind: Kind = CHECKPOINT) -> None:
        path = as_path("Archive", "path", path)
        self.kind = kind
        self.path = path if path.exists() or not previous(path).exists() else previous(path)
        if not self.path.is_file():  # nor a folder, nor a pipe, which would be waited for
            raise FileNotFoundError(errno.ENOENT, f"there is no {kind.name} file", str(path))
        content = self.path.read_bytes()
        self.size = len(content)
        self._zip = self._checked("a whole .npz file", zipfile.ZipFile, io.BytesIO(content))
        if "header.npy" not in self._zip.namelist():
            raise self.refusal("not written by minigan (it has no header)")
        self.header = self._checked("a header of JSON", self._read_header)
        found = self.header.get("format") if isinstance(self.header, dict) else None
        if found != kind.format:
            other = shown(found) if isinstance(found, str) else "a header of something else"
            raise self.refusal(f'expected the format "{kind.format}", got {other}')
        self._check_version(self.header.get("version"))

    def _check_version(self, found: Any) -> None:
        if found == self.kind.version:
            return
        written = ""
        if isinstance(found, int) and found < self.kind.version:
            written = ", written by an earlier minigan; train anew"
        elif isinstance(found, int):
            written = ", written by a newer minigan; update minigan to read it"
        raise self.refusal(
            f"expected version {self.kind.version} of the format, got {shown(found)}{written}"
        )

    def _read_header(self) -> dict[str, Any]:
        return json.loads(self._read("header", (None,), np.dtype(np.uint8)).tobytes())

    def array(
        self, name: str, shape: Shape, dtype: npt.DTypeLike, *, finite: bool = True
    ) -> np.ndarray:
        """The array `name`; ValueError unless it has this shape (None: any length) and dtype and,
        if `finite`, finite numbers."""
        dtype = np.dtype(dtype)
        return self._checked(f"{name} {shape} {dtype}", self._read, name, shape, dtype, finite)

    def _read(self, name: str, shape: Shape, dtype: np.dtype, finite: bool = True) -> np.ndarray:
        entry = self._zip.getinfo(f"{name}.npy")
        if entry.compress_type != zipfile.ZIP_STORED:
            raise ValueError("it is compressed")
        content = io.BytesIO(self._zip.read(entry))  # no longer than the file, its CRC checked
        if np.lib.format.read_magic(content) != (1, 0):
            raise ValueError("another version of the .npy format")
        found, fortran, found_dtype = np.lib.format.read_array_header_1_0(content)
        expected = tuple(there if here is None else here for here, there in zip(shape, found))
        if len(found) != len(shape) or found != expected or found_dtype != dtype or fortran:
            raise ValueError(f"got {found} {found_dtype}{' in Fortran order' if fortran else ''}")
        array = np.frombuffer(content.read(), dtype).reshape(found).copy()
        if finite and dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError("got numbers that are not finite")
        return array

    def _checked(self, expected: str, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return function(*args)
        except Exception as error:  # damage makes zipfile, json and NumPy raise almost anything
            raise self.refusal(f"expected {expected}: {error or type(error).__name__}") from error

    def refusal(self, reason: str) -> ValueError:
        """The error that says why this file cannot be used."""
        words = f"{self.kind.name} {self.path}: {reason}"
        spare = previous(self.path)
        if self.kind.keeps_previous and spare.exists():
            words += f" (the checkpoint before it is {spare.name})"
        return ValueError(" ".join(words.split()))


def as_path(owner: str, name: str, path: Any) -> Path:
    """`path`, a str or a Path, as a Path; else one clear error."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{owner}: {name} must be a path, got {shown(path)}")
    return Path(path)

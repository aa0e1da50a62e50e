"""The IDX format, in which MNIST and its relatives are kept.

An IDX file is

    0, 0, type code, number of dimensions d          four bytes
    size of dimension 1, ..., size of dimension d    four bytes each, the most significant first
    the numbers, row by row, the most significant byte first

and may be compressed as a whole with gzip.
"""

import gzip
import math
import struct
import zlib

import numpy as np

from .._checks import ArrayShape, RegularFile, checked

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


@checked
def load_idx(path: RegularFile, *, shape: ArrayShape | None = None) -> np.ndarray:
    """Read an IDX file, plain or compressed with gzip.

    Memory use depends on the content of the file, not on the sizes in its header: the numbers are
    read in chunks of 1 MB, up to one byte more than the header says, so a gzip bomb is refused.

    Args:
        path: the file. Whether it is compressed is seen from its first bytes, not from its name.
        shape: the shape that is wanted, if it is known; any other is refused before the numbers
            are read.

    Returns:
        A writeable array in the file's own dtype (uint8, int8, int16, int32, float32 or float64)
        and this machine's byte order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not IDX, is damaged, is shorter or longer than its header says, or
            has another shape than `shape`.

    References:
        LeCun et al., http://yann.lecun.com/exdb/mnist, "File formats".
    """
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        try:
            return _read(stream, shape)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: damaged gzip data ({error})") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _read(stream, wanted):
    dtype, shape = _read_header(stream)
    if wanted is not None and shape != tuple(wanted):
        raise ValueError(f"expected an array of shape {tuple(wanted)}, the header says {shape}")
    promised = math.prod(shape) * dtype.itemsize  # of Python integers, which do not overflow
    data = bytearray()
    # Asking for one byte more than is due tells a longer file from a whole one, and makes gzip
    # read to its end, where it compares its checksum.
    while chunk := stream.read(min(_CHUNK, promised + 1 - len(data))):
        data += chunk
    if len(data) != promised:
        found = f"{len(data)} are there" if len(data) < promised else "more are there"
        raise ValueError(f"expected {promised} bytes after the header of shape {shape}, {found}")
    # frombuffer shares the bytes with `data`; astype copies only where the byte order differs.
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream):
    """The dtype and the shape that the header gives."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or magic[3] == 0:
        raise ValueError(
            "not an IDX file: expected the bytes 0, 0, a type code in "
            f"{[hex(code) for code in _DTYPES]} and a number of dimensions >= 1, "
            f"got {list(magic)}"
        )
    dimensions = magic[3]
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise ValueError(
            f"expected {dimensions} sizes of 4 bytes after the magic number, "
            f"{len(sizes)} bytes are there"
        )
    return np.dtype(_DTYPES[magic[2]]), struct.unpack(f">{dimensions}I", sizes)

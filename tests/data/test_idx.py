"""IDX files: what is whole is read, what is not is one clear error, and memory stays bounded."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigan.data import load_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def header(code, *sizes):
    return struct.pack(f">HBB{len(sizes)}I", 0, code, len(sizes), *sizes)


def idx(array):
    return (
        header(CODES[array.dtype.str[1:]], *array.shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


WHOLE = idx(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.fixture
def file(tmp_path):
    """Writes bytes to a file and gives its path."""

    def write(content):
        path = tmp_path / "data-idx"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(7,), (2, 3, 4), (1, 1), (0, 5)], ids=str)
@pytest.mark.parametrize("dtype", CODES)
def test_reads_back_what_was_written(file, dtype, shape, compress):
    array = np.random.default_rng(0).normal(0, 50, shape).astype(dtype)
    loaded = load_idx(file(compress(idx(array))))
    assert loaded.dtype == array.dtype and loaded.dtype.isnative
    assert loaded.shape == shape
    assert np.array_equal(loaded, array)
    loaded[...] = 1  # writeable


def test_compression_is_seen_in_the_bytes_not_in_the_name(tmp_path):
    for name, content in {"plain.gz": WHOLE, "packed": gzip.compress(WHOLE)}.items():
        (tmp_path / name).write_bytes(content)
        assert load_idx(str(tmp_path / name)).shape == (3, 4)


def test_gzip_in_two_members_is_one_file(file):
    assert load_idx(file(gzip.compress(WHOLE[:9]) + gzip.compress(WHOLE[9:]))).shape == (3, 4)


def test_a_known_shape_is_asked_for(file):
    assert load_idx(file(WHOLE), shape=(3, 4)).shape == (3, 4)
    with pytest.raises(ValueError, match=r"shape \(4, 3\), the header says \(3, 4\)"):
        load_idx(file(WHOLE), shape=(4, 3))


PACKED = gzip.compress(WHOLE)
BIGGEST = 2**32 - 1
BOMB = gzip.compress(WHOLE + bytes(1 << 26))  # 64 MB in 64 kB
HOSTILE = {
    "empty": (b"", r"not an IDX file: .* got \[\]"),
    "short magic": (b"\0\0\x08", r"not an IDX file: .* got \[0, 0, 8\]"),
    "text": (b"hello world", "not an IDX file"),
    "wrong magic": (b"\1\0" + WHOLE[2:], "not an IDX file"),
    "unknown type": (b"\0\0\x0a" + WHOLE[3:], r"not an IDX file: .* got \[0, 0, 10, 2\]"),
    "no dimensions": (b"\0\0\x08\0", "number of dimensions >= 1"),
    "no sizes": (WHOLE[:4], "expected 2 sizes of 4 bytes .* 0 bytes are there"),
    "one size and a half": (WHOLE[:10], "expected 2 sizes of 4 bytes .* 6 bytes are there"),
    "no data": (WHOLE[:12], "expected 12 bytes .* 0 are there"),
    "one byte short": (WHOLE[:-1], "expected 12 bytes .* 11 are there"),
    "one byte over": (WHOLE + b"\0", "expected 12 bytes .* more are there"),
    "4 GB promised": (header(8, BIGGEST) + b"abc", "expected 4294967295 bytes .* 3 are there"),
    "sizes overflow": (header(0x0E, BIGGEST, BIGGEST, BIGGEST) + b"abc", "3 are there"),
    "overflow to zero": (header(8, 2**31, 2**31, 4) + b"", "expected 1844.* 0 are there"),
    "zero times too much": (header(8, 0, BIGGEST, BIGGEST, BIGGEST), "data-idx: "),
    "255 dimensions": (header(8, *[1] * 255) + b"a", "data-idx: "),
    "zip": (b"PK\3\4" + bytes(40), "not an IDX file"),
    "gzip: only magic": (b"\x1f\x8b", "damaged gzip data"),
    "gzip: header cut": (PACKED[:6], "damaged gzip data"),
    "gzip: data cut": (PACKED[:-12], "damaged gzip data"),
    "gzip: checksum cut": (PACKED[:-3], "damaged gzip data"),
    "gzip: a bit flipped": (
        PACKED[:20] + bytes([PACKED[20] ^ 4]) + PACKED[21:], "data-idx: "
    ),
    "gzip: wrong checksum": (PACKED[:-8] + b"\1\2\3\4" + PACKED[-4:], "damaged gzip data"),
    "gzip: rubbish after": (PACKED + b"rubbish", "damaged gzip data"),
    "gzip: nothing inside": (gzip.compress(b""), r"not an IDX file: .* got \[\]"),
    "gzip: twice": (gzip.compress(PACKED), "not an IDX file"),
    "gzip: a bomb": (BOMB, "expected 12 bytes .* more are there"),
    "gzip: 4 GB promised": (
        gzip.compress(header(8, BIGGEST) + bytes(1000)), "expected 4294967295 .* 1000 are there"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_clear_error_in_little_memory(file, name):
    content, message = HOSTILE[name]
    path = file(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match=message) as caught:
        load_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value).startswith(str(path))
    assert peak < 4 << 20


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent: no such file"):
        load_idx(tmp_path / "absent")
    with pytest.raises(ValueError, match="expected a file, found a folder"):
        load_idx(tmp_path)
    with pytest.raises(TypeError, match="path must be a path, got None"):
        load_idx(None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe: expected a regular file"):
        load_idx(tmp_path / "pipe")


@settings(max_examples=300, deadline=None)
@given(
    source=st.sampled_from([WHOLE, PACKED]),
    place=st.integers(0, 100),
    value=st.integers(0, 255),
    cut=st.integers(0, 100),
    tail=st.binary(max_size=4),
)
def test_a_damaged_file_is_an_array_or_a_value_error(
    tmp_path_factory, source, place, value, cut, tail
):
    damaged = bytearray(source)
    damaged[place % len(source)] = value
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(bytes(damaged[: max(0, len(source) - cut // 2)] + tail))
    try:
        assert load_idx(path).size <= len(source)
    except ValueError as error:
        assert str(error).startswith(str(path))

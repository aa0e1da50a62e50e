"""Damaged and hostile files, made from good ones."""

import io
import zipfile

import numpy as np
import pytest


def damage(content, rng):
    """A copy that is cut short, has bits flipped, bytes overwritten, or pieces doubled or lost."""
    spoiled = bytearray(content)
    kind = rng.randrange(5)
    if kind == 0:
        return bytes(spoiled[: rng.randrange(len(spoiled))])
    if kind == 1:
        for _ in range(rng.choice([1, 1, 4, 64])):
            spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
    elif kind == 2:  # the end, where the zip's directory is
        for _ in range(rng.choice([1, 4])):
            spoiled[-rng.randrange(1, min(2000, len(spoiled)))] = rng.randrange(256)
    elif kind == 3:
        start = rng.randrange(len(spoiled))
        spoiled[start : start + rng.randrange(64)] = rng.randbytes(rng.randrange(64))
    else:
        start, stop = sorted(rng.randrange(len(spoiled)) for _ in range(2))
        spoiled[start:stop] = b"" if rng.random() < 0.5 else 2 * spoiled[start:stop]
    return bytes(spoiled)


def rebuilt(saved, **changes):
    """The file with some members replaced: arrays, or bytes as they stand."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = changes.get(name.removesuffix(".npy"), old.read(name))
            if isinstance(content, np.ndarray):
                member = io.BytesIO()
                np.save(member, content, allow_pickle=True)
                content = member.getvalue()
            if content is not None:
                new.writestr(name, content)
    return made.getvalue()


class Bomb:
    """Would leave a trace if it were unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a file ran code",))


def claims(shape):
    """A .npy file whose header claims far more than there is."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        member, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return member.getvalue() + bytes(64)

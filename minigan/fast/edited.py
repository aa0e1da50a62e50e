"""Was a file of formulas edited after its compiled counterparts were written?

A reader who changes a line of `minigan/layers/linear.py` wants to see its effect. So the
counterparts of an edited file are not used, with a warning, and the code of the file runs.

`CODE` has a checksum of the code of each file, without comments and docstrings. When you change a
formula permanently, change its counterpart too, and then the checksum: the tests print the new one.
"""

import functools
import inspect
import re
import sys
import warnings
import zlib

from .._callers import callers_level

CODE = {
    "minigan.gan": 0xE9359B10,
    "minigan.layers.activations": 0x81966AB4,
    "minigan.layers.attention": 0xFBBE8DCD,
    "minigan.layers.convolution": 0x04447039,
    "minigan.layers.features": 0xFAAC1618,
    "minigan.layers.linear": 0x2A1C0FAB,
    "minigan.layers.normalisation": 0xBB688117,
    "minigan.layers.spectral": 0x371A6715,
    "minigan.losses": 0x2E3AFB7A,
    "minigan.optim": 0x0C92B652,
    "minigan.penalties.gradient": 0xD97C262A,
    "minigan.penalties.second_order": 0x28D2654A,
}

_NOT_CODE = re.compile(r'^\s*r?""".*?"""|\s*#.*?$', re.DOTALL | re.MULTILINE)


def checksum(module: str) -> int | None:
    """The checksum of a module's code; None if its source cannot be read."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):
        return None
    lines = _NOT_CODE.sub("", source).splitlines()
    return zlib.crc32("\n".join(line for line in lines if line.strip()).encode())


@functools.cache
def edited(module: str) -> bool:
    """Whether `module` has counterparts, and its code has changed since. Warns once."""
    if module not in CODE or checksum(module) in (None, CODE[module]):
        return False
    warnings.warn(
        f"{module} was edited: its code runs as it is written, without its compiled counterparts",
        stacklevel=callers_level(),
    )
    return True

"""Why does training behave so?

- `dirac`     the Dirac-GAN: two numbers, whose eigenvalues are known
- `spectrum`  the eigenvalues of a whole GAN
- `forecast`  what training will do near an equilibrium, from these eigenvalues
"""

from typing import TYPE_CHECKING

from .. import _public_names

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)

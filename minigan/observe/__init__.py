"""Is it working?

- `watch`       vital signs and films, measured during training
- `diagnosis`   what the vital signs say
- `not_finite`  where the first NaN or infinity of a step comes from
- `plots`       pictures of all of these (needs matplotlib)
"""

from typing import TYPE_CHECKING

from .. import _public_names

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)

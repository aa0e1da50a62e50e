"""Is it right?

- `gradcheck`  every gradient compared with finite differences
- `ledger`     one training step written out, value by value and gradient by gradient
- `bugs`       the museum: known bugs, put into this code one at a time
- `exercises`  thirty pages with gaps in which to write a GAN's gradients, checked as they are saved
- `loss_values`  the two losses of a step as values alone
- `recording`  the passes of a network, layer by layer, as they are made
"""

from typing import TYPE_CHECKING

from .. import _public_names

if not TYPE_CHECKING:
    __getattr__ = _public_names.modules_of(__name__)

"""The compiled backend: the same numbers as the layers' NumPy, faster.

Nothing in here is needed to understand minigan, and minigan works without it. Each counterpart
obeys the contract of the layer that it stands for (forward, both backward passes, tangent,
curvature), shares its parameters, and is tested against it.

How a network is taken over:

    network.layers     Linear   LeakyReLU   Residual(branch, skip)        Linear   Tanh
                          \\       /               |                          \\    /
    stages(network)     LinearStage        Residual(stage, stage)           LinearStage

- `stages`  finds the stages. An affine layer or a batch norm and the activation behind it become
            one stage: the activation is applied before the product is written to memory. A layer
            made of layers stays what it is, with stages in the place of its children. A layer that
            nothing here stands for (one of the user's own) stays as it is.
- `optim`   one pass over memory for each optimizer.
- `step`    D's gradient with real and fake samples in one batch, and R1 and R2 along the same pass.
            Its second-order sweep, in which each weight gradient is one product, is in `sweeps`.
- `kernels` what the stages call: matrix products, convolutions, normalisation, elementwise loops.
"""

from .kernels.products import matmul
from .optim import norm, update
from .stages import stages
from .step import step

__all__ = ["matmul", "norm", "stages", "step", "update"]

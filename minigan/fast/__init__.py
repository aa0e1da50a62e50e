r"""The compiled backend: the numbers of the layers' NumPy, computed faster with Numba.

Nothing here is needed to understand minigan, and minigan works without this package. The formulas
are in `minigan.layers` and `minigan.optim`; the modules here only describe how they are computed
faster. Every counterpart is tested against the NumPy code that it replaces.

Layers, stages, kernels
-----------------------
On this backend a network runs *stages*. A stage replaces one layer, or a layer and the activation
after it, or several of these. It has the methods of a layer (forward, both backward passes,
tangent, curvature), uses the layer's parameters and adds to the layer's gradients. Stages call
*kernels*, compiled functions of plain arrays.

    layers     Linear  LeakyReLU  Linear   Residual(Linear)        Dropout   Conv2d  Tanh
                   \       |       /             |                     |          \    /
    stages            ChainStage           Residual(LinearStage)   Dropout    ConvStage
                          |                       |                               |
    kernels    chains.chain_forward    products.linear_forward        images.conv2d_forward
                          \ _____________________ | _____________________________ /
                                          gemm -> microkernel

`stages` finds the stages of a network, once per network. A layer without a counterpart (the user's
own, or a subclass, which may have another formula) runs as it is. So does a layer in which a method
was replaced, or whose file was edited (`as_written`, `edited`). A layer that contains other layers
keeps its class, and gets stages for its children.

What is fused
-------------
- A linear layer, convolution or batch norm and the activation after it: the pre-activation z is not
  stored. A leaky ReLU is applied to a product before it is written to memory, another activation
  overwrites z, and phi' is computed from y.
- Consecutive linear layers are one stage (`chain`), and a pass through all of them is one compiled
  call. If the weights are small, each thread takes its rows through all layers in one parallel
  loop. With one or two threads, this loop also sums the weight gradients over the rows, and a short
  second loop adds the sums; with more threads the second loop computes them. Each product with a
  large weight has a parallel loop of its own.
- Each pass of a convolution is one compiled call (`kernels.image_plans`): dz = dy phi'(y), its
  padding and the bias gradient in one pass over memory, then the products. With many channels, a
  kernel twice as long as its stride takes about half of the multiplications (`kernels.winograd`).
- An optimizer's update is one pass over the flat parameter vector (`optim`).

The discriminator's step
------------------------
D's logits of real and of fake samples are needed at the same parameters, so `step` computes both in
one batch, unless D mixes samples, or draws random numbers after its first layer. R1 and R2 need the
gradient of D with respect to the same samples. For a piecewise linear D, their second-order sweep
shares a product with the adversarial gradient:

    dW += x' (s dy) + x_dot' dy  =  (s x + x_dot)' dy       one product instead of two per layer

The derivation is in `sweeps` and `minigan.penalties.second_order`.

Memory, threads, processes
--------------------------
- Buffers: arrays for results are reused when nothing refers to them any more. New memory from the
  operating system would take longer (`kernels.buffers`).
- Tables: operands of products are addressed through tables of offsets, so that a convolution does
  not have to copy the patches of its images into a matrix. The tables are kept between calls
  (`kernels.tables`).
- Threads: how work is divided does not depend on the number of threads, so neither do the results.
  Several Python threads may train at the same time (`kernels.threads`). While other programs
  compute on the same cores, fewer threads are used (`kernels.sharing`).
- Fork: a child process runs every kernel on one thread, because OpenMP's threads do not survive a
  fork.
- Cache: compiled code is stored on disk under a hash of the kernels' sources (`kernels.cache`).
"""

from .chain import clear, clear_rest
from .kernels.products import matmul
from .losses import loss
from .optim import norm, update
from .stages import stages
from .step import step

__all__ = ["clear", "clear_rest", "loss", "matmul", "norm", "stages", "step", "update"]

r"""The compiled backend: the numbers of the layers' NumPy, computed faster with Numba.

Nothing here is needed to understand minigan, and minigan works without this package. The formulas
are in `minigan.layers` and `minigan.optim`; the modules here say only what they do faster. Every
counterpart is tested against the NumPy that it stands for.

Layers, stages, kernels
-----------------------
A network runs *stages*. A stage stands for one layer, for a layer and the activation behind it, or
for several of these: it has the layer's contract (forward, both backward passes, tangent,
curvature), uses its parameters and adds to its gradients. Stages call *kernels*, compiled functions
of plain arrays.

    layers     Linear  LeakyReLU  Linear   Residual(Linear)        Dropout   Conv2d  Tanh
                   \       |       /             |                     |          \    /
    stages            ChainStage           Residual(LinearStage)   Dropout    ConvStage
                          |                       |                               |
    kernels    chains.chain_forward    products.linear_forward        images.conv2d_forward
                          \ _____________________ | _____________________________ /
                                          gemm -> microkernel

`stages` makes the translation, once per network. A layer without a counterpart (the user's own, or
a subclass, which may have changed the formula) runs as it is, and so does one in which a method was
replaced or whose file was edited (`as_written`, `edited`). A layer made of other layers keeps its
class and gets stages for its children.

What is fused
-------------
- A linear layer, convolution or batch norm and the activation behind it: z is not kept. A leaky
  ReLU is applied before a product is written, another activation in the place of z, and phi' is
  computed from y.
- Consecutive linear layers are one stage (`chain`), and a sweep through all of them is one compiled
  call. Where the weights are small, each thread takes its rows through all layers in one parallel
  loop. Two threads or one also sum the weight gradients over these rows in it, and a short loop
  adds the sums; more threads sum them in a second loop. Each product with a large weight has its
  own.
- Each pass of a convolution is one compiled call (`kernels.image_plans`): dz = dy phi'(y), its
  padding and the bias gradient in one pass over memory, then the products. Between many channels a
  kernel twice as long as its stride takes about half of the multiplications (`kernels.winograd`).
- An optimizer's update is one pass over the flat parameter vector (`optim`).

The discriminator's step
------------------------
D's logits of real and of fake samples are needed at the same parameters, so `step` runs both in one
batch, unless D mixes samples, or draws random numbers behind its first layer. R1 and R2 need D's
slope at the same samples.
For a piecewise linear D their second-order sweep shares a product with the adversarial gradient:

    dW += x' (s dy) + x_dot' dy  =  (s x + x_dot)' dy       one product instead of two per layer

The derivation is in `sweeps` and `minigan.penalties.second_order`.

Memory, threads, processes
--------------------------
- Buffers: results are written into arrays that nothing refers to any more, instead of fresh pages
  from the operating system (`kernels.buffers`).
- Tables: operands are addressed through tables of offsets, so that no matrix of the patches of an
  image is made where the formula is computed as it is written. The tables are kept between calls
  (`kernels.tables`).
- Threads: work is cut into pieces that do not depend on the number of threads, so neither do the
  results. Several Python threads may train at the same time (`kernels.threads`). While other
  programs compute on the same cores, fewer are used (`kernels.sharing`).
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

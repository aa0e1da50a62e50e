"""Plans: what the threads do in the passes of a convolution (see `images`).

A pass is a program (see `programs`) of a few phases: first the images are padded and dz computed,
then come the products, which read them. `direct_builder` writes the single tasks. Convolutions that
can be computed with fewer multiplications have plans of their own: see `winograd_plans`.

A plan depends on shapes and options alone, not on arrays: layers of the same shapes share it, and
nothing that happens to a network can make it wrong. (`plans` holds addresses, too, so those plans
belong to their network.)
"""

from . import winograd_plans as winograd
from .direct_builder import DirectBuilder
from .plan_builder import NO_PADDING, NO_PHI, Images, X
from .tables import cached


@cached
def forward(geometry, phi, dtype, threads):
    """y = phi(conv(x, W) + b), or phi(conv'(x, W) + b) of a transposed convolution.

    Parameters
    ----------
    geometry : Geometry
    phi : Phi
    dtype : numpy.dtype
    threads : int
        At most so many: a small convolution takes one.
    """
    if winograd.pays(geometry, dtype):
        return winograd.forward(geometry, phi, dtype, threads)
    plan = DirectBuilder(geometry, dtype, threads)
    if geometry.transposed:
        x = plan.padded((X, 0), geometry.x, plan.padding_of_small())
        plan.barrier()
        plan.scatter(x, phi)
    else:
        x = plan.padded((X, 0), geometry.x, plan.padding_of_large())
        plan.barrier()
        plan.gather(x, phi)
    return plan.finished(geometry.y)


@cached
def backward(geometry, phi, dtype, threads, dx, dw):
    """dx and dW, or one of them. The other parameters are those of `forward`."""
    if winograd.pays(geometry, dtype):
        return winograd.backward(geometry, phi, dtype, threads, dx, dw)
    plan = DirectBuilder(geometry, dtype, threads)
    if geometry.transposed:
        small = Images((X, 0), geometry.x)
        large = dz = plan.cotangent(phi, plan.padding_of_large())
    else:
        small = dz = plan.cotangent(phi, plan.padding_of_small() if dx else NO_PADDING)
        large = plan.padded((X, 0), geometry.x, plan.padding_of_large()) if dw else None
    plan.barrier()
    if dw:
        plan.weight_gradient(large, small)
        plan.bias_gradient()
    if dx:
        to_dx = plan.gather if geometry.transposed else plan.scatter
        to_dx(dz, NO_PHI)
    plan.complete_gradients()
    return plan.finished(geometry.x if dx else ())

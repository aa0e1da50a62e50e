"""Plans: the tasks of the threads in the passes of a convolution (see `images`).

A pass is a program (see `programs`) of a few parallel regions: the first pads the images and
computes dz, the next ones compute the products. `direct_builder` makes the tasks. Convolutions that
can be computed with fewer multiplications have other plans: see `winograd_plans`.

A plan depends on shapes and options, not on arrays. So layers of the same shapes share a plan, and
it stays valid whatever happens to a network. (The plans of `plans` contain addresses of parameters,
so each belongs to one network.)
"""

from . import winograd_plans as winograd
from .direct_builder import DirectBuilder
from .plan_builder import NO_PADDING, NO_PHI, Images, X
from .tables import cached


@cached
def forward(geometry, phi, dtype, threads):
    """The plan of y = phi(conv(x, W) + b), or of a transposed convolution phi(conv'(x, W) + b).

    Parameters
    ----------
    geometry : Geometry
    phi : Phi
    dtype : numpy.dtype
    threads : int
        The largest number to use; a small convolution takes one.
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
    """The plan of dx (if `dx`), dW and db (if `dw`). Other parameters as in `forward`."""
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

"""Plans of convolutions by the method of `winograd`; `winograd_builder` makes their tasks.

A pass processes the images in blocks, one after the other, so that the numbers that one parallel
region writes are still in the cache when the next one reads them.
"""

from .machine import VECTOR_BYTES
from .plan_builder import NO_PADDING, NO_PHI, X
from .winograd_builder import WinogradBuilder

FEWEST_CHANNELS = 32  # with fewer, the linear maps take longer than the products that they save


def pays(geometry, dtype):
    """Whether this method is used: where it is faster than the direct one. It does not depend on
    the number of images, so an image has the same result in every batch."""
    vector, (kh, kw, *channels) = VECTOR_BYTES // dtype.itemsize, geometry.weight
    return (
        kh == kw == 2 * geometry.stride
        and min(geometry.small[1:3]) > 1
        and min(channels) >= FEWEST_CHANNELS
        and not any(c % vector for c in channels)
    )


def forward(geometry, phi, dtype, threads):
    """The plan of y = phi(A (U V) + b), or transposed y = phi(B' (dM V') + b) with dM = A' x.

    The parameters are those of `image_plans.forward`."""
    plan = WinogradBuilder(geometry, dtype, threads)
    transform, multiply, finish = _scatter(plan) if geometry.transposed else _gather(plan)
    plan.to_v()
    for _ in plan.blocks():
        transform((X, 0))
        plan.barrier()
        multiply()
        plan.barrier()
        finish(phi)
    plan.activate(phi)
    return plan.finished(geometry.y)


def backward(geometry, phi, dtype, threads, dx, dw):
    """The plan of dx = B' (dM V'), or transposed dx = A (U V) with U = B dz; and of
    dW += G' (U' dM). The parameters are those of `image_plans.backward`."""
    plan = WinogradBuilder(geometry, dtype, threads)
    gather, scatter = _gather(plan), _scatter(plan)
    transform_dz, multiply, finish = gather if geometry.transposed else scatter
    transform_x, *_ = scatter if geometry.transposed else gather
    dz = plan.cotangent(phi, NO_PADDING).place
    if dx:
        plan.to_v()
    plan.barrier()
    for _ in plan.blocks():
        transform_dz(dz)
        if dw:
            transform_x((X, 0))
        plan.barrier()
        if dw:
            plan.multiply_u_dm()
        if dx:
            multiply()
        plan.barrier()
        if dx:
            finish(NO_PHI)
    if dw:
        plan.from_dv()
        plan.bias_gradient()
    return plan.finished(geometry.x if dx else ())


def _gather(plan):
    """The three steps from large to small images: U = B x, M = U V, y = A M."""
    return plan.to_u, plan.multiply_u_v, plan.from_m


def _scatter(plan):
    """The adjoint steps, from small to large images: dM = A' dy, dU = dM V', dx = B' dU."""
    return plan.to_dm, plan.multiply_dm_v, plan.from_du

"""Plans of convolutions that are computed as `winograd` says; `winograd_builder` has the tasks.

They are made block by block of images, so that what is between the phases stays in the cache.
"""

import math

from .machine import VECTOR_BYTES
from .plan_builder import NO_SIDES, X
from .winograd_builder import WinogradBuilder

FEWEST_CHANNELS = 32  # with fewer, the linear maps take longer than the products that they save


def pays(small, weight_shape, stride, dtype):
    """Whether this way is faster than the direct one: `small` is the shape of the images whose
    pixels are places of the kernel. The number of images does not matter, so an image has the same
    result in every batch."""
    vector, (kh, kw, *channels) = VECTOR_BYTES // dtype.itemsize, weight_shape
    return (
        kh == kw == 2 * stride
        and min(small[1:3]) > 1
        and min(channels) >= FEWEST_CHANNELS
        and not any(c % vector for c in channels)
    )


def forward(shapes, stride, padding, phi, dtype, threads, transposed):
    """y = phi(conv(x, W) + b), or the transposed convolution.

    Parameters
    ----------
    shapes : of x, y and W
    phi : whether there is a bias, activation, slope
    """
    plan = WinogradBuilder(shapes, stride, padding, dtype, threads, transposed)
    _, y_shape, _ = shapes
    plan.to_v()
    for _ in plan.blocks():
        if transposed:
            plan.to_dm((X, 0))
            plan.wait()
            plan.multiply_dm_v()
            plan.wait()
            plan.from_du(phi)
        else:
            plan.to_u((X, 0))
            plan.wait()
            plan.multiply_u_v()
            plan.wait()
            plan.from_m(phi)
    plan.activate(phi[1], math.prod(y_shape[:3]), y_shape[3])
    return plan.finished(y_shape)


def backward(shapes, stride, padding, phi, dtype, threads, transposed, dx, dw):
    """dx and dW, or one of them."""
    plan = WinogradBuilder(shapes, stride, padding, dtype, threads, transposed)
    x_shape, y_shape, _ = shapes
    bias, activation, slope = phi
    dz = plan.cotangent(y_shape, NO_SIDES, activation, slope, bias).place
    if dx:
        plan.to_v()
    plan.wait()
    for _ in plan.blocks():
        if transposed:
            plan.to_u(dz)
        else:
            plan.to_dm(dz)
        if dw:
            (plan.to_dm if transposed else plan.to_u)((X, 0))
        plan.wait()
        if dw:
            plan.multiply_u_dm()
        if dx:
            (plan.multiply_u_v if transposed else plan.multiply_dm_v)()
        plan.wait()
        if dx:
            (plan.from_m if transposed else plan.from_du)()
    if dw:
        plan.from_dv()
        plan.bias_gradient()
    return plan.finished(x_shape if dx else ())

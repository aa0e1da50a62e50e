"""What the parts of a GAN ask of each other: layers, networks, losses, optimizers."""

from numbers import Real
from typing import Annotated, Any

import numpy as np

from .arrays import _fits, class_numbers, not_empty, numbers, paired
from .objects import FLOATS, Texts
from .words import refuse, shown


def layer_input(layer: Any, x: Any, shape: tuple[Any, ...]) -> np.ndarray:
    """x as a floating-point array in the dtype of the layer's parameters, and of the shape."""
    if type(x) is not np.ndarray or x.dtype.kind not in "fiub":
        x = numbers(layer, "x", x)
    dtype = layer.dtype or (x.dtype if x.dtype in FLOATS else FLOATS[0])
    if x.dtype != dtype:
        x = x.astype(dtype)
    shape = shape or ("N", ...)
    if not _fits(x.shape, shape):
        last = len(shape) == x.ndim == 4 and x.shape[1] == shape[3]
        hint = "; the channels come last: x.transpose(0, 2, 3, 1)" if last else ""
        numbers(layer, "x", x, shape, hint=hint)
    if x.ndim == 4 and len(x) and 0 in x.shape[1:3]:
        refuse(ValueError, layer, "x", "images of at least one pixel", x)
    return x


def pass_of(layer: Any, result: Any) -> tuple[np.ndarray, Any]:
    """What a layer's forward returned, which must be (y, cache)."""
    if type(result) is not tuple or len(result) != 2:
        raise TypeError(f"{layer}: forward must return y and its cache, got {shown(result)}")
    return result


def passed_on(network: Any, layer: Any, array: Any) -> Any:
    """What another pass of a layer returned, which must be one array, in the network's dtype; None
    from the first layer, whose x may be class numbers, which have no gradient."""
    if isinstance(array, np.ndarray):
        return array if array.dtype == network.dtype else array.astype(network.dtype)
    if array is not None or layer is not network.layers[0]:
        raise TypeError(
            f"{layer}: backward_input, tangent and curvature must return an array, got "
            f"{shown(array)}"
        )
    return None


def signal(network: Any, name: str, value: Any, caches: Any) -> np.ndarray:
    """dy or x_dot in the network's dtype and in the shape of the y or the x of that pass: another
    shape might broadcast, to a wrong gradient."""
    like = "y_shape" if name == "dy" else "x_shape"
    if not (hasattr(caches, like) and caches.network is network):
        refuse(TypeError, "Sequential", "caches", "what this network's forward returned", caches)
    value = numbers("Sequential", name, value, getattr(caches, like))
    return value.astype(network.dtype, copy=False)


def weighted(owner: Any, name: str, layer: Any) -> Any:
    """A layer whose parameters include a weight."""
    if "weight" not in getattr(layer, "params", {}):
        refuse(TypeError, owner, name, "a layer with a weight", layer)
    return layer


def logits(owner: Any, name: str, value: Any, width: int) -> np.ndarray:
    """Logits (N,) or (N, 1), as floats; rows (N, width) of a loss with more columns."""
    shapes = (("N",), ("N", 1)) if width == 1 else (("N", width),)
    x = not_empty(owner, name, numbers(owner, name, value, *shapes, kinds="fiu"))
    return x * 1.0  # integers become floats; a float keeps its dtype


def real_minibatch(
    real: Any, shape: tuple[int, ...], smallest: int, dtype: np.dtype, hint: str
) -> np.ndarray:
    """Real samples (N, *shape), N >= smallest, finite in the networks' dtype."""
    real = numbers("GAN", "real", real, ("N", *shape), hint=hint)
    if len(real) < smallest:
        refuse(ValueError, "GAN", "real", f"a minibatch of {smallest} or more", real)
    with np.errstate(over="ignore"):  # 1e300 is infinity to a float32
        real = real.astype(dtype, copy=False)
    return numbers("GAN", "real", real, finite=True)


def both_logits(loss: Any, real_logits: Any, fake_logits: Any) -> tuple[np.ndarray, np.ndarray]:
    """What the methods of a loss get: logits of its width, of one shape if it compares rows."""
    real = logits(loss, "real_logits", real_logits, loss.width)
    fake = logits(loss, "fake_logits", fake_logits, loss.width)
    if loss.pairs:
        paired(loss, "real_logits", real, "fake_logits", fake)
    return real, fake


def logits_and_labels(owner: Any, logits: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Logits (N, K) and labels (N,), integers in [0, K), N >= 1."""
    logits = not_empty(owner, "logits", numbers(owner, "logits", logits, ("N", "K"), kinds="fiu"))
    labels = class_numbers(owner, "labels", labels, logits.shape[1])
    if len(labels) != len(logits):
        refuse(ValueError, owner, "labels", f"one for each of {len(logits)} logits", labels)
    return logits, labels


def theta_and_grad(optimizer: Any, theta: Any, grad: Any) -> None:
    """Vectors of one size and dtype; theta writeable, and the one that was moved before."""
    owner = type(optimizer).__name__
    for name, array in (("theta", theta), ("grad", grad)):
        if not isinstance(array, np.ndarray) or array.dtype not in FLOATS:
            refuse(TypeError, owner, name, "a float32 or float64 array", array)
    if theta.ndim != 1 or grad.shape != theta.shape or grad.dtype != theta.dtype:
        got = f"{shown(theta)}, and {shown(grad)}"
        raise ValueError(
            f"{owner}: theta and grad must be vectors of one size and dtype, got {got}"
        )
    if not theta.flags.writeable:
        raise ValueError(f"{owner}: theta must be writeable, got a read-only array")
    if not has_moved(optimizer, theta):
        hint = "; make an optimizer for each network"
        refuse(ValueError, owner, "theta", "the vector that was moved before", theta, hint)


def has_moved(optimizer: Any, theta: np.ndarray) -> bool:
    """Whether theta is the vector that an optimizer moved before, or may take its place: a network
    that was put into another one leaves its old vector read-only."""
    moments, last = getattr(optimizer, "moments", ()), getattr(optimizer, "_theta", None)
    if getattr(optimizer, "steps", 0) and moments:
        if getattr(optimizer, moments[0]).shape != theta.shape:
            return False
    if last is None or last is theta or not last.flags.writeable:
        return True
    return theta.ctypes.data == last.ctypes.data and theta.shape == last.shape


def results_of_loss(loss: Any, logits: np.ndarray) -> None:
    """Both methods of a loss must give a value and two gradients of the logits' shape."""
    for player in ("discriminator", "generator"):
        result, owner = getattr(loss, player)(logits, logits), f"{type(loss).__name__}.{player}"
        if not isinstance(result, tuple) or len(result) != 3:
            raise TypeError(f"{owner} must return value, d_real, d_fake, got {shown(result)}")
        if not isinstance(result[0], Real) and np.shape(result[0]) != ():
            refuse(TypeError, owner, "value", "a number", result[0])
        for name, gradient in zip(("d_real", "d_fake"), result[1:]):
            numbers(owner, name, gradient, logits.shape)


def of_one_logit(owner: Any, name: str, value: Any) -> Any:
    """A loss of minigan for a D that gives one value for each sample."""
    if getattr(value, "width", 0) != 1 or isinstance(value, type):
        refuse(TypeError, owner, name, "one of minigan.losses, such as Hinge()", value)
    return value


def of_a_resumed_run(owner: Any, name: str, arguments: dict[str, Any]) -> None:
    if arguments[name] and not arguments["resume"]:
        raise ValueError(f"{owner}: {name} must be of a run that is resumed; pass resume=True too")


Adversarial = Annotated[Any, of_one_logit]  # the loss around which another one is built
Changes = Annotated[Texts, of_a_resumed_run]

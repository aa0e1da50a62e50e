"""Convolutions: the kernel flipped, its channels exchanged, a window off by one, a stride ignored.

The formulas are written out here once more, so that a mistake in a layer is not in them.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .case import Array, Candidate, Case
from .sums_of_dy import CUT

Geometry = tuple[tuple[int, int], int, int]  # kernel size, stride, padding


def _window(image: Array, u: int, v: int, stride: int, size: tuple[int, int]) -> Array:
    """The pixels of a padded image that the tap (u, v) sees, as a view; cut where it ends."""
    rows, columns = size
    return image[
        :, u : u + (rows - 1) * stride + 1 : stride, v : v + (columns - 1) * stride + 1 : stride
    ]


def _padded(image, padding):
    return np.pad(image, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def weight_gradient(
    large: Array, small: Array, kernel: tuple[int, int], stride: int, padding: int
) -> Array:
    """dW[u, v] = sum over samples and pixels of large[at tap]' small: (kh, kw, C, out)."""
    padded = _padded(large, padding)
    found = np.zeros((*kernel, large.shape[3], small.shape[3]))
    for u, v in np.ndindex(*kernel):
        seen = _window(padded, u, v, stride, small.shape[1:3])
        cut = small[:, : seen.shape[1], : seen.shape[2]]
        found[u, v] = np.tensordot(seen, cut, axes=([0, 1, 2], [0, 1, 2]))
    return found


def scatter(small: Array, weight: Array, stride: int, padding: int, size: tuple[int, int]) -> Array:
    """image[at tap] += small W[u, v]': the gradient that a convolution sends to its input."""
    room = max(size) + 2 * padding + weight.shape[0] + stride * max(small.shape[1:3])
    image = np.zeros((len(small), room, room, weight.shape[2]))
    for u, v in np.ndindex(*weight.shape[:2]):
        pixels = _window(image, u, v, stride, small.shape[1:3])
        pixels += small @ weight[u, v].T
    return image[:, padding : padding + size[0], padding : padding + size[1]]


def overwritten(
    small: Array, weight: Array, stride: int, padding: int, size: tuple[int, int]
) -> Iterator[Array]:
    """`scatter` with `=` for `+=`: in a loop over the taps, and in one over the pixels."""
    room = max(size) + 2 * padding + weight.shape[0] + stride * max(small.shape[1:3])
    kept = np.s_[:, padding : padding + size[0], padding : padding + size[1]]
    image = np.zeros((len(small), room, room, weight.shape[2]))
    for u, v in np.ndindex(*weight.shape[:2]):
        _window(image, u, v, stride, small.shape[1:3])[...] = small @ weight[u, v].T
    yield image[kept]
    image = np.zeros_like(image)
    for i, j in np.ndindex(*small.shape[1:3]):
        rows, columns = (slice(at * stride, at * stride + k) for at, k in zip((i, j), weight.shape))
        image[:, rows, columns] = np.einsum("no,uvco->nuvc", small[:, i, j], weight)
    yield image[kept]


def gather(large: Array, weight: Array, stride: int, padding: int, size: tuple[int, int]) -> Array:
    """sum over taps of large[at tap] W[u, v]': what a transposed convolution sends back."""
    room = max(size) * stride + weight.shape[0] + stride
    padded = _padded(large, padding)
    padded = np.pad(padded, ((0, 0), (0, room), (0, room), (0, 0)))
    found = np.zeros((len(large), *size, weight.shape[2]))
    for u, v in np.ndindex(*weight.shape[:2]):
        found += _window(padded, u, v, stride, size) @ weight[u, v].T
    return found


def geometry(case: Case) -> Geometry | None:
    """Kernel size, stride (or 1) and padding (or 0); None if this is no convolution."""
    weight, kernel = case.array("weight"), case.context.get("kernel_size")
    if isinstance(kernel, int):
        kernel = kernel, kernel
    if kernel is None:
        shape = case.expected.shape if weight is None else weight.shape
        kernel = shape[:2] if len(shape) == 4 else None
    stride, padding = case.number("stride"), case.number("padding")
    if not isinstance(kernel, tuple) or len(kernel) != 2 or stride == 0:
        return None
    return kernel, int(1 if stride is None else stride), int(padding or 0)


def over_time(case: Case) -> Iterator[Candidate]:
    """One dimension, x (N, T, C) and W (k, C, out), as images of one column."""
    x, dy = case.array("x"), case.array("dy")
    if x is None or dy is None or x.ndim != 3 or dy.ndim != 3 or case.found.ndim != 3:
        return
    arrays = {"x": x[:, :, None], "dy": dy[:, :, None]}
    numbers = {name: case.context[name] for name in ("stride",) if name in case.context}
    for _, weight in case.arrays():
        if weight.ndim != 3 or weight.shape[1:] != (x.shape[2], dy.shape[2]):
            continue
        of_weight = case.found.shape == weight.shape
        axis = 1 if of_weight else 2
        image = replace(
            case,
            found=np.expand_dims(case.found, axis), expected=np.expand_dims(case.expected, axis),
            context={**arrays, **numbers, "weight": weight[:, None]},
        )  # fmt: skip
        for candidate in weights(image) if of_weight else inputs(image):
            yield replace(candidate, value=np.squeeze(candidate.value, axis))
        return


def weights(case: Case) -> Iterator[Candidate]:
    """Variants of dW."""
    x, dy, shape = case.array("x"), case.array("dy"), geometry(case)
    if shape is None or x is None or dy is None or x.ndim != 4 or dy.ndim != 4:
        return
    kernel, stride, padding = shape
    for large, small, swapped in ((x, dy, False), (dy, x, True)):

        def gradient(*options, large=large, small=small, swapped=swapped):
            found = weight_gradient(large, small, *options)
            return found.swapaxes(2, 3) if swapped else found

        right = gradient(kernel, stride, padding)
        if not case.is_right(right):
            continue
        yield Candidate(
            right[::-1, ::-1], "is that of the flipped kernel: rows and columns are reversed"
        )
        for other in {1, 2, 3, stride + 1} - {stride}:
            yield Candidate(
                gradient(kernel, other, padding), f"is computed with stride {other}, not {stride}"
            )
        for other in {0, 1, 2, padding + 1} - {padding}:
            yield Candidate(
                gradient(kernel, stride, other),
                f"is computed with padding {other}, not {padding}: off by {abs(other - padding)}",
            )
        product = np.zeros(kernel)
        if large.shape[3] == small.shape[3]:
            product = np.einsum("uvcc->uvc", right)
            spread = np.stack(
                [np.resize(each, right.shape[2:]) for each in product.reshape(-1, product.shape[2])]
            )
            yield Candidate(
                spread.reshape(right.shape),
                "multiplies channel by channel, where each input channel belongs with each output "
                "channel",
                "weight_elementwise",
            )
        yield from _without_taps(right, kernel)
        for words, other in (("x^2", x**2), ("|x|", np.abs(x)), ("x, samples reversed,", x[::-1])):
            large_one, small_one = (dy, other) if swapped else (other, dy)
            value = weight_gradient(large_one, small_one, kernel, stride, padding)
            yield Candidate(
                value.swapaxes(2, 3) if swapped else value, f"has {words} where x is right"
            )
        for turns in (1, 3):
            if kernel[0] == kernel[1]:
                yield Candidate(np.rot90(right, turns), "is that of a kernel turned by 90 degrees")
        for words, part in CUT.items():
            counted = np.zeros_like(small)
            counted[part] = small[part]
            value = weight_gradient(large, counted, *shape)
            yield Candidate(
                value.swapaxes(2, 3) if swapped else value,
                f"does not count the {words} of {'x' if swapped else 'dy'}: a loop is off",
            )
        for which, at in (("first", 0), ("last", -1)):
            alone = np.zeros_like(small)
            alone[:, at, at] = small[:, at, at]
            value = weight_gradient(large, alone, *shape)
            yield Candidate(
                value.swapaxes(2, 3) if swapped else value,
                f"counts the {which} pixel of each sample alone, where all pixels should be summed",
            )


def inputs(case: Case) -> Iterator[Candidate]:
    """Variants of dx."""
    x, dy, shape, weight = case.array("x"), case.array("dy"), geometry(case), case.array("weight")
    if shape is None or dy is None or dy.ndim != 4 or weight is None or weight.ndim != 4:
        return
    if x is None or x.ndim != 4:
        return
    _, stride, padding = shape
    size = x.shape[1:3]
    for send in (scatter, gather):
        if not case.is_right(send(dy, weight, stride, padding, size)):
            continue
        yield Candidate(
            send(dy, weight[::-1, ::-1], stride, padding, size),
            "is that of the flipped kernel: rows and columns of the weight are reversed",
        )
        for value in overwritten(dy, weight, stride, padding, size) if send is scatter else ():
            yield Candidate(
                value, "keeps the last of the windows that overlap: `=` in place of `+=`"
            )
        yield Candidate(
            send(dy, weight.swapaxes(0, 1), stride, padding, size),
            "is that of the transposed kernel: its rows and columns are exchanged",
        )
        for turned, how in (
            (weight[::-1], "with its rows reversed"),
            (weight[:, ::-1], "with its columns reversed"),
            (np.rot90(weight), "turned by 90 degrees"),
            (np.rot90(weight, 3), "turned by 90 degrees"),
        ):
            if turned.shape == weight.shape:
                value = send(dy, turned, stride, padding, size)
                yield Candidate(value, f"is that of the kernel {how}")
        for which, one in (("first", np.s_[..., :1]), ("last", np.s_[..., -1:])):
            alone = send(dy[one], weight[one], stride, padding, size)
            yield Candidate(alone, f"counts the {which} output channel alone: `=` for `+=`")
            yield Candidate(case.expected - alone, f"does not count the {which} output channel")
        if weight.shape[2] == weight.shape[3]:
            yield Candidate(
                send(dy, weight.swapaxes(2, 3), stride, padding, size),
                "takes the weight's input and output channels exchanged: a transpose is missing",
            )
        for other in {0, 1, 2, padding + 1} - {padding}:
            yield Candidate(
                send(dy, weight, stride, other, size),
                f"is computed with padding {other}, not {padding}: off by {abs(other - padding)}",
            )
        for other in {1, 2, 3} - {stride}:
            yield Candidate(
                send(dy, weight, other, padding, size),
                f"is computed with stride {other}, not {stride}",
            )
        for tap in np.ndindex(*weight.shape[:2]):
            without, only = weight.copy(), np.zeros_like(weight)
            without[tap], only[tap] = 0, weight[tap]
            yield Candidate(
                send(dy, without, stride, padding, size),
                f"leaves out the kernel's tap {tap}: a loop is off by one",
            )
            yield Candidate(
                send(dy, only, stride, padding, size),
                f"counts the kernel's tap {tap} alone: overwritten, `=` in place of `+=`",
            )
        for part, words in ((np.s_[:-1], "last row"), (np.s_[1:], "first row")):
            for axis, which in ((0, words), (1, words.replace("row", "column"))):
                kept = np.zeros_like(weight)
                index = (part, np.s_[:])[:: 1 if axis == 0 else -1]
                kept[index] = weight[index]
                yield Candidate(
                    send(dy, kept, stride, padding, size),
                    f"leaves out the kernel's {which}: a loop is off by one",
                )


def _without_taps(right, kernel):
    for tap in np.ndindex(*kernel):
        without = right.copy()
        without[tap] = 0
        yield Candidate(without, f"is zero at the kernel's tap {tap}: a loop is off by one")
        yield Candidate(
            right - without, f"is right at the kernel's tap {tap} alone, zero elsewhere"
        )
    for axis, name in ((0, "row"), (1, "column")):
        for at, which in ((0, "first"), (-1, "last")):
            without = right.copy()
            without[(np.s_[:],) * axis + (at,)] = 0
            yield Candidate(
                without, f"is zero in the kernel's {which} {name}: a loop is off by one"
            )

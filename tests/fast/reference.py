"""What each kernel computes, in NumPy: the compiled kernels are tested against these."""

import numpy as np

from minigan.fast.kernels.codes import IDENTITY, LEAKY_RELU, SIGMOID, TANH


def activate(z, activation, slope=0.0):
    """y = phi(z), for one of the activations in `minigan.fast.kernels.codes`."""
    if activation == LEAKY_RELU:
        return np.where(z > 0, z, slope * z)
    if activation == TANH:
        return np.tanh(z)
    if activation == SIGMOID:
        return sigmoid(z)
    return z


def activate_backward(dy, y, activation, slope=0.0):
    """dz = dy * phi'(z), with phi' read off the output y. (Diagonal, so it is the tangent too.)"""
    if activation == LEAKY_RELU:
        return np.where(y > 0, dy, slope * dy)
    if activation == TANH:
        return dy * (1 - y * y)
    if activation == SIGMOID:
        return dy * (y * (1 - y))
    return dy


def sigmoid(x):
    """1 / (1 + exp(-x)), exact at both ends."""
    with np.errstate(under="ignore"):
        small = np.exp(-np.abs(x))  # in (0, 1]
        return np.where(x >= 0, 1, small) / (1 + small)


def matmul(a, b, *, transpose_a=False, transpose_b=False, out=None):
    """out = op(a) @ op(b); op transposes where asked."""
    return np.matmul(a.T if transpose_a else a, b.T if transpose_b else b, out=out)


def dot(a, b):
    """sum of a_i b_i over two flat vectors, as a float, added up in float64."""
    return float(np.dot(a.astype(np.float64), b.astype(np.float64)))


def scale_and_add(scale, x, x_dot):
    """scale_n x_n + x_dot_n for each sample n: scale (N, 1), x and x_dot (N, ...)."""
    return scale.reshape(-1, *(1,) * (x.ndim - 1)) * x + x_dot


def linear_forward(x, weight, bias, activation=IDENTITY, slope=0.0):
    """y = phi(x @ W + b)."""
    z = x @ weight
    if bias is not None:
        z = z + bias
    return activate(z, activation, slope)


def linear_backward_input(dy, y, weight, activation=IDENTITY, slope=0.0):
    """dx = dz @ W',  dz = dy * phi'."""
    return activate_backward(dy, y, activation, slope) @ weight.T


def linear_backward_params(dy, y, x, dweight, dbias, activation=IDENTITY, slope=0.0):
    """dW += x' @ dz,  db += sum over the rows of dz."""
    dz = activate_backward(dy, y, activation, slope)
    dweight += x.T @ dz
    if dbias is not None:
        dbias += np.sum(dz, axis=0, dtype=np.float64).astype(dz.dtype)


def linear_backward(dy, y, x, weight, dweight, dbias, activation=IDENTITY, slope=0.0):
    """Both: adds into dW and db, returns dx."""
    dz = activate_backward(dy, y, activation, slope)
    linear_backward_params(dz, None, x, dweight, dbias)
    return linear_backward_input(dz, None, weight)


def _taps(padded, kernel, stride, steps):
    """Yields (u, v, view): the pixels of the padded image that tap (u, v) touches."""
    (kh, kw), (rows, cols) = kernel, steps
    for u in range(kh):
        for v in range(kw):
            down, right = u + (rows - 1) * stride + 1, v + (cols - 1) * stride + 1
            yield u, v, padded[:, u:down:stride, v:right:stride, :]


def _pad(image, padding):
    return np.pad(image, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def _gather(x, weight, stride, padding):
    """sum_{u,v} x[at tap u, v] @ W[u, v]: the convolution, without bias."""
    kh, kw = weight.shape[:2]
    steps = tuple((size + 2 * padding - k) // stride + 1 for size, k in zip(x.shape[1:3], (kh, kw)))
    y = np.zeros((len(x), *steps, weight.shape[3]), x.dtype)
    for u, v, pixels in _taps(_pad(x, padding), (kh, kw), stride, steps):
        y += pixels @ weight[u, v]
    return y


def _scatter(x, weight, stride, padding, output_size):
    """The adjoint of `_gather`: each pixel of x is spread over the taps it came from."""
    kh, kw = weight.shape[:2]
    height, width = output_size
    padded = np.zeros((len(x), height + 2 * padding, width + 2 * padding, weight.shape[3]), x.dtype)
    for u, v, pixels in _taps(padded, (kh, kw), stride, x.shape[1:3]):
        pixels += x @ weight[u, v]
    return padded[:, padding : padding + height, padding : padding + width, :]


def _correlate(image, steps, dweight, stride, padding, image_first):
    """dW[u, v] += image[at tap u, v]' @ steps (or its transpose), summed over batch and pixels."""
    rows = steps.reshape(-1, steps.shape[3])
    for u, v, pixels in _taps(_pad(image, padding), dweight.shape[:2], stride, steps.shape[1:3]):
        touched = pixels.reshape(-1, image.shape[3])
        dweight[u, v] += touched.T @ rows if image_first else rows.T @ touched


def _add_bias_gradient(dbias, dz):
    if dbias is not None:
        dbias += np.sum(dz, axis=(0, 1, 2), dtype=np.float64).astype(dz.dtype)


def conv2d_forward(x, weight, bias, stride, padding, activation=IDENTITY, slope=0.0):
    """y = phi(conv(x, W) + b): (N, H, W, C) -> (N, (H + 2p - kh) // s + 1, ..., out)."""
    z = _gather(x, weight, stride, padding)
    return activate(z if bias is None else z + bias, activation, slope)


def conv2d_backward_input(
    dy, y, weight, input_shape, stride, padding, activation=IDENTITY, slope=0.0
):
    """dx[n, i s + u - p, ..., c] = sum over (i, u, ...) of dz[n, i, ..., o] W[u, ..., c, o]."""
    dz = activate_backward(dy, y, activation, slope)
    return _scatter(dz, weight.swapaxes(2, 3), stride, padding, input_shape[1:3])


def conv2d_backward_params(
    dy, y, x, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dW[u, v] += x[at tap u, v]' dz,  db += sum of dz over batch and pixels."""
    dz = activate_backward(dy, y, activation, slope)
    _correlate(x, dz, dweight, stride, padding, image_first=True)
    _add_bias_gradient(dbias, dz)


def conv2d_backward(
    dy, y, x, weight, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """Both: adds into dW and db, returns dx."""
    dz = activate_backward(dy, y, activation, slope)
    conv2d_backward_params(dz, None, x, dweight, dbias, stride, padding)
    return conv2d_backward_input(dz, None, weight, x.shape, stride, padding)


def conv_transpose2d_forward(x, weight, bias, stride, padding, activation=IDENTITY, slope=0.0):
    """y = phi(conv'(x, W) + b): (N, H, W, C) -> (N, (H - 1) s - 2p + kh, ..., out)."""
    size = tuple((n - 1) * stride - 2 * padding + k for n, k in zip(x.shape[1:3], weight.shape))
    z = _scatter(x, weight, stride, padding, size)
    return activate(z if bias is None else z + bias, activation, slope)


def conv_transpose2d_backward_input(dy, y, weight, stride, padding, activation=IDENTITY, slope=0.0):
    """dx = conv(dz, W with its channel axes exchanged)."""
    dz = activate_backward(dy, y, activation, slope)
    return _gather(dz, weight.swapaxes(2, 3), stride, padding)


def conv_transpose2d_backward_params(
    dy, y, x, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """dW[u, v] += x' dz[at tap u, v],  db += sum of dz over batch and pixels."""
    dz = activate_backward(dy, y, activation, slope)
    _correlate(dz, x, dweight, stride, padding, image_first=False)
    _add_bias_gradient(dbias, dz)


def conv_transpose2d_backward(
    dy, y, x, weight, dweight, dbias, stride, padding, activation=IDENTITY, slope=0.0
):
    """Both: adds into dW and db, returns dx."""
    dz = activate_backward(dy, y, activation, slope)
    conv_transpose2d_backward_params(dz, None, x, dweight, dbias, stride, padding)
    return conv_transpose2d_backward_input(dz, None, weight, stride, padding)

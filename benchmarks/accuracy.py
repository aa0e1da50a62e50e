"""Rounding errors of float32 reductions: both backends and PyTorch, beside the same in float64.

    python benchmarks/accuracy.py        a table: the largest error of each, on inputs that are hard

An error is the largest absolute difference from float64's result, divided by the largest number in
that result (by 1, where all of it should be 0).
"""

import numpy as np
import torch

import minigan as mg
from minigan import kernels

F = torch.nn.functional
EPS = 1e-5


def inputs():
    """name -> a matrix (rows, columns): offsets, constants, and many rows."""
    rng = np.random.default_rng(0)

    def normal(mean, std, *shape):
        return (mean + std * rng.standard_normal(shape)).astype(np.float32)

    return {
        "N(0, 1)": normal(0, 1, 4096, 48),
        "N(10, 0.1)": normal(10, 0.1, 4096, 48),
        "N(100, 1)": normal(100, 1, 4096, 48),
        "N(1234.567, 1)": normal(1234.567, 1, 4096, 48),
        "constant 100.1": np.full((4096, 48), 100.1, np.float32),
        "constant 1234.567": np.full((4096, 48), 1234.567, np.float32),
        "1e5 rows of N(1, 1)": normal(1, 1, 100_000, 4),
    }


class Minigan:
    """The reductions under test, on the active backend. All take and return NumPy arrays."""

    def batch_norm(self, x):
        return self._batch_norm(x)[0]

    def running_mean(self, x):
        return self._batch_norm(x)[1].layers[0].buffers["running_mean"]

    def running_variance(self, x):
        return self._batch_norm(x)[1].layers[0].buffers["running_var"]

    def batch_norm_backward(self, x):
        _, network, cache = self._batch_norm(x)
        return network.backward_input(signal(x), cache)

    def batch_norm_dgamma(self, x):
        _, network, cache = self._batch_norm(x)
        network.backward(signal(x), cache)
        return network.layers[0].grads["gamma"]

    def _batch_norm(self, x):
        network = network_of(x, mg.layers.BatchNorm(x.shape[1], eps=EPS, momentum=1.0))
        y, cache = network.forward(x)
        return y, network, cache

    def layer_norm(self, x):
        x = per_sample(x)
        return network_of(x, mg.layers.LayerNorm(x.shape[1], eps=EPS)).forward(x)[0]

    def layer_norm_backward(self, x):
        x, dy = per_sample(x), per_sample(signal(x))
        network = network_of(x, mg.layers.LayerNorm(x.shape[1], eps=EPS))
        return network.backward_input(dy, network.forward(x)[1])

    def layer_norm_dbeta(self, x):
        return gradients(network_of(x, mg.layers.LayerNorm(x.shape[1])), x, x)["beta"]

    def linear_db(self, x):
        return self._linear(x)["bias"]

    def linear_dw(self, x):
        return self._linear(x)["weight"]

    def _linear(self, x):
        """y = w 1 + b, with dy = x: dw and db are the sums of the columns of x."""
        return gradients(network_of(x, mg.layers.Linear(1, x.shape[1])), np.ones_like(x[:, :1]), x)

    def linear_db_fused(self, x):
        """y = leaky_relu(x I), with dy = x: the derivative of the activation is part of the sum."""
        layer = mg.layers.Linear(x.shape[1], x.shape[1])
        network = network_of(x, layer, mg.layers.LeakyReLU(0.5))
        layer.params["weight"][...] = np.eye(x.shape[1])
        layer.params["bias"][...] = 0
        return gradients(network, x, x)["bias"]

    def conv_db(self, x):
        images = x.reshape(-1, 4, 4, x.shape[1])
        network = network_of(x, mg.layers.Conv2d(1, x.shape[1], 1))
        return gradients(network, images[..., :1], images)["bias"]

    def norm(self, x):
        return np.array([kernels.norm(x.reshape(-1))])

    def minibatch_std(self, x):
        return network_of(x, mg.layers.MinibatchStdDev()).forward(x)[0][:1, -1]

    def avg_pool(self, x):
        images = x[:4096].reshape(1, 64, 64, -1)
        return network_of(x, mg.layers.AvgPool2d(64)).forward(images)[0]

    def wasserstein_loss(self, x):
        logits = x.reshape(-1)
        return np.array([mg.losses.Wasserstein().discriminator(logits, 0 * logits)[0]])

    def softplus_loss(self, x):
        logits = x.reshape(-1)
        return np.array([mg.losses.NonSaturating().discriminator(logits, 0 * logits)[0]])


def network_of(x, *layers):
    """A network of these layers, in the dtype of x; its layers run on the active backend."""
    return mg.Sequential(list(layers), dtype=x.dtype)


def gradients(network, x, dy):
    """The gradients of the first layer's parameters after one backward pass."""
    network.backward(dy, network.forward(x)[1])
    return network.layers[0].grads


class PyTorch(Minigan):
    def batch_norm(self, x):
        return self._batch_norm(x)[0]

    def running_mean(self, x):
        return self._batch_norm(x)[1]

    def running_variance(self, x):
        return self._batch_norm(x)[2]

    def _batch_norm(self, x):
        x = torch.tensor(x)
        mean, variance = torch.zeros_like(x[0]), torch.zeros_like(x[0])
        y = F.batch_norm(x, mean, variance, training=True, momentum=1.0, eps=EPS)
        return y.numpy(), mean.numpy(), variance.numpy()

    def batch_norm_backward(self, x):
        x, dy = torch.tensor(x, requires_grad=True), torch.tensor(signal(x))
        F.batch_norm(x, None, None, training=True, eps=EPS).backward(dy)
        return x.grad.numpy()

    def batch_norm_dgamma(self, x):
        gamma = torch.ones(x.shape[1], dtype=torch.tensor(x).dtype, requires_grad=True)
        F.batch_norm(torch.tensor(x), None, None, gamma, 0 * gamma, True, eps=EPS).backward(
            torch.tensor(signal(x))
        )
        return gamma.grad.numpy()

    def layer_norm(self, x):
        x = torch.tensor(per_sample(x))
        return F.layer_norm(x, x.shape[1:], eps=EPS).numpy()

    def layer_norm_backward(self, x):
        dy, x = torch.tensor(per_sample(signal(x))), torch.tensor(per_sample(x), requires_grad=True)
        F.layer_norm(x, x.shape[1:], eps=EPS).backward(dy)
        return x.grad.numpy()

    def linear_db(self, x):
        return torch.tensor(x).sum(0).numpy()

    conv_db = layer_norm_dbeta = linear_db

    def linear_db_fused(self, x):
        return self.linear_db(np.where(x > 0, x, x / 2))

    def linear_dw(self, x):
        x = torch.tensor(x)
        return (torch.ones_like(x[:, :1]).T @ x).numpy()

    def norm(self, x):
        return torch.linalg.vector_norm(torch.tensor(x.reshape(-1))).reshape(1).numpy()

    def minibatch_std(self, x):
        variance = torch.tensor(x).var(0, unbiased=False)
        return (variance + 1e-8).sqrt().mean().reshape(1).numpy()

    def avg_pool(self, x):
        images = torch.tensor(x[:4096].reshape(1, 64, 64, -1)).permute(0, 3, 1, 2)
        return F.avg_pool2d(images, 64).permute(0, 2, 3, 1).numpy()

    def wasserstein_loss(self, x):
        return -torch.tensor(x.reshape(-1)).mean().reshape(1).numpy()

    def softplus_loss(self, x):
        x = torch.tensor(x.reshape(-1))
        return (F.softplus(-x).mean() + F.softplus(0 * x).mean()).reshape(1).numpy()


REDUCTIONS = [name for name in vars(Minigan) if not name.startswith("_")]


def signal(x):
    """A gradient with an offset, of the shape of x."""
    rng = np.random.default_rng(1)
    return (1 + 0.1 * rng.standard_normal(x.shape)).astype(np.float32).astype(x.dtype)


def per_sample(x):
    """Rows of samples that have many values each."""
    return x.reshape(16, -1)


def error(found, exact):
    scale = float(np.abs(exact).max())
    return float(np.abs(found - exact).max()) / (scale if scale > 1e-6 else 1.0)


def errors(name, x):
    """{"numpy", "numba", "PyTorch"}: the errors of one reduction on one input."""
    with kernels.use_backend("numpy"):
        exact = getattr(Minigan(), name)(x.astype(np.float64))
    found = {}
    for backend in ("numpy", "numba"):
        with kernels.use_backend(backend):
            found[backend] = error(getattr(Minigan(), name)(x), exact)
    found["PyTorch"] = error(getattr(PyTorch(), name)(x), exact)
    return found


def main():
    print(f"{'reduction':20}{'input':22}{'numpy':>10}{'numba':>10}{'PyTorch':>10}")
    for name in REDUCTIONS:
        for kind, x in inputs().items():
            row = "".join(f"{value:10.1e}" for value in errors(name, x).values())
            print(f"{name:20}{kind:22}{row}")


if __name__ == "__main__":
    main()

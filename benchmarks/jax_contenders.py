"""JAX in `train_step.py`."""

import numpy as np
from minigan_contenders import BETA1, BETA2, EPS, RATE, SLOPE, networks


class Jax:
    """JAX: one jitted function for the whole step, Adam included, its buffers donated."""

    def __init__(self, step, threads):
        import jax

        jax.config.update("jax_platforms", "cpu")
        self.jax, self.step = jax, step
        own = networks(step)
        self.thetas = [
            [jax.numpy.asarray(value) for _, value, _ in network.named_parameters()]
            for network in own
        ]
        zeros = lambda: jax.tree.map(jax.numpy.zeros_like, self.thetas)  # noqa: E731
        self.moments = [zeros(), zeros()]
        self.count = 0
        self.key = jax.random.PRNGKey(0)
        self.one_batch = not any(kind == "norm" for kind, *_ in step.discriminator)
        self.train_step = jax.jit(self._train_step, donate_argnums=(0, 1))
        self.timed_step = jax.jit(self._draw_and_step, donate_argnums=(0, 1))
        self.real = jax.numpy.asarray(step.real(np.random.default_rng(1)))

    def _apply(self, layers, theta, x):
        jax, values = self.jax, iter(theta)
        np_, lax = jax.numpy, jax.lax
        dimensions = ("NHWC", "HWIO", "NHWC")
        for kind, *sizes in layers:
            if kind == "linear":
                x = x @ next(values) + next(values)
            elif kind == "conv":
                pad = [(1, 1), (1, 1)]
                x = lax.conv_general_dilated(
                    x, next(values), (2, 2), pad, dimension_numbers=dimensions
                ) + next(values)
            elif kind == "transpose":
                flipped = next(values)[::-1, ::-1]
                x = lax.conv_general_dilated(
                    x, flipped, (1, 1), [(2, 2), (2, 2)], lhs_dilation=(2, 2),
                    dimension_numbers=dimensions,
                ) + next(values)  # fmt: skip
            elif kind == "norm":
                mean = x.mean(axis=(0, 1, 2))
                centred = x - mean
                variance = (centred * centred).mean(axis=(0, 1, 2))
                x = next(values) * centred / np_.sqrt(variance + 1e-5) + next(values)
            elif kind == "leaky":
                x = np_.where(x > 0, x, SLOPE * x)
            elif kind == "relu":
                x = np_.maximum(x, 0)
            elif kind == "tanh":
                x = np_.tanh(x)
            elif kind == "images":
                side, channels = sizes
                x = x.reshape(-1, side, side, channels)
            else:
                x = x.reshape(len(x), -1)
        return x

    def _train_step(self, thetas, moments, count, real, noise):
        jax = self.jax
        softplus = jax.nn.softplus
        judge = lambda d, x: self._apply(self.step.discriminator, d, x)  # noqa: E731
        g_theta, d_theta = thetas

        def generate(g):
            return self._apply(self.step.generator, g, noise)

        fake, pull_back = jax.vjp(generate, g_theta)

        def d_loss(d):
            if self.one_batch:
                logits = judge(d, jax.numpy.concatenate([real, fake]))
                real_logits, fake_logits = logits[: len(real)], logits[len(real) :]
            else:
                real_logits, fake_logits = judge(d, real), judge(d, fake)
            return softplus(-real_logits).mean() + softplus(fake_logits).mean()

        d_value, d_grad = jax.value_and_grad(d_loss)(d_theta)
        (g_first, d_first), (g_second, d_second) = moments
        d_theta, d_first, d_second = self._adam(d_theta, d_grad, d_first, d_second, count)
        g_value, d_fake = jax.value_and_grad(lambda x: softplus(-judge(d_theta, x)).mean())(fake)
        (g_grad,) = pull_back(d_fake)
        g_theta, g_first, g_second = self._adam(g_theta, g_grad, g_first, g_second, count)
        moments = [[g_first, d_first], [g_second, d_second]]
        return [g_theta, d_theta], moments, (d_value, g_value)

    def _draw_and_step(self, thetas, moments, count, real, key):
        key, now = self.jax.random.split(key)
        noise = self.jax.random.normal(now, (self.step.batch, self.step.latent_dim))
        return (*self._train_step(thetas, moments, count, real, noise), key)

    def _adam(self, theta, grad, first, second, count):
        tree, np_ = self.jax.tree, self.jax.numpy
        first = tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, grad)
        second = tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, grad)
        rate, shrink = RATE / (1 - BETA1**count), 1 / np_.sqrt(1 - BETA2**count)
        theta = tree.map(
            lambda t, m, v: t - rate * m / (np_.sqrt(v) * shrink + EPS), theta, first, second
        )
        return theta, first, second

    def losses(self, examples):
        found = []
        for real, noise in examples:
            self.count += 1
            self.thetas, self.moments, values = self.train_step(
                self.thetas, self.moments, float(self.count), real, noise
            )
            found.append(tuple(float(value) for value in values))
        return found

    def run(self, count):
        for _ in range(count):
            self.count += 1
            self.thetas, self.moments, values, self.key = self.timed_step(
                self.thetas, self.moments, float(self.count), self.real, self.key
            )
        self.jax.block_until_ready((self.thetas, values))

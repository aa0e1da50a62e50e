"""One GAN step, as each contender would write it well.

Each class builds the networks of a `steps.Step`, starts from minigan's first parameters, and has
    .losses([(real, noise), ...])  -> [(L_D, L_G), ...] for steps on the given minibatches
    .run(count)                    -> that many steps, on a fixed real minibatch and fresh noise
"""

import numpy as np

import minigan as mg

SLOPE, RATE, BETA1, BETA2, EPS = 0.2, 2e-4, 0.5, 0.999, 1e-8


def networks(step):
    """(generator, discriminator) in minigan, whose first parameters every contender starts from."""
    layer = {
        "linear": mg.layers.Linear,
        "conv": lambda i, o: mg.layers.Conv2d(i, o, 4, stride=2, padding=1),
        "transpose": lambda i, o: mg.layers.ConvTranspose2d(i, o, 4, stride=2, padding=1),
        "norm": mg.layers.BatchNorm,
        "leaky": lambda: mg.layers.LeakyReLU(SLOPE),
        "relu": mg.layers.ReLU,
        "tanh": mg.layers.Tanh,
        "images": lambda side, channels: mg.layers.Reshape((side, side, channels)),
        "flat": mg.layers.Flatten,
    }
    return [
        mg.Sequential([layer[kind](*sizes) for kind, *sizes in network], rng=seed)
        for seed, network in enumerate((step.generator, step.discriminator))
    ]


class Minigan:
    """This library, on its Numba kernels."""

    backend = "numba"

    def __init__(self, step, threads):
        mg.kernels.use_backend(self.backend)
        generator, discriminator = networks(step)
        self.gan = mg.GAN(
            generator,
            discriminator,
            latent_dim=step.latent_dim,
            loss=mg.losses.NonSaturating(),
            generator_optimizer=mg.optim.Adam(RATE, BETA1, BETA2, EPS),
            discriminator_optimizer=mg.optim.Adam(RATE, BETA1, BETA2, EPS),
        )
        self.real = step.real(np.random.default_rng(1))

    def losses(self, examples):
        fresh, found = self.gan.draw_noise, []
        for real, noise in examples:
            self.gan.draw_noise = lambda n, noise=noise: noise
            figures = self.gan.train_step(real)
            found.append((figures["discriminator_loss"], figures["generator_loss"]))
        self.gan.draw_noise = fresh
        return found

    def run(self, count):
        for _ in range(count):
            self.gan.train_step(self.real)


class MiniganNumpy(Minigan):
    """This library, on its NumPy twin."""

    backend = "numpy"


class Torch:
    """PyTorch eager, written for speed: real and fake through D in one batch where D has no batch
    norm, D's parameters frozen during G's update, gradients set to None, the fused Adam."""

    def __init__(self, step, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.step = torch, step
        own = networks(step)
        self.generator = self._network(step.generator, own[0])
        self.discriminator = self._network(step.discriminator, own[1])
        self.optimizers = [
            torch.optim.Adam(
                network.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS, fused=True
            )
            for network in (self.generator, self.discriminator)
        ]
        self.one_batch = not any(kind == "norm" for kind, *_ in step.discriminator)
        self.train_step = self._train_step
        self.real = self._images(step.real(np.random.default_rng(1)))

    def _network(self, layers, own):
        """torch modules with minigan's parameters, channels first."""
        nn, torch = self.torch.nn, self.torch
        values = iter([torch.tensor(value) for _, value, _ in own.named_parameters()])
        modules, channels = [], None
        for number, (kind, *sizes) in enumerate(layers):
            following = layers[number + 1][0] if number + 1 < len(layers) else None
            if kind == "linear":
                module = nn.Linear(*sizes)
                weight, bias = next(values), next(values)
                if following == "images":  # its outputs are pixels: (row, column, channel) here
                    side, channels = layers[number + 1][1:]
                    weight = weight.reshape(-1, side, side, channels).permute(0, 3, 1, 2)
                    weight = weight.reshape(sizes[0], sizes[1])
                    bias = bias.reshape(side, side, channels).permute(2, 0, 1).reshape(-1)
                if number and layers[number - 1][0] == "flat":  # its inputs are
                    side = round((sizes[0] / channels) ** 0.5)
                    weight = weight.reshape(side, side, channels, sizes[1]).permute(2, 0, 1, 3)
                    weight = weight.reshape(sizes)
                weight = weight.T
            elif kind in ("conv", "transpose"):
                make, order = {
                    "conv": (nn.Conv2d, (3, 2, 0, 1)),
                    "transpose": (nn.ConvTranspose2d, (2, 3, 0, 1)),
                }[kind]
                module, channels = make(*sizes, 4, stride=2, padding=1), sizes[1]
                weight, bias = next(values).permute(order), next(values)
            elif kind == "norm":
                module = nn.BatchNorm2d(*sizes)
                weight, bias = next(values), next(values)
            else:
                weight = None
                module = {
                    "leaky": lambda: nn.LeakyReLU(SLOPE),
                    "relu": nn.ReLU,
                    "tanh": nn.Tanh,
                    "images": lambda side, channels: nn.Unflatten(1, (channels, side, side)),
                    "flat": nn.Flatten,
                }[kind](*sizes)
            if weight is not None:
                with torch.no_grad():
                    module.weight.copy_(weight)
                    module.bias.copy_(bias)
            modules.append(module)
        return nn.Sequential(*modules)

    def _images(self, real):
        tensor = self.torch.tensor(real)
        return tensor.permute(0, 3, 1, 2).contiguous() if tensor.ndim == 4 else tensor

    def _train_step(self, real, noise):
        softplus = self.torch.nn.functional.softplus
        g_optimizer, d_optimizer = self.optimizers
        fake = self.generator(noise)
        constant = fake.detach()
        if self.one_batch:
            judged = self.discriminator(self.torch.cat([real, constant]))
            real_logits, fake_logits = judged.chunk(2)
        else:
            real_logits, fake_logits = self.discriminator(real), self.discriminator(constant)
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad(set_to_none=True)
        d_loss.backward()
        d_optimizer.step()

        self._freeze(True)
        g_loss = softplus(-self.discriminator(fake)).mean()
        g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward()
        g_optimizer.step()
        self._freeze(False)
        return d_loss, g_loss

    def _freeze(self, frozen):
        for parameter in self.discriminator.parameters():
            parameter.requires_grad_(not frozen)

    def losses(self, examples):
        found = []
        for real, noise in examples:
            losses = self._train_step(self._images(real), self.torch.tensor(noise))
            found.append(tuple(float(loss) for loss in losses))
        return found

    def run(self, count):
        for _ in range(count):
            noise = self.torch.randn(self.step.batch, self.step.latent_dim)
            losses = self.train_step(self.real, noise)
        [float(loss) for loss in losses]


class TorchTutorial(Torch):
    """PyTorch eager, as the DCGAN tutorials write it: two passes through D, D's unused gradients
    computed in G's update, the default Adam."""

    def __init__(self, step, threads):
        super().__init__(step, threads)
        self.one_batch = False
        self.optimizers = [
            self.torch.optim.Adam(network.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS)
            for network in (self.generator, self.discriminator)
        ]

    def _freeze(self, frozen):
        pass


class TorchCompiled(Torch):
    """The first, its networks through torch.compile."""

    def __init__(self, step, threads):
        super().__init__(step, threads)
        self.generator.compile()
        self.discriminator.compile()


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


CONTENDERS = {
    "minigan": Minigan,
    "minigan-numpy": MiniganNumpy,
    "torch-tuned": Torch,
    "torch-tutorial": TorchTutorial,
    "torch-compiled": TorchCompiled,
    "jax": Jax,
}

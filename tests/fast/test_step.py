"""D's gradient in one batch beside the plain one in two, R1 and R2 included."""

import numpy as np
import pytest

import minigan as mg

pytest.importorskip("numba")
from minigan.fast.step import step  # noqa: E402
from minigan.fast.sweeps import sweep_sequence  # noqa: E402

L, P = mg.layers, mg.penalties

CRITICS = {
    "LeakyReLU MLP": (lambda: [L.Linear(3, 5), L.LeakyReLU(), L.Linear(5, 4), L.ReLU(),
                               L.Linear(4, 1)], (6, 3)),
    "no bias": (lambda: [L.Linear(3, 5, bias=False), L.LeakyReLU(), L.Linear(5, 1)], (6, 3)),
    "tanh MLP": (lambda: [L.Linear(3, 5), L.Tanh(), L.Linear(5, 4), L.SiLU(), L.Linear(4, 1)],
                 (6, 3)),
    "Fourier": (lambda: [L.FourierFeatures(3, 4), L.Linear(8, 5), L.LeakyReLU(), L.Linear(5, 1)],
                (6, 3)),
    "layer norm": (lambda: [L.Linear(3, 5), L.LayerNorm(5), L.LeakyReLU(), L.Linear(5, 1)], (6, 3)),
    "spectral": (lambda: [L.SpectralNorm(L.Linear(3, 5)), L.LeakyReLU(),
                          L.SpectralNorm(L.Linear(5, 1))], (6, 3)),
    "spectral tanh": (lambda: [L.SpectralNorm(L.Linear(3, 5)), L.Tanh(),
                               L.SpectralNorm(L.Linear(5, 1))], (6, 3)),
    "nested": (lambda: [L.Linear(3, 5), mg.Sequential([L.LeakyReLU(), L.Linear(5, 4), L.Tanh()]),
                        L.Linear(4, 1)], (6, 3)),
    "images": (lambda: [L.Conv2d(2, 3, 3, stride=2, padding=1), L.LeakyReLU(), L.AvgPool2d(2),
                        L.Flatten(), L.Linear(3, 1)], (6, 4, 4, 2)),
    "smooth images": (lambda: [L.Upsample2d(2), L.Conv2d(2, 3, 4, stride=4), L.Softplus(),
                               L.ConvTranspose2d(3, 2, 2), L.Sigmoid(), L.Flatten(),
                               L.Linear(18, 1)], (6, 4, 4, 2)),
    "residual": (lambda: [L.Linear(3, 5), L.Residual(mg.Sequential([L.LeakyReLU(), L.Linear(5, 4),
                          L.LeakyReLU(), L.Linear(4, 5)])), L.LeakyReLU(), L.Linear(5, 1)], (6, 3)),
    "residual first": (lambda: [L.Residual(mg.Sequential([L.Linear(3, 4), L.Tanh(),
                                L.Linear(4, 3)])), L.LeakyReLU(), L.Linear(3, 1)], (6, 3)),
    "residual below": (lambda: [L.Residual(L.Tanh()), L.Linear(3, 4), L.ReLU(), L.Linear(4, 1)],
                       (6, 3)),
    "residual images": (lambda: [
        L.Conv2d(2, 3, 3, padding=1), L.LeakyReLU(),
        L.Residual(mg.Sequential([L.SpectralNorm(L.Conv2d(3, 4, 3, padding=1)), L.LeakyReLU(),
                                  L.Conv2d(4, 5, 2, stride=2)]),
                   mg.Sequential([L.AvgPool2d(2), L.Conv2d(3, 5, 1)])),
        L.LeakyReLU(), L.Flatten(), L.Linear(20, 1)], (6, 4, 4, 2)),
    "smooth residual images": (lambda: [
        L.Residual(mg.Sequential([L.Conv2d(2, 4, 3, padding=1), L.Sigmoid(), L.Residual(L.SiLU()),
                                  L.SpectralNorm(L.ConvTranspose2d(4, 3, 2, stride=2))]),
                   mg.Sequential([L.Conv2d(2, 3, 1), L.Upsample2d(2)])),
        L.Tanh(), L.Flatten(), L.Linear(48, 1)], (6, 2, 2, 2)),
}  # fmt: skip


def game(layers, shape, penalties=(), loss=None):
    """A float64 GAN whose D has these layers and whose G makes samples of `shape`."""
    size = int(np.prod(shape))
    generator = mg.Sequential([L.Linear(2, size), L.Tanh(), L.Reshape(shape)], dtype="float64")
    critic = mg.Sequential(layers, dtype="float64", rng=5)
    rng = np.random.default_rng(1)
    critic.theta += 0.3 * rng.standard_normal(critic.theta.size)
    return mg.GAN(generator, critic, latent_dim=2, penalties=penalties, loss=loss)


def minibatches(shape, n=6):
    rng = np.random.default_rng(2)
    return np.tanh(rng.standard_normal((n, *shape))), 0.5 * rng.standard_normal((n, *shape))


def judged(gan, judge, real, fake):
    gan.discriminator.zero_grad()
    with gan.discriminator.held_buffers():
        loss, penalty, real_logits, fake_logits = judge(real, fake)
    return np.array([loss, penalty]), real_logits, fake_logits, gan.discriminator.grad.copy()


@pytest.mark.parametrize(
    "penalties",
    [(), (P.R1(0.7),), (P.R2(1.3),), (P.R1(0.7), P.R2(1.3)), (P.R1(0.7), P.GradientPenalty(2.0))],
    ids=str,
)
@pytest.mark.parametrize("name", CRITICS)
def test_one_batch_gives_what_two_give(name, penalties):
    layers, (_, *shape) = CRITICS[name]
    gan = game(layers(), tuple(shape), penalties, mg.losses.Relativistic())
    real, fake = minibatches(tuple(shape))
    with mg.kernels.use_backend("numpy"):
        gan.rng = np.random.default_rng(0)
        expected = judged(gan, gan.judge, real, fake)
    with mg.kernels.use_backend("numba"):
        gan.rng = np.random.default_rng(0)
        found = judged(gan, step(gan), real, fake)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["LeakyReLU MLP", "residual", "residual images", "residual below"])
def test_the_merged_sweep_gives_what_the_general_one_gives(name):
    layers, (_, *shape) = CRITICS[name]
    critic = game(layers(), tuple(shape)).discriminator
    real, _ = minibatches(tuple(shape))
    slopes = np.random.default_rng(3).standard_normal((len(real), 1))
    with mg.kernels.use_backend("numba"):
        logits, caches = critic.forward(real)
        _, sweep = sweep_sequence(caches, np.ones_like(logits))
        critic.zero_grad()
        sweep.merge(real, slopes)
        merged = critic.grad.copy()
        critic.zero_grad()
        sweep.forward(real)
        sweep.backward(slopes, wanted=False)
    np.testing.assert_allclose(merged, critic.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "sides, piecewise_linear",
    [((L.ReLU(),), True), ((L.Linear(4, 4), L.ReLU()), True),
     ((L.Tanh(),), False), ((L.ReLU(), L.Tanh()), False), ((L.Tanh(), L.Tanh()), False)],
    ids=str,
)  # fmt: skip
def test_a_sum_is_piecewise_linear_if_both_its_sides_are(sides, piecewise_linear):
    critic = mg.Sequential([L.Linear(3, 4), L.Residual(*sides), L.Linear(4, 1)])
    with mg.kernels.use_backend("numba"):
        logits, caches = critic.forward(np.ones((5, 3)))
        _, sweep = sweep_sequence(caches, np.ones_like(logits))
    assert sweep.piecewise_linear is piecewise_linear


FIRST = {
    "plain": lambda: [],
    "batch norm": lambda: [L.BatchNorm(3)],
    "dropout": lambda: [L.Dropout(0.5)],
    "noise inside": lambda: [mg.stabilisers.InstanceNoise(0.3), L.Dropout(0.2)],
    "minibatch std": lambda: [L.MinibatchStdDev(), L.Linear(4, 3)],
}


@pytest.mark.parametrize("loss", ["NonSaturating", "Hinge", "Relativistic", "Wasserstein"])
@pytest.mark.parametrize("noise_first", [False, True], ids=["", "noise first"])
@pytest.mark.parametrize("name", FIRST)
def test_whole_training_steps_on_both_backends(name, noise_first, loss):
    """Three whole steps end at the same parameters, random layers and their draws included."""
    ends = []
    for backend in ("numpy", "numba"):
        first = FIRST[name]()
        mixes = any(layer.mixes_samples for layer in first)
        noise = [mg.stabilisers.InstanceNoise(0.2)] if noise_first else []
        layers = [*noise, L.Linear(3, 3), *first, L.Linear(3, 5), L.LeakyReLU(), L.Linear(5, 1)]
        penalties = () if mixes else (P.R1(0.7), P.R2(1.3))
        gan = game(layers, (3,), penalties, getattr(mg.losses, loss)())
        for network in (gan.generator, gan.discriminator):  # Adam would magnify a gradient of 0
            optimizer = mg.optim.SGD(0.05)
            role = "generator" if network is gan.generator else "discriminator"
            setattr(gan, f"{role}_optimizer", optimizer)
        real = np.tanh(minibatches((3,))[0])  # within the range of G
        with mg.kernels.use_backend(backend):
            figures = [gan.train_step(real) for _ in range(3)][-1]
        ends.append((gan.discriminator.theta, gan.generator.theta, list(figures.values())))
    for numpy, numba in zip(*ends):
        np.testing.assert_allclose(numba, numpy, rtol=1e-7, atol=1e-9)


def test_which_networks_are_taken_over():
    def taken(*first):
        gan = game([*first, L.Linear(3, 1)], (3,))
        return step(gan) is not None

    class Mine(L.Tanh):
        pass

    assert taken() and taken(L.Tanh()) and taken(mg.stabilisers.InstanceNoise(0.1))
    assert not taken(L.BatchNorm(3)) and not taken(L.Dropout(0.5)) and not taken(Mine())
    assert not taken(L.Tanh(), mg.stabilisers.InstanceNoise(0.1))

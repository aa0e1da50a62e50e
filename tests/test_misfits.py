"""Mistakes of a GAN's user: each is said in words about what was done."""

import contextvars
import threading

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L


def game(judge_ends=(), loss=None, ends=(), shape=(2,), **options):
    sizes = (4, 4, 1) if len(shape) == 3 else (2,)
    wide = int(np.prod(sizes))
    generator = [L.Linear(3, wide), *([L.Reshape(sizes)] if len(sizes) > 1 else []), *ends]
    judge = [L.Flatten(), L.Linear(wide, 1), *judge_ends]
    return mg.GAN(
        mg.Sequential(generator), mg.Sequential(judge), latent_dim=3, loss=loss, **options
    )


@pytest.mark.parametrize("last", [L.Sigmoid, L.Tanh, L.ReLU, L.Softplus])
def test_a_bounded_discriminator_under_a_loss_of_logits(last):
    for loss in (mg.losses.NonSaturating(), mg.losses.Hinge(), mg.losses.Wasserstein()):
        with pytest.warns(UserWarning, match=f"discriminator ends in {last.__name__}.*logits"):
            game([last()], loss)
    with pytest.warns(UserWarning, match="leave the last"):
        game([mg.Sequential([last(), L.Flatten()])])


def test_a_learning_rate_is_an_optimizers():
    for wrong in (
        lambda: game(lr=1e-3),
        lambda: mg.train(game(), np.zeros((8, 2)), steps=1, lr=1e-3),
    ):
        with pytest.raises(
            TypeError, match=r"lr belongs to .*generator_optimizer=Adam\(lr=\.\.\.\)"
        ):
            wrong()


def test_discriminators_that_need_no_word():
    game([L.LeakyReLU()])
    game([L.Sigmoid()], mg.losses.LeastSquares())
    game([L.Sigmoid()], Own())


@pytest.mark.parametrize(
    "real, advice",
    [
        (np.arange(64).reshape(4, 4, 4, 1).astype(np.uint8), "images / 127.5 - 1"),
        (np.random.default_rng(0).random((4, 4, 4, 1)), "2 * images - 1"),
    ],
)
def test_images_of_another_range_than_tanh_gives(real, advice):
    gan = game(ends=[L.Tanh()], shape=(4, 4, 1))
    with pytest.warns(UserWarning, match="ends in Tanh") as noted:
        gan.train_step(real)
    assert advice in str(noted[0].message)
    gan.train_step(real)  # once is enough


def test_images_that_need_no_word():
    images = np.random.default_rng(0).random((4, 4, 4, 1))
    for real in (2 * images - 1, np.zeros_like(images), images - 0.1):
        game(ends=[L.Tanh()], shape=(4, 4, 1)).train_step(real)
    game(shape=(4, 4, 1)).train_step(images)
    game(ends=[L.Tanh()]).train_step(images.reshape(-1, 2))


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: mg.GAN(mg.models.mlp_discriminator((2,)), mg.models.mlp_generator(2, (2,)),
                        latent_dim=2), ValueError, "look exchanged"),
        (lambda: mg.GAN(mg.models.mlp_discriminator((5,)), mg.models.mlp_generator(3, (5,)),
                        latent_dim=3), ValueError, "look exchanged"),
        (lambda: mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((2,)),
                        latent_dim=8), ValueError, "does not take noise of latent_dim = 8 values"),
        (lambda: mg.GAN(mg.models.mlp_generator(2, (2,)), mg.models.mlp_discriminator((3,)),
                        latent_dim=2), ValueError, "does not take the generator's samples"),
        (lambda: mg.Sequential(L.Linear(2, 2), L.Tanh()), TypeError, "such as [a, b]"),
        (lambda: mg.Sequential(L.Tanh()), TypeError, "layers must be a list"),
        (lambda: mg.Sequential([L.Tanh()])(np.ones((2, 2))), TypeError, "y, cache = layer.forward"),
        (lambda: game().train_step((np.ones((4, 2)), np.ones(4))), TypeError, "a tuple of 2"),
        (lambda: game().train_step(np.array([[1, "a"]], object)), TypeError, "an array of object"),
        (lambda: game(shape=(4, 4, 1)).train_step(np.ones((3, 1, 4, 4))), ValueError,
         "real.transpose(0, 2, 3, 1)"),
        (lambda: game(shape=(4, 4, 1)).train_step(np.ones((3, 4, 4))), ValueError,
         "real[..., None]"),
        (lambda: L.Conv2d(3, 1, 1).forward(np.ones((1, 3, 4, 5))), ValueError,
         "channels come last"),
    ],
)  # fmt: skip
def test_errors_speak_of_what_was_done(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_one_optimizer_serves_one_network():
    a, b, grad = np.ones(3), np.ones(3), np.ones(3)
    for name in ("Adam", "SGD", "RMSProp"):
        optimizer = getattr(mg.optim, name)()
        optimizer.step(a, grad)
        optimizer.step(a[:], grad)
        with pytest.raises(ValueError, match=f"{name}: theta must be the vector"):
            optimizer.step(b, grad)
        assert optimizer.steps == 2 and np.array_equal(b, np.ones(3))
        b.flags.writeable = False
        with pytest.raises(ValueError, match="theta must be writeable, got a read-only array"):
            getattr(mg.optim, name)().step(b, grad)
        b.flags.writeable = True
    adam = mg.optim.Adam()
    game(generator_optimizer=adam).train_step(np.ones((4, 2)))
    with pytest.raises(ValueError, match="generator_optimizer has moved another network"):
        game(generator_optimizer=adam)


def test_reprs():
    gan = game(penalties=[mg.penalties.R1(1.0)])
    assert "Hinge()" == repr(mg.losses.Hinge())
    assert repr(mg.optim.Adam()) == "Adam(lr=0.0002, beta1=0.5, beta2=0.999, eps=1e-08)"
    assert repr(mg.optim.SGD(0.1)) == "SGD(lr=0.1, momentum=0)"
    assert repr(mg.Average(gan.generator)).startswith("Average(decay=0.999, steps=0, 8 param")
    before = repr(gan)
    gan.train_step(np.ones((4, 2)))
    assert repr(gan) == before and "R1(1)" in before and "\n" not in before


# -- losses and layers of one's own ----------------------------------------------------------------


class Own:
    def discriminator(self, real, fake):
        ones = np.ones_like(real) / len(real)
        return float(np.mean(fake) - np.mean(real)), -ones, ones

    def generator(self, real, fake):
        ones = np.ones_like(fake) / len(fake)
        return float(-np.mean(fake)), 0 * ones, -ones


def test_a_loss_of_ones_own_needs_two_methods():
    gans = [game(loss=loss, rng=1) for loss in (Own(), mg.losses.Wasserstein())]
    figures = [gan.train_step(np.ones((4, 2))) for gan in gans]
    assert figures[0] == pytest.approx(figures[1], rel=1e-6)
    assert mg.gradcheck.check_loss(Own()).ok
    assert mg.gradcheck.check_step(gans[0], np.ones((4, 2))).ok


@pytest.mark.parametrize(
    "generator, message",
    [
        (None, "loss must be .* have the methods discriminator and generator"),
        (lambda self, r, f: 0.0, "must return value, d_real, d_fake"),
        (lambda self, r, f: (0.0, r, f.sum()), "d_fake must be real numbers of shape"),
        (lambda self, r, f: (f, r, f), "value must be a number"),
    ],
)
def test_a_loss_that_is_none(generator, message):
    methods = {"discriminator": Own.discriminator}
    methods |= {} if generator is None else {"generator": generator}
    with pytest.raises((TypeError, ValueError), match=message):
        game(loss=type("Half", (), methods)())


def test_the_smallest_examples_run():
    import doctest

    from minigan import losses
    from minigan.layers import base

    for module in (losses, base):
        found = doctest.testmod(module)
        assert found.attempted > 3 and not found.failed, module


def test_what_an_own_layer_lacks_is_said():
    class Bare(L.Layer):
        pass

    class NoInit(L.Layer):
        def __init__(self):
            pass

    class NoCache(L.Layer):
        def forward(self, x, training=True):
            return x

    for method, args in (("forward", 1), ("backward_input", 2), ("tangent", 2), ("curvature", 3)):
        with pytest.raises(NotImplementedError, match=rf"Bare\(\): the method {method} is not"):
            getattr(Bare(), method)(*[None] * args)
    with pytest.raises(AttributeError, match=r"NoInit: its __init__ must begin with super\(\)"):
        mg.Sequential([NoInit()])
    with pytest.raises(TypeError, match=r"NoCache\(\): forward must return y and its cache"):
        mg.Sequential([NoCache()]).forward(np.ones((2, 2)))


# -- seeds and threads -----------------------------------------------------------------------------


def test_parts_with_one_seed_draw_independently():
    draws = {
        "data": np.random.default_rng(0).standard_normal(64),
        "noise": game(rng=0).rng.standard_normal(64),
        "weights": mg.Sequential([L.Linear(2, 2)], rng=0).rng.standard_normal(64),
        "minibatches": mg.data.minibatches.Minibatches(
            np.ones((2, 2)), 1, rng=0
        ).rng.standard_normal(64),
        "generator": mg.models.mlp_generator(2, (2,), rng=0).rng.standard_normal(64),
        "discriminator": mg.models.mlp_discriminator((2,), rng=0).rng.standard_normal(64),
    }
    values = np.concatenate(list(draws.values()))
    assert len(np.unique(values)) == len(values)
    rng = np.random.default_rng(0)
    assert game(rng=rng).rng is rng


def test_threads_that_sample_from_one_network_and_hold_another(backend):
    net = mg.Sequential([L.SpectralNorm(L.Linear(8, 8)), L.BatchNorm(8), L.SpectralNorm(
        L.Linear(8, 8))], rng=0)  # fmt: skip
    x = np.random.default_rng(0).standard_normal((16, 8)).astype(np.float32)
    net.forward(x)
    expected, wrong = net.forward(x, training=False)[0].copy(), []
    buffers = [value.copy() for _, value in net.named_buffers()]

    def work():
        with net.held_buffers():
            for _ in range(100):
                if not np.array_equal(net.forward(x, training=False)[0], expected):
                    wrong.append(True)

    # in copies of this context, and so on this backend
    runs = [contextvars.copy_context().run for _ in range(4)]
    threads = [threading.Thread(target=run, args=(work,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(np.array_equal(a, b) for a, (_, b) in zip(buffers, net.named_buffers()))


def test_holding_is_of_this_thread_and_this_network():
    held, free = (mg.Sequential([L.Residual(mg.Sequential([L.BatchNorm(2)]))]) for _ in range(2))
    x, mean = np.arange(8.0).reshape(4, 2), lambda net: net.named_buffers()[0][1].copy()
    with held.held_buffers():
        held.forward(x), free.forward(x)
        assert not mean(held).any() and mean(free).any()
        other = threading.Thread(target=held.forward, args=(x,))
        other.start()
        other.join()
    assert mean(held).any()


def test_a_fault_of_the_backend_is_not_reported_as_the_users(monkeypatch):
    def failing(network):
        raise ValueError("no threads")

    compiled = pytest.importorskip("minigan.fast")
    with mg.kernels.use_backend("numba"):
        monkeypatch.setattr(compiled, "stages", failing)
        gan = game()
        with pytest.raises(ValueError, match="^no threads$"):
            gan.train_step(np.zeros((4, 2)))

"""The solutions of the exercises are right: against differences, and against minigan's layers."""

import doctest
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import minigan as mg
from minigan.verify.exercises.ladder import exercises
from minigan.verify.exercises.networks import network

RNG = np.random.default_rng(7)


def normal(*shape):
    return RNG.standard_normal(shape)


@pytest.fixture(scope="module")
def ex():
    """The solutions' functions: ex[3].linear_backward."""
    modules = {}
    for exercise in exercises():
        module = SimpleNamespace(**{"__name__": exercise.name})
        sys.modules[exercise.name] = module
        exec(compile(exercise.solved, exercise.name, "exec"), vars(module))
        modules[exercise.number] = module
    yield modules
    for exercise in exercises():
        del sys.modules[exercise.name]


def difference(f, x):
    """The gradient of f at x, by central differences."""
    gradient, h = np.zeros_like(x), 1e-5
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = h
        gradient[at] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


def agree(f, x, gradient, tolerance=1e-7):
    expected = difference(f, x)
    error = np.abs(gradient - expected).max() / max(np.abs(expected).max(), 1e-3)
    assert gradient.shape == x.shape and error < tolerance, error


def agree_each(f, arguments, gradients):
    """f of several arrays, and its gradient by each of them."""
    for i, gradient in enumerate(gradients):

        def alone(x, i=i):
            return f(*arguments[:i], x, *arguments[i + 1 :])

        agree(alone, arguments[i], gradient)


def of_params(f, params, grads):
    """f of a network's params, and its gradients [(dW, db), ...]."""
    flat = [array for pair in params for array in pair]

    def unflat(*arrays):
        return f(list(zip(arrays[::2], arrays[1::2])))

    agree_each(unflat, flat, [gradient for pair in grads for gradient in pair])


@pytest.mark.parametrize("exercise", exercises(), ids=lambda exercise: exercise.name)
def test_the_worked_numbers_are_right(exercise, ex):
    module = ex[exercise.number]
    test = doctest.DocTestParser().get_doctest(
        exercise.document, dict(vars(module)), exercise.name, None, 0
    )
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_neurons_and_layers(ex):
    loss, dw, db = ex[1].one_neuron(1.5, -0.7, 0.3)
    agree_each(
        lambda w, b: ex[1].one_neuron(1.5, float(w), float(b))[0],
        [np.array(-0.7), np.array(0.3)], [np.array(dw), np.array(db)],
    )  # fmt: skip
    x, W, b, dy = normal(4, 3), normal(3, 2), normal(2), normal(4, 2)
    agree_each(
        lambda x, W, b: np.sum(dy * ex[2].linear_forward(x, W, b)),
        [x, W, b], ex[3].linear_backward(dy, x, W),
    )  # fmt: skip
    x, dy = normal(5, 3), normal(5, 3)
    agree(lambda x: np.sum(dy * ex[7].leaky_forward(x)), x, ex[7].leaky_backward(dy, x))
    y, mask = ex[8].dropout_forward(x, 0.4, RNG.random(x.shape), training=True)
    assert 0 < np.mean(y == 0) < 1 and np.isclose(mask.max(), 1 / 0.6)
    agree(lambda x: np.sum(dy * x * mask), x, ex[8].dropout_backward(dy, mask))


def test_losses(ex):
    far = np.array([[-1000.0], [1000.0], [-30.0], [0.3]])
    with np.errstate(all="raise", under="ignore"):
        assert np.array_equal(ex[4].sigmoid(far), mg.layers.activations.sigmoid(far))
        assert np.array_equal(ex[4].softplus(far), mg.layers.activations.softplus(far))
    r, f = normal(5, 1), normal(5, 1)
    loss = mg.losses.NonSaturating()
    for found, expected in (
        (ex[5].discriminator_loss(r, f), loss.discriminator(r, f)),
        (ex[5].generator_loss(f), loss.generator(r, f)[::2]),
        (ex[28].critic_loss(r, f), mg.losses.Wasserstein().discriminator(r, f)),
        (ex[28].generator_loss(f), mg.losses.Wasserstein().generator(r, f)[::2]),
    ):
        assert all(np.allclose(a, b, rtol=1e-12) for a, b in zip(found, expected))
    x, W, b = normal(5, 3), normal(3, 1), normal(1)
    agree_each(
        lambda W, b: ex[6].batch_gradient(x, W, b)[0], [W, b], ex[6].batch_gradient(x, W, b)[1:]
    )


def test_networks_and_players(ex):
    params, x, dy = network(RNG, 3, 4, 4, 2), normal(5, 3), normal(5, 2)
    y, cache = ex[9].network_forward(x, params)
    dx, grads = ex[9].network_backward(dy, cache, params)
    agree(lambda x: np.sum(dy * ex[9].network_forward(x, params)[0]), x, dx)
    of_params(lambda params: np.sum(dy * ex[9].network_forward(x, params)[0]), params, grads)
    assert np.allclose(ex[10].network_backward_input(dy, cache, params), dx, rtol=1e-12)
    x_dot = normal(5, 3)
    y_dot = ex[25].network_tangent(x_dot, cache, params)
    assert np.isclose(np.sum(y_dot * dy), np.sum(x_dot * dx), rtol=1e-12)

    G, D, z, real = network(RNG, 2, 4, 2), network(RNG, 2, 4, 1), normal(5, 2), normal(5, 2)
    fake = ex[9].network_forward(z, G)[0]
    agree(lambda fake: ex[10].fake_gradient(fake, D)[0], fake, ex[10].fake_gradient(fake, D)[1])
    step, other = ex[11].discriminator_gradient, ex[12].generator_gradient
    of_params(lambda D: step(real, fake, D)[0], D, step(real, fake, D)[1])
    of_params(lambda G: other(z, G, D)[0], G, other(z, G, D)[1])
    of_params(lambda D: ex[26].r1_gradient(real, D, 3.0)[0], D, ex[26].r1_gradient(real, D, 3.0)[1])
    x, w, b = normal(5), np.array(1.3), np.array(-0.4)
    agree_each(
        lambda w, b: ex[26].r1_curved(x, w, b, 3.0)[0],
        [w, b], [np.array(part) for part in ex[26].r1_curved(x, w, b, 3.0)[1:]],
    )  # fmt: skip


def test_a_step_is_minigans(ex):
    """Exercise 13, and the step of exercise 30, beside `GAN.train_step`."""
    real = normal(6, 2)
    for adam in False, True:
        players = [
            mg.models.mlp_generator(2, (2,), hidden=(4,), dtype="float64", rng=3),
            mg.models.mlp_discriminator((2,), hidden=(4,), dtype="float64", rng=4),
        ]
        G, D = (
            [(p["weight"].copy(), p["bias"].copy() + 0.1) for p in (a.params, c.params)]
            for a, _, c in (player.layers for player in players)
        )
        for player, params in zip(players, (G, D)):
            player.theta[...] = np.concatenate([a.ravel() for pair in params for a in pair])
        optimizers = [mg.optim.Adam(0.01) if adam else mg.optim.SGD(0.1) for _ in range(2)]
        gan = mg.GAN(
            *players, latent_dim=2, penalties=[mg.penalties.R1(0.1)] if adam else [],
            generator_optimizer=optimizers[0], discriminator_optimizer=optimizers[1],
        )  # fmt: skip
        z = normal(6, 2)
        gan.draw_noise = lambda n, z=z: z
        gan.train_step(real)
        if adam:
            memories = ex[30].new_memory(G), ex[30].new_memory(D)
            G, D, *_ = ex[30].gan_step(real, z, G, D, *memories, t=1, lr=0.01)
        else:
            G, D = ex[13].train_step(real, z, G, D, 0.1)
        for player, params in zip(players, (G, D)):
            theta = np.concatenate([a.ravel() for pair in params for a in pair])
            assert np.allclose(player.theta, theta, rtol=1e-9, atol=1e-12)


def test_adam(ex):
    theta, m, v = np.ones(3), np.zeros(3), np.zeros(3)
    expected, optimizer = theta.copy(), mg.optim.Adam(0.1, 0.5, 0.9)
    for t in 1, 2, 3:
        g = normal(3)
        optimizer.step(expected, g)
        theta, m, v = ex[14].adam_step(theta, g, m, v, t, 0.1, 0.5, 0.9)
        assert np.allclose(theta, expected, rtol=1e-12)


def test_normalisations(ex):
    x, gamma, beta, dy = 2 + 3 * normal(6, 3), normal(3), normal(3), normal(6, 3)
    y, x_hat, inv_std = ex[15].batch_norm_forward(x, gamma, beta)
    agree_each(
        lambda x, gamma, beta: np.sum(dy * ex[15].batch_norm_forward(x, gamma, beta)[0]),
        [x, gamma, beta], ex[16].batch_norm_backward(dy, x_hat, inv_std, gamma),
    )  # fmt: skip
    layer = mg.Sequential([mg.layers.BatchNorm(3)], dtype="float64")
    layer.theta[...] = np.concatenate([gamma, beta])
    assert np.allclose(layer.forward(x)[0], y, rtol=1e-12)
    mean, var = ex[17].update_running(np.zeros(3), np.ones(3), x)
    evaluated = ex[17].evaluate(x, gamma, beta, mean, var)
    assert np.allclose(layer.forward(x, training=False)[0], evaluated, rtol=1e-6)  # float32 there
    agree(
        lambda x: np.sum(dy * ex[17].evaluate(x, gamma, beta, mean, var)),
        x, ex[17].evaluate_backward(dy, gamma, var),
    )  # fmt: skip

    W, G = normal(4, 3), normal(4, 3)
    W_bar, sigma, u, v = ex[22].spectral_forward(W, normal(3))
    agree(lambda W: np.sum(G * W / (u @ W @ v)), W, ex[22].spectral_backward(G, W_bar, sigma, u, v))
    for _ in range(200):
        _, sigma, _, v = ex[22].spectral_forward(W, v)
    assert np.isclose(sigma, np.linalg.norm(W, 2))


@pytest.mark.parametrize("stride, padding", [(1, 0), (2, 1)])
def test_convolutions(stride, padding, ex):
    options = {"stride": stride, "padding": padding}
    x, W, b = normal(2, 5, 6, 2), normal(3, 4, 2, 3), normal(3)
    layer = mg.Sequential([mg.layers.Conv2d(2, 3, (3, 4), **options)], dtype="float64")
    layer.theta[...] = np.concatenate([W.ravel(), b])
    y, cache = layer.forward(x)
    assert np.allclose(ex[18].conv_forward(x, W, b, **options), y, rtol=1e-12)
    dy = normal(*y.shape)
    expected = layer.backward(dy, cache)
    dx, dW, db = ex[19].conv_backward(dy, x, W, **options)
    assert np.allclose(dx, expected) and np.allclose(layer.grad, [*dW.ravel(), *db])

    layer = mg.Sequential([mg.layers.ConvTranspose2d(2, 3, (3, 4), **options)], dtype="float64")
    layer.theta[...] = np.concatenate([W.ravel(), b])
    y, cache = layer.forward(x)
    assert np.allclose(ex[20].conv_transpose_forward(x, W, b, **options), y, rtol=1e-12)
    dy = normal(*y.shape)
    dx = ex[20].conv_transpose_backward_input(dy, W, **options)
    assert np.allclose(dx, layer.backward_input(dy, cache))


def test_upsampling_and_attention(ex):
    x, dy = normal(2, 3, 2, 2), normal(2, 6, 4, 2)
    agree(lambda x: np.sum(dy * ex[21].upsample_forward(x, 2)), x, ex[21].upsample_backward(dy, 2))
    x, dy = normal(4, 3), normal(4, 3)
    agree(
        lambda x: np.sum(dy * ex[23].softmax(x)), x, ex[23].softmax_backward(dy, ex[23].softmax(x))
    )
    q, k, v, dy = normal(4, 3), normal(4, 3), normal(4, 2), normal(4, 2)
    _, a = ex[24].attention_forward(q, k, v)
    agree_each(
        lambda q, k, v: np.sum(dy * ex[24].attention_forward(q, k, v)[0]),
        [q, k, v], ex[24].attention_backward(dy, q, k, v, a),
    )  # fmt: skip


def test_the_penalty_at_a_zero_gradient(ex):
    g = normal(5, 3)
    agree(lambda g: ex[27].gradient_penalty(g, 2.0)[0], g, ex[27].gradient_penalty(g, 2.0)[1])
    g[2] = 0
    with np.errstate(all="raise"):
        value, v = ex[27].gradient_penalty(g, 2.0)
    expected, expected_v = mg.penalties.GradientPenalty(2.0).measure(g)
    assert np.isclose(value, expected) and np.allclose(v, expected_v)


def test_the_ring(ex):
    centres = ex[29].ring_centres(8, 1.0)
    assert np.allclose(centres, mg.data.gaussian_ring(8).modes, atol=1e-15)
    samples = ex[29].ring_samples(np.arange(8), normal(8, 2), centres, 0.01)
    assert ex[29].count_modes(samples, centres, 0.01) >= 7
    assert ex[29].count_modes(np.zeros((4, 2)), centres, 0.1) == 0

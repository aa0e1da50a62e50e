"""Penalties: closed forms, each layer's curvature, the shared pass, refusals, bad arguments."""

import copy

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan import penalties as P

PENALTIES = [
    P.R1(0.7), P.R2(1.3), P.GradientPenalty(2.0), P.GradientPenalty(2.0, 0.0), P.Dragan(3.0),
]  # fmt: skip


def minibatches(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), 0.5 + rng.standard_normal(shape)


def network(layers, seed=1):
    """In float64, every parameter (biases too) moved off its first value."""
    critic = mg.Sequential(layers, dtype="float64", rng=seed)
    critic.theta += 0.2 * np.random.default_rng(seed).standard_normal(critic.theta.size)
    return critic


def gradient(penalty, critic, real, fake):
    critic.zero_grad()
    penalty.accumulate(critic, real, fake, 0)
    return critic.grad.copy()


def close(a, b, tolerance=1e-12):
    return mg.gradcheck.relative_error(a, b) <= tolerance


# -- what is known without a computer ------------------------------------------------------------


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_linear_critic(penalty, backend):
    """D(x) = w.x has slope w everywhere: R is a function of |w| alone, whatever the points."""
    critic = network([L.Linear(3, 1)])
    (_, w, _), (_, _, bias_gradient) = critic.named_parameters()
    size = np.linalg.norm(w)
    if isinstance(penalty, P.GradientPenalty):
        excess = size - penalty.target
        expected = penalty.weight * excess**2, 2 * penalty.weight * excess * w / size
    else:
        expected = penalty.gamma / 2 * size**2, penalty.gamma * w
    real, fake = minibatches(5, 3)
    assert penalty.value(critic, real, fake, 0) == pytest.approx(expected[0], rel=1e-14)
    found = gradient(penalty, critic, real, fake)
    assert close(found[:3], expected[1].ravel())
    assert np.array_equal(bias_gradient, [0])


def test_quadratic_critic_by_hand():
    """D(x) = sum_j c_j tanh(x_j): the slope is c_j (1 - tanh^2 x_j), linear in c."""
    c = np.array([[0.5], [-2.0]])
    critic = network([L.Tanh(), L.Linear(2, 1, bias=False)])
    critic.theta[...] = c[:, 0]
    real, fake = minibatches(4, 2)
    square = (1 - np.tanh(real) ** 2) ** 2
    assert P.R1(3.0).value(critic, real, fake, 0) == pytest.approx(1.5 * np.mean(square @ c**2))
    assert close(gradient(P.R1(3.0), critic, real, fake), 3.0 * square.mean(axis=0) * c[:, 0])


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_repeating_the_minibatch_changes_nothing(penalty):
    """A mean, taken once. (The slope is the same everywhere, so random points do not matter.)"""
    critic = network([L.Linear(3, 4), L.Linear(4, 1)])
    once = minibatches(4, 3)
    twice = [np.concatenate([samples, samples]) for samples in once]
    assert close(gradient(penalty, critic, *twice), gradient(penalty, critic, *once))


@pytest.mark.parametrize("activation", [L.LeakyReLU, L.Tanh])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_critic_of_zeros(penalty, dtype, activation, backend):
    critic = mg.Sequential([L.Linear(3, 4), activation(), L.Linear(4, 1)], dtype=dtype)
    critic.theta[...] = 0
    real, fake = minibatches(5, 3)
    with np.errstate(all="raise"):
        value = penalty.accumulate(critic, real.astype(dtype), fake.astype(dtype), 0)
    target = getattr(penalty, "target", 0.0)
    assert value == (penalty.weight * target**2 if target else 0.0)
    assert np.array_equal(critic.grad, np.zeros_like(critic.grad))


@pytest.mark.parametrize("penalty, expected", [(P.R1(0.7), 2.1), (P.GradientPenalty(2.0), 8.0)])
def test_critic_of_one_number(penalty, expected, backend):
    """D(x) = w x, w = 3: R1 is gamma / 2 w^2, the gradient penalty weight (w - 1)^2."""
    critic = mg.Sequential([L.Linear(1, 1, bias=False)], dtype="float64")
    critic.theta[0] = 3
    real, fake = minibatches(5, 1)
    assert gradient(penalty, critic, real, fake) == pytest.approx(expected)


def test_a_slope_too_small_to_square():
    """|g|^2 of 1e-40 underflows in float32; the direction of g is still its direction."""
    g = np.full((2, 1), 1e-40, np.float32)
    value, v = P.GradientPenalty(3.0).measure(g)
    assert value == pytest.approx(3.0) and v == pytest.approx(-3.0)


# -- the points ----------------------------------------------------------------------------------


def test_mixing_weight_is_one_per_sample():
    real, fake = minibatches(6, 4, 4, 2)
    mixed = P.GradientPenalty(1.0).points(real, fake, np.random.default_rng(0))
    e = (mixed - fake) / (real - fake)
    assert np.allclose(e, e[:, :1, :1, :1])
    e = e[:, 0, 0, 0]
    assert len(np.unique(e)) == 6 and 0 <= e.min() and e.max() < 1


def test_dragan_stays_near_real():
    real, fake = minibatches(50, 4)
    near = P.Dragan(1.0).points(real, fake, np.random.default_rng(0))
    step = (near - real) / real.std()
    assert 0 <= step.min() and 0.3 < step.max() < 0.5
    assert np.array_equal(near, P.Dragan(1.0).points(real, 9 * fake, np.random.default_rng(0)))


def test_dragan_s_noise_is_a_uniform_times_a_uniform_times_half_of_the_deviation():
    real, _ = minibatches(4000, 5)
    step = (P.Dragan(1.0).points(real, None, np.random.default_rng(0)) - real) / real.std()
    assert step.mean() == pytest.approx(1 / 8, rel=0.03)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_points_keep_floats_and_make_floats_of_integers(penalty):
    for dtype, expected in ((np.float32, np.float32), (np.uint8, np.float64)):
        samples = np.arange(12).reshape(4, 3).astype(dtype)
        points = penalty.points(samples, samples, np.random.default_rng(0))
        assert points.dtype == expected


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_same_seed_same_bits(penalty):
    critic = network([L.Linear(3, 4), L.Tanh(), L.Linear(4, 1)])
    real, fake = minibatches(5, 3)
    first, second = (gradient(penalty, critic, real, fake) for _ in range(2))
    assert np.array_equal(first, second)


def test_penalties_do_not_iterate_spectral_vectors():
    critic = mg.Sequential([L.SpectralNorm(L.Linear(3, 4)), L.Tanh(), L.Linear(4, 1)])
    before = [value.copy() for _, value in critic.named_buffers()]
    real, fake = minibatches(5, 3)
    P.R1(1.0).accumulate(critic, real, fake, 0)
    assert all(np.array_equal(a, b) for a, (_, b) in zip(before, critic.named_buffers()))


# -- curvature: how each layer's backward pass moves -----------------------------------------------

LAYERS = [
    (L.Linear(4, 3), (5, 4)),
    (L.Conv2d(2, 3, 3, stride=2, padding=1), (3, 5, 4, 2)),
    (L.ConvTranspose2d(2, 3, 4, stride=2, padding=1), (3, 2, 3, 2)),
    (L.SpectralNorm(L.Linear(4, 3)), (5, 4)),
    (L.SpectralNorm(L.Conv2d(2, 3, 2)), (3, 3, 3, 2)),
    (L.LayerNorm(4), (5, 4)),
    (L.LayerNorm(2), (3, 2, 3, 2)),
    (L.FourierFeatures(3, 4, scale=0.5, std=0.2), (5, 3)),
    (L.LeakyReLU(), (5, 4)),
    (L.ReLU(), (5, 4)),
    (L.Tanh(), (5, 4)),
    (L.Sigmoid(), (3, 2, 2, 2)),
    (L.Softplus(), (5, 4)),
    (L.SiLU(), (5, 4)),
    (L.Dropout(0.4), (5, 4)),
    (L.Flatten(), (3, 2, 2, 2)),
    (L.Reshape((2, 2)), (3, 4)),
    (L.AvgPool2d(2), (3, 2, 4, 2)),
    (L.Upsample2d(2), (3, 2, 3, 2)),
    (L.Residual(L.Linear(4, 4)), (5, 4)),
    (L.Residual(L.Tanh(), L.Linear(4, 4)), (5, 4)),
    (L.Residual(mg.Sequential([L.LeakyReLU(), L.SpectralNorm(L.Conv2d(2, 3, 3, padding=1)),
                               L.Conv2d(3, 2, 1)])), (3, 3, 4, 2)),
    (L.Residual(mg.Sequential([L.SiLU(), L.Conv2d(2, 3, 2, stride=2), L.Tanh(), L.LayerNorm(3)]),
                mg.Sequential([L.AvgPool2d(2), L.Conv2d(2, 3, 1)])), (3, 4, 2, 2)),
    (L.Residual(L.Residual(L.Linear(4, 4)), L.Residual(L.ReLU())), (5, 4)),
    (mg.Sequential([L.LeakyReLU(), L.Linear(4, 3), L.Linear(3, 2)]), (5, 4)),
    (mg.Sequential([L.Tanh(), L.Linear(4, 3), L.SiLU(), mg.Sequential([L.Linear(3, 2), L.Tanh()])]),
     (5, 4)),
]  # fmt: skip


def placed(layer, shape):
    """The layer in a network, an input, a cotangent and the cache of one forward pass."""
    critic = network([layer])
    rng = np.random.default_rng(2)
    x = rng.standard_normal(shape)
    state = critic.rng.bit_generator.state  # dropout's next mask is this one again
    with critic.held_buffers():
        y, cache = layer.forward(x)
    critic.rng.bit_generator.state = state
    return critic, rng, x, rng.standard_normal(y.shape), cache


@pytest.mark.parametrize("layer, shape", LAYERS, ids=lambda case: str(case)[:40])
def test_curvature_is_the_derivative_of_backward(layer, shape, backend):
    """dx and every weight gradient, beside their differences as x moves along x_dot."""
    critic, rng, x, dy, cache = placed(layer, shape)
    x_dot = rng.standard_normal(shape)
    state = critic.rng.bit_generator.state

    def backward(step):
        critic.rng.bit_generator.state = state
        critic.zero_grad()
        with critic.held_buffers():
            _, there = layer.forward(x + step * x_dot)
        dx = layer.backward(dy, there)
        return np.concatenate([dx.ravel(), critic.grad])

    def difference(step):
        return (backward(step) - backward(-step)) / (2 * step)

    expected = (4 * difference(1e-3) - difference(2e-3)) / 3
    critic.zero_grad()
    moved = layer.curvature(dy, cache, x_dot)
    moved = np.zeros(x.size) if moved is None else moved.ravel()
    assert close(np.concatenate([moved, critic.grad]), expected, 1e-9)


@pytest.mark.parametrize("layer, shape", LAYERS, ids=lambda case: str(case)[:40])
def test_adjoint_identities(layer, shape, backend):
    """<J v, c> = <v, J' c>, and the Hessian of <c, y> in x is symmetric: no epsilon in either."""
    _, rng, x, dy, cache = placed(layer, shape)
    v, w = rng.standard_normal((2, *shape))
    along = np.sum(layer.tangent(v, cache) * dy)
    assert close(along, np.sum(v * layer.backward_input(dy, cache)))
    moved = layer.curvature(dy, cache, v)
    if moved is None:
        assert layer.piecewise_linear
    else:
        assert close(np.sum(moved * w), np.sum(layer.curvature(dy, cache, w) * v))


# -- beside another implementation -----------------------------------------------------------------


@pytest.mark.parametrize("penalty", [P.R1(0.7), P.GradientPenalty(2.0)], ids=str)
@pytest.mark.parametrize("residual", [False, True])
def test_beside_double_backward_of_pytorch(penalty, residual):
    torch = pytest.importorskip("torch")
    wide = [L.Conv2d(2, 3, 3, padding=1)]
    branch = mg.Sequential([L.Conv2d(3, 3, 3, padding=1), L.SiLU(), L.Conv2d(3, 3, 1)])
    deep = [L.Residual(branch)] if residual else []
    critic = network([*wide, *deep, L.Tanh(), L.Flatten(), L.Linear(48, 1)])
    real, fake = minibatches(5, 4, 4, 2)
    found = gradient(penalty, critic, real, fake)

    points = penalty.points(real, fake, np.random.default_rng(0))
    x = torch.tensor(points, requires_grad=True)
    theta = [torch.tensor(v.copy(), requires_grad=True) for _, v, _ in critic.named_parameters()]

    def convolve(image, kernel, bias):
        padding = kernel.shape[0] // 2
        return torch.nn.functional.conv2d(image, kernel.permute(3, 2, 0, 1), bias, padding=padding)

    image = convolve(x.permute(0, 3, 1, 2), *theta[:2])
    if residual:
        inside = torch.nn.functional.silu(convolve(image, *theta[2:4]))
        image = image + convolve(inside, *theta[4:6])
    logits = torch.tanh(image).permute(0, 2, 3, 1).flatten(1) @ theta[-2] + theta[-1]
    (g,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    lengths = g.flatten(1).norm(dim=1)
    if isinstance(penalty, P.R1):
        value = penalty.gamma / 2 * (lengths**2).mean()
    else:
        value = penalty.weight * ((lengths - penalty.target) ** 2).mean()
    expected = torch.autograd.grad(value, theta, allow_unused=True, materialize_grads=True)
    assert close(found, np.concatenate([part.numpy().ravel() for part in expected]))


# -- clipping --------------------------------------------------------------------------------------


def test_weight_clipping():
    critic = network([L.Linear(3, 4), L.LeakyReLU(), L.Linear(4, 1)])
    before, clipping = critic.theta.copy(), P.WeightClipping(0.1)
    real, fake = minibatches(5, 3)
    assert clipping.accumulate(critic, real, fake, 0) == clipping.value(critic, real, fake, 0) == 0
    assert np.array_equal(critic.theta, before) and not critic.grad.any()
    clipping.after_step(critic)
    assert np.array_equal(critic.theta, np.clip(before, -0.1, 0.1))
    assert np.abs(before).max() > 0.1


# -- who is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
@pytest.mark.parametrize(
    "layer, name", [(L.BatchNorm(4), r"BatchNorm\(4\)"), (L.MinibatchStdDev(), "MinibatchStdDev")]
)
def test_layers_that_mix_samples_are_refused_by_name(penalty, layer, name):
    real, fake = minibatches(5, 3)
    for around in (lambda inside: inside, lambda inside: L.Residual(inside, L.Linear(4, 5))):
        critic = network(
            [L.Linear(3, 4), around(mg.Sequential([copy.deepcopy(layer)])), L.Linear(5, 1)]
        )
        for use in (penalty.accumulate, penalty.value):
            with pytest.raises(ValueError, match=rf"^{type(penalty).__name__}: {name}.*mixes"):
                use(critic, real, fake, 0)
        assert not critic.grad.any()


def test_a_layer_without_second_derivative_is_refused_by_name():
    class Cube(L.Layer):
        def forward(self, x, training=True):
            return x**3, x

        def backward_input(self, dy, x):
            return 3 * x**2 * dy

    for layer in (Cube(), L.Residual(mg.Sequential([Cube()])), L.Residual(L.Linear(4, 4), Cube())):
        critic = network([L.Linear(3, 4), layer, L.Linear(4, 1)])
        with pytest.raises(ValueError, match=r"R1: Cube\(\) has no second derivative"):
            P.R1(1.0).accumulate(critic, *minibatches(5, 3), 0)


def test_critic_must_be_a_network_with_a_logit():
    real, fake = minibatches(5, 3)
    with pytest.raises(TypeError, match="discriminator must be a Sequential"):
        P.R1(1.0).accumulate(L.Linear(3, 1), real, fake, 0)
    with pytest.raises(ValueError, match=r"shape \(5, 1\) or wider; it gave \(5, 3, 1\)"):
        P.R1(1.0).accumulate(network([L.Reshape((3, 1))]), real, fake, 0)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_of_several_values_the_first_is_penalised(penalty, backend):
    """As in a critic with the same trunk, and the first column of the last layer's weight alone."""
    wide = network([L.Linear(3, 6), L.LeakyReLU(0.2), L.Linear(6, 4)])
    narrow = network([L.Linear(3, 6), L.LeakyReLU(0.2), L.Linear(6, 1)])
    (w1, b1, w2, b2), (v1, c1, v2, c2) = (
        [value for _, value, _ in critic.named_parameters()] for critic in (wide, narrow)
    )
    v1[...], c1[...], v2[...], c2[...] = w1, b1, w2[:, :1], b2[:1]
    real, fake = minibatches(5, 3)
    assert penalty.accumulate(wide, real, fake, 0) == penalty.accumulate(narrow, real, fake, 0) > 0
    found, expected = (
        [grad for *_, grad in critic.named_parameters()] for critic in (wide, narrow)
    )
    assert close(found[0], expected[0]) and close(found[2][:, :1], expected[2])
    assert expected[2].any() and not found[2][:, 1:].any() and not found[3].any()


@pytest.mark.parametrize("make", [P.R1, P.R2, P.GradientPenalty, P.Dragan, P.WeightClipping])
def test_bad_arguments_are_named(make):
    name = {P.R1: "gamma", P.R2: "gamma", P.WeightClipping: "limit"}.get(make, "weight")
    for value in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"{make.__name__}: {name}"):
            make(value)
    for value in ("1", None, True, [1.0]):
        with pytest.raises(TypeError, match=f"{make.__name__}: {name}"):
            make(value)
    if make is P.GradientPenalty:
        with pytest.raises(ValueError, match="GradientPenalty: target"):
            make(1.0, -0.5)
        with pytest.raises(TypeError, match="GradientPenalty: target"):
            make(1.0, "one")
    if make is P.WeightClipping:
        with pytest.raises(ValueError, match="WeightClipping: limit"):
            make(0)


def test_the_ends_of_the_arguments():
    """A weight of 0 switches a penalty off; the target is 1 unless another is asked for."""
    assert P.R1(0).gamma == P.GradientPenalty(0, target=0).weight == P.Dragan(0).weight == 0
    assert P.GradientPenalty(1.0).target == P.Dragan(1.0).target == 1


def test_bad_minibatches_are_named():
    critic = network([L.Linear(3, 1)])
    real, fake = minibatches(5, 3)
    for samples, error in (("text", TypeError), (real[:0], ValueError), (real[0], ValueError)):
        with pytest.raises(error, match="real must be"):
            P.R1(1.0).accumulate(critic, samples, fake, 0)
        with pytest.raises(error, match="fake must be"):
            P.R2(1.0).accumulate(critic, real, samples, 0)
    with pytest.raises(ValueError, match=r"one shape, got \(5, 3\) and \(4, 3\)"):
        P.GradientPenalty(1.0).accumulate(critic, real, fake[:4], 0)
    with pytest.raises(ValueError, match=r"Linear\(3, 1\)"):
        P.R1(1.0).accumulate(critic, real[:, :2], fake, 0)

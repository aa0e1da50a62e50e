"""Self-attention and conditional batch norm: in whole steps, beside PyTorch, in the ledger."""

import numpy as np
import pytest

import minigan as mg
from minigan import layers as L
from minigan.layers.conditional import OneHot, WithCode
from minigan.verify.gradcheck.report import relative_error

RNG = np.random.default_rng(0)
IMAGES = np.tanh(RNG.standard_normal((4, 2, 3, 2)))


def attending():
    """A GAN of images of 2 x 3, with attention in both players, whose gammas are not 0."""
    G = mg.Sequential(
        [L.Linear(3, 12), L.Reshape((2, 3, 2)), L.SelfAttention(2), L.Tanh()], dtype="float64"
    )
    D = [L.Conv2d(2, 3, 1), L.SelfAttention(3), L.Softplus(), L.Flatten(), L.Linear(18, 1)]
    D = mg.Sequential(D, dtype="float64", rng=1)
    G.layers[2].params["gamma"], D.layers[1].params["gamma"] = [0.8], [-1.2]
    return mg.GAN(G, D, latent_dim=3, penalties=[mg.penalties.R1(0.7), mg.penalties.R2(0.3)])


def test_a_whole_step_with_penalties(backend):
    report = mg.gradcheck.check_step(attending(), IMAGES, progress=False)
    assert report.ok, f"\n{report}"


def test_a_whole_step_with_conditional_batch_norm(backend):
    G = [
        OneHot(2), WithCode(L.Linear(5, 8), 2, whole=True), L.ConditionalBatchNorm((2, 2, 2), 2),
        WithCode(mg.Sequential([L.Reshape((2, 2, 2)), L.Softplus(), L.Conv2d(2, 1, 1)]), 2),
    ]  # fmt: skip
    G = mg.Sequential(G, dtype="float64", rng=0)
    D = mg.Sequential([L.Linear(6, 4), L.Tanh(), L.Linear(4, 1)], dtype="float64", rng=1)
    G.theta += 0.3 * RNG.standard_normal(G.theta.size)
    gan = mg.GAN(G, D, latent_dim=5)
    real = mg.conditional.label(RNG.standard_normal((6, 2, 2, 1)), [0, 1, 1, 0, 1, 1], 2)
    report = mg.gradcheck.check_step(gan, real, progress=False)
    assert report.ok, f"\n{report}"


def test_a_whole_step_of_the_conditional_generator_with_its_own_norms():
    """Every scale and shift of every class gets its gradient, and none of an absent class."""
    G = mg.models.conditional_generator(2, 3, class_norm=True, channels=1, hidden=(4,))
    norms = [layer for layer in G.layers if isinstance(layer, L.ConditionalBatchNorm)]
    assert [layer.shape for layer in norms] == [(4,), (7, 7, 2), (14, 14, 1)]
    G.theta += 0.1 * RNG.standard_normal(G.theta.size).astype(np.float32)
    D = mg.models.projection_discriminator(3, channels=1, batch_norm=False)
    gan = mg.GAN(G, D, latent_dim=5, penalties=[mg.penalties.R1(0.5)])
    real = mg.conditional.label(RNG.uniform(-1, 1, (6, 28, 28, 1)), [0, 1, 2, 0, 1, 2], 3)
    report = mg.gradcheck.check_step(gan, real, directions=1, rng=0, progress=False)
    assert report.ok, f"\n{report}"
    noise = mg.conditional.ask(gan.draw_noise(4), [0, 0, 1, 1], 3)
    rows, cache = G.forward(noise)
    G.zero_grad()
    G.backward(RNG.standard_normal(rows.shape).astype(np.float32), cache)
    for norm in norms:
        for grad in norm.grads.values():
            assert grad[:2].any(axis=1).all() and not grad[2].any()


def test_conditional_batch_norm_of_one_class_is_batch_norm():
    plain, conditional = L.BatchNorm(2), L.ConditionalBatchNorm((3, 2), 2)
    x = RNG.standard_normal((5, 3, 2)).astype(np.float32)
    code = np.tile(np.float32([0, 1]), (5, 1))
    for name, values in (("gamma", [2.0, -1.0]), ("beta", [0.5, 3.0])):
        plain.params[name] = values
        conditional.params[name] = [[9.0, 9.0], values]
    for training in (True, False):
        expected, _ = plain.forward(x, training)
        rows = np.concatenate([x.reshape(5, 6), code], axis=1)
        found, _ = conditional.forward(rows, training)
        np.testing.assert_allclose(found[:, :6].reshape(x.shape), expected, rtol=1e-6, atol=1e-6)
        assert np.array_equal(found[:, 6:], code)


def test_attention_is_off_at_first_and_looks_at_what_is_alike():
    layer = L.SelfAttention(8)
    x = RNG.standard_normal((3, 4, 4, 8)).astype(np.float32)
    assert np.array_equal(layer.forward(x)[0], x)
    maps = layer.attention(x)
    assert maps.shape == (3, 4, 4, 4, 4) and maps.min() >= 0
    np.testing.assert_allclose(maps.sum(axis=(3, 4)), 1, rtol=1e-5)
    layer.params["query"], layer.params["key"] = np.ones((8, 1)), np.ones((8, 1))
    x[:] = 0
    x[0, 1, 2] = 9  # 72 in q and k: its row is all on itself, exp(72^2) does not overflow
    maps = layer.attention(x)
    assert maps[0, 1, 2, 1, 2] == 1 and np.allclose(maps[0, 0, 0], 1 / 16)


def test_the_same_as_pytorch():
    """Values, gradients, and the gradient of a penalty on the input's gradient."""
    torch = pytest.importorskip("torch")
    layer = mg.Sequential([L.SelfAttention(8)], dtype="float64", rng=0)
    layer.theta += 0.2 * RNG.standard_normal(layer.theta.size)
    x, dy, direction = RNG.standard_normal((3, 2, 3, 4, 8))
    y, cache = layer.forward(x)
    layer.zero_grad()
    dx = layer.backward(dy, cache)
    first = layer.grad.copy()
    layer.zero_grad()
    dx_dot = layer.curvature(dy, cache, direction)

    p = {name.split(".")[1]: torch.tensor(v, requires_grad=True)
         for name, v, _ in layer.named_parameters()}  # fmt: skip
    image = torch.tensor(x, requires_grad=True)
    flat = image.reshape(2, 12, 8)
    q, k, v = flat @ p["query"], flat @ p["key"], flat @ p["value"]
    attended = torch.softmax(q @ k.transpose(1, 2), dim=2) @ v @ p["output"]
    out = (flat + p["gamma"] * attended).reshape(image.shape)
    value = (out * torch.tensor(dy)).sum()
    inputs = [image, *p.values()]
    gradients = torch.autograd.grad(value, inputs, create_graph=True)
    along = (gradients[0] * torch.tensor(direction)).sum()
    second = torch.autograd.grad(along, inputs, allow_unused=True)
    assert relative_error(y, out.detach().numpy()) < 1e-13
    assert relative_error(dx, gradients[0].detach().numpy()) < 1e-12
    assert relative_error(dx_dot, second[0].numpy()) < 1e-12
    for found, theirs in ((first, gradients[1:]), (layer.grad, second[1:])):
        flat = np.concatenate([t.detach().numpy().ravel() for t in theirs])
        assert relative_error(found, flat) < 1e-12


def test_attention_in_the_ledger():
    ledger = mg.ledger.record(attending(), IMAGES)
    assert ledger.check().ok
    text = str(ledger)
    assert "A = softmax(q k')" in text and "dS = A (dA - <A, dA>)" in text


def test_bad_input():
    with pytest.raises(
        ValueError, match=r"at most 4,096 positions \(64 x 64\).*got 65 x 64, 4,160"
    ):
        L.SelfAttention(2).forward(np.zeros((1, 65, 64, 2)))
    with pytest.raises(ValueError, match=r"SelfAttention\(2\): x must be real numbers of shape"):
        L.SelfAttention(2).forward(np.zeros((1, 4, 4, 3)))
    with pytest.raises(ValueError, match="SelfAttention: channels must be an integer >= 1"):
        L.SelfAttention(0)
    with pytest.raises(ValueError, match="ConditionalBatchNorm: classes must be an integer >= 2"):
        L.ConditionalBatchNorm((3,), 1)
    with pytest.raises(ValueError, match="needs at least 2 values per channel to train, got 1"):
        L.ConditionalBatchNorm((3,), 2).forward(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="class_norm=True is for codes of a class alone, got con"):
        mg.models.conditional_generator(2, 3, continuous=1, class_norm=True)
    with pytest.raises(ValueError, match="a penalised discriminator cannot contain it"):
        D = mg.Sequential([L.ConditionalBatchNorm((3,), 2), L.Linear(5, 1)])
        mg.penalties.R1(1.0).check(D)

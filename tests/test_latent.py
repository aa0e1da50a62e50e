"""The latent laboratory: paths, directions, inversion."""

import numpy as np
import pytest

import minigan as mg
from minigan.layers import Linear, Reshape, Tanh
from minigan.observe.latent import directions, great_circle, invert, line

G = mg.Sequential([Linear(3, 24), Tanh(), Linear(24, 16), Reshape((4, 4, 1))], rng=0)
RNG = np.random.default_rng(0)


def test_paths():
    a, b = RNG.standard_normal((2, 6))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    for path in (line, great_circle):
        found = path(a, b, 5)
        np.testing.assert_allclose(found[[0, -1]], [a, b], atol=1e-12)
    np.testing.assert_allclose(line(a, b, 3)[1], (a + b) / 2)
    on_circle = great_circle(a, b, 9)
    np.testing.assert_allclose(np.linalg.norm(on_circle, axis=1), np.linalg.norm(a))
    steps = np.linalg.norm(np.diff(on_circle, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0])
    np.testing.assert_allclose(great_circle(a, -a, 3)[1], 0, atol=1e-12)


def test_directions_are_those_of_the_jacobian():
    z = RNG.standard_normal((4, 3)).astype(np.float32)
    strengths, U = directions(G, z)
    gram = 0
    for row in z.astype(np.float64):
        ends = [G.forward(row + s * 1e-2 * np.eye(3))[0].reshape(3, -1) for s in (1, -1)]
        J = (ends[0].astype(float) - ends[1]) / 2e-2
        gram = gram + J @ J.T / 4
    np.testing.assert_allclose(U.T @ gram @ U, np.diag(strengths**2), atol=2e-3 * strengths[0] ** 2)
    assert np.all(np.diff(strengths) <= 0)


def test_inversion_finds_what_g_has_made():
    z = RNG.standard_normal((3, 3)).astype(np.float32)
    images, _ = G.forward(z)
    theta, grad = G.theta.copy(), G.grad.copy()
    found = invert(G, images, steps=300, starts=6, prior=0.0)
    assert found.errors.max() < 1e-3 and found.z.shape == (3, 3)
    np.testing.assert_allclose(found.images, images, atol=5e-3)
    assert np.array_equal(G.theta, theta) and np.array_equal(G.grad, grad)
    other = RNG.standard_normal((1, 4, 4, 1))
    assert invert(G, other, steps=100).errors[0] > 0.1  # it is not one of G's


def test_bad_input():
    for call, message in [
        (
            lambda: line([1, 2], [1, 2, 3], 4),
            "line: a and b must have one shape, got (2,) and (3,)",
        ),
        (lambda: great_circle([1, 2], [3, 4], 1), "great_circle: n must be an integer >= 2, got 1"),
        (
            lambda: directions(G, np.ones(3)),
            "directions: z must be real numbers",
        ),
        (
            lambda: invert(G, np.ones((2, 5, 5, 1))),
            "numbers of shape (N, 4, 4, 1)",
        ),
        (
            lambda: invert(G, np.ones((2, 4, 4, 1)), lr=0),
            "invert: lr must be a finite number",
        ),
    ]:
        with pytest.raises(ValueError) as raised:
            call()
        assert message in str(raised.value)
    with pytest.raises(TypeError, match="invert: the generator must begin with a linear layer"):
        invert(mg.Sequential([Tanh()]), np.ones((2, 4)))

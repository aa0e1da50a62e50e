"""The latent laboratory: paths, directions, inversion."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import minigan as mg
from minigan.layers import LeakyReLU, Linear, Reshape, Tanh
from minigan.observe.latent import directions, great_circle, invert, line

from .browser import answer, browse, needs_chromium

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


def test_a_generator_may_begin_with_a_network():
    inner = mg.Sequential([Linear(2, 3), Tanh()])
    assert invert(mg.Sequential([inner, Linear(3, 2)]), np.ones((4, 2)), steps=1).z.shape == (4, 2)


def test_bad_input():
    with pytest.raises(ValueError, match="directions: z must be noise for generator, got an array"):
        directions(mg.Sequential([Linear(2, 3)]), np.ones((4, 3)))
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
        (lambda: directions(G, np.ones((0, 3))), "directions: z must be"),
        (lambda: invert(G, np.ones((0, 4, 4, 1))), "invert: images must be"),
        (lambda: invert(G, np.full((1, 4, 4, 1), np.nan)), "images must be finite real numbers"),
    ]:
        with pytest.raises(ValueError) as raised:
            call()
        assert message in str(raised.value)
    with pytest.raises(TypeError, match="invert: generator must begin with a Linear layer"):
        invert(mg.Sequential([Tanh()]), np.ones((2, 4)))


LOOK = """
const log = { z: z0, image: [...G(z0)], requests: performance.getEntriesByType("resource").length };
const large = document.getElementById("large");
const painted = () => large.toDataURL();
const before = painted();
sliders[0].input.value = 2;
sliders[0].input.dispatchEvent(new Event("input"));
log.moved = painted() !== before;
document.getElementById("reset").click();
log.back = painted() === before;
log.wide = document.documentElement.scrollWidth > innerWidth;
log.unnamed = [...document.querySelectorAll("button, input")].filter(
  (one) => !one.textContent.trim() && !one.ariaLabel).length;
document.body.innerHTML = `<pre id="answer">${JSON.stringify(log)}</pre>`;
"""


@needs_chromium
@pytest.mark.parametrize("size", ["390,844", "1920,1080"])
def test_the_page_computes_what_the_generator_does(tmp_path, size):
    generator = mg.Sequential(
        [Linear(3, 24), LeakyReLU(0.2), Linear(24, 16), Tanh(), Reshape((4, 4, 1))], rng=1
    )
    strengths, U = directions(generator, RNG.standard_normal((8, 3)))
    file = Path(__file__).parents[1] / "demos" / "helpers" / "latent_page.py"
    path = tmp_path / "latent.html"
    runpy.run_path(str(file))["write"](path, generator, strengths, U, shape=(4, 4, 1), seed=0)
    text = path.read_text("utf-8")
    assert "__" not in text and "https://" not in text
    path.write_text(text.replace("</body>", f"<script>{LOOK}</script></body>"), "utf-8")
    document, console = browse(path, f"--window-size={size}")
    assert not console, console
    log = answer(document)
    image, _ = generator.forward(np.float32([log["z"]]), training=False)
    np.testing.assert_allclose(log["image"], image.ravel(), atol=1e-5)
    assert log["moved"] and log["back"] and not log["wide"]
    assert log["requests"] == log["unnamed"] == 0


@pytest.mark.parametrize(
    "layers",
    [
        [mg.Sequential([Linear(4, 2)]), Linear(2, 3)],
        [mg.layers.SpectralNorm(Linear(4, 3))],
        [Reshape((1, 1, 4)), mg.layers.ConvTranspose2d(4, 3, 4)],
        [mg.layers.FourierFeatures(4, 5), Linear(10, 3)],
    ],
)
def test_inversion_knows_how_many_noise_values_a_generator_takes(layers):
    network = mg.Sequential(layers)
    images = network.forward(np.ones((2, 4)), training=False)[0]
    assert invert(network, images, steps=2, starts=1).z.shape == (2, 4)

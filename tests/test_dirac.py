"""The Dirac-GAN: Jacobians, eigenvalues, contraction as measured, and what else is known."""

import numpy as np
import pytest

from minigan import dirac
from minigan.theory.dirac.fields import slopes
from minigan.verify.gradcheck.differences import central_differences
from minigan.verify.gradcheck.report import relative_error

H = 0.2
SMOOTH = {
    "minimax": dirac.Minimax(),
    "non-saturating": dirac.NonSaturating(),
    "relativistic": dirac.Relativistic(),
    "WGAN": dirac.ClippedWasserstein(1.0),
    "instance noise": dirac.InstanceNoise(1.0),
    "R1 0.3": dirac.R1(0.3),
    "R1 1": dirac.R1(1.0),
    "R1 2": dirac.R1(2.0),
    "consensus": dirac.Consensus(1.0),
}
STEPS = [dirac.Simultaneous(H), dirac.Alternating(H), dirac.Flow(H)]


def lengths(method, step, start=(1.0, 1.0), steps=4000):
    return np.hypot(*dirac.trajectory(method, step, start, steps).T)


def test_slopes():
    t = np.linspace(-4, 4, 9)
    orders = [lambda: -np.log1p(np.exp(-t)), lambda: slopes(t)[0], lambda: slopes(t)[1]]
    for function, derivative in zip(orders, slopes(t)):
        difference, _ = central_differences(lambda f=function: float(np.sum(f())), t)
        assert relative_error(derivative, difference) < 1e-7


@pytest.mark.parametrize("name", [*SMOOTH, "WGAN-GP"])
def test_jacobians(name):
    method = SMOOTH.get(name) or dirac.GradientPenalty(0.7, 0.3)
    for z in np.random.default_rng(0).uniform(-1.5, 1.5, (5, 2)):
        rows = [central_differences(lambda n=n: float(method.field(*z)[n]), z)[0] for n in (0, 1)]
        assert relative_error(method.jacobian(*z), np.array(rows)) < 1e-7


def test_fields_take_grids():
    grid = np.meshgrid(np.linspace(-2, 2, 3), np.linspace(-1, 1, 4))
    for method in [*SMOOTH.values(), dirac.GradientPenalty()]:
        v1, v2 = method.field(*grid)
        assert v1.shape == v2.shape == (4, 3)
        np.testing.assert_allclose(method.field(grid[0][2, 1], grid[1][2, 1]), (v1[2, 1], v2[2, 1]))


def test_eigenvalues_by_the_table():
    """Mescheder et al. 2018, as in the package's docstring."""
    gamma, sigma = 0.6, 1.3
    bend, slope = -1 / 4, 1 / 2
    noisy = np.emath.sqrt(sigma**4 * bend**2 - slope**2)
    expected = {
        dirac.Minimax(): 0.5j,
        dirac.NonSaturating(): 0.5j,
        dirac.Relativistic(): 0.5j,
        dirac.ClippedWasserstein(): 1j,
        dirac.InstanceNoise(sigma): sigma**2 * bend + noisy,
        dirac.R1(gamma): -gamma / 2 + np.emath.sqrt(gamma**2 / 4 - 1 / 4),
        dirac.R1(2.0): -1 + np.sqrt(3 / 4),
        dirac.Consensus(gamma): -gamma / 4 + 0.5j,
    }
    for method, value in expected.items():
        found = np.linalg.eigvals(method.jacobian(0.0, 0.0))
        other = np.conj(value) if value.imag else np.trace(method.jacobian(0.0, 0.0)) - value
        assert np.allclose(np.sort_complex(found), np.sort_complex([value, other]), atol=1e-12)
        assert np.allclose(method.field(0.0, 0.0), 0, atol=1e-16)


@pytest.mark.parametrize("h", [0.02, 0.2, 0.7])
def test_contraction_by_the_docstring(h):
    """The last two columns of its table: the squares, where the eigenvalues of M are not real."""
    gamma, sigma = 0.4, 1.1
    k = 1 - h * gamma / 4
    table = {
        dirac.Minimax(): (1 + h**2 / 4, 1),
        dirac.NonSaturating(): (1 + h**2 / 4, 1),
        dirac.ClippedWasserstein(): (1 + h**2, 1),
        dirac.R1(gamma): (1 - h * gamma + h**2 / 4, 1 - h * gamma),
        dirac.InstanceNoise(sigma): (1 - h * sigma**2 / 2 + h**2 / 4, 1 - h * sigma**2 / 2),
        dirac.Consensus(gamma): (k**2 + h**2 / 4, k**2),
    }
    for method, squares in table.items():
        for step, square in zip((dirac.Simultaneous(h), dirac.Alternating(h)), squares):
            found = dirac.predicted_contraction(method, step)
            assert found**2 == pytest.approx(square, abs=1e-12)


def test_best_strength_of_r1():
    """Where two eigenvalues meet: gamma = 1 in simultaneous steps, 1 - h/4 in alternating ones."""
    for step, best in ((dirac.Simultaneous(H), 1.0), (dirac.Alternating(H), 1 - H / 4)):
        weak, at_best, strong = (
            dirac.predicted_contraction(dirac.R1(gamma), step)
            for gamma in (best - 0.05, best, best + 0.05)
        )
        assert at_best < min(weak, strong)
        assert at_best == pytest.approx(1 - H / 2, abs=1e-7)  # a double root: half the digits


def test_alternating_leaves_the_circle_beyond_h_4():
    assert dirac.predicted_contraction(dirac.Minimax(), dirac.Alternating(3.9)) == pytest.approx(1)
    assert dirac.predicted_contraction(dirac.Minimax(), dirac.Alternating(4.1)) > 1.2


def test_matrix_is_the_step():
    """M(J) beside differences of the step itself, at the equilibrium."""
    for method in SMOOTH.values():
        for step in STEPS:
            z = np.zeros(2)
            expected = [
                central_differences(lambda n=n: float(step(method, z)[n]), z)[0] for n in (0, 1)
            ]
            found = step.matrix(method.jacobian(0.0, 0.0))
            assert relative_error(found, np.array(expected)) < 1e-7


@pytest.mark.parametrize("step", STEPS[:2], ids=lambda step: step.name)
@pytest.mark.parametrize("name", SMOOTH)
def test_measured_contraction(name, step):
    predicted = dirac.predicted_contraction(SMOOTH[name], step)
    assert dirac.measured_contraction(SMOOTH[name], step) == pytest.approx(predicted, abs=1e-3)


def test_measured_contraction_of_the_flow():
    for gamma, rate in ((0.0, 0), (0.5, -0.25), (2.0, -1 + np.sqrt(3 / 4))):
        measured = dirac.measured_contraction(dirac.R1(gamma), dirac.Flow(H), steps=2000)
        assert measured == pytest.approx(np.exp(H * rate), abs=1e-3)


# -- what is known beyond the eigenvalues ----------------------------------------------------------


def test_minimax_circles_spirals_and_stays():
    method = dirac.Minimax()
    assert np.ptp(lengths(method, dirac.Flow(0.02), steps=1000)) < 1e-9
    path = dirac.trajectory(method, dirac.Simultaneous(H))
    r = np.hypot(*path.T)
    slope, *_ = slopes(path[:-1, 0] * path[:-1, 1])
    np.testing.assert_allclose(r[1:] / r[:-1], np.sqrt(1 + H**2 * slope**2), rtol=1e-13)
    assert r[-1] > 2 * r[0]
    bounded = lengths(method, dirac.Alternating(H))
    assert 1.3 < bounded.min() and bounded.max() < 1.6


def test_non_saturating_converges_ever_more_slowly():
    method = dirac.NonSaturating()
    for step in (dirac.Flow(H), dirac.Alternating(H)):
        inverse = lengths(method, step) ** -2.0
        growth, _ = np.polyfit(H * np.arange(len(inverse)), inverse, 1)
        assert growth == pytest.approx(1 / 8, rel=0.01)
    for h in (0.1, 0.2):
        end = lengths(method, dirac.Simultaneous(h))[-1000:]
        assert end.mean() == pytest.approx(np.sqrt(2 * h), rel=0.01)


@pytest.mark.parametrize("h", [0.05, 0.2, 0.8])
def test_clipped_wasserstein_never_converges(h):
    for clip, start in ((1.0, (1.0, 1.0)), (0.3, (0.2, -2.0)), (0.5, (0.05, 0.02))):
        method = dirac.ClippedWasserstein(clip)
        for step in (dirac.Simultaneous(h), dirac.Alternating(h)):
            floor = method.floor(step, start)
            r = lengths(method, step, start, 2000)
            assert floor > 0.02 and r.min() >= floor * (1 - 1e-12)
        assert lengths(method, dirac.Simultaneous(h), start, 2000)[-200:].min() >= clip


@pytest.mark.parametrize("h", [0.05, 0.2, 0.8])
def test_wgan_gp_cannot_settle(h):
    method = dirac.GradientPenalty(weight=0.5, target=1.0)
    for start in ((1.0, 1.0), (1e-3, 1e-3), (0.0, -0.1)):
        for step in (dirac.Simultaneous(h), dirac.Alternating(h)):
            r = lengths(method, step, start, 1000)
            assert np.maximum(r[1:], r[:-1]).min() >= method.floor(step, start) > 0.02


@pytest.mark.parametrize("weight, target", [(0.5, 1.0), (0.5, 0.3), (0.2, 1.0)])
def test_wgan_gp_cycle(weight, target):
    """The flow crosses psi = 0 where `cycle` says, from inside the cycle and from outside."""
    method = dirac.GradientPenalty(weight, target)
    for start in ((0.01, 0.01), (2.0, 1.0)):
        theta, psi = dirac.trajectory(method, dirac.Flow(0.01), start, 4000).T
        last = np.flatnonzero(np.diff(np.sign(psi)))[-1]
        assert abs(theta[last]) == pytest.approx(method.cycle(), rel=2e-3)


def test_instance_noise_is_exact():
    """Gauss-Hermite sums beside a fine sum over the normal density; and R1 with sigma^2 / 2."""
    e, step = np.linspace(-12, 12, 4001, retstep=True)
    density = np.exp(-(e**2) / 2) / np.sqrt(2 * np.pi) * step
    for sigma, theta, psi in ((1.0, 1.0, 1.0), (0.5, -0.7, 1.5)):
        x = theta + sigma * e
        fake, real = slopes(psi * x)[0], slopes(-psi * sigma * e)[0]
        expected = -psi * density @ fake, density @ (x * fake - sigma * e * real)
        found = dirac.InstanceNoise(sigma).field(theta, psi)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    noisy, penalised = dirac.InstanceNoise(1.3), dirac.R1(1.3**2 / 2)
    np.testing.assert_allclose(noisy.jacobian(0.0, 0.0), penalised.jacobian(0.0, 0.0), atol=1e-14)


def test_consensus_against_its_regulariser():
    """v - gamma grad R, grad R by differences: no factor of two is lost in either term."""
    gamma, method = 0.8, dirac.Consensus(0.8)
    for z in np.random.default_rng(1).uniform(-1.5, 1.5, (5, 2)):
        gradient, _ = central_differences(lambda: float(method.regulariser(*z)), z)
        expected = np.array(dirac.Minimax().field(*z)) - gamma * gradient
        assert relative_error(np.array(method.field(*z)), expected) < 1e-7


def test_bad_input():
    with pytest.raises(ValueError, match="R1: gamma"):
        dirac.R1(-1.0)
    with pytest.raises(ValueError, match="Simultaneous: h"):
        dirac.Simultaneous(0.0)
    with pytest.raises(ValueError, match="trajectory: steps"):
        dirac.trajectory(dirac.Minimax(), dirac.Alternating(H), steps=0)

"""Every formula of minigan.dirac beside simulated paths: four quadrants, several step sizes."""

import numpy as np
import pytest

from minigan import dirac

RATES = [0.05, 0.2, 0.5, 0.8, 1.5]
QUADRANTS = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
STARTS = [(a * theta, b * psi) for a, b in QUADRANTS for theta, psi in ((1.0, 1.0), (0.3, 1.7))]
STARTS += [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1e-3, -1e-3)]


def lengths(method, step, start, steps=300):
    return np.hypot(*dirac.trajectory(method, step, start, steps).T)


# -- clipped WGAN ----------------------------------------------------------------------------------


@pytest.mark.parametrize("h", RATES)
@pytest.mark.parametrize("start", STARTS)
def test_what_alternating_wgan_conserves(h, start):
    """theta^2 + psi^2 + h theta psi after whole steps, minus between the two moves."""
    path = dirac.trajectory(dirac.ClippedWasserstein(1e9), dirac.Alternating(h), start, 300)
    theta, psi = path.T
    conserved = theta**2 + psi**2 + h * theta * psi
    np.testing.assert_allclose(conserved, conserved[0], rtol=1e-10)
    theta, psi = theta[:-1], psi[1:]  # G has not moved yet
    between = theta**2 + psi**2 - h * theta * psi
    np.testing.assert_allclose(between, conserved[0], rtol=1e-10)


@pytest.mark.parametrize("clip", [0.01, 0.3, 1.0, 5.0])  # active at once, later, never
@pytest.mark.parametrize("h", [*RATES, 2.0, 3.0])
def test_no_path_of_clipped_wgan_goes_below_its_floor(clip, h):
    method = dirac.ClippedWasserstein(clip)
    for step in (dirac.Simultaneous(h), dirac.Alternating(h)):
        for start in STARTS:
            floor = method.floor(step, start)
            assert lengths(method, step, start).min() >= floor * (1 - 1e-9)


@pytest.mark.parametrize("h", RATES)
def test_the_floor_of_clipped_wgan_is_not_far_from_the_path(h):
    """Without clipping the ellipse Q = const is followed, whose nearest point is the floor."""
    method = dirac.ClippedWasserstein(100.0)
    for start in STARTS[:8]:
        floor = method.floor(dirac.Alternating(h), start)
        assert lengths(method, dirac.Alternating(h), start, 3000).min() < 1.05 * floor
    for start in STARTS[:8]:
        assert method.floor(dirac.Simultaneous(h), start) == pytest.approx(np.hypot(*start))


def test_the_floor_that_was_above_its_path():
    method, step = dirac.ClippedWasserstein(5.0), dirac.Alternating(0.5)
    assert method.floor(step, (1.0, -1.0)) == pytest.approx(np.sqrt(1.5 / 1.25))
    assert lengths(method, step, (1.0, -1.0)).min() == pytest.approx(1.0954, abs=1e-4)


def test_floors_refuse_a_flow_and_what_is_no_point():
    for method in (dirac.ClippedWasserstein(), dirac.GradientPenalty()):
        name = type(method).__name__
        with pytest.raises(ValueError, match=f"{name}.floor: step must be .*, got Flow"):
            method.floor(dirac.Flow(0.1), (1.0, 1.0))
        for start in ((1.0,), (1.0, np.nan), "ab"):
            with pytest.raises((ValueError, TypeError), match=f"{name}.floor: start must be"):
                method.floor(dirac.Alternating(0.1), start)


# -- WGAN-GP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("h", RATES)
@pytest.mark.parametrize("weight, target", [(0.5, 1.0), (0.1, 0.3), (2.0, 1.0)])
def test_no_path_of_wgan_gp_goes_below_its_floor(h, weight, target):
    method = dirac.GradientPenalty(weight, target)
    for step in (dirac.Simultaneous(h), dirac.Alternating(h)):
        floor = method.floor(step, (1.0, 1.0))
        for start in STARTS:
            path = dirac.trajectory(method, step, start, 100)
            r = np.hypot(*path.T)
            applies = path[:-1, 1] != 0
            assert np.maximum(r[1:], r[:-1])[applies].min() >= floor * (1 - 1e-9) > 0


@pytest.mark.parametrize("weight", [0.2, 0.5, 0.8])
def test_a_half_turn_of_wgan_gp_shrinks_the_distance_to_its_centre_by_q(weight):
    strength, target = 2 * weight, 0.7
    method = dirac.GradientPenalty(weight, target)
    q = np.exp(-np.pi * strength / np.sqrt(4 - strength**2))
    for start in STARTS[:8]:
        theta, psi = dirac.trajectory(method, dirac.Flow(0.005), start, 4000).T
        here = np.flatnonzero(np.diff(np.sign(psi)))
        share = psi[here] / (psi[here] - psi[here + 1])
        crossings = theta[here] + share * (theta[here + 1] - theta[here])
        entering = np.sign(psi[here + 1])[:-1]  # the side that the next half turn is on
        centre = -entering * strength * target
        np.testing.assert_allclose(
            crossings[1:] - centre, -q * (crossings[:-1] - centre), atol=5e-3
        )


@pytest.mark.parametrize("start", STARTS)
def test_wgan_gp_ends_on_its_cycle(start):
    method = dirac.GradientPenalty(0.5, 0.5)
    theta, psi = dirac.trajectory(method, dirac.Flow(0.01), start, 3000).T
    last = np.flatnonzero(np.diff(np.sign(psi)))[-1]
    assert abs(theta[last]) == pytest.approx(method.cycle(), rel=1e-2)


# -- the other statements of the docstrings --------------------------------------------------------


@pytest.mark.parametrize("h", RATES)
@pytest.mark.parametrize("start", STARTS)
def test_minimax_leaves_its_circle_along_the_tangent(h, start):
    path = dirac.trajectory(dirac.Minimax(), dirac.Simultaneous(h), start, 100)
    r = np.hypot(*path.T)
    slope = 1 / (1 + np.exp(path[:-1].prod(axis=1)))
    np.testing.assert_allclose(r[1:] / r[:-1], np.sqrt(1 + h**2 * slope**2), rtol=1e-12)
    flow = lengths(dirac.Minimax(), dirac.Flow(0.02), start)
    np.testing.assert_allclose(flow, flow[0], rtol=1e-8)


@pytest.mark.parametrize("start", STARTS[:-1])
def test_the_non_saturating_field_turns_inward_by_its_formula(start):
    theta, psi = start
    v = np.array(dirac.NonSaturating().field(theta, psi))
    t = theta * psi
    assert 2 * np.dot(start, v) == pytest.approx(-2 * t * np.tanh(t / 2), abs=1e-14)


@pytest.mark.parametrize("start", [(0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5)])
def test_the_rates_of_the_non_saturating_game_from_each_quadrant(start):
    method, h = dirac.NonSaturating(), 0.1
    for step in (dirac.Flow(h), dirac.Alternating(h)):
        inverse = lengths(method, step, start, 4000) ** -2.0
        growth, _ = np.polyfit(h * np.arange(4001), inverse, 1)
        assert growth == pytest.approx(1 / 8, rel=0.02)
    end = lengths(method, dirac.Simultaneous(h), start, 6000)[-1000:]
    assert end.mean() == pytest.approx(np.sqrt(2 * h), rel=0.01)


@pytest.mark.parametrize("h", RATES)
def test_the_table_of_eigenvalues_of_steps_by_paths(h):
    """|z| along paths near 0 from each quadrant grows or decays as the largest eigenvalue says."""
    methods = dirac.Minimax(), dirac.R1(0.4), dirac.Consensus(0.7), dirac.InstanceNoise(0.8)
    for method in methods:
        for step in (dirac.Simultaneous(h), dirac.Alternating(h)):
            matrix = step.matrix(method.jacobian(0.0, 0.0))
            for a, b in QUADRANTS:
                path = dirac.trajectory(method, step, (1e-7 * a, 2e-7 * b), 20)
                expected = np.linalg.matrix_power(matrix, 20) @ path[0]
                np.testing.assert_allclose(path[-1], expected, rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("h", [0.05, 0.2, 0.5])
def test_where_r1_is_too_strong(h):
    """The faster eigenvalue of a step passes -1 at 2/h + h/8, or 2/h - h/8 if alternating."""
    for step, sign in ((dirac.Simultaneous(h), 1), (dirac.Alternating(h), -1)):
        limit = 2 / h + sign * h / 8
        assert dirac.predicted_contraction(dirac.R1(0.999 * limit), step) < 1
        assert dirac.predicted_contraction(dirac.R1(1.001 * limit), step) > 1


@pytest.mark.parametrize("product, largest", [(1.0, 1e-14), (2.0, 1e-9)])
def test_how_exact_instance_noise_is(product, largest):
    """Its sums beside a fine sum over the normal density, at sigma |psi| = 1 and 2."""
    e, step = np.linspace(-12, 12, 8001, retstep=True)
    density = np.exp(-(e**2) / 2) / np.sqrt(2 * np.pi) * step
    for sigma in (0.5, 1.0, 2.0):
        for a, b in QUADRANTS:
            theta, psi = a * 0.7, b * product / sigma
            x = theta + sigma * e
            fake, real = 1 / (1 + np.exp(psi * x)), 1 / (1 + np.exp(-psi * sigma * e))
            expected = -psi * density @ fake, density @ (x * fake - sigma * e * real)
            found = dirac.InstanceNoise(sigma).field(theta, psi)
            assert np.abs(np.subtract(found, expected)).max() <= largest * max(1.0, sigma)


def test_objects_show_their_options():
    found = repr([dirac.ClippedWasserstein(0.5), dirac.Relativistic(), dirac.Alternating(0.2)])
    assert found == "[ClippedWasserstein(clip=0.5), Relativistic(), Alternating(0.2)]"

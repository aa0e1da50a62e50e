"""The distributions on the plane: the density is the samples' density, and integrates to one."""

import numpy as np
import pytest
from matplotlib.image import imsave

from minigan import data
from minigan.data.blurred_curves import BlurredCurve, _midpoints

SEED = 7


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A grey ramp, 24 x 16 pixels, dark at the lower left."""
    folder = tmp_path_factory.mktemp("picture")
    grey = np.add.outer(np.linspace(0.5, 0, 16), np.linspace(0, 0.5, 24))
    for name, levels in (("right", grey), ("mirrored", grey[:, ::-1])):
        imsave(folder / f"{name}.png", np.repeat(levels[..., np.newaxis], 3, axis=2))
    return folder


# name: (the distribution, the same with a mistake in it, spacing that resolves the density)
CASES = {
    "ring": lambda _: (data.gaussian_ring(), data.gaussian_ring(std=0.011), 0.01 / 4),
    "ring of 7": lambda _: (data.gaussian_ring(7), data.gaussian_ring(8), 0.01 / 4),
    "grid": lambda _: (data.gaussian_grid(), data.gaussian_grid(std=0.055), 0.05 / 4),
    "swiss roll": lambda _: (data.swiss_roll(std=0.04), data.swiss_roll(std=0.048), 0.04 / 4),
    "moons": lambda _: (data.two_moons(), data.two_moons(std=0.06), 0.05 / 4),
    "pinwheel": lambda _: (data.pinwheel(), data.pinwheel(rate=0.27), 0.1 / 4),
    "picture": lambda folder: (
        data.from_picture(folder / "right.png"),
        data.from_picture(folder / "mirrored.png"),
        2 / 24,  # one pixel
    ),
}


@pytest.fixture(params=CASES)
def case(request, picture):
    return CASES[request.param](picture)


def cells(distribution, spacing):
    """The middles (ny, nx, 2) of square cells that cover the extent."""
    left, right, bottom, top = distribution.extent
    nx, ny = round((right - left) / spacing + 0.49), round((top - bottom) / spacing + 0.49)
    x = left + spacing * (np.arange(nx) + 0.5)
    y = bottom + spacing * (np.arange(ny) + 0.5)
    return np.stack(np.meshgrid(x, y), axis=-1)


def masses(distribution, middles, spacing):
    return distribution.density(middles.reshape(-1, 2)).reshape(middles.shape[:2]) * spacing**2


def disagreement(samples, distribution, spacing):
    """Pearson's chi-square of samples against a density, in standard deviations above its mean.

    The bins are 4 x 4 cells; those that expect fewer than 5 samples, and all that lies outside of
    the extent, are one bin.
    """
    mass = masses(distribution, cells(distribution, spacing), spacing)
    ny, nx = -(-mass.shape[0] // 4), -(-mass.shape[1] // 4)
    mass = np.pad(mass, ((0, 4 * ny - mass.shape[0]), (0, 4 * nx - mass.shape[1])))
    expected = len(samples) * mass.reshape(ny, 4, nx, 4).sum(axis=(1, 3))
    left, _, bottom, _ = distribution.extent
    edges = [
        bottom + 4 * spacing * np.arange(ny + 1),
        left + 4 * spacing * np.arange(nx + 1),
    ]
    found = np.histogram2d(samples[:, 1], samples[:, 0], edges)[0]
    large = expected >= 5
    expected, found = expected[large], found[large]
    expected = np.append(expected, max(len(samples) - expected.sum(), 1))
    found = np.append(found, len(samples) - found.sum())
    freedom = len(expected) - 1
    return (((found - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom)


def test_density_integrates_to_one(case):
    distribution, _, spacing = case
    total = masses(distribution, cells(distribution, spacing), spacing).sum()
    assert total == pytest.approx(1, abs=2e-5)


def test_samples_have_the_density_and_would_show_a_wrong_one(case):
    distribution, mistaken, spacing = case
    samples = distribution.sample(20_000, SEED, dtype="float64")
    assert disagreement(samples, distribution, spacing) < 4
    assert disagreement(samples, mistaken, spacing) > 10


def test_a_seed_gives_the_same_points_and_a_generator_moves_on(case):
    distribution, _, _ = case
    rng = np.random.default_rng(SEED)
    first, second = distribution.sample(50, rng), distribution.sample(50, rng)
    assert np.array_equal(first, distribution.sample(50, SEED))
    assert not np.array_equal(first, second)


def test_sample_shape_and_dtype(case):
    distribution, _, _ = case
    single, double = distribution.sample(5, SEED), distribution.sample(5, SEED, dtype=np.float64)
    assert (single.shape, single.dtype) == ((5, 2), np.float32)
    assert double.dtype == np.float64
    assert np.array_equal(single, double.astype(np.float32))
    assert distribution.sample(0, SEED).shape == (0, 2)


def test_density_is_the_exponential_of_its_logarithm(case):
    distribution, _, _ = case
    points = distribution.sample(100, SEED)
    logarithm = distribution.log_density(points)
    assert (logarithm.shape, logarithm.dtype) == ((100,), np.float64)
    assert np.array_equal(distribution.density(points), np.exp(logarithm))
    assert distribution.density(np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize("name", [name for name in CASES if name != "picture"])
def test_log_density_is_finite_however_far_the_point(name):
    distribution, _, _ = CASES[name](None)
    far = np.array([[1e3, 0], [-1e6, 1e6], [0, 1e150], [1e200, -1e300]])
    logarithm = distribution.log_density(far)
    assert np.isfinite(logarithm).all()
    assert (np.diff(logarithm) <= 0).all()
    assert (distribution.density(far) == 0).all()


@pytest.mark.parametrize("std", [1e-200, 1e200])
def test_log_density_of_widths_whose_square_is_no_float(std):
    expected = -np.log(2 * np.pi) - 2 * np.log(std)
    lone = data.gaussian_ring(1, radius=min(std, 1.0), std=std)
    assert np.allclose(lone.log_density(lone.modes), expected, rtol=1e-12)
    wheel = data.pinwheel(1, radial_std=std, tangential_std=std)
    assert np.isfinite(wheel.log_density([[np.cos(0.25 * np.e), np.sin(0.25 * np.e)]])).all()


def test_log_density_of_one_gaussian_far_away():
    """-|x - c|^2 / (2 std^2) - log(2 pi std^2), where the density itself is long zero."""
    lone = data.gaussian_ring(1, radius=1, std=0.1)
    expected = -(99**2) / (2 * 0.01) - np.log(2 * np.pi * 0.01)
    assert lone.log_density([[100, 0]]) == pytest.approx(expected)


def test_ring_has_as_many_distinct_modes_as_asked_for():
    ring = data.gaussian_ring(8)
    assert len(np.unique(ring.modes.round(9), axis=0)) == 8
    assert np.hypot(*ring.modes.T) == pytest.approx(1)
    gaps = np.linalg.norm(np.roll(ring.modes, -1, axis=0) - ring.modes, axis=1)
    assert gaps == pytest.approx(2 * np.sin(np.pi / 8))
    assert ring.std == 0.01


def test_grid_is_pacgans():
    grid = data.gaussian_grid()
    assert len(np.unique(grid.modes, axis=0)) == 25
    assert sorted(set(grid.modes.ravel())) == [-4, -2, 0, 2, 4]
    assert grid.std == 0.05


def test_modes_are_a_copy():
    ring = data.gaussian_ring()
    ring.modes[:] = 0
    assert np.hypot(*ring.modes.T) == pytest.approx(1)


def test_every_mode_is_as_likely():
    ring = data.gaussian_ring(5)
    nearest = np.argmin(
        np.linalg.norm(ring.sample(10_000, SEED)[:, np.newaxis] - ring.modes, axis=2), axis=1
    )
    assert np.abs(np.bincount(nearest) - 2000).max() < 4 * np.sqrt(10_000 * 0.2 * 0.8)


@pytest.mark.parametrize("make", [data.swiss_roll, data.two_moons])
def test_curve_points_are_no_farther_apart_than_std(make):
    curve = make(std=0.03)
    steps = np.linalg.norm(np.diff(curve.curve, axis=0), axis=1)
    assert np.sort(steps)[-2] <= 0.03  # the longest step leads from one moon to the other


def test_curve_is_a_continuous_blur_but_for_its_ends():
    std, middle = 0.1, np.column_stack([np.linspace(-0.5, 0.5, 999), np.full(999, 0.05)])

    def blurred_segment(spacing):
        t = _midpoints(-1, 1, spacing=spacing)
        return BlurredCurve(np.column_stack([t, np.zeros_like(t)]), std)

    coarse, fine = blurred_segment(std), blurred_segment(std / 16)
    assert coarse.density(middle) == pytest.approx(fine.density(middle), rel=1e-5)
    ends = np.column_stack([np.linspace(0.5, 1.5, 999), np.zeros(999)])
    peak = fine.density([[0, 0]])
    assert np.abs(coarse.density(ends) - fine.density(ends)).max() < 0.011 * peak


def test_moons_are_half_circles_about_two_centres():
    upper, lower = np.split(data.two_moons().curve, 2)
    assert np.hypot(*(upper + [0.5, 0.25]).T) == pytest.approx(1)
    assert np.hypot(*(lower - [0.5, 0.25]).T) == pytest.approx(1)
    assert (upper[:, 1] > -0.25).all() and (lower[:, 1] < 0.25).all()


def test_swiss_roll_is_a_spiral_of_a_turn_and_a_half():
    x, y = data.swiss_roll().curve.T
    turned = np.unwrap(np.arctan2(y, x))
    assert np.ptp(turned) == pytest.approx(3 * np.pi, abs=0.05)
    assert np.hypot(x, y)[[0, -1]] == pytest.approx([1 / 3, 1], abs=0.01)
    assert np.ptp(np.hypot(x, y) / (turned - turned[0] + 1.5 * np.pi)) < 0.001


def test_pinwheel_looks_the_same_turned_by_one_arm():
    wheel = data.pinwheel(5)
    points = wheel.sample(100, SEED, dtype="float64")
    angle = 2 * np.pi / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert wheel.density(points @ turn.T) == pytest.approx(wheel.density(points))


RING = data.gaussian_ring()
BAD = [
    (lambda: data.gaussian_ring(0), ValueError, "modes must be an integer >= 1, got 0"),
    (lambda: data.gaussian_ring(8.0), TypeError, "modes must be an integer"),
    (lambda: data.gaussian_ring(True), TypeError, "modes must be an integer"),
    (lambda: data.gaussian_ring(radius=-1), ValueError, "radius must be .* > 0, got -1"),
    (lambda: data.gaussian_ring(std=0), ValueError, "std must be .* > 0, got 0"),
    (lambda: data.gaussian_ring(std=np.nan), ValueError, "std must be .* > 0, got nan"),
    (lambda: data.gaussian_ring(std="0.1"), TypeError, "std must be a finite number"),
    (lambda: data.gaussian_grid(-5), ValueError, "side must be an integer >= 1, got -5"),
    (lambda: data.gaussian_grid(spacing=np.inf), ValueError, "spacing must be a finite .* got inf"),
    (lambda: data.gaussian_grid(std=None), TypeError, "std must be a finite number"),
    (lambda: data.swiss_roll(std=1e-4), ValueError, "std must be .* >= 0.001, got 0.0001"),
    (lambda: data.two_moons(std=-1), ValueError, "std must be .* >= 0.001, got -1"),
    (lambda: data.pinwheel(0), ValueError, "arms must be an integer >= 1, got 0"),
    (lambda: data.pinwheel(radial_std=0), ValueError, "radial_std must be .* > 0, got 0"),
    (lambda: data.pinwheel(tangential_std=0), ValueError, "tangential_std must be .* > 0, got 0"),
    (lambda: data.pinwheel(rate=[1]), TypeError, "rate must be a finite number"),
    (lambda: RING.sample(-1, 0), ValueError, "n must be an integer >= 0, got -1"),
    (lambda: RING.sample(1.5, 0), TypeError, "n must be an integer"),
    (lambda: RING.sample(5, None), TypeError, "rng must be a seed .* got None"),
    (lambda: RING.sample(5, -3), ValueError, "rng must be a seed .* got -3"),
    (lambda: RING.sample(5, 0, dtype="int32"), TypeError, "dtype must be .* got 'int32'"),
    (lambda: RING.sample(5, 0, dtype="flaot"), TypeError, "dtype must be .* got 'flaot'"),
    (lambda: RING.sample(5, 0, dtype=None), TypeError, "dtype must be .* got None"),
    (lambda: RING.density([1, 2]), ValueError, r"points must be .* shape \(m, 2\)"),
    (lambda: RING.density(np.zeros((4, 3))), ValueError, r"points must be .* shape \(4, 3\)"),
    (lambda: RING.density([[np.nan, 0]]), ValueError, "points must be finite .* got NaN"),
    (lambda: RING.density([[1j, 0]]), TypeError, "points must be .* real numbers"),
    (lambda: RING.density([["a", "b"]]), TypeError, "points must be .* real numbers"),
    (lambda: RING.density([[1, 2], [3]]), ValueError, "points must be .* rows of equal length"),
]


@pytest.mark.parametrize("call, error, message", BAD, ids=[message for *_, message in BAD])
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_each_shows_itself_in_one_line(picture):
    shown = {
        data.gaussian_ring(): "GaussianModes(8 modes, std=0.01, extent=(-1.05, 1.05, -1.05, 1.05))",
        data.pinwheel(): "Pinwheel(arms=5, radial_std=0.3, tangential_std=0.1, rate=0.25, extent=("
        "-2.5, 2.5, -2.5, 2.5))",
        data.from_picture(picture / "right.png"): "PictureDistribution(24 x 16 pixels, extent=("
        "-1, 1, -0.6667, 0.6667))",
    }
    for distribution, text in shown.items():
        assert repr(distribution) == text
    assert repr(data.two_moons()).startswith("BlurredCurve(126 centres, std=0.05, extent=(-1.7")


@pytest.mark.parametrize("name", CASES)
def test_underflow_is_no_error(picture, name):
    """Under np.seterr(all="raise"): densities far away, and samples."""
    distribution = CASES[name](picture)[0]
    far = [[50.0, 50.0], [-7.0, 1e5], [1e300, -1e300], [1e-170, 1e-170], [0.3, -0.2]]
    with np.errstate(all="raise"):
        density = distribution.density(far)
        distribution.sample(1000, 0)
    assert (density[:3] == 0).all() and (density[3:] >= 0).all()

"""Glyphs: ten kinds of digits, told apart, centred, and the same for the same seed."""

import matplotlib
import numpy as np
import pytest
from matplotlib import style

from minigan.data import fonts, glyphs
from minigan.data.drawn_digits import FONTS


@pytest.fixture(scope="module")
def thousand():
    return glyphs(1000, rng=0)


def test_format_is_mnists(thousand):
    images, labels = thousand
    assert (images.shape, images.dtype) == ((1000, 28, 28, 1), np.float32)
    assert (labels.shape, labels.dtype) == ((1000,), np.int64)
    assert images.min() == -1 and images.max() == 1
    assert np.bincount(labels, minlength=10).min() > 60


def test_every_image_has_ink_and_paper_and_clean_edges(thousand):
    images, _ = thousand
    ink = (images > 0).mean(axis=(1, 2, 3))
    assert 0.03 < ink.min() and ink.max() < 0.5
    assert (images.max(axis=(1, 2, 3)) > 0.5).all()
    border = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    assert (border > 0).mean() < 0.01


def test_ink_is_centred(thousand):
    mass = thousand[0][..., 0] + 1
    total = mass.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = mass.sum(axis=axis) @ np.arange(28) / total
        assert centre.mean() == pytest.approx(13.5, abs=0.1)
        assert centre.std() < 0.6


def test_labels_are_the_digits_drawn(thousand):
    """The nearest of 1,000 other glyphs has the same label nearly always."""
    images, labels = (array.reshape(1000, -1) for array in thousand)
    others, other_labels = glyphs(1000, rng=1)
    others = others.reshape(1000, -1)
    distance = (others**2).sum(axis=1) - 2 * images @ others.T
    guess = other_labels[distance.argmin(axis=1)]
    assert (guess == labels[:, 0]).mean() > 0.95


def test_every_font_draws_ten_different_digits():
    fields, _ = fonts._distance_fields()
    cells = fields.reshape(len(FONTS), 10, -1)
    for font, digits in zip(FONTS, cells, strict=True):
        ink = digits > 0
        assert (ink.mean(axis=1) > 0.03).all(), font
        for j in range(10):
            differing = (ink[j] != ink).mean(axis=1)
            assert np.flatnonzero(differing < 0.02).tolist() == [j], font


def test_distance_is_the_nearest_pixels():
    mask = np.random.default_rng(0).random((3, fonts._CELL, fonts._CELL)) < 0.004
    found = fonts._distance(mask)
    for one, expected in zip(mask, found, strict=True):
        rows, columns = np.nonzero(one)
        place = np.arange(fonts._CELL)
        squared = (place[:, None, None] - rows) ** 2 + (place[None, :, None] - columns) ** 2
        nearest = np.sqrt(squared.min(axis=2))
        assert np.allclose(expected, np.minimum(nearest, fonts._REACH))


def test_the_outline_runs_halfway_between_the_last_ink_and_the_first_paper():
    fields, _ = fonts._distance_fields()
    assert fields[fields > 0].min() == 0.5 and fields[fields < 0].max() == -0.5


def test_a_seed_gives_the_same_bits_and_a_generator_moves_on(thousand):
    again, labels = glyphs(1000, rng=np.random.default_rng(0))
    assert np.array_equal(again, thousand[0]) and np.array_equal(labels, thousand[1])
    rng = np.random.default_rng(0)
    assert not np.array_equal(glyphs(20, rng=rng)[0], glyphs(20, rng=rng)[0])


def test_the_users_plot_style_changes_nothing(thousand):
    fonts._distance_fields.cache_clear()
    with style.context("dark_background", after_reset=True):
        matplotlib.rcParams["path.sketch"] = (1, 100, 2)
        dark, _ = glyphs(50, rng=0)
    fonts._distance_fields.cache_clear()
    assert np.array_equal(dark, glyphs(50, rng=0)[0])


@pytest.mark.parametrize("size", [8, 17, 64])
def test_size(size):
    images, labels = glyphs(30, size=size)
    assert images.shape == (30, size, size, 1) and len(labels) == 30
    assert 0.03 < (images > 0).mean() < 0.4


def test_none_at_all():
    images, labels = glyphs(0)
    assert images.shape == (0, 28, 28, 1) and labels.shape == (0,)


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"count": -1}, ValueError, "count must be an integer >= 0, got -1"),
        ({"count": 1e3}, TypeError, "count must be an integer"),
        ({"size": 7}, ValueError, "size must be an integer >= 8, got 7"),
        ({"size": "28"}, TypeError, "size must be an integer"),
        ({"rng": None}, TypeError, "rng must be a seed"),
        ({"rng": -1}, ValueError, "rng must be a seed .* got -1"),
    ],
)
def test_bad_input_is_one_clear_error(options, error, message):
    with pytest.raises(error, match=message):
        glyphs(**{"count": 1, **options})
